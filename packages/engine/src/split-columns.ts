import type { TimeColumnName } from '@hotpath/model'
import { rowsInTime, unknownRows } from './column-filters.js'
import { nextAbove } from './next-number.js'
import type { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'

/** Above one row in so many a pass over all sizes is quicker than reading that of each row. */
const DENSE_SIZES_SHARE = 16

/** Rows before an interval, and those in it. */
export interface SplitRows {
  readonly before: number
  readonly inside: RowSet
}

/** An interval of numbers, both ends included, as an order has them: negated where it descends. */
export interface OrderedInterval {
  readonly low: number
  readonly high: number
  readonly sign: 1 | -1
  /** Infinity or -Infinity: what stands for an unknown value. */
  readonly unknown: number
}

/** By a pass over the column of sizes; undefined where it is quicker to look at each row. */
export function splitBySize(table: TableRows, rows: RowSet, interval: OrderedInterval): SplitRows | undefined {
  if (table.table === 'd' || table.reader.sizes === undefined) return undefined
  if (rows.count * DENSE_SIZES_SHARE < table.rowCount) return undefined
  const { matcher, work } = table
  return split(rows, interval, {
    between: (low, high) => matcher.rowsOfSizes(low, high, work),
    unknown: () => unknownRows(table, 'size'),
  })
}

/** By a pass over a column of times; undefined where it is quicker to look at each row. */
export function splitBySeconds(
  table: TableRows,
  rows: RowSet,
  column: TimeColumnName,
  interval: OrderedInterval,
): SplitRows | undefined {
  const times = table.reader.timeColumn(table.table, column)
  if (rows.isList || times === undefined) return undefined
  return split(rows, interval, {
    between: (low, high) => rowsInTime(table, times, low, nextAbove(high)),
    unknown: () => unknownRows(table, column),
  })
}

/** What a column has where. */
interface ColumnRows {
  /** Rows with a known value of low … high, both included. */
  between(low: number, high: number): RowSet
  unknown(): RowSet
}

function split(rows: RowSet, { low, high, sign, unknown }: OrderedInterval, column: ColumnRows): SplitRows {
  const [least, most] = sign > 0 ? [low, high] : [-high, -low]
  const known = rows.and(column.between(least, most))
  const inside = low <= unknown && unknown <= high ? known.or(rows.and(column.unknown())) : known
  if (low === Number.NEGATIVE_INFINITY) return { before: 0, inside }
  // Larger ones come first where the order descends.
  const beyond =
    sign > 0
      ? column.between(Number.NEGATIVE_INFINITY, -nextAbove(-low))
      : column.between(nextAbove(-low), Number.POSITIVE_INFINITY)
  const before = rows.countWith(beyond) + (unknown < low ? rows.countWith(column.unknown()) : 0)
  return { before, inside }
}
