import { keyOf } from '@hotpath/index-format'
import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import type { NeedleTest, Predicate, RegexTest, RequiredText, Spelling } from './predicate.js'
import { parseQuery } from './query.js'
import { BadRegex, matchesPathRegex, matchesRegex, regexTest, regexText } from './regex.js'
import { hasCapital, hasPatternSeparator, withOneSeparator } from './regex-pattern.js'
import { regexPieces } from './regex-syntax.js'
import { requiredText } from './required-text.js'
import { randomEntries, randomOf, randomQueries } from './testing/index.js'

const runs = process.env.SOAK ? 20_000 : 1_000
const encoder = new TextEncoder()
const ANYWHERE = { start: false, end: false, words: false }

function testOf(pattern: string, subject?: Spelling): RegexTest {
  const test = regexTest(pattern, subject, ANYWHERE)
  if (test instanceof BadRegex) throw new Error(`${pattern}: ${test.why}`)
  return test
}

function compiles(pattern: string): boolean {
  try {
    RE2JS.compile(pattern)
    return true
  } catch {
    return false
  }
}

function holds(required: RequiredText, key: string): boolean {
  switch (required.kind) {
    case 'and':
      return required.parts.every(part => holds(part, key))
    case 'or':
      return required.parts.some(part => holds(part, key))
    case 'text':
      return needleHolds(required.mode, Buffer.from(required.needle).toString('latin1'), key)
  }
}

function needleHolds(mode: NeedleTest['mode'], needle: string, key: string): boolean {
  if (mode === 'exact') return key === needle
  if (mode === 'prefix') return key.startsWith(needle)
  return mode === 'suffix' ? key.endsWith(needle) : key.includes(needle)
}

/** `^ab$` for an exact text, `ab` for one anywhere; `&` and `|` between texts. */
function shown(required: RequiredText | undefined): string {
  if (required === undefined) return ''
  if (required.kind !== 'text') return `(${required.parts.map(shown).join(required.kind === 'and' ? '&' : '|')})`
  const { mode } = required
  const text = Buffer.from(required.needle).toString()
  return `${mode === 'prefix' || mode === 'exact' ? '^' : ''}${text}${mode === 'suffix' || mode === 'exact' ? '$' : ''}`
}

describe('requiredText', () => {
  it.each([
    ['abc', 'abc'],
    ['^Abc', '^abc'],
    ['abc$', 'abc$'],
    ['^abc$', '^abc$'],
    ['ab?c', '(a&c)'],
    ['ab+c', '(ab&c)'],
    ['ab*', 'a'],
    ['ab{0,2}c', '(a&c)'],
    ['ab{2}c', '(ab&c)'],
    ['a.b', '(a&b)'],
    ['foo|bar', '(foo|bar)'],
    ['foo|b*', ''],
    ['(foo|bar)_x', '((foo|bar)&_x)'],
    ['(foo)?_x', '_x'],
    ['(foo|bar)+x', '((foo|bar)&x)'],
    ['((a|b)c|d)', '(((a|b)&c)|d)'],
    ['a\\.b', 'a.b'],
    ['a\\x41b', '(a&b)'],
    ['a\\x{41}b', '(a&b)'],
    ['a\\101b', '(a&b)'],
    ['a\\pLb', '(a&b)'],
    ['a\\p{Greek}b', '(a&b)'],
    ['a\\bb', '(a&b)'],
    ['a[bc]d', '(a&d)'],
    ['a[]b]d', '(a&d)'],
    ['a[[:alpha:]]d', '(a&d)'],
    ['a[\\]b]d', '(a&d)'],
    ['\\Qa|b\\E*', ''],
    ['(?i)ab', 'ab'],
    ['(?m)^ab$', 'ab'],
    ['^*ab', 'ab'],
    ['ab(?:)cd', '(ab&cd)'],
    ['x{', 'x{'],
    ['文書', '文書'],
    ['фото', 'фото'],
    ['ƛ', ''],
    ['(?P<name>ab)', 'ab'],
    ['a|b|c|d|'.repeat(20), ''],
  ])('of %s is %s', (pattern, required) => {
    expect(shown(requiredText(pattern, true))).toBe(required)
  })

  it('takes only ASCII where not the key is matched', () => {
    expect(shown(requiredText('aффb', false))).toBe('(a&b)')
  })

  it('is in the key of every name that passes', () => {
    const { entries, vocabulary } = randomEntries(11, 300, 1_700_000_000)
    const keys = entries.map(entry => Buffer.from(keyOf(entry.components.at(-1)!)).toString('latin1'))
    const next = randomQueries(12, vocabulary, 'regex')
    let useful = 0
    for (let i = 0; i < runs; i++) {
      const text = next()
      const query = parseQuery(text, { now: 0 })
      if (query.kind !== 'query') expect.fail(`${text}: ${query.message}`)
      const test = regexOf(query.predicate)
      const required = test?.required
      if (test === undefined || required === undefined) continue
      useful++
      entries.forEach((entry, index) => {
        if (matchesRegex(test, entry.components.at(-1)!)) expect(holds(required, keys[index]!), text).toBe(true)
      })
    }
    expect(useful).toBeGreaterThan(runs / 3)
  })
})

function regexOf(predicate: Predicate): RegexTest | undefined {
  return predicate.kind === 'name' && predicate.test.mode === 'regex' ? predicate.test : undefined
}

describe('regular expressions', () => {
  it('agree with those of the platform on what both know', () => {
    const random = randomOf(13)
    const letters = [
      'a',
      'b',
      'C',
      '.',
      '[ab]',
      '[^a]',
      '(a|b)',
      '(?:ab)?',
      'a+',
      'b*',
      'c{1,2}',
      '^',
      '$',
      '\\d',
      '\\.',
    ]
    for (let i = 0; i < runs; i++) {
      const pattern = Array.from({ length: 1 + random.below(6) }, () => random.pick(letters)).join('')
      const other = new RegExp(pattern, 'iu')
      const test = testOf(pattern)
      for (let n = 0; n < 20; n++) {
        const name = Array.from({ length: random.below(7) }, () => random.pick(['a', 'B', 'c', '.', '1'])).join('')
        expect(matchesRegex(test, encoder.encode(name)), `${pattern} ${name}`).toBe(other.test(name))
      }
    }
  })

  it.each([
    ['ÉTÉ', 'ete.txt'],
    ['straße+', 'STRASSESSE'],
    ['[à-ü]$', 'xE'],
    ['\\S', 'a'],
    ['\\W', '-'],
    ['\\pL\\pN', 'É1'],
    ['σ', 'ΟΔΟΣ'],
    ['が', 'か\u3099'],
    ['^.$', 'İ'],
    ['[^\u0308]v', 'av'],
    ['a\u0308?b', 'ab'],
    ['^\u0308*b', 'b'],
    ['^x\u0302{2}$', 'xx'],
    ['^[x\u0302]$', 'x'],
    ['^[É]$', 'e'],
    ['^\\pL\u0301b', 'ab'],
    ['^[\\pL\u0301]b', 'ab'],
  ])('%s is found in %s', (pattern, name) => {
    expect(matchesRegex(testOf(pattern), encoder.encode(name))).toBe(true)
  })

  it.each([
    ['\\d', 'a'],
    ['\\W', 'a'],
    ['か', 'が'],
    ['[\u0308]', 'a\u0308'],
  ])('%s is not found in %s', (pattern, name) => {
    expect(matchesRegex(testOf(pattern), encoder.encode(name))).toBe(false)
  })

  it('read bytes that are no UTF-8 one by one', () => {
    expect(regexText(Uint8Array.of(0x61, 0xe2, 0x82, 0xc3, 0xa9))).toBe('a\ufffd\ufffdé')
    expect(matchesRegex(testOf('^a..b$'), Uint8Array.of(0x61, 0xff, 0xc3, 0x62))).toBe(true)
  })

  it('see one separator in paths', () => {
    const path = (text: string) => text.split('/').map(part => encoder.encode(part))
    expect(matchesPathRegex(testOf('^/a/b$'), path('/a/b'))).toBe(true)
    expect(matchesPathRegex(testOf('^/$'), [encoder.encode('')])).toBe(true)
    expect(matchesPathRegex(testOf('^//srv/a'), path('\\\\srv/a'))).toBe(true)
    expect(withOneSeparator('a\\\\b[\\\\x]\\.')).toBe('a/b[/x]\\.')
    expect(['a/b', 'a\\\\b', '[/x]', '[^/]', '\\d', '\\.'].map(hasPatternSeparator)).toEqual([
      ...[true, true, true, false, false, false],
    ])
  })

  it('have capitals only outside of escapes', () => {
    expect(['aB', '[A-Z]', '\\S', '\\pLa', '\\p{Lu}', '[\\S]', '\\x4A', 'é'].map(hasCapital)).toEqual([
      ...[true, true, false, false, false, false, false, false],
    ])
  })

  it('say what is wrong, and are refused where they are too large', () => {
    expect(regexTest('a(', undefined, ANYWHERE)).toEqual(new BadRegex('missing closing )'))
    expect(regexTest('(a)\\1', undefined, ANYWHERE)).toBeInstanceOf(BadRegex)
    expect(regexTest('(?=a)', undefined, ANYWHERE)).toBeInstanceOf(BadRegex)
    expect(regexTest('\\pL{1000}'.repeat(400), undefined, ANYWHERE)).toEqual(new BadRegex('it is too large'))
  })

  it('stay right in every spelling', () => {
    const random = randomOf(14)
    const pieces = [
      'a',
      'É',
      'ß',
      '\u0301',
      'x\u0302',
      '\\pL',
      '\\p{Greek}',
      '\\d',
      '[^\u0301]',
      '[\\pLé]',
      '[a-É]',
      '\\x4A',
    ]
    const more = [
      '(',
      ')',
      '|',
      '*',
      '?',
      '+',
      '{2}',
      '\\Qß*\\E',
      '(?i)',
      '(?P<N>É)',
      '^',
      '$',
      '.',
      '[[:alpha:]É]',
      '\\.',
      'Z',
    ]
    const subjects: (Spelling | undefined)[] = [
      undefined,
      ...[false, true].flatMap(keepCase => [
        { keepCase, keepMarks: true },
        { keepCase, keepMarks: true, ascii: true as const },
      ]),
      { keepCase: true, keepMarks: false },
    ]
    let right = 0
    for (let i = 0; i < runs * 3; i++) {
      const pattern = Array.from({ length: 1 + random.below(6) }, () => random.pick([...pieces, ...more])).join('')
      if (!compiles(pattern)) continue
      right++
      for (const subject of subjects) {
        const test = regexTest(pattern, subject, ANYWHERE)
        // The ends of a range can change places when they are folded.
        if (test instanceof BadRegex && !pattern.includes('a-É')) expect.fail(`${pattern}: ${test.why}`)
      }
    }
    expect(right).toBeGreaterThan(runs / 2)
  })

  it('take time in proportion to the name', () => {
    const test = testOf('(a*)*(a|aa)+(x+x+)+y')
    expect(matchesRegex(test, encoder.encode(`${'ax'.repeat(2000)}`))).toBe(false)
  })

  it('are taken apart without losing anything', () => {
    const pattern = 'a(?P<n>b|[^]\\]c])+\\x{1f}\\Q(*\\E{2,}?(?i:x)^$.\\\\'
    expect(
      regexPieces(pattern)
        .map(piece => piece.text)
        .join(''),
    ).toBe(pattern)
  })
})
