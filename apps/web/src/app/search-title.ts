import { AGE_FILTERS, type Filter, SIZE_FILTERS, TYPE_FILTERS } from '../state/filters.js'
import type { SearchState } from '../state/page-state.js'

/** A search in words, for bookmarks and the title of the window. */
export function titleOf({ query, filters, under, sort, descending }: SearchState): string {
  const labels = (all: readonly Filter[], ids: readonly string[]) =>
    all.filter(({ id }) => ids.includes(id)).map(({ label }) => label)
  const parts = [
    query,
    ...labels(TYPE_FILTERS, filters.types),
    ...labels(AGE_FILTERS, [filters.age]),
    ...labels(SIZE_FILTERS, [filters.size]),
    under === undefined ? '' : `in ${under.text}`,
    sort === 'hot' ? '' : `by ${sort}${descending ? ', reversed' : ''}`,
  ].filter(part => part !== '')
  return parts.length === 0 ? 'Everything' : parts.join(' · ')
}
