import { compareBytes } from '@hotpath/index-format'
import {
  compareNewer,
  comparePaths,
  compareUses,
  extensionOf,
  isByUse,
  isDirectory,
  type Sort,
  sizeOf,
} from '@hotpath/query'
import type { Hit } from './hit.js'
import { rankOf } from './ranked-names.js'
import type { HitSort } from './sort-order.js'

/** Order of two hits of any sources, as the query package defines it; keys and ranks are made once a hit. */
export function hitOrder(sort: HitSort): (a: Hit, b: Hit) => number {
  if (sort.column !== 'relevance') return (a, b) => compareHits(sort, a, b)
  const { terms } = sort
  const ranks = new Map<Hit, number>()
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

function compareHits(sort: Sort, a: Hit, b: Hit): number {
  if (isByUse(sort)) return compareUses(sort, a.use, b.use) || compareRest(a, b)
  const primary = comparePrimary(sort, a, b)
  if (primary !== 0) return sort.descending ? -primary : primary
  return compareNames(a, b) || comparePaths(a.components, b.components)
}

/** The order of hits that are equal in a sort by use, those that were never opened among them (see rest-order.ts). */
function compareRest(a: Hit, b: Hit): number {
  return compareNames(a, b) || comparePaths(a.components, b.components)
}

function comparePrimary(sort: Sort, a: Hit, b: Hit): number {
  switch (sort.column) {
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
    case 'hot':
    case 'opened':
      return 0
    default: {
      const left = a[sort.column]
      const right = b[sort.column]
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
