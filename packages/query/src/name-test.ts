import { keyOf } from '@hotpath/index-format'
import { nearnessOf } from './fuzzy.js'
import { matchesGlob } from './glob.js'
import type { NameTest, NeedleTest, RequiredText } from './predicate.js'
import { matchesRegex } from './regex.js'
import { spelledKeyOf } from './spelled-key.js'
import { passesWords } from './words.js'

/** Tests a name by its original bytes: for rows of the delta and for the few names that need their spelling compared. */
export function passesTest(test: NameTest, name: Uint8Array, key: Uint8Array = keyOf(name)): boolean {
  return passesKey(test, key) && passesSpelling(test, name, key)
}

/** The part of the test that the key decides; of a regular expression what it requires of the key. */
export function passesKey(test: NameTest, key: Uint8Array, from = 0, to = key.length): boolean {
  switch (test.mode) {
    case 'glob':
      return matchesGlob(test.tokens, key, from, to)
    case 'regex':
      return test.required === undefined || passesRequired(test.required, key, from, to)
    case 'fuzzy':
      return true
    default:
      return (test.words ? passesWords : passesNeedle)(test.mode, test.needle, key, from, to)
  }
}

function passesRequired(required: RequiredText, key: Uint8Array, from: number, to: number): boolean {
  switch (required.kind) {
    case 'text':
      return passesNeedle(required.mode, required.needle, key, from, to)
    case 'and':
      return required.parts.every(part => passesRequired(part, key, from, to))
    case 'or':
      return required.parts.some(part => passesRequired(part, key, from, to))
  }
}

/** True if `passesKey` is all that there is to the test. */
export function isDecidedByKey(test: NameTest): boolean {
  return test.mode !== 'regex' && test.mode !== 'fuzzy' && test.spelling === undefined
}

/** What is left of the test when `passesKey` holds: the original spelling, the regular expression, or what is forgiven. */
export function passesSpelling(test: NameTest, name: Uint8Array, key: Uint8Array): boolean {
  if (test.mode === 'regex') return matchesRegex(test, name, key)
  if (test.mode === 'fuzzy') return nearnessOf(test, name, key) !== undefined
  if (test.spelling === undefined) return true
  const spelled = spelledKeyOf(name, test.spelling)
  if (test.mode === 'glob') return matchesGlob(test.spelling.tokens, spelled)
  return (test.words ? passesWords : passesNeedle)(test.mode, test.spelling.needle, spelled)
}

/** Whether text[from … to) contains, is, starts or ends with the needle. */
export function passesNeedle(
  mode: NeedleTest['mode'],
  needle: Uint8Array,
  text: Uint8Array,
  from = 0,
  to = text.length,
): boolean {
  switch (mode) {
    case 'substring':
      return contains(text, from, to, needle)
    case 'exact':
      return needle.length === to - from && equalAt(text, from, needle)
    case 'prefix':
      return needle.length <= to - from && equalAt(text, from, needle)
    case 'suffix':
      return needle.length <= to - from && equalAt(text, to - needle.length, needle)
  }
}

function equalAt(text: Uint8Array, at: number, needle: Uint8Array): boolean {
  for (let i = 0; i < needle.length; i++) if (text[at + i] !== needle[i]) return false
  return true
}

function contains(text: Uint8Array, from: number, to: number, needle: Uint8Array): boolean {
  if (needle.length === 0) return true
  const last = to - needle.length
  const first = needle[0]
  for (let at = from; at <= last; at++) if (text[at] === first && equalAt(text, at, needle)) return true
  return false
}
