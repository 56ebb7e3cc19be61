import { Bitset } from './bitset.js'
import type { Hit } from './hit.js'
import { EntriesByName, EntriesByPath, type KeptEntries, SortedEntries } from './kept-entries.js'
import { piecesOf, type Ranges } from './merged-path-walk.js'
import { positionsByName } from './name-ranks.js'
import type { OrderLevel } from './order-levels.js'
import { compareByPath } from './path-order.js'
import { RankedRows } from './ranked-rows.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'

/** Rows of a table of a segment; of a delta, in order. */
export type PartRows = RankedRows | Uint32Array

/** Some of the hits of one source, as an order sees them: by numbers (levels) one after the other, then by name and path. */
export interface OrderPart {
  readonly count: number
  readonly rows: PartRows
  /** Others of the hits of the same source. */
  withRows(rows: PartRows): OrderPart
  /** The number of a level for so many of them, spread evenly. */
  sample(level: number, count: number): number[]
  /** How many have a number of a level that is less than `low`, and those that have `low` … `high`, both included. */
  split(level: number, low: number, high: number): { readonly before: number; readonly inside: OrderPart }
  /** All of them in order. Cost: that of sorting them. */
  sorted(): KeptEntries
  /** All of them, which have the same numbers, by name and path. Cost: a pass over the rows of the table. */
  byName(descending: boolean): KeptEntries
  /** All of them by path: lists that are to be merged. */
  byPath(descending: boolean): readonly KeptEntries[]
}

/** Hits in a table of a segment. */
export class SegmentPart implements OrderPart {
  constructor(
    private readonly table: TableRows,
    private readonly tree: TreeMatcher,
    private readonly levels: readonly OrderLevel[],
    readonly rows: RankedRows,
    /** Of each level, once it was asked for. */
    private readonly values: ((row: number) => number)[] = [],
  ) {}

  get count(): number {
    return this.rows.length
  }

  sample(level: number, count: number): number[] {
    const value = this.value(level)
    return Array.from({ length: count }, (_, i) => value(this.rows.at(Math.floor(((i + 0.5) * this.count) / count))))
  }

  split(level: number, low: number, high: number): { before: number; inside: OrderPart } {
    const { table } = this
    const { before, inside } =
      this.levels[level].split?.(table, this.rows.rows, low, high) ?? this.splitEach(this.value(level), low, high)
    return { before, inside: this.withRows(new RankedRows(inside)) }
  }

  withRows(rows: PartRows): OrderPart {
    return rows instanceof RankedRows ? new SegmentPart(this.table, this.tree, this.levels, rows, this.values) : this
  }

  /** Looks at each row. */
  private splitEach(value: (row: number) => number, low: number, high: number): { before: number; inside: RowSet } {
    const { rowCount, work } = this.table
    const { rows } = this.rows
    let before = 0
    let steps = 0
    const isInside = (row: number): boolean => {
      if ((++steps & CHECK_MASK) === 0) work.checkCancelled()
      const own = value(row)
      if (own < low) {
        before++
        return false
      }
      return own <= high
    }
    if (rows.isList) return { inside: RowSet.ofList(rowCount, rows.list.filter(isInside)), before }
    const { words } = rows.toBits()
    let count = 0
    for (let word = 0; word < words.length; word++) {
      for (let bits = words[word]; bits !== 0; bits &= bits - 1) {
        const bit = bits & -bits
        if (isInside((word << 5) + 31 - Math.clz32(bit))) count++
        else words[word] ^= bit
      }
    }
    return { inside: RowSet.ofBits(new Bitset(rowCount, words), count), before }
  }

  sorted(): KeptEntries {
    const { table, levels } = this
    const { length } = this.rows
    const rows = Uint32Array.from({ length }, (_, i) => this.rows.at(i))
    const numbers = levels.map((_, level) => Float64Array.from(rows, this.value(level)))
    const names = Uint32Array.from(rows, row => table.nameIdOf(row))
    let steps = 0
    const order = Uint32Array.from({ length }, (_, i) => i).sort((a, b) => {
      if ((++steps & CHECK_MASK) === 0) table.work.checkCancelled()
      for (const number of numbers) if (number[a] !== number[b]) return number[a] < number[b] ? -1 : 1
      return names[a] - names[b] || compareByPath(table, rows[a], rows[b])
    })
    return new SortedEntries(order.map(i => rows[i]))
  }

  byName(descending: boolean): KeptEntries {
    return new EntriesByName(positionsByName(this.table, this.rows.rows), descending)
  }

  byPath(descending: boolean): readonly KeptEntries[] {
    const { table, rows } = this
    if (table.segment.displaced.size === 0) return [new EntriesByPath(rows, descending)]
    // What lies in a displaced directory keeps its order, and so does what lies in none.
    return piecesOf(table).flatMap(ranges => {
      table.work.checkCancelled()
      const piece = rowsIn(rows.rows, ranges)
      return piece.count === 0 ? [] : [new EntriesByPath(new RankedRows(piece), descending)]
    })
  }

  private value(level: number): (row: number) => number {
    this.values[level] ??= this.levels[level].ofTable(this.table, this.tree)
    return this.values[level]
  }
}

/** Hits of a delta, of which there are few: they are sorted before anything else is asked of them. */
export class DeltaPart implements OrderPart {
  /**
   * @param sorted in the order of the page
   * @param make makes a hit of a row
   */
  constructor(
    readonly rows: Uint32Array,
    private readonly levels: readonly OrderLevel[],
    private readonly make: (row: number) => Hit,
  ) {}

  get count(): number {
    return this.rows.length
  }

  sample(level: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.value(level, Math.floor(((i + 0.5) * this.count) / count)))
  }

  split(level: number, low: number, high: number): { before: number; inside: OrderPart } {
    const before = this.firstAt(value => value >= low, level)
    const end = this.firstAt(value => value > high, level)
    return { before, inside: this.withRows(this.rows.subarray(before, end)) }
  }

  withRows(rows: PartRows): OrderPart {
    return rows instanceof RankedRows ? this : new DeltaPart(rows, this.levels, this.make)
  }

  sorted(): KeptEntries {
    return new SortedEntries(this.rows)
  }

  byName(): KeptEntries {
    return this.sorted()
  }

  byPath(): readonly KeptEntries[] {
    return [this.sorted()]
  }

  private value(level: number, place: number): number {
    return this.levels[level].ofHit(this.make(this.rows[place]))
  }

  private firstAt(test: (value: number) => boolean, level: number): number {
    let low = 0
    let high = this.rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (test(this.value(level, middle))) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** A piece of more than one row in so many is cut out of the bits of all. */
const LARGE_SHARE = 16

/** The rows of a set that lie in ranges. */
function rowsIn(rows: RowSet, { starts, ends }: Ranges): RowSet {
  const { size } = rows
  const length = starts.reduce((sum, start, i) => sum + ends[i] - start, 0)
  if (length * LARGE_SHARE > size && !rows.isList) {
    const bits = rows.toBits()
    starts.forEach((start, i) => {
      bits.clear(i === 0 ? 0 : ends[i - 1], start)
    })
    bits.clear(ends[ends.length - 1], size)
    return RowSet.ofBits(bits, bits.count())
  }
  const found: number[] = []
  starts.forEach((start, i) => {
    for (let row = rows.next(start); row >= 0 && row < ends[i]; row = rows.next(row + 1)) found.push(row)
  })
  return RowSet.ofList(size, Uint32Array.from(found))
}
