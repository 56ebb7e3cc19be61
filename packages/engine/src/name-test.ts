import { keyOf, partialKeyOf } from '@hotpath/index-format'
import { matchesGlob, type NameTest } from '@hotpath/query'

/** Tests a name by its original bytes: for rows of the delta and for the few names that need their spelling compared. */
export function passesTest(test: NameTest, name: Uint8Array, key: Uint8Array = keyOf(name)): boolean {
  return passesKey(test, key) && passesSpelling(test, name)
}

/** The part of the test that the key decides. */
export function passesKey(test: NameTest, key: Uint8Array): boolean {
  return test.mode === 'glob' ? matchesGlob(test.tokens, key) : passesNeedle(test.mode, test.needle, key)
}

/** The part of the test that needs the original spelling; true where the test has none. */
export function passesSpelling(test: NameTest, name: Uint8Array): boolean {
  if (test.spelling === undefined) return true
  const spelled = partialKeyOf(name, test.spelling.keepCase, test.spelling.keepMarks)
  if (test.mode === 'glob') return matchesGlob(test.spelling.tokens, spelled)
  return passesNeedle(test.mode, test.spelling.needle, spelled)
}

export function passesNeedle(
  mode: 'substring' | 'exact' | 'prefix' | 'suffix',
  needle: Uint8Array,
  text: Uint8Array,
): boolean {
  switch (mode) {
    case 'substring':
      return indexOfBytes(text, needle) >= 0
    case 'exact':
      return needle.length === text.length && equalAt(text, 0, needle)
    case 'prefix':
      return equalAt(text, 0, needle)
    case 'suffix':
      return equalAt(text, text.length - needle.length, needle)
  }
}

function equalAt(text: Uint8Array, at: number, needle: Uint8Array): boolean {
  if (at < 0 || at + needle.length > text.length) return false
  for (let i = 0; i < needle.length; i++) if (text[at + i] !== needle[i]) return false
  return true
}

/** First place of `needle` in `text`, or -1. */
export function indexOfBytes(text: Uint8Array, needle: Uint8Array): number {
  const last = text.length - needle.length
  if (needle.length === 0) return 0
  const first = needle[0]
  for (let at = 0; at <= last; at++) {
    if (text[at] !== first) continue
    let i = 1
    while (i < needle.length && text[at + i] === needle[i]) i++
    if (i === needle.length) return at
  }
  return -1
}
