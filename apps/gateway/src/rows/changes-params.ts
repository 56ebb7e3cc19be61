import { InvalidInputError } from '@hotpath/model'
import { belongsTogether, parseCursor, type RowCursor, type RowsRequest } from '@hotpath/protocol'
import { decodeText, parseQueryParts } from '../http/query-string.js'

export const PARAMETERS = ['database', 'table', 'cursor', 'initial']

/** What `/api/changes?…` asks for. Throws InvalidInputError for anything that would otherwise be ignored. */
export function parseChangesParams(queryString: string): Omit<RowsRequest, 'credit'> {
  const values = new Map<string, string[]>(PARAMETERS.map(name => [name, []]))
  for (const [name, bytes] of parseQueryParts(queryString)) {
    const known = values.get(name)
    if (known === undefined) throw new InvalidInputError('parameter', PARAMETERS.join(', '), JSON.stringify(name))
    known.push(decodeText(bytes, name))
  }
  const given = (name: string): string[] => values.get(name) ?? []
  for (const name of ['database', 'table'])
    if (given(name).includes('')) throw new InvalidInputError(name, 'a name', 'nothing')
  const initial = given('initial')
  if (initial.length > 1 || !['0', '1', undefined].includes(initial[0]))
    throw new InvalidInputError('initial', '0 or 1', JSON.stringify(initial.join(', ')))
  return {
    databases: [...new Set(given('database'))],
    tables: [...new Set(given('table'))],
    cursors: cursorsOf(given('cursor')),
    rows: initial[0] === '1',
  }
}

function cursorsOf(texts: readonly string[]): RowCursor[] {
  const cursors = texts.map(text => parseCursor(text))
  for (const [i, cursor] of cursors.entries())
    if (cursors.slice(0, i).some(other => belongsTogether(other, cursor)))
      throw new InvalidInputError('cursor', 'one for each database', 'several of one')
  return cursors
}
