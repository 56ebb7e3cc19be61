import { type Predicate, type RelevanceTerms, relevanceTerms, type Sort, type SortColumn } from '@hotpath/query'

/** Hottest first (or last); equal hits, above all those that were never opened, by relevance to the terms. */
export interface HotSort {
  readonly column: 'hot'
  readonly descending: boolean
  readonly terms: RelevanceTerms
}

/** By the last open: equal hits by name. */
export interface OpenedSort extends Sort {
  readonly column: 'opened'
}

/** By something that each entry has of itself: equal hits by name. */
export interface ValueSort extends Sort {
  readonly column: Exclude<SortColumn, 'hot' | 'opened'>
}

/** Orders in which hits that were never opened come last. */
export type UseSort = HotSort | OpenedSort

/** An order of the hits of one predicate. */
export type HitSort = UseSort | ValueSort

export function sortOf({ column, descending }: Sort, predicate: Predicate): HitSort {
  if (column === 'hot') return { column, descending, terms: relevanceTerms(predicate) }
  return column === 'opened' ? { column, descending } : { column, descending }
}

export function isUseSort(sort: HitSort): sort is UseSort {
  return sort.column === 'hot' || sort.column === 'opened'
}

/** Names an order of hits. Among hits that were never opened there is one of each column, whichever way the others go. */
export function orderOf(sort: HitSort): string {
  return isUseSort(sort) ? sort.column : `${sort.column} ${sort.descending ? 'down' : 'up'}`
}
