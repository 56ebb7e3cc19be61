import { copyRange, utf8SequenceLength } from '@hotpath/index-format'
import { characterLength, holdsAt } from './glob.js'
import type { NeedleTest } from './predicate.js'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const LONGEST_CHARACTER = 4

/** True if no word goes on across position `at` of bytes[from … to). The ends are such borders. */
export function isWordBorder(bytes: Uint8Array, at: number, from = 0, to = bytes.length): boolean {
  return !(isWordBefore(bytes, at, from) && isWordAt(bytes, at, to))
}

/**
 * First place at or after `at` where the needle stands in bytes[from … to) as whole words; -1 if there is none.
 * Cost: that of finding the needle.
 */
export function findWords(needle: Uint8Array, bytes: Uint8Array, at: number, from = 0, to = bytes.length): number {
  for (; at + needle.length <= to; at++) {
    if (!holdsAt(bytes, at, to, needle)) continue
    if (isWordBorder(bytes, at, from, to) && isWordBorder(bytes, at + needle.length, from, to)) return at
  }
  return -1
}

/** Whether a test with `words` holds for bytes[from … to). */
export function passesWords(
  mode: NeedleTest['mode'],
  needle: Uint8Array,
  bytes: Uint8Array,
  from = 0,
  to = bytes.length,
): boolean {
  if (mode === 'substring') return findWords(needle, bytes, from, from, to) >= 0
  if (needle.length > to - from) return false
  const at = mode === 'suffix' ? to - needle.length : from
  if (!holdsAt(bytes, at, to, needle)) return false
  if (mode === 'exact') return needle.length === to - from
  return isWordBorder(bytes, mode === 'suffix' ? at : at + needle.length, from, to)
}

/** True if a letter, digit or mark begins at `at`. */
function isWordAt(bytes: Uint8Array, at: number, to: number): boolean {
  if (at >= to) return false
  return isWordCharacter(bytes, at, at + characterLength(bytes, at, to))
}

/** True if a letter, digit or mark ends at `at`. */
function isWordBefore(bytes: Uint8Array, at: number, from: number): boolean {
  if (at <= from) return false
  if (bytes[at - 1]! < 0x80) return isWordCharacter(bytes, at - 1, at)
  for (let length = 2; length <= LONGEST_CHARACTER && at - length >= from; length++) {
    if (utf8SequenceLength(bytes, at - length, at) === length) return isWordCharacter(bytes, at - length, at)
  }
  return false
}

/** Bytes that are no UTF-8 are no part of a word. */
function isWordCharacter(bytes: Uint8Array, from: number, to: number): boolean {
  const byte = bytes[from]!
  if (byte < 0x80) return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a)
  return to - from > 1 && /^[\p{L}\p{N}\p{M}]$/u.test(decoder.decode(copyRange(bytes, from, to)))
}
