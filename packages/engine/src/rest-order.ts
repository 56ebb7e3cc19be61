import type { HitFinder } from './hit-finder.js'
import { firstByName } from './name-page.js'
import { firstByRelevance } from './relevance-page.js'
import type { RowSet } from './row-set.js'
import type { UseSort } from './sort-order.js'
import type { TreeMatcher } from './tree-matcher.js'

/**
 * The first `limit` hits that were never opened, in the order that they have behind the opened ones: by relevance where
 * those are sorted by heat, else by name.
 *
 * @param opened the hits that were opened; there are fewer than the page has rows, so that not many rows are found in vain
 */
export function firstOfRest(
  finder: HitFinder,
  tree: TreeMatcher,
  sort: UseSort,
  opened: RowSet,
  limit: number,
): number[] {
  if (limit === 0) return []
  const wanted = limit + opened.count
  const rows =
    sort.column === 'hot' ? firstByRelevance(finder, tree, sort.terms, wanted) : firstByName(finder, false, wanted)
  return (opened.count === 0 ? rows : rows.filter(row => !opened.has(row))).slice(0, limit)
}
