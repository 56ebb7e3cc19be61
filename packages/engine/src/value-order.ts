import { compareByPath } from './path-order.js'
import type { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'
import { topRows } from './top-rows.js'

/** An order of rows by numbers. */
export interface ValueOrder {
  readonly limit: number
  /** Ascending; Infinity for what comes last. */
  readonly value: (row: number) => number
  /** Of rows with the same value: ascending. */
  readonly minor?: (row: number) => number
  /** Of rows that are the same so far. */
  readonly tie: (a: number, b: number) => number
}

/**
 * The first rows of a set in an order. Cost: the value of each row, and comparisons of those that come in question.
 * @param skip after a row that comes too late, so do those before the row that this returns
 */
export function firstByValue(
  table: TableRows,
  rows: RowSet,
  order: ValueOrder,
  skip?: (row: number) => number,
): number[] {
  const { limit, value, minor, tie } = order
  const { work } = table
  let steps = 0
  const step = (): void => {
    if ((++steps & CHECK_MASK) === 0) work.checkCancelled()
  }
  const top = topRows(limit, { tie, step })
  const look = (row: number): boolean => {
    step()
    const key = value(row)
    if (key > top.lastValue) return false
    top.offer(row, key, minor?.(row) ?? 0)
    return true
  }
  if (skip === undefined) rows.forEach(look)
  else for (let row = rows.next(0); row >= 0; ) row = rows.next(look(row) ? row + 1 : skip(row))
  return top.sorted()
}

/** By name, then by path. */
export function nameOrder(table: TableRows): (a: number, b: number) => number {
  return (a, b) => table.nameIdOf(a) - table.nameIdOf(b) || compareByPath(table, a, b)
}
