import { describe, expect, it } from 'vitest'
import { describeDelay, formatExactTime, formatMinute, formatSize, formatTook, formatUptime } from './format.js'
import { textParts } from './name-parts.js'
import { rowKeyText } from './row-key.js'
import { textPieces, visibleText } from './visible-text.js'

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
    expect(textPieces(names)).toEqual([{ text: names }])
  })

  it('leaves joiners where writing needs them, and nowhere else', () => {
    for (const needed of ['👩\u200d👧', '👩🏽\u200d💻', '❤\ufe0f\u200d🔥', 'می\u200cخواهم', 'क्\u200dष']) {
      expect(visibleText(needed)).toBe(needed)
    }
    for (const hidden of ['a\u200cb', 'a\u200db', '\u200d👩', '👩\u200d', 'pass\u200dword']) {
      expect(visibleText(hidden)).toContain('\ufffd')
    }
  })
})

describe('textPieces', () => {
  const shown = (text: string) => textPieces(text).map(piece => (piece.escaped ? `<${piece.text}>` : piece.text))

  it('shows by its name what must not be shown', () => {
    expect(shown('a\u202egnp.exe')).toEqual(['a', '<RLO>', 'gnp.exe'])
    expect(shown('\n\u001b[31m\u007f\u0085')).toEqual(['<LF>', '<ESC>', '[31m', '<DEL>', '<0085>'])
    expect(shown('x\u{e0041}\u3164')).toEqual(['x', '<E0041>', '<3164>'])
    expect(shown('')).toEqual([])
    expect(textPieces('\u200b')[0]?.escaped).toBe('invisible character U+200B')
  })

  it('loses nothing of what it leaves', () => {
    const text = 'résumé\u2066 日本\u0000語.txt\ufeff'
    const plain = textPieces(text).filter(piece => piece.escaped === undefined)
    expect(plain.map(piece => piece.text).join('')).toBe('résumé 日本語.txt')
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
    const seconds = Date.parse('2024-05-01T10:00:07Z') / 1000
    expect(formatExactTime({ seconds, ticks: 1_234_567 })).toMatch(/^2024-05-01 \d\d:\d\d:07\.1234567$/)
    expect(formatExactTime({ seconds, ticks: 0 })).toMatch(/:07$/)
    expect(formatExactTime({ seconds: 1e15, ticks: 0 })).toBe('')
    expect(formatMinute({ seconds: Number.NaN, ticks: 0 })).toBe('')
  })
})

it('formatUptime says what matters', () => {
  expect([5_000, 180_000, 9_000_000, 400_000_000].map(formatUptime)).toEqual(['5 s', '3 min', '2 h 30 min', '4 days'])
})

it('formatTook keeps two digits', () => {
  expect([0.1234, 1.26, 45.6].map(formatTook)).toEqual(['0.12 ms', '1.3 ms', '46 ms'])
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

describe('rowKeyText', () => {
  it.each([
    [7, '7'],
    [{ integer: '9007199254740993' }, '9007199254740993'],
    [[1, "it's", null, 0.5], "1, 'it''s', NULL, 0.5"],
    [
      [{ real: '-Infinity' as const }, { blob: 'AP8=' }, { text: '/w==' }],
      "-Infinity, x'00ff', text that is not UTF-8, x'ff'",
    ],
    [
      [{ blob: btoa('a'.repeat(40)) }, { omitted: 'text' as const, bytes: 5 }],
      `x'${'61'.repeat(16)}' … 40 bytes, text of 5 bytes`,
    ],
  ])('says a key: %j', (key, expected) => {
    expect(rowKeyText(key)).toBe(expected)
  })
})
