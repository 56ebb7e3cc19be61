/** How often a journal is read again. */
export interface JournalPace {
  /** After a change. */
  readonly leastMs: number
  /** After a long silence: each look without news doubles the time until the next one. */
  readonly mostMs: number
}

/** A look at a file that does not change is one system call, at a device some ten reads from the page cache: half a look a second is not seen. */
export const JOURNAL_PACE: JournalPace = { leastMs: 50, mostMs: 2_000 }
