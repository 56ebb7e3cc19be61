import { ID_BYTES, instantAt, KIND_MASK, Kind, rankAt, wholeSecond } from '@hotpath/model'
import type { Fresh, HitColumns, SearchReply } from '@hotpath/protocol'
import type { Hit, HitKind } from './hit.js'

const KIND_NAMES = Object.keys(Kind) as HitKind[]
const SLASH = 0x2f
const decoder = new TextDecoder()

/** Row `row` of a page. */
export function hitAt(rows: HitColumns, row: number): Hit {
  const pathBytes = rows.paths.subarray(rows.pathOffsets[row], rows.pathOffsets[row + 1])
  const nameStart = rows.nameStart[row] ?? 0
  // The root directory keeps its slash.
  const directoryEnd = nameStart > 1 && pathBytes[nameStart - 1] === SLASH ? nameStart - 1 : nameStart
  const size = rows.size[row] ?? Number.NaN
  return {
    id: Buffer.from(rows.ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES)).toString('base64url'),
    pathBytes,
    nameStart,
    path: decoder.decode(pathBytes),
    name: decoder.decode(pathBytes.subarray(nameStart)),
    directory: decoder.decode(pathBytes.subarray(0, directoryEnd)),
    kind: KIND_NAMES[(rows.kind[row] ?? Kind.other) & KIND_MASK] ?? 'other',
    sizeBytes: Number.isNaN(size) ? undefined : size,
    modified: instantAt(rows.modified, row),
    created: instantAt(rows.created, row),
    accessed: instantAt(rows.accessed, row),
    hot: rows.hot?.[row] ?? 0,
    opens: rows.opens?.[row] ?? 0,
    opened: wholeSecond(rows.opened?.[row]),
    rank: rankAt(rows, row),
  }
}

/** Plain data; the text itself should it be no JSON. */
function parseExplanation(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** An answer. `rows` are the columns as they came; `hits` makes objects of them at the first use. */
export class SearchResult {
  /** Exact number of hits, whatever the limit was. */
  readonly total: number
  /**
   * Hits after those, which only tolerant terms find. Undefined if the query has none, or nobody looked because the page
   * ends before the other hits do.
   */
  readonly fuzzyTotal: number | undefined
  /** Rows of this page that are no such hits; the rows after them are. */
  readonly exactRows: number
  /** State of the index that was searched; opaque, to be given as `minClock`. */
  readonly clock: string
  readonly fresh: Fresh
  /** A part of the index is missing. */
  readonly partial: boolean
  /** Milliseconds in the engine alone. */
  readonly tookMs: number
  /** Was computed for an earlier search; nothing has changed since. */
  readonly cached: boolean
  readonly rows: HitColumns
  /** How the query ran, if it was asked for. */
  readonly explanation: unknown
  private made: Hit[] | undefined

  /** @param offset of the request: says where the fuzzy hits begin */
  constructor(reply: SearchReply, offset: number) {
    this.total = reply.total
    this.fuzzyTotal = Number.isNaN(reply.fuzzyTotal) ? undefined : reply.fuzzyTotal
    this.exactRows = Math.min(reply.rows.count, Math.max(0, reply.total - offset))
    this.clock = reply.clock
    this.fresh = reply.fresh
    this.partial = reply.partial
    this.tookMs = reply.tookMs
    this.cached = reply.cached === true
    this.rows = reply.rows
    this.explanation = parseExplanation(reply.explain)
  }

  get hits(): readonly Hit[] {
    this.made ??= Array.from({ length: this.rows.count }, (_, row) => ({
      ...hitAt(this.rows, row),
      fuzzy: row >= this.exactRows,
    }))
    return this.made
  }
}
