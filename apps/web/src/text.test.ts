import { describe, expect, it } from 'vitest'
import { describeDelay, formatExactTime, formatSize, formatTook } from './format.js'
import { textParts } from './highlight.js'
import { EMPTY_STATE, sortedBy, stateFromUrl, stateToUrl } from './search-state.js'
import { visibleText } from './visible-text.js'

describe('textParts', () => {
  const parts = (text: string, spans: [number, number][]) =>
    textParts(text, spans).map(part => (part.matched ? `[${part.text}]` : part.text))

  it.each([
    ['report.txt', [[0, 6]], ['[report]', '.txt']],
    ['my report', [[3, 6]], ['my ', '[report]']],
    [
      'aXbX',
      [
        [1, 1],
        [3, 1],
      ],
      ['a', '[X]', 'b', '[X]'],
    ],
    ['abc', [], ['abc']],
    ['', [], []],
    // What no correct server sends must not repeat or lose text either.
    [
      'abcd',
      [
        [2, 1],
        [0, 1],
      ],
      ['[a]', 'b', '[c]', 'd'],
    ],
    [
      'abcd',
      [
        [0, 3],
        [1, 2],
      ],
      ['[abc]', 'd'],
    ],
    [
      'abcd',
      [
        [3, 9],
        [7, 1],
        [1, 0],
        [-2, 1],
      ],
      ['abc', '[d]'],
    ],
  ] as [string, [number, number][], string[]][])('cuts %s', (text, spans, expected) => {
    expect(parts(text, spans)).toEqual(expected)
    expect(
      textParts(text, spans)
        .map(part => part.text)
        .join(''),
    ).toBe(text)
  })
})

describe('visibleText', () => {
  it('replaces whatever could hide, break or turn round a line, one for one', () => {
    const hostile = 'a\u0000\u001b[31m\n\r\t\u007f\u0085\u00ad\u061c\u200b\u200e\u202e\u2066\u2028\ufeffb'
    const shown = visibleText(hostile)
    expect(shown.length).toBe(hostile.length)
    expect(shown.replaceAll('\ufffd', '')).toBe('a[31mb')
  })

  it('leaves other scripts and signs as they are', () => {
    const names = 'résumé Ωμέγα 日本語 العربية עברית हिन्दी 👩🏽 e\u0301 <b>&amp;</b>'
    expect(visibleText(names)).toBe(names)
  })
})

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '0.98 KB'],
    [1024, '1.00 KB'],
    [1536, '1.50 KB'],
    [12_902_400, '12.3 MB'],
    [1_072_693_248, '1.00 GB'],
    [2 ** 40 * 5, '5.00 TB'],
    [2 ** 53, '8.00 PB'],
    [2 ** 63, '8192 PB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })
})

describe('formatExactTime', () => {
  it('shows every digit that is known, and nothing for what is no time', () => {
    expect(formatExactTime('2024-05-01T10:00:07.1234567Z')).toMatch(/^2024-05-01 \d\d:\d\d:07\.1234567$/)
    expect(formatExactTime('2024-05-01T10:00:07Z')).toMatch(/:07$/)
    expect(formatExactTime('yesterday')).toBe('')
  })
})

it('formatTook keeps two digits', () => {
  expect([0.1234, 1.26, 45.6].map(formatTook)).toEqual(['0.12 ms', '1.3 ms', '46 ms'])
})

describe('the address', () => {
  it.each(['', '?q=report', '?q=a+%26+b%3D%3F%23', '?sort=size-desc', '?q=x&sort=name-desc', '?q=x&sort=modified'])(
    'says the whole state: %s',
    address => {
      expect(stateToUrl(stateFromUrl(address))).toBe(address)
    },
  )

  it('is not obeyed where it makes no sense', () => {
    expect(stateFromUrl('?sort=evil-desc')).toEqual(EMPTY_STATE)
    expect(stateFromUrl('?other=1')).toEqual(EMPTY_STATE)
  })

  it('turns an order round, and begins others with what one looks for', () => {
    const byName = sortedBy(EMPTY_STATE, 'name')
    expect(byName).toMatchObject({ sort: 'name', descending: false })
    expect(sortedBy(byName, 'name')).toMatchObject({ sort: 'name', descending: true })
    expect(sortedBy(sortedBy(byName, 'name'), 'name')).toEqual(EMPTY_STATE)
    expect(sortedBy(EMPTY_STATE, 'size')).toMatchObject({ sort: 'size', descending: true })
    expect(sortedBy(sortedBy(EMPTY_STATE, 'size'), 'path')).toMatchObject({ sort: 'path', descending: false })
  })
})

describe('describeDelay', () => {
  it('names the first directory, harmlessly, and how far behind the index is', () => {
    const fresh = { state: 'repairing', lagMs: 0, dirty: [], dirtyCount: 0 } as const
    expect(describeDelay(fresh)).toBe('')
    expect(describeDelay({ ...fresh, lagMs: null, dirtyCount: 3 })).toBe(' 3 directories are to be read again.')
    const text = describeDelay({ ...fresh, lagMs: 1_500, dirty: ['/a\u202eb', '/c'], dirtyCount: 12 })
    expect(text).toBe(` 12 directories are to be read again, first ${visibleText('/a\u202eb')}. 1.5 s behind.`)
    expect(text).not.toContain('\u202e')
  })
})
