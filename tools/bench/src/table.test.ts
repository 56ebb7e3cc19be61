import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTable, wrap } from './table.js'

describe('wrap', () => {
  it('breaks at spaces and cuts words that are too long', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
    expect(wrap('a\nb', 4)).toEqual(['a', 'b'])
    expect(wrap('', 4)).toEqual([''])
  })

  it('loses nothing and keeps the width', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 20 }), (text, width) => {
        const lines = wrap(text, width)
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(/[ \n]/g, ''))
      }),
    )
  })
})

describe('formatTable', () => {
  const columns = [
    { title: 'what', width: 6 },
    { title: 'ms', width: 5, align: 'right' },
  ] as const

  it('aligns its columns', () => {
    const table = formatTable(columns, [
      ['build', '1.5'],
      ['scan', '12.25'],
    ])
    expect(table).toBe('what       ms\n------  -----\nbuild     1.5\nscan    12.25\n')
  })

  it('sets tall rows apart and fills missing cells', () => {
    const table = formatTable(columns, [['a long one', '1'], ['b']])
    expect(table).toBe('what       ms\n------  -----\na long      1\none\n\nb\n')
  })
})
