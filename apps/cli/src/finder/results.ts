import type { Fresh, Hit, SearchResult } from '@hotpath/client'

/** What is looked for, and how it is sorted: a name of `SORT_CHOICES`. */
export interface WantedSearch {
  readonly text: string
  readonly sort: string
  readonly fuzzy: boolean
}

/** Rows that are asked for at once: more than a terminal shows, few enough to come at once. */
export const PAGE_ROWS = 128

/** What is known of the hits of a search: the pages that were asked for, and how many there are. */
export interface Results {
  readonly search: WantedSearch
  readonly total: number
  /** Hits after those that only tolerant terms find; undefined where nobody has counted them. */
  readonly fuzzyTotal: number | undefined
  readonly fresh: Fresh
  readonly partial: boolean
  readonly tookMs: number
  readonly pages: ReadonlyMap<number, readonly Hit[]>
}

type Answer = Pick<SearchResult, 'total' | 'fuzzyTotal' | 'fresh' | 'partial' | 'tookMs' | 'hits'>

export function isSameSearch(a: WantedSearch, b: WantedSearch): boolean {
  return a.text === b.text && a.sort === b.sort && a.fuzzy === b.fuzzy
}

/** Results of an answer that begins at `page`; together with those of `before`, if these are of the same index. */
export function resultsOf(search: WantedSearch, answer: Answer, page: number, before?: Results): Results {
  const pages = new Map(before?.pages)
  const { total, fuzzyTotal = before?.fuzzyTotal, fresh, partial, tookMs, hits } = answer
  for (let at = 0; at < hits.length; at += PAGE_ROWS) pages.set(page + at / PAGE_ROWS, hits.slice(at, at + PAGE_ROWS))
  return { search, total, fuzzyTotal, fresh, partial, tookMs, pages }
}

/** Rows that can be looked at. */
export function rowsOf({ total, fuzzyTotal }: Results): number {
  return total + (fuzzyTotal ?? 0)
}

/** The hit of a row; undefined where its page is not there (yet). */
export function hitOf(results: Results, row: number): Hit | undefined {
  return results.pages.get(Math.floor(row / PAGE_ROWS))?.[row % PAGE_ROWS]
}

/** The row of a hit, among those that are there. */
export function rowOf(results: Results, id: string): number | undefined {
  for (const [page, hits] of results.pages) {
    const at = hits.findIndex(hit => hit.id === id)
    if (at >= 0) return page * PAGE_ROWS + at
  }
  return undefined
}

/** Pages between two rows that are not there. */
export function missingPages(results: Results, firstRow: number, lastRow: number): number[] {
  const missing: number[] = []
  const last = Math.floor(Math.min(lastRow, rowsOf(results) - 1) / PAGE_ROWS)
  for (let page = Math.floor(firstRow / PAGE_ROWS); page <= last; page++) {
    if (!results.pages.has(page)) missing.push(page)
  }
  return missing
}
