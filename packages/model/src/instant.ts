import type { TimeColumn } from './entry-columns.js'

/** A moment that is known, to 100 ns. */
export interface Instant {
  /** Whole seconds since 1970. */
  readonly seconds: number
  /** 100 ns within the second. */
  readonly ticks: number
}

/** Seconds from 1601, where FILETIME begins, to 1970. */
export const FILETIME_EPOCH_SECONDS = 11_644_473_600
export const TICKS_PER_SECOND = 10_000_000

/** The range of Date, which writes the calendar part: years −271821 to 275760. */
const MAX_SECONDS = 8.64e12
const TEXT = /^(.+?)(?:\.(\d{1,7}))?Z$/

/** The moment of a row; undefined where it is unknown, or there is no column. */
export function instantAt(column: TimeColumn | undefined, row: number): Instant | undefined {
  const seconds = column?.seconds[row]
  if (column === undefined || seconds === undefined || Number.isNaN(seconds)) return undefined
  return { seconds, ticks: column.ticks[row] ?? 0 }
}

/** A moment of which only the second is known; undefined for NaN and for nothing. */
export function wholeSecond(seconds = Number.NaN): Instant | undefined {
  return Number.isNaN(seconds) ? undefined : { seconds, ticks: 0 }
}

/** A column of moments; undefined if none is known. */
export function timeColumn(instants: readonly (Instant | undefined)[]): TimeColumn | undefined {
  if (instants.every(instant => instant === undefined)) return undefined
  return {
    seconds: Float64Array.from(instants, instant => instant?.seconds ?? Number.NaN),
    ticks: Uint32Array.from(instants, instant => instant?.ticks ?? 0),
  }
}

/**
 * ISO 8601 in UTC with the digits that are known: `2024-05-01T10:00:00Z` for a whole second, `2024-05-01T10:00:00.1234567Z` with
 * ticks. Null where the time is unknown or beyond the calendar.
 */
export function instantText(instant: Instant | undefined): string | null {
  if (instant === undefined || !(Math.abs(instant.seconds) <= MAX_SECONDS)) return null
  const whole = new Date(instant.seconds * 1000).toISOString().replace(/\.\d+Z$/, '')
  return instant.ticks === 0 ? `${whole}Z` : `${whole}.${String(instant.ticks).padStart(7, '0')}Z`
}

/** Reads what `instantText` wrote; undefined for anything else. */
export function parsedInstant(text: string | null): Instant | undefined {
  const [, whole, fraction = ''] = TEXT.exec(text ?? '') ?? []
  const ms = Date.parse(`${whole}Z`)
  return Number.isNaN(ms) ? undefined : { seconds: ms / 1000, ticks: Number(fraction.padEnd(7, '0')) }
}
