import { compareRange, keyOf, utf8SequenceLength } from '@hotpath/index-format'
import {
  matchesGlob,
  matchesRegex,
  type NameTest,
  type NeedleTest,
  nearnessOf,
  passesWords,
  type RequiredText,
  spelledKeyOf,
  Tier,
  tierOf,
} from '@hotpath/query'
import type { NameExpression } from './name-expression.js'

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

/** Decides a name expression for one name. */
export function evaluateName(expression: NameExpression, name: Uint8Array, key: Uint8Array): boolean {
  switch (expression.kind) {
    case 'name':
      return passesTest(expression.test, name, key)
    case 'extension':
      return expression.extensions.some(
        extension =>
          key.length > extension.length &&
          key[key.length - extension.length - 1] === 0x2e &&
          compareRange(key, key.length - extension.length, key.length, extension) === 0,
      )
    case 'length': {
      const characters = countCharacters(name)
      return characters >= expression.min && characters <= expression.max
    }
    case 'wordStart':
      return contains(key, 0, key.length, expression.needle) && tierOf([expression.needle], name, key) <= Tier.boundary
    case 'and':
      return expression.parts.every(part => evaluateName(part, name, key))
    case 'or':
      return expression.parts.some(part => evaluateName(part, name, key))
    case 'not':
      return !evaluateName(expression.part, name, key)
  }
}

/** Characters of bytes[from … to); a byte that belongs to no UTF-8 sequence counts as one. */
export function countCharacters(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let characters = 0
  for (let at = from; at < to; characters++) {
    at += bytes[at] < 0x80 ? 1 : Math.max(1, utf8SequenceLength(bytes, at, to))
  }
  return characters
}

/** True if the kernels cannot decide the whole expression: a test asks for spellings, whole words, a regular expression. */
export function needsCheck(expression: NameExpression): boolean {
  switch (expression.kind) {
    case 'name': {
      const { test } = expression
      if (!isDecidedByKey(test)) return true
      return test.mode !== 'glob' && test.mode !== 'regex' && test.mode !== 'fuzzy' && test.words === true
    }
    case 'wordStart':
      return true
    case 'and':
    case 'or':
      return expression.parts.some(needsCheck)
    case 'not':
      return needsCheck(expression.part)
    default:
      return false
  }
}
