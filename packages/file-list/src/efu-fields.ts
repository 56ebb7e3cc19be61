import { FILETIME_EPOCH_SECONDS } from '@hotpath/model'
import type { RowValues } from './row-values.js'

/** Attribute letters as Everything writes them, with their bits. */
export const ATTRIBUTE_LETTERS: Readonly<Record<string, number>> = {
  R: 0x1,
  H: 0x2,
  S: 0x4,
  D: 0x10,
  A: 0x20,
  N: 0x80,
  T: 0x100,
  P: 0x200,
  L: 0x400,
  C: 0x800,
  O: 0x1000,
  I: 0x2000,
  E: 0x4000,
  V: 0x8000,
}

/** What Everything writes for a value that it does not know: 2^64 - 1. */
const UNKNOWN = '18446744073709551615'

/** Bytes of the decimal number bytes[from … to), NaN if it is empty or the unknown value, -1 if it is neither. */
export function readSize(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return Number.NaN
  let size = 0
  if (to - from <= 9) {
    // Stays in small integers, which is several times faster.
    let small = 0
    for (let i = from; i < to; i++) {
      const digit = bytes[i]! - 0x30
      if (digit < 0 || digit > 9) return -1
      small = (small * 10 + digit) | 0
    }
    return small
  }
  for (let i = from; i < to; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) return -1
    size = size * 10 + digit
  }
  if (size <= Number.MAX_SAFE_INTEGER) return size
  return text(bytes, from, to) === UNKNOWN ? Number.NaN : -1
}

/**
 * Reads a date into time `index` of `values`: a FILETIME in decimal digits (exactly: its last seven digits are the ticks; 0
 * and 2^64 - 1 are unknown) or an ISO 8601 date, with or without a time (UTC if no offset follows). Nothing is
 * unknown. False if it is none of these.
 */
export function readDate(bytes: Uint8Array, from: number, to: number, values: RowValues, index: number): boolean {
  if (from === to) return true
  // Three parts that each fit in a small integer: the ticks, nine digits of seconds, and what is before them.
  let ticks = 0
  let low = 0
  let high = 0
  const ticksStart = to - 7
  const lowStart = to - 16
  for (let i = from; i < to; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) return readIsoDate(text(bytes, from, to), values, index)
    if (i >= ticksStart) ticks = (ticks * 10 + digit) | 0
    else if (i >= lowStart) low = (low * 10 + digit) | 0
    else high = high * 10 + digit
  }
  const seconds = high * 1e9 + low
  if (seconds === 0 && ticks === 0) return true
  // FILETIME is below 2^63.
  if (seconds > 922_337_203_685) return text(bytes, from, to) === UNKNOWN
  values.seconds[index] = seconds - FILETIME_EPOCH_SECONDS
  values.ticks[index] = ticks
  return true
}

/** Attribute bits from a decimal number, a hexadecimal one with `0x`, or letters; 0 for nothing; -1 for anything else. */
export function readAttributes(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) return readWrittenAttributes(text(bytes, from, to))
    value = value * 10 + digit
  }
  return value <= 0xffffffff ? value : -1
}

function readWrittenAttributes(written: string): number {
  if (/^0x[0-9a-f]{1,8}$/i.test(written)) return Number.parseInt(written, 16)
  let bits = 0
  for (const letter of written.toUpperCase()) {
    if (!Object.hasOwn(ATTRIBUTE_LETTERS, letter)) return -1
    bits |= ATTRIBUTE_LETTERS[letter]!
  }
  return bits
}

const ISO_DATE =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?)?$/i

function readIsoDate(written: string, values: RowValues, index: number): boolean {
  const match = ISO_DATE.exec(written)
  if (!match) return false
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(field => Number(field ?? 0))
  const date = new Date(0)
  date.setUTCFullYear(year!, month! - 1, day!)
  // A day that does not exist would have moved into the next month.
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day) return false
  if (hour! > 23 || minute! > 59 || second! > 59) return false
  const offset = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * (match[8] === '-' ? -60 : 60)
  values.seconds[index] = date.getTime() / 1000 + hour! * 3600 + minute! * 60 + second! - offset
  values.ticks[index] = Number((match[7] ?? '').padEnd(7, '0').slice(0, 7))
  return true
}

/** Bytes as Latin-1; all that is compared with it is ASCII. */
function text(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 64))) + (to - from > 64 ? '…' : '')
}
