import { utf8SequenceLength } from '@hotpath/index-format'

/** What a condition looks at: the key, or the original bytes. */
export type Subject = 'key' | 'original'

/**
 * A condition on a name that a kernel can decide. Texts are compared byte by byte: for the key, the caller passes keys.
 *
 * * `glob`: the whole subject; elements are bytes, ANY_CHARACTER or ANY_CHARACTERS (see `globPattern`). Bytes between wildcards are whole
 *   characters, as in any text: a match of a torn one may be missed.
 * * `extension`: the subject ends in a dot and one of these, which may contain dots.
 * * `length`: characters of the subject, both limits included; `max` may be Infinity.
 * * `nonAscii`: a byte of the subject is 0x80 or more. Its use: a condition on the spelling is decided by the original
 *   bytes alone where they are ASCII, and `any` of both lets the caller look at the other names only.
 * * `wordStart`: the key has the text where a boundary of the original is (words.ts of index-format). False where key and
 *   original are not equally long, and only right where they are ASCII.
 * * `words`: a word or a run of digits of the name is one of these; right for the same names.
 * * `initials`: the letters (1 … 31 bytes) are starts of parts of the name between boundaries, in order, beginning with the first part
 *   (after one dot at most); right for the same names.
 */
export type NameCondition =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly NameCondition[] }
  | { readonly kind: 'not'; readonly part: NameCondition }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'contains' | 'prefix' | 'suffix' | 'exact'; readonly subject: Subject; readonly text: Uint8Array }
  | { readonly kind: 'glob'; readonly subject: Subject; readonly pattern: Uint16Array }
  | { readonly kind: 'extension'; readonly subject: Subject; readonly extensions: readonly Uint8Array[] }
  | { readonly kind: 'length'; readonly subject: Subject; readonly min: number; readonly max: number }
  | { readonly kind: 'nonAscii'; readonly subject: Subject }
  | { readonly kind: 'wordStart'; readonly text: Uint8Array }
  | { readonly kind: 'words'; readonly words: readonly Uint8Array[] }
  | { readonly kind: 'initials'; readonly letters: Uint8Array }

/** Elements of a glob pattern that are not bytes: any one character (UTF-8; a stray byte is one), any number of them. */
export const ANY_CHARACTER = 0x100
export const ANY_CHARACTERS = 0x101

/** A step of a glob over one name. */
export type GlobStep =
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  | { readonly kind: 'one' }
  | { readonly kind: 'many' }

/** The steps as elements. */
export function globPattern(steps: readonly GlobStep[]): Uint16Array {
  return Uint16Array.from(
    steps.flatMap(step =>
      step.kind === 'literal' ? [...step.bytes] : [step.kind === 'one' ? ANY_CHARACTER : ANY_CHARACTERS],
    ),
  )
}

/** Bytes of the character at bytes[at]: a UTF-8 sequence, or one byte that belongs to none. */
export function characterBytes(bytes: Uint8Array, at: number, to: number): number {
  return bytes[at] < 0x80 ? 1 : Math.max(1, utf8SequenceLength(bytes, at, to))
}

/** True if the pattern matches all of text[from … to). Cost: at most length × elements steps. */
export function matchGlob(pattern: Uint16Array, text: Uint8Array, from = 0, to = text.length): boolean {
  let p = 0
  let t = from
  let star = -1
  let starText = 0
  for (;;) {
    if (p < pattern.length) {
      const element = pattern[p]
      if (element === ANY_CHARACTERS) {
        star = p++
        starText = t
        continue
      }
      if (t < to) {
        if (element === ANY_CHARACTER) {
          t += characterBytes(text, t, to)
          p++
          continue
        }
        if (element === text[t]) {
          t++
          p++
          continue
        }
      }
    } else if (t === to) return true
    // Only the last `*` can take more: an earlier one would only leave less for it.
    if (star < 0 || starText >= to) return false
    starText += characterBytes(text, starText, to)
    t = starText
    p = star + 1
  }
}
