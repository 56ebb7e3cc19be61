import type { Fresh } from './api-replies.js'
import { visibleText } from './visible-text.js'

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const
const wholeNumber = new Intl.NumberFormat()

export function formatCount(count: number): string {
  return wholeNumber.format(count)
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
export function formatMinute(iso: string): string {
  const date = dateOf(iso)
  if (date === undefined) return ''
  const day = `${year(date)}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** Local time with every digit that is known. */
export function formatExactTime(iso: string): string {
  const date = dateOf(iso)
  if (date === undefined) return ''
  const fraction = /\.(\d+)Z$/.exec(iso)?.[1]
  return `${formatMinute(iso)}:${two(date.getSeconds())}${fraction === undefined ? '' : `.${fraction}`}`
}

/** Time of the engine: `0.12 ms`, `4.3 ms`, `120 ms`. */
export function formatTook(tookMs: number): string {
  return `${tookMs.toFixed(tookMs < 1 ? 2 : tookMs < 10 ? 1 : 0)} ms`
}

/** What of an index is behind: `` where nothing is. */
export function describeDelay({ dirty, dirtyCount, lagMs }: Fresh): string {
  const lag = lagMs !== null && lagMs >= 1_000 ? ` ${(lagMs / 1000).toFixed(1)} s behind.` : ''
  if (dirtyCount === 0) return lag
  const first = dirty[0] === undefined ? '' : `, first ${visibleText(dirty[0])}`
  return ` ${formatCount(dirtyCount)} directories are to be read again${first}.${lag}`
}

function dateOf(iso: string): Date | undefined {
  // Three digits are what the language promises to read.
  const date = new Date(iso.replace(/(\.\d{3})\d+Z$/, '$1Z'))
  return Number.isNaN(date.getTime()) ? undefined : date
}

function year(date: Date): string {
  return String(date.getFullYear()).padStart(4, '0')
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
