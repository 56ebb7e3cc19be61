import type { Predicate } from '@hotpath/query'
import { candidateBlocks } from './candidate-blocks.js'
import { FoundRows, type RowHit } from './found-rows.js'
import type { IndexedRow } from './indexed-row.js'
import { RowDelta } from './row-delta.js'
import { RowMatcher } from './row-matcher.js'
import { compareRows, mergeRows } from './row-order.js'
import type { RowSegment } from './row-segment.js'
import { SegmentRows } from './segment-rows.js'

export interface RowPage {
  /** Rows that match, exactly. */
  readonly total: number
  /** Those first in which what was looked for begins a word; by table, the largest key first. */
  readonly hits: readonly RowHit[]
}

/** Blocks between two looks at whether the search is still wanted. */
const BLOCKS_A_CHECK = 64

/**
 * The rows of one followed database: segments, what is gone of them, and a delta. Does no I/O: who keeps segments in files gives them as bytes.
 *
 * Each key is live in at most one place: putting a row removes the one before it, wherever that is.
 */
export class RowIndex {
  private parts: SegmentRows[]
  private delta = new RowDelta()
  /** A delta that is being written to a segment; it takes no rows any more, but loses them. */
  private sealed: RowDelta | undefined

  constructor(
    readonly database: string,
    segments: readonly SegmentRows[] = [],
  ) {
    this.parts = [...segments]
  }

  get rowCount(): number {
    return this.parts.reduce((sum, part) => sum + part.liveCount, this.delta.count + (this.sealed?.count ?? 0))
  }

  get segments(): readonly SegmentRows[] {
    return this.parts
  }

  /** Rows and bytes of text that are in no segment. */
  get unsaved(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.delta.count, bytes: this.delta.textBytes }
  }

  put(row: IndexedRow): void {
    this.remove(row.table, row.key)
    this.delta.put(row)
  }

  /** @returns false if there is no such row */
  remove(table: string, key: Uint8Array): boolean {
    if (this.delta.remove(table, key) || this.sealed?.remove(table, key)) return true
    return this.parts.some(part => part.remove(table, key))
  }

  /**
   * Closes the delta and returns its rows as a segment holds them; they stay searchable. Call `replaceSealed` with the segment that was made
   * of them. Rows that are removed in between must be given to it as dead: it does that by looking which of them are still there.
   */
  seal(): IndexedRow[] {
    if (this.sealed !== undefined) throw new Error('a delta is sealed already')
    this.sealed = this.delta
    this.delta = new RowDelta()
    return [...this.sealed.rows()].sort(compareRows)
  }

  /** Puts a segment made of what `seal` returned in the place of that. */
  replaceSealed(segment: RowSegment): SegmentRows {
    const { sealed } = this
    if (sealed === undefined) throw new Error('no delta is sealed')
    const part = new SegmentRows(segment)
    for (const row of part.rows()) if (!sealed.has(row.table, row.key)) part.remove(row.table, row.key)
    this.sealed = undefined
    this.parts.push(part)
    return part
  }

  /** The live rows of some of its segments, as one segment holds them. */
  mergedRows(parts: readonly SegmentRows[]): Iterable<IndexedRow> {
    return mergeRows(parts.map(part => part.rows()))
  }

  /** Puts a segment made of `mergedRows` in the place of those: what died meanwhile is dead in it too. */
  replaceMerged(parts: readonly SegmentRows[], segment: RowSegment): SegmentRows {
    const merged = new SegmentRows(segment)
    for (const part of parts) {
      for (const row of part.deadRows()) {
        const table = part.segment.tableOfRow(row)
        // A key that is dead here may be live in another of the parts, with a newer text.
        const key = part.segment.key(row)
        if (!parts.some(other => other !== part && other.isLive(table, key))) merged.remove(table, key)
      }
    }
    this.parts = [...this.parts.filter(part => !parts.includes(part)), merged]
    return merged
  }

  /**
   * The hits [offset, offset + limit) and how many there are.
   * @param check is called now and then, and throws if nobody wants the answer any more
   * Cost: the blocks that can hold a match are searched; texts are only unpacked where spelling matters, and for the hits.
   */
  search(predicate: Predicate, { offset, limit }: { offset: number; limit: number }, check: () => void): RowPage {
    const matcher = new RowMatcher(predicate, this.database)
    const found = new FoundRows(matcher, offset + limit)
    let total = 0
    for (const delta of [this.delta, this.sealed]) {
      if (delta === undefined) continue
      // Its blocks are in no order.
      found.begin(Number.POSITIVE_INFINITY)
      for (const { block, live } of delta.blocks()) total += found.add(block, matcher.match(block, live))
    }
    for (const part of this.parts) {
      found.begin()
      total += searchSegment(part, predicate, matcher, found, check)
    }
    return { total, hits: found.page(offset) }
  }
}

/** Adds the rows of a segment, in the order of hits. @returns how many there are */
function searchSegment(
  part: SegmentRows,
  predicate: Predicate,
  matcher: RowMatcher,
  found: FoundRows,
  check: () => void,
): number {
  const { segment } = part
  const candidates = candidateBlocks(segment, predicate)
  let total = 0
  let visited = 0
  for (let table = 0; table < segment.tables.length; table++) {
    const { from, to } = segment.blocksOfTable(table)
    const [first, end] =
      candidates === undefined ? [from, to] : [lowerBound(candidates, from), lowerBound(candidates, to)]
    for (let i = end - 1; i >= first; i--) {
      if (visited++ % BLOCKS_A_CHECK === 0) check()
      const number = candidates?.[i] ?? i
      const block = segment.block(number)
      total += found.add(block, matcher.match(block, part.live(number, block)))
    }
  }
  return total
}

/** First index whose value is not below `value`. */
function lowerBound(values: Uint32Array, value: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
