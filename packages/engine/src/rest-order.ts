import type { HitFinder } from './hit-finder.js'
import { firstByName } from './name-page.js'
import { firstByRelevance } from './relevance-page.js'
import type { UseSort } from './sort-order.js'
import type { TreeMatcher } from './tree-matcher.js'

/**
 * The first `limit` hits in the order that those have which were never opened, behind the others: by relevance where
 * opened ones are sorted by heat, else by name. Opened hits are among them.
 */
export function firstOfRest(finder: HitFinder, tree: TreeMatcher, sort: UseSort, limit: number): number[] {
  return sort.column === 'hot' ? firstByRelevance(finder, tree, sort.terms, limit) : firstByName(finder, false, limit)
}
