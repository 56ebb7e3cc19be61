import { expect, test } from 'vitest'
import { beginningOf, cellsOf, endOf } from './text-width.js'

test('cells of texts', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['🙂', 2],
    ['ｗ', 2],
    ['한', 2],
    ['\u1112\u1161\u11ab', 2],
    ['שלום', 4],
    ['a\u{e0001}b', 2],
  ]
  for (const [text, cells] of cases) expect({ text, cells: cellsOf(text) }).toEqual({ text, cells })
})

test('a text is cut between characters, never in one', () => {
  expect(beginningOf('a日本', 2)).toBe('a')
  expect(beginningOf('a日本', 3)).toBe('a日')
  expect(beginningOf('ae\u0301b', 2)).toBe('ae\u0301')
  expect(beginningOf('abc', 0)).toBe('')
  expect(endOf('日本a', 2)).toBe('a')
  expect(endOf('日本a', 3)).toBe('本a')
  expect(endOf('xe\u0301b', 2)).toBe('e\u0301b')
  // The mark of what is cut off goes with it.
  expect(endOf('e\u0301b', 1)).toBe('b')
  expect(endOf('abc', 9)).toBe('abc')
})
