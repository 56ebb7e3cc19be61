import type { TimeColumn } from '@hotpath/model'

/** Seconds from 1601, where FILETIME begins, to 1970. */
const EPOCH_SECONDS = 11_644_473_600
const TICKS = 10_000_000
/** 2^32 ticks are 429 seconds and as many ticks. */
const HIGH_SECONDS = 429
const HIGH_TICKS = 4_967_296
/** Below, the ticks of the upper half are exact in a double. */
const MAX_EXACT_HIGH = 2 ** 30

/**
 * A FILETIME (100 ns since 1601, unsigned) as seconds since 1970 and ticks, exactly.
 *
 * @param low, high its halves
 */
export function putFileTime(into: TimeColumn, row: number, low: number, high: number): void {
  if (high >= MAX_EXACT_HIGH) {
    const ticks = (BigInt(high) << 32n) | BigInt(low)
    into.seconds[row] = Number(ticks / BigInt(TICKS)) - EPOCH_SECONDS
    into.ticks[row] = Number(ticks % BigInt(TICKS))
    return
  }
  const rest = high * HIGH_TICKS + low
  const seconds = Math.floor(rest / TICKS)
  into.seconds[row] = high * HIGH_SECONDS + seconds - EPOCH_SECONDS
  into.ticks[row] = rest - seconds * TICKS
}
