import { asciiOnly, isBoundary, keyOf } from '@hotpath/index-format'
import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { componentsOf, type Entry } from './entry.js'
import { parseQuery } from './query.js'
import { compareRelevance, nameRelevance, relevanceTerms, Tier, tierOf } from './relevance.js'

function termsOf(text: string, fuzzy = false) {
  const query = parseQuery(text, { now: 0, fuzzy })
  if (query.kind === 'error') throw new Error(query.message)
  return relevanceTerms(query.tolerant ?? query.predicate)
}

function entry(text: string): Entry {
  const [path, seconds] = text.split(' @')
  return {
    components: componentsOf(Buffer.from(path!)),
    kind: Kind.file,
    size: 0,
    ...(seconds !== undefined && { modified: { seconds: Number(seconds), ticks: 0 } }),
  }
}

/** The paths in the order of relevance, from any order. */
function ordered(query: string, paths: readonly string[], fuzzy = false): string[] {
  const terms = termsOf(query, fuzzy)
  return paths.toReversed().sort((a, b) => compareRelevance(terms, entry(a), entry(b)))
}

describe('compareRelevance', () => {
  it.each([
    ['main', ['/b/main', '/main.go', '/mainly', '/main.test.go', '/x/a-main.go', '/remain']],
    ['server', ['/server', '/HttpServer.java', '/observer.java']],
    ['png', ['/png', '/x.png', '/apng']],
    ['read', ['/read', '/b/read', '/a/b/read']],
    ['read', ['/b/read @9', '/a/read @8', '/c/read']],
    ['read', ['/a/Read', '/a/read', '/b/read']],
    ['cafe', ['/Café', '/x café', '/xcafé']],
    ['', ['/b @9', '/a @8', '/c']],
    ['size:0', ['/b @9', '/a @8', '/c']],
    ['x main', ['/main x', '/x-main', '/max-main']],
  ])('%s: %j', (query, paths) => {
    expect(ordered(query, paths)).toEqual(paths)
  })

  it('puts nearer hits first where terms are tolerant', () => {
    const paths = ['/z/y/readme.md', '/raedme-readme', '/reader', '/r/e/a/d-m-e/README']
    expect(ordered('raedme', paths, true)[0]).toBe('/raedme-readme')
  })
})

describe('relevanceTerms', () => {
  it('are what a name can satisfy', () => {
    const needles = (text: string) => termsOf(text).needles.map(needle => Buffer.from(needle).toString())
    expect(needles('Main !x *.txt <b|c> size:1 under:d ext:e')).toEqual(['main', 'b', 'c'])
    expect(needles('src/main')).toEqual(['main'])
    expect(needles('src/main/')).toEqual([])
    expect(needles('a A')).toEqual(['a'])
  })
})

describe('nameRelevance', () => {
  const of = (query: string, name: string, fuzzy = false) => nameRelevance(termsOf(query, fuzzy), Buffer.from(name))

  it('says what is compared', () => {
    expect(of('main', 'main.go')).toEqual({ nearness: 0, holdsAll: true, tier: Tier.exact, characters: 7 })
    expect(of('é x', 'été')).toEqual({ nearness: 0, holdsAll: false, tier: Tier.prefix, characters: 3 })
    expect(of('main', 'remain')).toMatchObject({ tier: Tier.inside })
    expect(of('mian', 'main', true)!.nearness).toBeGreaterThan(0)
  })

  it('is nothing where a name has no say', () => {
    expect(of('size:>1', 'main')).toBeUndefined()
  })
})

describe('tierOf', () => {
  it('is what a comparison of whole keys says', () => {
    const texts = [
      'main',
      'Main.go',
      'aMain',
      'amain',
      'x-main',
      '1main',
      'é-main',
      'émain',
      'a.main.go',
      'MAINMain',
      'ßmain',
      '.main',
    ]
    for (const text of texts) {
      const name = Buffer.from(text)
      const key = keyOf(name)
      const whole =
        key.toString() === keyOf(Buffer.from('main')).toString() || /^main\.[^.]*$/.test(Buffer.from(key).toString())
      const at = Array.from(name.keys()).filter(i => i > 0 && isBoundary(name, i))
      const naive = whole
        ? 0
        : Buffer.from(key).toString().startsWith('main')
          ? 1
          : at.some(i => Buffer.from(keyOf(name, i)).toString().startsWith('main'))
            ? 2
            : 3
      expect(tierOf([Buffer.from('main')], name, key), `${text} ${asciiOnly(name)}`).toBe(naive)
    }
  })
})
