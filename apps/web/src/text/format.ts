import type { Instant } from '@hotpath/client/browser'
import { visibleText } from './visible-text.js'

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const
const wholeNumber = new Intl.NumberFormat()
const shortNumber = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })

export function formatCount(count: number): string {
  return wholeNumber.format(count)
}

/** For axes and tiles: `12`, `3.4K`, `10M`. */
export function formatShortCount(count: number): string {
  return shortNumber.format(count)
}

/** `1 segment`, `2,000 segments`. @param word that takes an s */
export function counted(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? '' : 's'}`
}

export function formatResults(total: number): string {
  return counted(total, 'result')
}

/** Three digits and a unit of 1,024: `0 B`, `1.50 KB`, `12.3 MB`, `345 GB`. */
export function formatSize(sizeBytes: number): string {
  let value = sizeBytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  if (unit === 0) return `${value} B`
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

/** Local time to the minute, of one width everywhere: `2024-05-01 14:03`. */
export function formatMinute({ seconds }: Instant): string {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return ''
  const day = `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** Local time with every digit that is known. */
export function formatExactTime(instant: Instant): string {
  const minute = formatMinute(instant)
  if (minute === '') return ''
  const seconds = new Date(instant.seconds * 1000).getSeconds()
  const fraction = instant.ticks === 0 ? '' : `.${String(instant.ticks).padStart(7, '0')}`
  return `${minute}:${two(seconds)}${fraction}`
}

/** Time of the engine: `0.12 ms`, `4.3 ms`, `120 ms`. */
export function formatTook(tookMs: number): string {
  return `${tookMs.toFixed(tookMs < 1 ? 2 : tookMs < 10 ? 1 : 0)} ms`
}

export function formatUptime(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`
  if (minutes < 90) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}

export interface Delay {
  /** Milliseconds; null where it cannot be known. */
  readonly lagMs: number | null
  readonly dirty: readonly string[]
  readonly dirtyCount: number
}

/** What of an index is behind: `` where nothing is. */
export function describeDelay({ dirty, dirtyCount, lagMs }: Delay): string {
  const lag = lagMs !== null && lagMs >= 1_000 ? ` ${(lagMs / 1000).toFixed(1)} s behind.` : ''
  if (dirtyCount === 0) return lag
  const first = dirty[0] === undefined ? '' : `, first ${visibleText(dirty[0])}`
  return ` ${formatCount(dirtyCount)} directories are to be read again${first}.${lag}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
