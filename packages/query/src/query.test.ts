import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { naiveContext } from './naive-context.js'
import { matchesNaively } from './naive-matcher.js'
import type { Predicate } from './predicate.js'
import { parseQuery, type Query } from './query.js'
import type { SyntaxNode } from './syntax.js'
import { QUERY_KINDS, randomEntries, randomQueries } from './testing/index.js'
import { KNOWN_NAMES } from './vocabulary.js'

const runs = process.env.SOAK ? 100_000 : 3_000
const now = new Date(2024, 4, 15, 12).getTime()

function parsed(text: string, options = {}): Query {
  const query = parseQuery(text, { now, ...options })
  if (query.kind === 'error') expect.fail(`${text}: ${query.message}`)
  return query
}

describe('parseQuery', () => {
  it('keeps the place of everything', () => {
    const { syntax } = parsed('case:<ab  !"c d"> size:>1kb')
    const text = 'case:<ab  !"c d"> size:>1kb'
    const spans: string[] = []
    const visit = (node: SyntaxNode) => {
      spans.push(`${node.type} ${text.slice(node.position, node.position + node.length)}`)
      if (node.type === 'and' || node.type === 'or') node.parts.forEach(visit)
      if ((node.type === 'not' || node.type === 'modifier') && node.part) visit(node.part)
      if (node.type === 'function') visit(node.argument)
    }
    visit(syntax)
    expect(spans).toEqual([
      'and case:<ab  !"c d"> size:>1kb',
      'modifier case:<ab  !"c d">',
      'and ab  !"c d"',
      'term ab',
      'not !"c d"',
      'term "c d"',
      'function size:>1kb',
      'term >1kb',
    ])
  })

  it('never throws, and its errors lie inside the text', () => {
    const piece = fc.constantFrom(
      ...[
        'a',
        ' ',
        '|',
        '!',
        '<',
        '>',
        '(',
        ')',
        '"',
        ':',
        '*',
        '?',
        '/',
        '\\',
        '..',
        '-',
        ';',
        '\ud800',
        'é',
        '=',
        '2024',
      ],
      ...[
        'case:',
        'file:',
        'size:',
        'dm:',
        'ext:',
        'under:',
        'path:',
        'wfn:',
        'x:',
        'foo:',
        'len:',
        'last',
        'days',
        '9',
        'kb',
      ],
      ...['regex:', 'ww:', '[', ']', '{2}', '^', 'child:', 'childcount:', 'attrib:', 'type:', 'count:', 'dupe:'],
      ...['pic:', 'quot:', '#65:', '#x41:', 'ascii:', 'volume:', 'root:', 'utf8:'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        const text = pieces.join('')
        const result = parseQuery(text, { now })
        if (result.kind === 'query') return
        expect(result.position).toBeGreaterThanOrEqual(0)
        expect(result.position + result.length).toBeLessThanOrEqual(text.length)
        expect(result.expected).not.toBe('')
      }),
      { numRuns: runs },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(['query', 'error']).toContain(parseQuery(text, { now }).kind)
      }),
      { numRuns: runs },
    )
  })

  it('has limits on length, terms and nesting', () => {
    expect(parseQuery('é'.repeat(2048), { now }).kind).toBe('query')
    expect(parseQuery('é'.repeat(2049), { now })).toMatchObject({ kind: 'error', code: 'limit' })
    expect(parseQuery('a '.repeat(64), { now }).kind).toBe('query')
    expect(parseQuery('a '.repeat(65), { now })).toMatchObject({ kind: 'error', code: 'limit', position: 128 })
    for (const [open, close] of [
      ['<', '>'],
      ['(', ')'],
      ['!', ''],
      ['case:', ''],
    ] as const) {
      expect(parseQuery(`${open.repeat(32)}a${close.repeat(32)}`, { now }).kind).toBe('query')
      const tooDeep = parseQuery(`${open.repeat(33)}a${close.repeat(33)}`, { now })
      expect(tooDeep).toMatchObject({ kind: 'error', code: 'limit', position: open.length * 32 })
      expect(parseQuery(open.repeat(4096 / open.length), { now })).toMatchObject({ kind: 'error', code: 'limit' })
    }
  })

  it('says which functions there are', () => {
    expect(parseQuery('a sise:1', { now })).toMatchObject({
      code: 'unknown-function',
      position: 2,
      length: 5,
      known: KNOWN_NAMES,
    })
  })

  it('knows every name that it lists', () => {
    for (const name of KNOWN_NAMES) {
      const kinds = ['x', '1', '2024', 'R', 'file'].map(value => parseQuery(`${name}:${value}`, { now }).kind)
      expect(kinds, name).toContain('query')
    }
  })

  it('takes the sensitivity from its options', () => {
    expect(parsed('É', { caseMode: 'match', diacritics: true })).toMatchObject({
      predicate: parsed('case:diacritics:É').predicate,
    })
    expect(parsed('nocase:É', { caseMode: 'match' }).predicate).toEqual(parsed('É').predicate)
    expect(parsed('a', { match: 'path' }).predicate).toEqual(parsed('path:a').predicate)
  })

  it('with smart case lets capitals decide, word by word', () => {
    const smart = (text: string) => parsed(text, { caseMode: 'smart' }).predicate
    expect(smart('Ab cd')).toEqual(parsed('case:Ab cd').predicate)
    expect(smart('nocase:Ab')).toEqual(parsed('Ab').predicate)
    expect(smart('case:ab')).toEqual(parsed('case:ab').predicate)
    expect(smart('Src/ab*')).toEqual(parsed('case:Src/ab*').predicate)
    expect(smart('ext:c;H')).toEqual(parsed('case:ext:c;H').predicate)
    expect(smart('under:/A/b')).toEqual(parsed('case:under:/A/b').predicate)
    expect(smart('child:A')).toEqual(parsed('case:child:A').predicate)
    expect(smart('regex:\\S\\.C')).toEqual(parsed('case:regex:\\S\\.C').predicate)
    expect(smart('regex:\\S\\.c')).toEqual(parsed('regex:\\S\\.c').predicate)
    expect(smart('ascii:É')).toEqual(parsed('case:ascii:É').predicate)
  })

  it('takes the least of the counts', () => {
    expect(parsed('a').maxCount).toBeUndefined()
    expect(parsed('count:5')).toMatchObject({ maxCount: 5, predicate: { kind: 'all' } })
    expect(parsed('count:5 a <b count:3>')).toMatchObject({ maxCount: 3, predicate: parsed('a b').predicate })
    for (const text of [
      '!count:5',
      'a|count:5',
      'case:count:5',
      'file:count:5',
      'count:>5',
      'count:1..2',
      'count:-1',
    ]) {
      expect(parseQuery(text, { now }).kind, text).toBe('error')
    }
  })

  it('reads patterns to the end of the word, and no further', () => {
    const pattern = (text: string) => {
      const { predicate } = parsed(text)
      return predicate.kind === 'name' && predicate.test.mode === 'regex' ? predicate.test.source : predicate.kind
    }
    expect(pattern('regex:(a|<b>)')).toBe('(a|<b>)')
    expect(pattern('regex:[|)>]')).toBe('[|)>]')
    expect(pattern('regex:[]|]a')).toBe('[]|]a')
    expect(pattern('regex:a\\ b\\|c')).toBe('a\\ b\\|c')
    expect(pattern('(regex:a(b)c)')).toBe('a(b)c')
    expect(pattern('<regex:a>')).toBe('a')
    expect(pattern('regex:"a b"c')).toBe('a bc')
    expect(pattern('regex:noregex:(a)')).toBe('name')
    expect(pattern('regex:a b')).toBe('and')
    expect(pattern('regex:lt:a')).toBe('<a')
  })

  it('with match auto lets terms match any component and one of them the name', () => {
    const predicate = parsed('src main !test', { match: 'auto' }).predicate
    const matches = (path: string) =>
      matchesNaively(predicate, { components: path.split('/').map(c => new TextEncoder().encode(c)), kind: 0, size: 0 })
    expect(matches('/src/main.c')).toBe(true)
    expect(matches('/main/src')).toBe(true)
    expect(matches('/src/main/x')).toBe(false)
    expect(matches('/test/src/main.c')).toBe(false)
    expect(parsed('nopath:a', { match: 'auto' }).predicate).toEqual(parsed('a').predicate)
    expect(parsed('a', { match: 'auto' }).predicate).toEqual(parsed('a').predicate)
    expect(parsed('a|b size:>1', { match: 'auto' }).predicate).toEqual(parsed('size:>1 a|b').predicate)
    expect(parsed('ext:c', { match: 'auto' }).predicate).toEqual(parsed('ext:c').predicate)
  })
})

describe('the normal form', () => {
  const inNormalForm = (predicate: Predicate, parent?: 'and' | 'or'): boolean => {
    switch (predicate.kind) {
      case 'all':
      case 'none':
        return parent === undefined
      case 'and':
      case 'or':
        return (
          predicate.kind !== parent &&
          predicate.parts.length >= 2 &&
          predicate.parts.every(part => inNormalForm(part, predicate.kind as 'and' | 'or'))
        )
      case 'not':
        return predicate.part.kind !== 'type'
      default:
        return true
    }
  }

  it('is what random queries give', () => {
    const { vocabulary } = randomEntries(1, 100, now / 1000)
    const next = randomQueries(2, vocabulary)
    for (let i = 0; i < 500; i++) {
      const text = next()
      const { predicate } = parsed(text)
      if (!inNormalForm(predicate)) expect.fail(`${text}: ${JSON.stringify(predicate)}`)
    }
  })

  it.each([
    ['a|*', { kind: 'all' }],
    ['a *', parsed('a').predicate],
    ['a nopath:x/y', { kind: 'none' }],
    ['!<a !b>', parsed('!a|b').predicate],
    ['!file:', { kind: 'type', directory: true }],
    ['<a b> <c d>', parsed('a b c d').predicate],
    ['size:5..4', { kind: 'none' }],
  ])('of %s', (text, predicate) => {
    expect(parsed(text).predicate).toEqual(predicate)
  })

  it('means the same as the query as written', () => {
    const { entries, vocabulary } = randomEntries(3, 60, now / 1000)
    const next = randomQueries(4, vocabulary)
    // A group of its own around both, and twice NOT, take other ways through the normal form.
    const context = naiveContext(entries)
    for (let i = 0; i < 200; i++) {
      const [left, right] = [next(), next()]
      const a = parsed(left).predicate
      const b = parsed(right).predicate
      const both = parsed(`!<!<${left}>|!<${right}>>`).predicate
      const either = parsed(`!<!<${left}> !<${right}>>`).predicate
      for (const entry of entries) {
        const [inA, inB] = [matchesNaively(a, entry, context), matchesNaively(b, entry, context)]
        expect(matchesNaively(both, entry, context), `${left} AND ${right}`).toBe(inA && inB)
        expect(matchesNaively(either, entry, context), `${left} OR ${right}`).toBe(inA || inB)
      }
    }
  })
})

describe('random queries', () => {
  it.each(QUERY_KINDS)('of kind %s parse, and find some entries but not all', kind => {
    const { entries, vocabulary } = randomEntries(5, 200, now / 1000)
    const next = randomQueries(6, vocabulary, kind)
    const context = naiveContext(entries)
    let hits = 0
    let misses = 0
    for (let i = 0; i < 100; i++) {
      const { predicate } = parsed(next())
      for (const entry of entries) matchesNaively(predicate, entry, context) ? hits++ : misses++
    }
    expect(hits).toBeGreaterThan(0)
    expect(misses).toBeGreaterThan(0)
  })

  it('are the same for the same seed', () => {
    const { vocabulary } = randomEntries(7, 50, 1)
    expect(randomEntries(7, 50, 1).vocabulary).toEqual(vocabulary)
    const [a, b] = [randomQueries(8, vocabulary), randomQueries(8, vocabulary)]
    expect(Array.from({ length: 50 }, a)).toEqual(Array.from({ length: 50 }, b))
  })
})
