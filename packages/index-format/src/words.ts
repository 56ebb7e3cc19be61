import { asciiOnly, keyOf, utf8SequenceLength } from './key.js'

/**
 * Words of names, and where they start.
 *
 * A byte is a digit, a letter (A–Z, a–z, and everything beyond ASCII), or a separator. A *boundary* is the start of a
 * name, and every place in it where the class changes, beside a separator, before a capital that follows a small letter
 * (`main|Go`), and before the last of several capitals if a small letter follows (`HTTP|Server`). Capitals and small
 * letters are those of ASCII here; other letters count as small. The rules need no Unicode tables, so that kernels
 * apply them to bytes.
 *
 * A *word* is a run of letters, or a part of one between two boundaries: `HttpServer2.go` has the words httpserver, http,
 * server and go.
 */

/** Bytes of the shortest word that is kept in the list of words: terms of four characters can be one with a letter too many. */
export const MIN_WORD_BYTES = 3
/** Characters of the longest. Longer ones are mostly several words without a gap, and would double the list. */
export const MAX_WORD_CHARACTERS = 14
/** Bytes of the longest. */
export const MAX_WORD_BYTES = MAX_WORD_CHARACTERS * 4

export const SEPARATOR_CLASS = 0
export const DIGIT_CLASS = 1
export const SMALL_CLASS = 2
export const CAPITAL_CLASS = 3

/** Class of each byte. */
export const BYTE_CLASSES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return DIGIT_CLASS
  if (byte >= 0x41 && byte <= 0x5a) return CAPITAL_CLASS
  return byte >= 0x80 || (byte >= 0x61 && byte <= 0x7a) ? SMALL_CLASS : SEPARATOR_CLASS
})

/** True if there is a boundary before name[at], or at the end of name[from … to). */
export function isBoundary(name: Uint8Array, at: number, from = 0, to = name.length): boolean {
  if (at <= from || at >= to) return true
  const before = BYTE_CLASSES[name[at - 1]]
  const after = BYTE_CLASSES[name[at]]
  if (before < SMALL_CLASS || after < SMALL_CLASS) return before !== after || before === SEPARATOR_CLASS
  if (after === SMALL_CLASS) return false
  if (before === SMALL_CLASS) return true
  // Of two capitals the second starts a word if an ASCII small letter follows: é does not make a word of a last capital.
  return isAsciiSmall(name, at + 1, to)
}

/**
 * Visits the words of name[from … to) as ranges of its original bytes: the parts of a run of letters, then the run itself
 * if it has several. No key is made.
 */
export function forEachWord(
  name: Uint8Array,
  from: number,
  to: number,
  visit: (start: number, end: number) => void,
): void {
  // What `isBoundary` says, written out: this runs over all names when a segment is built.
  for (let at = from; at < to; ) {
    let last = BYTE_CLASSES[name[at]]
    if (last < SMALL_CLASS) {
      at++
      continue
    }
    const run = at
    let part = at
    for (at++; at < to; at++) {
      const here = BYTE_CLASSES[name[at]]
      if (here < SMALL_CLASS) break
      if (here === CAPITAL_CLASS && (last === SMALL_CLASS || isAsciiSmall(name, at + 1, to))) {
        visit(part, at)
        part = at
      }
      last = here
    }
    visit(part, at)
    if (part !== run) visit(run, at)
  }
}

function isAsciiSmall(name: Uint8Array, at: number, to: number): boolean {
  return at < to && name[at] >= 0x61 && name[at] <= 0x7a
}

/**
 * The key of a word name[start … end); undefined if it is no valid text, or not as long as words of the list are.
 * Cost: as `keyOf`.
 */
export function wordKey(name: Uint8Array, start: number, end: number): Uint8Array | undefined {
  // Characters are at most four bytes before folding; folding makes three of one at most.
  if (end - start > MAX_WORD_BYTES) return undefined
  if (!isText(name, start, end)) return undefined
  const key = keyOf(name, start, end)
  return key.length >= MIN_WORD_BYTES && countCharacters(key) <= MAX_WORD_CHARACTERS ? key : undefined
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  if (asciiOnly(bytes, start, end)) return true
  for (let at = start; at < end; ) {
    const length = utf8SequenceLength(bytes, at, end)
    if (length === 0) return false
    at += length
  }
  return true
}

/** Characters of valid UTF-8. */
export function countCharacters(text: Uint8Array): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if ((text[i] & 0xc0) !== 0x80) count++
  return count
}
