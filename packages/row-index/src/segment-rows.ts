import type { IndexedRow } from './indexed-row.js'
import { allRows, popCount, type RowBlock } from './row-block.js'
import type { RowSegment } from './row-segment.js'

/** A segment and which of its rows are no longer there. */
export class SegmentRows {
  /** A mask for each block of the rows that are gone. */
  private readonly dead: Uint32Array
  deadCount = 0

  /** @param dead row numbers that are gone already */
  constructor(
    readonly segment: RowSegment,
    dead: Iterable<number> = [],
  ) {
    this.dead = new Uint32Array(segment.blockCount)
    for (const row of dead) this.bury(row)
  }

  get liveCount(): number {
    return this.segment.rowCount - this.deadCount
  }

  /** @returns false if no such row is there */
  remove(table: string, key: Uint8Array): boolean {
    const row = this.segment.find(table, key)
    return row >= 0 && this.bury(row)
  }

  /** True if a row with this key is there. */
  isLive(table: string, key: Uint8Array): boolean {
    const row = this.segment.find(table, key)
    if (row < 0) return false
    const block = this.blockOf(row)
    return (this.dead[block]! & (1 << (row - this.segment.firstRow(block)))) === 0
  }

  private bury(row: number): boolean {
    const block = this.blockOf(row)
    const bit = 1 << (row - this.segment.firstRow(block))
    if ((this.dead[block]! & bit) !== 0) return false
    this.dead[block]! |= bit
    this.deadCount++
    return true
  }

  private blockOf(row: number): number {
    let low = 0
    let high = this.segment.blockCount - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.segment.firstRow(middle) <= row) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The mask of the rows of a block that are there. */
  live(number: number, block: RowBlock): number {
    return allRows(block.count) & ~this.dead[number]!
  }

  /** Numbers of the rows that are gone, ascending. */
  *deadRows(): Generator<number> {
    for (let block = 0; block < this.dead.length; block++) {
      if (this.dead[block] === 0) continue
      const first = this.segment.firstRow(block)
      const count = this.segment.firstRow(block + 1) - first
      for (let row = 0; row < count; row++) if ((this.dead[block]! & (1 << row)) !== 0) yield first + row
    }
  }

  /** The rows that are there, by table and key. */
  *rows(): Generator<IndexedRow> {
    for (let number = 0; number < this.segment.blockCount; number++) {
      const block = this.segment.block(number)
      const live = this.live(number, block)
      if (popCount(live) === 0) continue
      for (let row = 0; row < block.count; row++) {
        if ((live & (1 << row)) !== 0) yield { table: block.table, key: block.key(row), text: block.text(row) }
      }
    }
  }
}
