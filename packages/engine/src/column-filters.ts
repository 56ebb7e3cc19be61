import { TIME_EXCEPTION, type TimeColumnReader } from '@hotpath/index-format'
import type { TimeColumnName } from '@hotpath/model'
import type { SizePredicate, TimePredicate, UnknownPredicate } from '@hotpath/query'
import { Bitset } from './bitset.js'
import { firstAt } from './first-at.js'
import { AnywhereFilter, ConstantFilter, type RowFilter, SetFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'

/** ns to read the size of a row (mostly waiting for memory), and to filter one of many in order. */
const SIZE_TEST_NS = 70
export const SIZE_FILTER_NS = 3
/** The same for times. */
const TIME_TEST_NS = 30
export const TIME_FILTER_NS = 0.6
/** Rows up to which sorting a list (80 ns a row) is cheaper than collecting them from bits. */
const SORTED_ROWS = 4096
/** Rows looked at to estimate how many are in an interval. */
const SAMPLE_ROWS = 64

/** Files of a size of min … max bytes. */
export function sizeFilter(table: TableRows, { min, max }: SizePredicate): RowFilter {
  const { sizes } = table.reader
  if (sizes === undefined) return new ConstantFilter(table.rowCount, false)
  if (min <= 0 && max >= 0 && max < 1) return new SetFilter(emptyFiles(table))
  const size = (row: number): number => sizes.at(row)
  const large = listedRows(table, table.reader.largest(), size, sizes.unknownCount, min, max, -1)
  if (large) return new SetFilter(large)
  const small = listedRows(table, table.reader.smallest(), size, sizes.unknownCount, Math.max(1, min), max, 1)
  // Empty files are not in that list.
  if (small) return new SetFilter(min <= 0 ? small.or(emptyFiles(table)) : small)
  return new ColumnFilter(
    table.rowCount,
    SIZE_TEST_NS,
    SIZE_FILTER_NS,
    row => {
      const size = sizes.at(row)
      return size >= min && size <= max
    },
    () => table.matcher.rowsOfSizes(min, max, table.work),
    { column: 'size', low: min, high: max },
  )
}

/** Files of size 0. Cost: a pass over the column, once. */
export function emptyFiles(table: TableRows): RowSet {
  return table.segment.remembered('empty', () => table.matcher.rowsOfSizes(0, 0, table.work))
}

/** Name ids of the empty files. Cost: that of finding them, once. */
export function namesOfEmptyFiles(table: TableRows): RowSet {
  return table.segment.remembered('names of empty', () => {
    const names = new Bitset(table.dictionary.nameCount)
    emptyFiles(table).forEach(row => {
      names.add(table.nameIdOf(row))
    })
    return RowSet.ofBits(names, names.count())
  })
}

/** Rows with a time in an interval. */
export function timeFilter(table: TableRows, { column, from, to }: TimePredicate): RowFilter {
  const times = table.reader.timeColumn(table.table, column)
  if (times === undefined) return new ConstantFilter(table.rowCount, false)
  if (column === 'modified') {
    const seconds = (row: number): number => times.secondsAt(row)
    const last = Math.ceil(to) - 1
    const listed =
      listedRows(table, table.reader.newest(table.table), seconds, times.unknownCount, from, last, -1) ??
      listedRows(table, table.reader.oldest(table.table), seconds, times.unknownCount, from, last, 1)
    if (listed) return new SetFilter(listed)
  }
  return new ColumnFilter(
    table.rowCount,
    TIME_TEST_NS,
    TIME_FILTER_NS,
    row => {
      const seconds = times.secondsAt(row)
      return seconds >= from && seconds < to
    },
    () => rowsInTime(table, times, from, to),
    { column, low: from, high: Math.ceil(to) - 1 },
  )
}

/** Rows for which the column holds no value. */
export function unknownFilter(table: TableRows, { column }: UnknownPredicate): RowFilter {
  return new SetFilter(unknownRows(table, column))
}

/** Rows for which a column holds no value. Cost: none if there are none, else a pass over the column; few are kept. */
export function unknownRows(table: TableRows, column: UnknownPredicate['column']): RowSet {
  const { rowCount, segment, reader } = table
  const values = column === 'size' ? reader.sizes : reader.timeColumn(table.table, column)
  const unknownCount = values?.unknownCount ?? rowCount
  if (unknownCount === 0) return RowSet.none(rowCount)
  if (unknownCount >= rowCount) return RowSet.full(rowCount)
  return segment.remembered(`${table.table} ${column} unknown`, () =>
    column === 'size' ? table.matcher.rowsOfSizes(0, Infinity, table.work).complement() : unknownTimes(table, column),
  )
}

function unknownTimes(table: TableRows, column: TimeColumnName): RowSet {
  const times = table.reader.timeColumn(table.table, column)
  if (times === undefined) return RowSet.full(table.rowCount)
  return table.matcher
    .rowsInRange(times.seconds, TIME_EXCEPTION, TIME_EXCEPTION)
    .filter(row => Number.isNaN(times.secondsAt(row)))
}

/** Rows with a known time of from … to, the last not included. */
export function rowsInTime(table: TableRows, times: TimeColumnReader, from: number, to: number): RowSet {
  const low = Math.max(0, Math.ceil(from))
  const high = Math.min(TIME_EXCEPTION - 1, Math.ceil(to) - 1)
  const rows = low <= high ? table.matcher.rowsInRange(times.seconds, low, high) : RowSet.none(table.rowCount)
  const more: number[] = []
  times.forEachException((row, seconds) => {
    if (seconds >= from && seconds < to) more.push(row)
  })
  return more.length === 0 ? rows : rows.or(RowSet.ofList(table.rowCount, Uint32Array.from(more)))
}

/**
 * Rows with a value of low … high (both included, whole) out of a list of the rows with the largest values, descending
 * (`sign` -1), or the smallest, ascending (1); undefined if the interval goes on beyond the end of the list.
 */
function listedRows(
  table: TableRows,
  list: Uint32Array | undefined,
  value: (row: number) => number,
  unknownCount: number,
  low: number,
  high: number,
  sign: 1 | -1,
): RowSet | undefined {
  if (list === undefined || list.length === 0) return undefined
  const nearest = sign < 0 ? -high : low
  const farthest = sign < 0 ? -low : high
  // What is not listed is strictly beyond the last one, or of the same second and beyond it in ticks.
  const complete = list.length + unknownCount >= table.rowCount
  if (!complete && !(farthest < sign * value(list[list.length - 1]))) return undefined
  const from = firstAt(list, row => sign * value(row) >= nearest)
  const to = firstAt(list, row => sign * value(row) > farthest)
  const rows = list.subarray(from, Math.max(from, to))
  if (rows.length <= SORTED_ROWS) return RowSet.ofList(table.rowCount, rows.slice().sort())
  const bits = new Bitset(table.rowCount)
  for (let i = 0; i < rows.length; i++) bits.add(rows[i])
  return RowSet.ofBits(bits, rows.length)
}

/** Rows with a value in an interval of a column. */
export class ColumnFilter extends AnywhereFilter {
  private rows: RowSet | undefined
  private estimated: number | undefined

  constructor(
    private readonly rowCount: number,
    readonly testNs: number,
    private readonly filterNs: number,
    readonly test: (row: number) => boolean,
    private readonly find: () => RowSet,
    /** Whole values, both included. */
    readonly interval: { readonly column: string; readonly low: number; readonly high: number },
  ) {
    super()
  }

  get estimate(): number {
    this.estimated ??= this.rows?.count ?? this.estimateBySample()
    return this.estimated
  }

  private estimateBySample(): number {
    const step = Math.max(1, Math.floor(this.rowCount / SAMPLE_ROWS))
    let looked = 0
    let passed = 0
    for (let row = step >>> 1; row < this.rowCount; row += step, looked++) if (this.test(row)) passed++
    return (Math.max(passed, 0.5) / Math.max(1, looked)) * this.rowCount
  }

  get allNs(): number {
    return this.rows ? 0 : this.rowCount * this.filterNs
  }

  all(): RowSet {
    this.rows ??= this.find()
    return this.rows
  }
}
