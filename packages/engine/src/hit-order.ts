import { compareBytes } from '@hotpath/index-format'
import {
  compareNewer,
  comparePaths,
  compareUses,
  extensionOf,
  isDirectory,
  type RelevanceTerms,
  sizeOf,
} from '@hotpath/query'
import type { Hit } from './hit.js'
import { rankOf } from './ranked-names.js'
import type { HitSort, ValueSort } from './sort-order.js'

/** Order of two hits of any sources, as the query package defines it; keys and ranks are made once a hit. */
export function hitOrder(sort: HitSort): (a: Hit, b: Hit) => number {
  switch (sort.column) {
    case 'hot': {
      const relevance = relevanceOrder(sort.terms)
      return (a, b) => compareUses(sort, a.use, b.use) || relevance(a, b)
    }
    case 'opened':
      return (a, b) => compareUses(sort, a.use, b.use) || compareNames(a, b) || comparePaths(a.components, b.components)
    default: {
      const sign = sort.descending ? -1 : 1
      const { column } = sort
      return (a, b) =>
        sign * comparePrimary(column, a, b) || compareNames(a, b) || comparePaths(a.components, b.components)
    }
  }
}

function relevanceOrder(terms: RelevanceTerms): (a: Hit, b: Hit) => number {
  // Of a long page only the hits that are compared next are alive.
  const ranks = new WeakMap<Hit, number>()
  const rank = (hit: Hit): number => {
    let known = ranks.get(hit)
    if (known === undefined) {
      known = terms.needles.length === 0 ? 0 : rankOf(terms, hit.name, hit.key)
      ranks.set(hit, known)
    }
    return known
  }
  const depth = (hit: Hit): number => (terms.needles.length === 0 ? 0 : hit.components.length)
  return (a, b) =>
    rank(a) - rank(b) ||
    depth(a) - depth(b) ||
    compareNewer(a, b) ||
    compareNames(a, b) ||
    comparePaths(a.components, b.components)
}

function comparePrimary(column: ValueSort['column'], a: Hit, b: Hit): number {
  switch (column) {
    case 'name':
      return compareNames(a, b)
    case 'path':
      return comparePaths(a.components, b.components)
    case 'size':
      return compareKnown(sizeOf(a), sizeOf(b))
    case 'ext': {
      const left = isDirectory(a) ? undefined : extensionOf(a)
      const right = isDirectory(b) ? undefined : extensionOf(b)
      if (left && right) return compareBytes(left, right)
      return left ? -1 : right ? 1 : 0
    }
    default: {
      const left = a[column]
      const right = b[column]
      return (
        compareKnown(left?.seconds ?? Number.NaN, right?.seconds ?? Number.NaN) ||
        (Number.isNaN(left?.seconds ?? Number.NaN) ? 0 : (left?.ticks ?? 0) - (right?.ticks ?? 0))
      )
    }
  }
}

function compareNames(a: Hit, b: Hit): number {
  return compareBytes(a.key, b.key) || compareBytes(a.name, b.name)
}

/** Ascending, NaN (unknown) last. */
function compareKnown(a: number, b: number): number {
  if (a === b) return 0
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : 1
}
