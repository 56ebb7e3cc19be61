/** What a cache did since it began, and what it holds now. */
export interface CacheCounts {
  readonly hits: number
  readonly misses: number
  readonly entries: number
  /** About what the entries take. */
  readonly bytes: number
}

/** Longest life of what is kept: what nobody asked for again is only memory. */
export const MAX_AGE_MS = 5 * 60_000
/** Reads the clock at each use (40 ns): otherwise a timer would run after it. */
export const AGE_RESOLUTION_MS = 0

export function sumOf(a: CacheCounts, b: CacheCounts): CacheCounts {
  return {
    hits: a.hits + b.hits,
    misses: a.misses + b.misses,
    entries: a.entries + b.entries,
    bytes: a.bytes + b.bytes,
  }
}
