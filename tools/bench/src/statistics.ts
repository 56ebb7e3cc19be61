/** How a set of measured values is spread. Units are the caller's. */
export interface Spread {
  readonly count: number
  readonly min: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/**
 * The smallest value that at least `share` of all values do not exceed (nearest rank): always a value that was measured.
 * NaN if there are none. `sorted` is ascending, `share` is 0 … 1.
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN
  const rank = Math.ceil(share * sorted.length)
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1]!
}

/** Values in any order. */
export function spreadOf(values: Iterable<number>): Spread {
  const sorted = Float64Array.from(values).sort()
  return {
    count: sorted.length,
    min: quantile(sorted, 0),
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  }
}

export function median(values: Iterable<number>): number {
  return spreadOf(values).p50
}
