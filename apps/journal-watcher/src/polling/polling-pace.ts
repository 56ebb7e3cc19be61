/** How often directories are visited, and what that may cost. */
export interface PollingPace {
  /** A directory that changes is visited again after this (ms). */
  readonly shortest: number
  /** One that does not change, after this at the latest (ms). */
  readonly longest: number
  /** Every so many visits the files of a directory are looked at, too: a write into a file leaves the directory as it was. */
  readonly filesEvery: number
  /** Share of the time of one core, 0 to 1. */
  readonly share: number
}

export const POLLING_PACE: PollingPace = {
  shortest: 1_000,
  longest: 600_000,
  // A visit of the directory alone is one call; with its files it is one for each.
  filesEvery: 4,
  share: 0.01,
}
