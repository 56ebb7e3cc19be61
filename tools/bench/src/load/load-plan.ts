/** What a process of clients is to do. */
export interface LoadPlan {
  readonly kind: 'mixed' | 'typing'
  readonly dataDir: string
  readonly needles: readonly string[]
  /** Connections; each is one client. */
  readonly clients: number
  readonly durationMs: number
  readonly seed: number
}

/** What became of it. */
export interface LoadResult {
  /** Milliseconds of each answer; from the moment at which it was due, so that a late start counts. */
  readonly latenciesMs: readonly number[]
  readonly cached: number
  /** Gave way to a newer one. */
  readonly replaced: number
  readonly errors: readonly string[]
}

/** Of a client of the mixed load. */
export const QUERIES_PER_SECOND = 200
