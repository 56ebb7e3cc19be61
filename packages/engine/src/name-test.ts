import { compareRange, utf8SequenceLength } from '@hotpath/index-format'
import { isDecidedByKey, passesNeedle, passesTest, Tier, tierOf } from '@hotpath/query'
import type { NameExpression } from './name-expression.js'

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
      return (
        passesNeedle('substring', expression.needle, key) && tierOf([expression.needle], name, key) <= Tier.boundary
      )
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
