import { compareRange, keyOf, partialKeyOf, utf8SequenceLength } from '@hotpath/index-format'
import { matchesGlob, type NameTest } from '@hotpath/query'
import type { NameExpression } from './name-expression.js'

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

/** Whether text[from … to) contains, is, starts or ends with the needle. */
export function passesNeedle(
  mode: 'substring' | 'exact' | 'prefix' | 'suffix',
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

/** True if some test of the expression looks at the original spelling. */
export function needsSpelling(expression: NameExpression): boolean {
  switch (expression.kind) {
    case 'name':
      return expression.test.spelling !== undefined
    case 'and':
    case 'or':
      return expression.parts.some(needsSpelling)
    case 'not':
      return needsSpelling(expression.part)
    default:
      return false
  }
}
