import { decodeRowKey, InvalidInputError } from '@hotpath/model'
import { type FoundRow, MAX_FOUND_ROWS, valueJson } from '@hotpath/protocol'
import type { RowAnswer, RowSearch } from '../search-backend.js'
import { decodeText, parseQueryString } from './query-string.js'
import { MAX_OFFSET, parseCase, parseWhole } from './search-params.js'

const PARAMETERS = ['q', 'limit', 'offset', 'case']
const DEFAULT_ROWS = 20

/** The search behind `/api/rows?…`. Throws InvalidInputError for anything that would otherwise be ignored. */
export function parseRowParams(queryString: string): RowSearch {
  const raw = parseQueryString(queryString)
  for (const name of raw.keys()) {
    if (!PARAMETERS.includes(name))
      throw new InvalidInputError('parameter', PARAMETERS.join(', '), JSON.stringify(name))
  }
  const text = (name: string) => {
    const bytes = raw.get(name)
    return bytes === undefined ? undefined : decodeText(bytes, name)
  }
  return {
    query: text('q') ?? '',
    limit: parseWhole('limit', text('limit'), DEFAULT_ROWS, MAX_FOUND_ROWS),
    offset: parseWhole('offset', text('offset'), 0, MAX_OFFSET),
    caseMode: parseCase(text('case')),
  }
}

/** The answer as JSON text: keys are exact, as in changes of rows. */
export function rowReply({ total, engineMs, rows }: RowAnswer): string {
  return `{"total":${total},"tookMs":${Math.round(engineMs * 1_000) / 1_000},"rows":[${rows.map(rowJson).join(',')}]}`
}

function rowJson({ database, table, key, snippet, matched, cutStart, cutEnd }: FoundRow): string {
  const spans: number[][] = []
  for (let i = 0; i + 1 < matched.length; i += 2) spans.push([matched[i]!, matched[i + 1]! - matched[i]!])
  const place = `"database":${JSON.stringify(database)},"table":${JSON.stringify(table)},"key":${keyJson(key)}`
  return `{${place},"snippet":${JSON.stringify(snippet)},"matched":${JSON.stringify(spans)},"cut":[${cutStart},${cutEnd}]}`
}

/** A rowid, or the values of a primary key in their order. */
function keyJson(bytes: Uint8Array): string {
  const key = decodeRowKey(bytes)
  return typeof key === 'bigint' ? valueJson(key) : `[${key.map(valueJson).join(',')}]`
}
