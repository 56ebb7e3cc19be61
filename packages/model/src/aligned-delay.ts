/** Delays of at least so many milliseconds end with a multiple of it in the clock. */
const GRIDS_MS = [5_000, 1_000]

/**
 * Whole milliseconds to wait instead of `delayMs`, at most half a grid more or less, so that what waits in several places
 * and processes wakes them together, once. `now`: milliseconds since 1970.
 */
export function alignedDelay(delayMs: number, now: number): number {
  const gridMs = GRIDS_MS.find(gridMs => delayMs >= gridMs)
  if (gridMs === undefined) return Math.ceil(delayMs)
  const pastMs = now % gridMs
  const laterMs = Math.ceil((pastMs + delayMs) / gridMs) * gridMs - pastMs
  // The difference is exact; the sum of a time and a fraction of a millisecond is not.
  return laterMs - delayMs > gridMs / 2 ? laterMs - gridMs : laterMs
}
