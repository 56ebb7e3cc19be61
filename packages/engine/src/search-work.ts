import type { VerdictMemory } from './verdict-memory.js'
import type { Sight } from './viewer-sight.js'

/** What one search has done so far, for `explain` and for budgets, and how it is stopped. */
export interface SearchWork {
  blocksVerified: number
  namesMatched: number
  /** Memory that lasts as long as the search. */
  readonly memory: VerdictMemory
  /** Seconds since 1970: what scores are as of. */
  readonly nowSeconds: number
  /** What may be seen, if the search is that of another user: then nothing of what was opened counts. */
  readonly sight?: Sight | undefined
  /** Called at least every few milliseconds in long loops; throws to stop the search. */
  readonly checkCancelled: () => void
}

/** Cheap steps (some 100 ns each) between two calls of `checkCancelled`, less one: a mask for counters. */
export const CHECK_MASK = 0x1fff
