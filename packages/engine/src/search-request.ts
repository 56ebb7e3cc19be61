import type { Credentials } from '@hotpath/platform'
import type { Predicate, Sort } from '@hotpath/query'
import type { Hit } from './hit.js'
import type { WindowTuning } from './rank-window.js'

/** Rows up to whose last one a search may be asked for. */
export const MAX_WINDOW = 10_000_000

export interface SearchOptions {
  readonly text: string
  readonly limit: number
  readonly offset: number
  readonly sort: Sort
  readonly match: 'name' | 'path' | 'auto'
  readonly caseMode?: 'ignore' | 'smart' | 'match'
  /** As if `fuzzy:` stood before the query. */
  readonly fuzzy?: boolean
  /** Only what lies below this directory (bytes of its path, as in hits). */
  readonly under?: Uint8Array
  /** Milliseconds since 1970: what `today` counts from. */
  readonly nowMs: number
  /** Count only: no rows are returned. */
  readonly countOnly?: boolean
  readonly explain?: boolean
  /** Nothing that is kept of earlier searches is used, and nothing of this one is kept. */
  readonly noCache?: boolean
  /** How pages far down are found; `WINDOWS` if it is not said. */
  readonly windows?: WindowTuning
  /**
   * Another user, who gets what he may list himself: totals, orders and conditions are as if nothing else were indexed, and
   * nothing had ever been opened.
   */
  readonly viewer?: Credentials | undefined
  /** Takes the hits one by one; the result holds none then. */
  readonly collector?: HitCollector
  /** Called now and then; throws to stop the search. */
  readonly checkCancelled?: () => void
}

export interface SearchResult {
  readonly total: number
  /**
   * Hits that only tolerant terms find, after all others. Undefined if the query has no such terms, or the page ends before
   * its exact hits do: then nobody looks for others (unless only counts are asked for).
   */
  readonly fuzzyTotal?: number
  readonly hits: readonly Hit[]
  /** Part of the index is missing from this answer. */
  readonly partial: boolean
  /** Milliseconds until the page was ready; the rest of the time went to the exact total. */
  readonly pageMs: number
  readonly explanation?: Explanation
}

/** Takes the hits of a page in order. */
export interface HitCollector {
  /** The page starts anew: what was added counts no more. */
  clear(): void
  add(hit: Hit): void
}

/** How a query ran. */
export interface Explanation {
  readonly query: string
  readonly predicate: Predicate
  readonly views: number
  readonly segments: number
  readonly deltaRows: number
  readonly blocksVerified: number
  readonly namesMatched: number
  /** Pages and totals of a segment's table that earlier searches had found out, and those that they had not. */
  readonly kept: { readonly hits: number; readonly misses: number }
  readonly steps: readonly { readonly step: string; readonly ms: number }[]
}
