import type { Instant } from '../search-backend.js'

/** The range of Date, which writes the calendar part: years -271821 … 275760. */
const MAX_SECONDS = 8.64e12

/**
 * ISO 8601 in UTC with the digits that are known: `2024-05-01T10:00:00Z` for a whole second,
 * `2024-05-01T10:00:00.1234567Z` with 100 ns ticks. null where the time is unknown or beyond the calendar.
 */
export function instantText(instant: Instant | undefined): string | null {
  if (instant === undefined || !(Math.abs(instant.seconds) <= MAX_SECONDS)) return null
  const wholeSecond = new Date(instant.seconds * 1000).toISOString().replace(/\.\d+Z$/, '')
  if (instant.ticks === 0) return `${wholeSecond}Z`
  return `${wholeSecond}.${String(instant.ticks).padStart(7, '0')}Z`
}
