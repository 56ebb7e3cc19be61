import { FILETIME_EPOCH_SECONDS, TICKS_PER_SECOND, type TimeColumn } from '@hotpath/model'

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
    into.seconds[row] = Number(ticks / BigInt(TICKS_PER_SECOND)) - FILETIME_EPOCH_SECONDS
    into.ticks[row] = Number(ticks % BigInt(TICKS_PER_SECOND))
    return
  }
  const rest = high * HIGH_TICKS + low
  const seconds = Math.floor(rest / TICKS_PER_SECOND)
  into.seconds[row] = high * HIGH_SECONDS + seconds - FILETIME_EPOCH_SECONDS
  into.ticks[row] = rest - seconds * TICKS_PER_SECOND
}
