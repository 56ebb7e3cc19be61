import { Kind, RANK_PLACES } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { componentsOf, type Entry } from './entry.js'
import { hitRanker } from './hit-ranker.js'
import { parseQuery } from './query.js'
import { compareRelevance, relevanceTerms } from './relevance.js'

function entry(path: string | Uint8Array, hot?: number): Entry {
  const use = hot === undefined ? undefined : { hot, runs: 1, opened: 5 }
  return { components: componentsOf(Buffer.from(path)), kind: Kind.file, size: 1, use }
}

function predicateOf(text: string, options: { match?: 'auto'; fuzzy?: boolean } = {}) {
  const query = parseQuery(text, { now: 0, ...options })
  if (query.kind === 'error') throw new Error(query.message)
  return query.tolerant ?? query.predicate
}

describe('hitRanker', () => {
  it('says what relevance compares', () => {
    expect(hitRanker(predicateOf('main', { match: 'auto' }))(entry('/src/app/main.go', 1.5))).toEqual({
      hot: 1.5,
      nearness: 0,
      allTerms: true,
      place: 'whole',
      characters: 7,
      depth: 3,
    })
    const both = hitRanker(predicateOf('src go', { match: 'auto' }))(entry('/src/app/main.go'))
    expect(both).toMatchObject({ hot: 0, allTerms: false, place: 'part' })
    expect(hitRanker(predicateOf('ain'))(entry('/main.go'))).toMatchObject({ place: 'inside', depth: 1 })
    expect(hitRanker(predicateOf('mai'))(entry('/'))).toMatchObject({ characters: 0, depth: 0 })
  })

  it('measures fuzzy hits by the tolerant terms', () => {
    const far = hitRanker(predicateOf('mian', { fuzzy: true }))(entry('/x/main.go'))
    expect(far.nearness).toBeGreaterThan(0)
    expect(far.allTerms).toBe(true)
  })

  it('says where a name has no say, and counts characters', () => {
    expect(hitRanker(predicateOf('size:>0'))(entry('/x/été'))).toMatchObject({ place: null, characters: 3 })
    const lone = Uint8Array.of(0x2f, 0xff, 0x61)
    expect(hitRanker(predicateOf('size:>0'))(entry(lone))).toMatchObject({ place: null, characters: 2 })
  })

  it('explains the order: whoever comes first by what it says comes first by relevance', () => {
    const word = fc.constantFrom('main', 'Main', 'remain', 'x', 'go', 'a-main', 'été', 'mian', 'min')
    const path = fc
      .tuple(fc.array(word, { maxLength: 2 }), fc.array(word, { minLength: 1, maxLength: 3 }))
      .map(([above, name]) => `/${[...above, name.join('.')].join('/')}`)
    const query = fc.tuple(fc.constantFrom('main', 'main go', 'main|x', 'été', 'go main x'), fc.boolean())
    fc.assert(
      fc.property(query, path, path, ([text, fuzzy], a, b) => {
        const predicate = predicateOf(text, { fuzzy })
        const rankOf = hitRanker(predicate)
        const [left, right] = [rankOf(entry(a)), rankOf(entry(b))]
        const said =
          left.nearness - right.nearness ||
          Number(right.allTerms) - Number(left.allTerms) ||
          RANK_PLACES.indexOf(left.place!) - RANK_PLACES.indexOf(right.place!) ||
          left.characters - right.characters ||
          left.depth - right.depth
        const order = compareRelevance(relevanceTerms(predicate), entry(a), entry(b))
        // What is left is the name and the path.
        if (said !== 0) expect(Math.sign(order)).toBe(Math.sign(said))
      }),
      { numRuns: 2_000 },
    )
  })
})
