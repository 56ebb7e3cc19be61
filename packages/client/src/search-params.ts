import type { CaseMode, MatchMode, Sort } from '@hotpath/protocol'

export interface CallOptions {
  /** Time for everything, also for the connection to come back. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface SearchParams extends CallOptions {
  /** Text, or bytes where the query quotes a name that is not UTF-8. */
  readonly query: string | Uint8Array
  /** Rows wanted; 100 if missing. */
  readonly limit?: number
  readonly offset?: number
  readonly sort?: Sort
  readonly descending?: boolean
  /** Only below this absolute path. */
  readonly under?: string | Uint8Array
  /** Answer only when the index covers this clock (from `clock()` or an earlier result). */
  readonly minClock?: string
  readonly match?: MatchMode
  readonly caseMode?: CaseMode
  /** The total alone, no rows. */
  readonly countOnly?: boolean
  /** As if `fuzzy:` stood before the query: hits that a mistake keeps from matching follow the others. */
  readonly fuzzy?: boolean
  readonly explain?: boolean
  /** An answer that is computed now; otherwise one of before, if nothing has changed since. */
  readonly noCache?: boolean
  /**
   * Name of what the hits are for, such as a search box: a search of this client that is under way for the same gives way. It
   * rejects with CancelledError, and the index stops working on it.
   */
  readonly replaces?: string
}

/** `timeoutMs` is the time for the first hits. */
export type WatchParams = Omit<SearchParams, 'countOnly' | 'explain' | 'signal' | 'replaces'>
