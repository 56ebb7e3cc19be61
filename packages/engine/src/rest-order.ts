import type { HitFinder } from './hit-finder.js'
import { firstByName } from './name-page.js'
import type { RowSet } from './row-set.js'

/**
 * The first `limit` hits that were never opened, in the order that they have behind the opened ones: by name. Whatever
 * takes the place of that order must agree with `compareRest` (hit-order.ts) and with `compareEntries` of the query package.
 *
 * @param opened the hits that were opened; the rows that are asked for are no more than those of a page by name
 */
export function firstOfRest(finder: HitFinder, opened: RowSet, limit: number): number[] {
  if (limit === 0) return []
  const rows = firstByName(finder, false, limit + opened.count)
  return (opened.count === 0 ? rows : rows.filter(row => !opened.has(row))).slice(0, limit)
}
