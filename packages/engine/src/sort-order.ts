import { type Predicate, type RelevanceTerms, relevanceTerms, type Sort } from '@hotpath/query'

/** The order of hits that were never opened (`compareRelevance` of the query package). It has no opposite. */
export interface RelevanceSort {
  readonly column: 'relevance'
  readonly descending: false
}

/** What searches can be sorted by. */
export type SearchSort = Sort | RelevanceSort

/** An order of the hits of one predicate: by relevance it depends on what is asked for. */
export type HitSort = Sort | (RelevanceSort & { readonly terms: RelevanceTerms })

export function sortOf(sort: SearchSort, predicate: Predicate): HitSort {
  return sort.column === 'relevance' ? { ...sort, terms: relevanceTerms(predicate) } : sort
}
