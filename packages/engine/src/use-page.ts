import type { HotSlot } from '@hotpath/hot-score'
import type { OpenedPredicate, RunsPredicate, Sort } from '@hotpath/query'
import { HitFinder } from './hit-finder.js'
import { firstOfRest } from './rest-order.js'
import { AndFilter, ConstantFilter, NotFilter, type RowFilter, SetFilter } from './row-filter.js'
import type { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'
import { firstByValue } from './value-order.js'
import { nameOrder } from './value-page.js'

/** The hits that were opened. Cost: a test of each opened row, or less where all hits are known or quickly found. */
export function openedHits(finder: HitFinder): RowSet {
  const { table, filter, known } = finder
  const rows = table.segment.opened.rows(table.table)
  if (rows.count === 0) return rows
  if (known) return known.and(rows)
  const both = new AndFilter(table.rowCount, [...filter.conjuncts, new SetFilter(rows)], table.work.checkCancelled)
  return new HitFinder(table, both).all()
}

/**
 * The first hits in a sort by use: of the opened ones at most `limit`, and behind them at most `restLimit` others. No hit
 * is scored that was never opened.
 */
export function firstByUse(finder: HitFinder, sort: Sort, opened: RowSet, limit: number, restLimit: number): number[] {
  const { table } = finder
  const { hot } = table.view
  const { nowSeconds } = table.work
  const sign = (sort.column === 'hot') === sort.descending ? 1 : -1
  const value =
    sort.column === 'hot'
      ? (slot: HotSlot): number => sign * hot.scoreAt(slot, nowSeconds)
      : (slot: HotSlot): number => sign * hot.openedAt(slot)
  const order = {
    limit,
    value: (row: number): number => value(table.segment.opened.slotOf(table.firstEntry + row)),
    tie: nameOrder(table),
  }
  const first = opened.count === 0 ? [] : firstByValue(table, opened, order)
  return [...first, ...firstOfRest(finder, opened, restLimit)]
}

/** Rows whose nodes were opened so many times. */
export function runsFilter(table: TableRows, { min, max }: RunsPredicate): RowFilter {
  if (min > max) return new ConstantFilter(table.rowCount, false)
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
  const { hot } = table.view
  const passing = table.segment.opened.passing(table.table, slot => {
    const opened = hot.openedAt(slot)
    return opened >= from && opened < to
  })
  return new SetFilter(passing)
}
