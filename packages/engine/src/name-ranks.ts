import { compareByPath, firstByPath } from './path-order.js'
import { PathRanks } from './path-ranks.js'
import { RankedRows } from './ranked-rows.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'

/** Rows of one name that are sorted by comparing them; of more the place of one is found in the tree. */
const FEW_ROWS = 32

/**
 * Where the rows of a set stand in the lists of rows by name: positions in the dictionary's inverse, which is in the order of names.
 * Cost: a pass over the inverse, 2 ns a row of the table.
 */
export function positionsByName({ dictionary, rowCount, work, matcher }: TableRows, rows: RowSet): RankedRows {
  if (rows.count === rowCount) return new RankedRows(rows)
  const { list, bits } = rows
  if (bits !== undefined) return new RankedRows(RowSet.ofBits(matcher.placesByName(bits, work)))
  // Few: each finds its own.
  const positions = new Uint32Array(list.length)
  for (let i = 0; i < list.length; i++) {
    if ((i & CHECK_MASK) === 0) work.checkCancelled()
    positions[i] = positionOf(dictionary, list[i])
  }
  return new RankedRows(RowSet.ofList(rowCount, positions.sort()))
}

/** Position of a row in the inverse: its name's rows ascend. */
function positionOf(dictionary: TableRows['dictionary'], row: number): number {
  const id = dictionary.nameIdOf(row)
  let low = dictionary.inverseStartOf(id)
  let high = low + dictionary.rowCountOf(id)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (dictionary.rowAtInverse(middle) < row) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows of one name, and how many others come before them in the order of names. */
interface NameRows {
  readonly start: number
  readonly end: number
  readonly at: (place: number) => number
}

/** Rows of a table by name, those of one name by path, each found by how many are before it. Cost: some microseconds a row. */
export class NameRanks {
  readonly length: number
  private last: NameRows | undefined

  constructor(
    private readonly table: TableRows,
    private readonly positions: RankedRows,
    /** Names descend; rows of one name ascend all the same. */
    private readonly descending: boolean,
  ) {
    this.length = positions.length
  }

  at(place: number): number {
    const rank = this.descending ? this.length - 1 - place : place
    let name = this.last
    if (name === undefined || rank < name.start || rank >= name.end) {
      name = this.nameAt(rank)
      this.last = name
    }
    const inName = rank - name.start
    return name.at(this.descending ? name.end - name.start - 1 - inName : inName)
  }

  private nameAt(rank: number): NameRows {
    const { table, positions } = this
    const { dictionary } = table
    const row = dictionary.rowAtInverse(positions.at(rank))
    const id = dictionary.nameIdOf(row)
    const rowCount = dictionary.rowCountOf(id)
    if (rowCount === 1) return { start: rank, end: rank + 1, at: () => row }
    const first = dictionary.inverseStartOf(id)
    const start = positions.countBelow(first)
    const end = positions.countBelow(first + rowCount)
    const rows = Uint32Array.from({ length: end - start }, (_, i) => dictionary.rowAtInverse(positions.at(start + i)))
    return { start, end, at: this.byPath(rows) }
  }

  /** @param rows ascending */
  private byPath(rows: Uint32Array): (place: number) => number {
    const { table } = this
    if (rows.length === 1) return () => rows[0]
    if (rows.length <= FEW_ROWS) {
      const sorted = rows.slice().sort((a, b) => compareByPath(table, a, b))
      return place => sorted[place]
    }
    const set = RowSet.ofList(table.rowCount, rows)
    if (table.segment.displaced.size > 0) {
      const sorted = firstByPath(table, set, false, rows.length)
      return place => sorted[place]
    }
    const ranks = new PathRanks(table, new RankedRows(set), false)
    return place => ranks.at(place)
  }
}
