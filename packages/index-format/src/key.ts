import { copyRange } from './copy-range.js'

/**
 * The key of a name: the spelling by which names are sorted, looked up and matched.
 *
 * The key of a string of valid UTF-8 is made in four steps:
 *
 * 1. canonical decomposition (NFD);
 * 2. code points U+0300–U+036F (combining diacritical marks, the iota subscript U+0345 among them) are removed; marks
 *    of other scripts stay;
 * 3. every code point is replaced by its full case folding (Unicode CaseFolding.txt, status C and F: ß → ss, ﬁ → fi,
 *    ς → σ, Cherokee to its capitals), with one addition: ı (U+0131) → i. İ became I in step 2 and folds to i;
 * 4. canonical composition (NFC).
 *
 * Names are bytes. A byte that is not part of a well-formed UTF-8 sequence (truncated and overlong sequences, values
 * above U+10FFFF, and surrogates, so also the lone ones of WTF-8) stays as it is and separates the valid runs, each of
 * which is treated by itself. Removing a mark between two such bytes can make them valid together; the steps are
 * repeated until nothing changes, so `keyOf(keyOf(x))` is always `keyOf(x)`.
 *
 * Decomposition and case come from the JavaScript engine, so keys of characters that a newer Unicode version adds can
 * differ between engines: a file that stores keys, or an order made by them, is only valid together with `KEY_RULES`.
 *
 * Cost: 2–3 ns a byte for pure ASCII; about 1 µs a name otherwise (`TextDecoder` and two normalisations).
 */

/** Names the rules above with the Unicode version that the engine applies: equal strings give equal keys. */
export const KEY_RULES = `1/unicode-${process.versions.unicode}`

/** True if bytes[from … to) are all below 0x80. No allocation. */
export function asciiOnly(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  for (let i = from; i < to; i++) if (bytes[i]! >= 0x80) return false
  return true
}

/** The key of name[from … to) as a new array that shares nothing with `name`. */
export function keyOf(name: Uint8Array, from = 0, to = name.length): Uint8Array {
  return asciiOnly(name, from, to) ? lowerAscii(name, from, to) : settle(name, from, to, false, false)
}

/**
 * A key that keeps part of the spelling, for `case:` and `diacritics:`: with `keepCase` step 3 is left out, with
 * `keepMarks` step 2. With both it is the NFC form, so that composed and decomposed spellings stay equal. With neither it
 * is `keyOf`. The key of a partial key is not always the key of the name (marks of two scripts on one letter), so who
 * matches partial keys must match the keys too.
 */
export function partialKeyOf(
  name: Uint8Array,
  keepCase: boolean,
  keepMarks: boolean,
  from = 0,
  to = name.length,
): Uint8Array {
  if (asciiOnly(name, from, to)) return keepCase ? copyRange(name, from, to) : lowerAscii(name, from, to)
  return settle(name, from, to, keepCase, keepMarks)
}

/**
 * True if the key of name[from … to) is the name with A–Z lowered and nothing else changed. Allocates nothing if the name
 * is pure ASCII (the answer is then true).
 */
export function isAsciiLowerKey(name: Uint8Array, from = 0, to = name.length): boolean {
  if (asciiOnly(name, from, to)) return true
  return compareBytes(lowerAscii(name, from, to), keyOf(name, from, to)) === 0
}

/** Order of two byte strings as unsigned bytes, a prefix first: negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/**
 * Dictionary order of two names: of their keys, then of their bytes. Cost: 7 ns a byte that both share, on a busy machine, and no allocation,
 * as long as the bytes are ASCII.
 */
export function compareNames(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = lowered(a[i]!) - lowered(b[i]!)
    if (difference === 0 && a[i]! < 0x80) continue
    // A mark behind the two characters may still change them, and one of them may be more than a byte.
    return asciiOnly(a, i, Math.min(a.length, i + 2)) && asciiOnly(b, i, Math.min(b.length, i + 2))
      ? difference
      : compareKeys(a, b)
  }
  const longer = a.length > b.length ? a : b
  return asciiOnly(longer, shared) ? a.length - b.length || compareBytes(a, b) : compareKeys(a, b)
}

function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(keyOf(a), keyOf(b)) || compareBytes(a, b)
}

function lowered(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
}

/**
 * Length in bytes of the well-formed UTF-8 sequence at bytes[at], which ends before `to`; 0 if there is none (an invalid
 * byte, which names treat as one character).
 */
export function utf8SequenceLength(bytes: Uint8Array, at: number, to: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (at + length > to) return 0
  const second = bytes[at + 1]!
  // The second byte excludes overlong forms (E0, F0), surrogates (ED) and values above U+10FFFF (F4).
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  for (let i = at + 2; i < at + length; i++) if ((bytes[i]! & 0xc0) !== 0x80) return 0
  return length
}

function lowerAscii(name: Uint8Array, from: number, to: number): Uint8Array {
  const lowered = copyRange(name, from, to)
  for (let i = 0; i < lowered.length; i++) {
    const byte = lowered[i]!
    if (byte >= 0x41 && byte <= 0x5a) lowered[i] = byte + 0x20
  }
  return lowered
}

function settle(name: Uint8Array, from: number, to: number, keepCase: boolean, keepMarks: boolean): Uint8Array {
  let bytes = name.subarray(from, to)
  for (;;) {
    const { key, valid } = foldRuns(bytes, keepCase, keepMarks)
    // Valid text is settled after one pass. Otherwise each further pass joins at least two invalid bytes, so this ends.
    if (valid || compareBytes(key, bytes) === 0) return key
    bytes = key
  }
}

function foldRuns(bytes: Uint8Array, keepCase: boolean, keepMarks: boolean): { key: Uint8Array; valid: boolean } {
  const pieces: Uint8Array[] = []
  let runStart = 0
  let at = 0
  while (at < bytes.length) {
    const length = utf8SequenceLength(bytes, at, bytes.length)
    if (length > 0) {
      at += length
      continue
    }
    if (at > runStart) pieces.push(foldText(bytes.subarray(runStart, at), keepCase, keepMarks))
    pieces.push(bytes.subarray(at, at + 1))
    at++
    runStart = at
  }
  if (runStart === 0) return { key: foldText(bytes, keepCase, keepMarks), valid: true }
  if (at > runStart) pieces.push(foldText(bytes.subarray(runStart, at), keepCase, keepMarks))
  return { key: concat(pieces), valid: false }
}

// ignoreBOM: a U+FEFF at the start belongs to the name.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

function foldText(run: Uint8Array, keepCase: boolean, keepMarks: boolean): Uint8Array {
  const decomposed = decoder.decode(run).normalize('NFD')
  let folded = ''
  for (let i = 0; i < decomposed.length; ) {
    const codePoint = decomposed.codePointAt(i)!
    i += codePoint > 0xffff ? 2 : 1
    if (!keepMarks && codePoint >= 0x300 && codePoint <= 0x36f) continue
    folded += keepCase ? String.fromCodePoint(codePoint) : foldCase(codePoint)
  }
  return encoder.encode(folded.normalize('NFC'))
}

/** No character above plane 1 has case (the test walks all of Unicode). */
const CASED_END = 0x20000
/** Per code point: 0 not looked up yet, 1 folds to itself, else 2 + index into `foldings`. */
const foldingIndex = new Uint16Array(CASED_END)
const foldings: string[] = []

function foldCase(codePoint: number): string {
  if (codePoint >= CASED_END) return String.fromCodePoint(codePoint)
  const known = foldingIndex[codePoint]!
  if (known > 1) return foldings[known - 2]!
  const character = String.fromCodePoint(codePoint)
  if (known === 1) return character
  const folded = computeFolding(codePoint, character)
  if (folded === character) {
    foldingIndex[codePoint] = 1
  } else {
    foldings.push(folded)
    foldingIndex[codePoint] = foldings.length + 1
  }
  return folded
}

/**
 * Full case folding of one code point. CaseFolding.txt is the lower case of the upper case of each character, first
 * lowered once more so that ẞ takes the way of ß, but for Cherokee, whose capitals are older than its small letters and
 * stay. Characters are lowered one by one, because a whole string would end in ς.
 */
function computeFolding(codePoint: number, character: string): string {
  if (codePoint >= 0x13a0 && codePoint <= 0x13f5) return character
  if (codePoint >= 0x13f8 && codePoint <= 0x13fd) return String.fromCodePoint(codePoint - 8)
  if (codePoint >= 0xab70 && codePoint <= 0xabbf) return String.fromCodePoint(codePoint - 0xab70 + 0x13a0)
  let folded = ''
  for (const upper of character.toLowerCase().toUpperCase()) folded += upper.toLowerCase()
  return folded
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const piece of pieces) length += piece.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
