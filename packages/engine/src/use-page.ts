import type { HotSlot } from '@hotpath/hot-score'
import type { OpenedPredicate, RunsPredicate } from '@hotpath/query'
import { HitFinder } from './hit-finder.js'
import { RelevanceOrder } from './relevance-order.js'
import { AndFilter, ConstantFilter, NotFilter, type RowFilter, SetFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import type { UseSort } from './sort-order.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'
import { firstByValue, nameOrder } from './value-order.js'

/** Of the opened rows one in so many are tested one by one before all of them are decided together. */
const WALK_SHARE = 4
/** Tests between two looks at whether the search was cancelled: less than a millisecond of them. */
const CHECK_TESTS = 64

/** The hits of a table that were opened, as far as a page needs them. */
export interface OpenedHits {
  /** The first ones in the order. */
  readonly first: readonly number[]
  /** All of them, or, if there are more than the page holds, at least as many as it holds. */
  readonly rows: RowSet
}

/**
 * The first `limit` hits that were opened, in a sort by use. Cost: tests of the first opened rows where hits are frequent, else of
 * all, or less where all hits are known or quickly found; and, for other orders than hottest first, a score for each opened row.
 */
export function openedHits(finder: HitFinder, tree: TreeMatcher, sort: UseSort, limit: number): OpenedHits {
  const { table } = finder
  const rows = table.segment.opened.rows(table.table)
  if (rows.count === 0 || limit === 0 || table.work.sight !== undefined) {
    return { first: [], rows: RowSet.none(table.rowCount) }
  }
  const order = { limit, value: useValue(table, sort), tie: tieOrder(table, tree, sort) }
  const found =
    walkByStanding(finder, rows, sort, limit) ??
    walkByUse(finder, rows, order.value, limit) ??
    openedAmong(finder, rows)
  return { first: firstByValue(table, found, order), rows: found }
}

/** Order of rows that were used equally. */
function tieOrder(table: TableRows, tree: TreeMatcher, sort: UseSort): (a: number, b: number) => number {
  if (sort.column !== 'hot') return nameOrder(table)
  const order = new RelevanceOrder(table, tree, sort.terms)
  return (a, b) => order.compare(a, b)
}

/** Ascending: the first of the order has the least value. */
function useValue(table: TableRows, sort: UseSort): (row: number) => number {
  const { firstEntry, segment, work } = table
  const { hot } = table.view
  const sign = (sort.column === 'hot') === sort.descending ? 1 : -1
  if (sort.column === 'opened') return row => sign * hot.openedAt(segment.opened.slotOf(firstEntry + row))
  return row => sign * hot.scoreAt(segment.opened.slotOf(firstEntry + row), work.nowSeconds)
}

/** Days by which standings can be off: far more than their rounding errors. */
const STANDING_ERROR = 1e-6

/**
 * The same as `walkByUse` for the hottest first, without a score for each opened row: their order is kept. Undefined also
 * where scores do not fall together.
 */
function walkByStanding(finder: HitFinder, rows: RowSet, sort: UseSort, limit: number): RowSet | undefined {
  const { table } = finder
  const { hot } = table.view
  const budget = walkBudget(finder, rows, limit)
  if (budget === undefined || sort.column !== 'hot' || sort.descending) return undefined
  const order = table.segment.opened.byStanding(table.table, hot)
  if (order === undefined) return undefined
  const { nowSeconds } = table.work
  const found: number[] = []
  let last = Number.NEGATIVE_INFINITY
  for (let i = 0, tests = 0; i < order.rows.length; i++) {
    if (found.length >= limit && order.standings[i] < last - STANDING_ERROR) return rowSetOf(table, found)
    const slot = order.slots[i]
    // One that was opened in the future is not as hot as it stands.
    if (tests > budget || hot.openedAt(slot) > nowSeconds) return undefined
    // Cold ones come last, wherever they stand.
    if (hot.scoreAt(slot, nowSeconds) === 0) continue
    if (++tests % CHECK_TESTS === 0) table.work.checkCancelled()
    if (!finder.isHit(order.rows[i])) continue
    found.push(order.rows[i])
    if (found.length <= limit) last = order.standings[i]
  }
  return found.length >= limit ? rowSetOf(table, found) : undefined
}

/** Rows that a walk may test; undefined if it does not promise to be cheaper than deciding all of them together. */
function walkBudget({ table, known, estimate }: HitFinder, rows: RowSet, limit: number): number | undefined {
  const budget = rows.count / WALK_SHARE
  return known || (limit / Math.max(1, estimate)) * table.rowCount > budget ? undefined : budget
}

function rowSetOf({ rowCount }: TableRows, rows: readonly number[]): RowSet {
  return RowSet.ofList(rowCount, Uint32Array.from(rows).sort())
}

/**
 * Tests opened rows in their order until there are `limit` hits, and those that are equal to the last one. Undefined if
 * hits are too rare for that.
 */
function walkByUse(
  finder: HitFinder,
  rows: RowSet,
  scoreOf: (row: number) => number,
  limit: number,
): RowSet | undefined {
  const { table } = finder
  const budget = walkBudget(finder, rows, limit)
  if (budget === undefined) return undefined
  const candidates: { row: number; value: number }[] = []
  rows.forEach(row => {
    candidates.push({ row, value: scoreOf(row) })
  })
  candidates.sort((a, b) => a.value - b.value)
  const found: number[] = []
  let last = Number.NaN
  for (let i = 0; i < candidates.length; i++) {
    const { row, value } = candidates[i]
    if (found.length >= limit && value !== last) return rowSetOf(table, found)
    if (i > budget) return undefined
    if (i % CHECK_TESTS === 0) table.work.checkCancelled()
    if (!finder.isHit(row)) continue
    found.push(row)
    last = value
  }
  return rowSetOf(table, found)
}

function openedAmong({ table, filter, known }: HitFinder, rows: RowSet): RowSet {
  if (known) return known.and(rows)
  const both = new AndFilter(table.rowCount, [...filter.conjuncts, new SetFilter(rows)], table.work.checkCancelled)
  return new HitFinder(table, both).all()
}

/** Rows whose nodes were opened so many times. */
export function runsFilter(table: TableRows, { min, max }: RunsPredicate): RowFilter {
  if (min > max) return new ConstantFilter(table.rowCount, false)
  if (table.work.sight !== undefined) return new ConstantFilter(table.rowCount, min <= 0)
  const { hot } = table.view
  const passes = (slot: HotSlot): boolean => hot.runsAt(slot) >= min && hot.runsAt(slot) <= max
  const { opened } = table.segment
  if (min > 0) return new SetFilter(opened.passing(table.table, passes))
  // What was never opened passes, too.
  const others = opened.passing(table.table, slot => !passes(slot))
  return new NotFilter(table.rowCount, new SetFilter(others))
}

/** Rows whose nodes were opened last in an interval. */
export function openedFilter(table: TableRows, { from, to }: OpenedPredicate): RowFilter {
  if (table.work.sight !== undefined) return new ConstantFilter(table.rowCount, false)
  const { hot } = table.view
  const passing = table.segment.opened.passing(table.table, slot => {
    const opened = hot.openedAt(slot)
    return opened >= from && opened < to
  })
  return new SetFilter(passing)
}
