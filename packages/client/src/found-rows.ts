import { decodeRowKey, type RowKey } from '@hotpath/model'
import type { CaseMode, RowSearchReply, RowSearchRequest } from '@hotpath/protocol'
import type { CallOptions } from './search-params.js'

/** Which rows of followed databases are wanted. */
export interface RowSearchParams extends CallOptions {
  readonly query: string | Uint8Array
  /** Rows wanted, at most 1,000; 20 if missing. */
  readonly limit?: number
  readonly offset?: number
  readonly caseMode?: CaseMode
}

/** A row whose text was found. */
export interface FoundRow {
  readonly database: string
  readonly table: string
  /** Its rowid, or the values of its primary key in their order. */
  readonly key: RowKey
  /** The piece of its text around the first match. */
  readonly snippet: string
  /** What matched, as UTF-16 offsets into the snippet. */
  readonly matched: readonly { readonly from: number; readonly to: number }[]
  /** Text of the row stands before the snippet, after it. */
  readonly isCut: { readonly start: boolean; readonly end: boolean }
}

export interface FoundRows {
  /** Exact number of rows, without limit and offset. */
  readonly total: number
  /** Milliseconds. */
  readonly tookMs: number
  /** By database; of each those first in which a word begins so, then by table, the largest key first. */
  readonly rows: readonly FoundRow[]
}

const DEFAULT_ROWS = 20

export function rowSearchRequest({
  query,
  limit = DEFAULT_ROWS,
  offset = 0,
  caseMode = 'ignore',
}: RowSearchParams): RowSearchRequest {
  return { text: typeof query === 'string' ? Buffer.from(query) : query, limit, offset, caseMode, deadlineMs: 0 }
}

export function foundRows({ total, tookMs, rows }: RowSearchReply): FoundRows {
  return {
    total,
    tookMs,
    rows: rows.map(({ database, table, key, snippet, matched, cutStart, cutEnd }) => ({
      database,
      table,
      key: decodeRowKey(key),
      snippet,
      matched: Array.from({ length: matched.length >> 1 }, (_, i) => ({
        from: matched[2 * i]!,
        to: matched[2 * i + 1]!,
      })),
      isCut: { start: cutStart, end: cutEnd },
    })),
  }
}
