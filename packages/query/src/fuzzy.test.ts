import { keyOf } from '@hotpath/index-format'
import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { componentsOf } from './entry.js'
import { editDistance, Nearness, nearnessOf, testUpTo } from './fuzzy.js'
import { matchedSpans } from './matched-spans.js'
import { matchesNaively } from './naive-matcher.js'
import { parseQuery, type Query } from './query.js'
import { randomEntries, randomQueries } from './testing/index.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const now = Date.UTC(2024, 4, 15)

function parsed(text: string, fuzzy = true, match: 'name' | 'auto' = 'name'): Query {
  const query = parseQuery(text, { now, fuzzy, match })
  if (query.kind === 'error') throw new Error(query.message)
  return query
}

function nearness(term: string, name: string): number | undefined {
  const { tolerant } = parsed(term)
  if (tolerant?.kind !== 'name' || tolerant.test.mode !== 'fuzzy') throw new Error(`${term} is not tolerant`)
  return nearnessOf(tolerant.test, Buffer.from(name))
}

describe('tolerant terms', () => {
  it.each([
    ['main', 'mainframe.txt', 0],
    ['mian', 'main.go', 1],
    ['mainn', 'main.go', 1],
    ['man1', 'main1.go', 4],
    ['main1', 'main2.go', undefined],
    ['mian2', 'main2.go', 1],
    ['cafee', 'Café.txt', 1],
    ['raedme', 'README.md', 1],
    ['servr', 'MyHttpServerImpl.java', 1],
    ['hotpaht', 'HotPath.ts', 1],
    ['documetnaton', 'documentation.pdf', 2],
    ['reprot-2024', '2024 report.ods', 1],
    ['reprot-2024', '2023 report.ods', undefined],
    ['mgo', 'main.go', 3],
    ['mgo', 'my-old-main.go', 3],
    ['mgo', 'image.go', undefined],
    ['nmo', '.node_modules', 3],
    ['scrnsht', 'Screenshot.png', 4],
    ['scrnsht', 'Screenshot of a very long text.png', undefined],
    ['scrnsht', 'my screenshot.png', undefined],
  ] as const)('%s in %s: %s', (term, name, expected) => {
    expect(nearness(term, name)).toBe(expected)
  })

  it('have no effect where nothing can be wrong', () => {
    for (const text of ['ab', '*.txt', '!main', 'case:main', 'wfn:main', 'nofuzzy:main', 'ext:main', '"--"', '']) {
      expect(parsed(text).tolerant, text).toBeUndefined()
    }
    expect(parsed('main', false).tolerant).toBeUndefined()
    expect(parsed('fuzzy:main ab', false).tolerant).toBeDefined()
  })

  it('can be components of a path', () => {
    const entry = { components: componentsOf(Buffer.from('/src/main.go')), kind: Kind.file, size: 0 }
    for (const [text, match] of [
      ['src/mian', 'name'],
      ['scr/main', 'name'],
      ['sources mian', 'auto'],
      ['srcs mian', 'auto'],
    ] as const) {
      const { predicate, tolerant } = parsed(text, true, match)
      expect(matchesNaively(predicate, entry), text).toBe(false)
      expect(tolerant && matchesNaively(tolerant, entry), text).toBe(text !== 'scr/main' && text !== 'sources mian')
    }
  })

  it('match all that the query matches', () => {
    const { entries, vocabulary } = randomEntries(SEED, 150, now / 1000)
    const next = randomQueries(SEED, vocabulary)
    let compared = 0
    for (let i = 0; i < 300; i++) {
      const text = next()
      const query = parseQuery(text, { now, fuzzy: true, match: i % 2 === 0 ? 'name' : 'auto' })
      // Names like `a.o\` make texts that are none.
      if (query.kind === 'error' || !query.tolerant) continue
      compared++
      const { predicate, tolerant } = query
      for (const entry of entries) {
        if (matchesNaively(predicate, entry)) expect(matchesNaively(tolerant, entry), `seed ${SEED} ${text}`).toBe(true)
      }
    }
    expect(compared, `seed ${SEED}`).toBeGreaterThan(5)
  })

  it('are marked in names', () => {
    const marks = (term: string, name: string) =>
      matchedSpans(parsed(term).tolerant!, Buffer.from(name)).map(({ from, to }) => name.slice(from, to))
    expect(marks('mian', 'main.go')).toEqual(['main'])
    expect(marks('main', 'main.go')).toEqual(['main'])
    expect(marks('mgo', 'main.go')).toEqual(['m', 'go'])
  })
})

describe('testUpTo', () => {
  it('passes what is at least as near', () => {
    const names = [
      'main.go',
      'mian',
      'manual-index.go',
      'm-a-i-n',
      'mainly',
      'miao',
      'mxaxixn',
      'domain',
      'configuration',
      'cnofiguration',
      'cnofigurtion',
    ]
    for (const term of ['mian', 'main', 'mai', 'configuration', 'mian-go']) {
      const { tolerant } = parsed(term)
      if (tolerant?.kind !== 'name' || tolerant.test.mode !== 'fuzzy') throw new Error(term)
      for (const name of names.map(text => Buffer.from(text))) {
        const own = nearnessOf(tolerant.test, name) ?? Number.POSITIVE_INFINITY
        for (const nearness of Object.values(Nearness)) {
          const passes = nearnessOf(testUpTo(tolerant.test, nearness), name) !== undefined
          if (own <= nearness || tolerant.test.runs.length === 1)
            expect(passes, `${term} ${name} ${nearness}`).toBe(own <= nearness)
        }
      }
    }
  })
})

describe('editDistance', () => {
  it('counts a swap of neighbours once and touches nothing twice', () => {
    const distance = (a: string, b: string) => editDistance([...keyOf(Buffer.from(a))], [...keyOf(Buffer.from(b))])
    expect(distance('ab', 'ba')).toBe(1)
    expect(distance('ca', 'abc')).toBe(3)
    expect(distance('kitten', 'sitting')).toBe(3)
    expect(distance('', 'abc')).toBe(3)
    expect(distance('main', 'main')).toBe(0)
  })
})
