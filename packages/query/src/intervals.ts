import { fail, type TextNode } from './syntax.js'

/** What one value of a function covers: `1kb` a single number, `medium` or `2024-05` many. Half-open. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/**
 * The interval that `argument` asks for: `v` (in v), `=v`, `<v` (before v starts), `<=v` (before it ends), `>v`, `>=v`, or
 * `a..b` (from the start of a to the end of b; either may be left out). `read` gives the interval of a value, or undefined
 * if the text is none; `expected` describes values in an error. `a-b` is a range too where `dash` is set.
 */
export function readInterval(
  argument: TextNode,
  read: (value: string) => Interval | undefined,
  expected: string,
  dash = false,
): Interval {
  const value = (text: string): Interval =>
    read(text.trim()) ?? fail('value', argument, expected, text === '' ? 'nothing' : JSON.stringify(text))
  const text = argument.text.trim()
  const [, comparator, compared] = /^([<>]=?|=)(.*)$/s.exec(text) ?? []
  if (comparator !== undefined) {
    const { from, to } = value(compared!)
    switch (comparator) {
      case '<':
        return { from: -Infinity, to: from }
      case '<=':
        return { from: -Infinity, to }
      case '>':
        return { from: to, to: Infinity }
      case '>=':
        return { from, to: Infinity }
      default:
        return { from, to }
    }
  }
  const [, low, high] = /^(.*?)\.\.(.*)$/s.exec(text) ?? (dash ? (/^([^-]+)-([^-]+)$/s.exec(text) ?? []) : [])
  if (low === undefined || high === undefined) return value(text)
  if (low === '' && high === '') fail('value', argument, expected, JSON.stringify(text))
  return { from: low === '' ? -Infinity : value(low).from, to: high === '' ? Infinity : value(high).to }
}

/** The interval of a whole number that is written as it is: `12`. */
export function readCount(text: string): Interval | undefined {
  if (!/^\d{1,9}$/.test(text)) return undefined
  const count = Number(text)
  return { from: count, to: count + 1 }
}

const UNIT_BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 }
const SIZE_WORDS: Readonly<Record<string, Interval>> = {
  empty: { from: 0, to: 1 },
  tiny: { from: 1, to: 10 * 1024 + 1 },
  small: { from: 10 * 1024 + 1, to: 100 * 1024 + 1 },
  medium: { from: 100 * 1024 + 1, to: 1024 ** 2 + 1 },
  large: { from: 1024 ** 2 + 1, to: 16 * 1024 ** 2 + 1 },
  huge: { from: 16 * 1024 ** 2 + 1, to: 128 * 1024 ** 2 + 1 },
  gigantic: { from: 128 * 1024 ** 2 + 1, to: Infinity },
}

/** The interval of a size in whole bytes: `10`, `1.5mb`, `2 GB`, `medium`. */
export function readSize(text: string): Interval | undefined {
  const word = text.toLowerCase()
  if (Object.hasOwn(SIZE_WORDS, word)) return SIZE_WORDS[word]
  const [, digits, unit] = /^(\d+(?:\.\d+)?) *([kmgt]?b)?$/.exec(word) ?? []
  if (digits === undefined) return undefined
  const bytes = Math.round(Number(digits) * UNIT_BYTES[unit ?? 'b']!)
  return bytes < Number.MAX_SAFE_INTEGER ? { from: bytes, to: bytes + 1 } : undefined
}
