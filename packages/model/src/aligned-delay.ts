/** Delays of at least so many milliseconds end with a multiple of it in the clock. */
const GRIDS_MS = [5_000, 1_000]

/**
 * Whole milliseconds to wait instead of `delayMs`, at most half a grid more or less, so that what waits in several places
 * and processes wakes them together, once. `now`: milliseconds since 1970.
 */
export function alignedDelay(delayMs: number, now: number): number {
  const gridMs = GRIDS_MS.find(gridMs => delayMs >= gridMs)
  if (gridMs === undefined) return Math.ceil(delayMs)
  return Math.round((now + delayMs) / gridMs) * gridMs - now
}
