import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchedSpans, spansInText } from './matched-spans.js'
import { parseQuery } from './query.js'

const encoder = new TextEncoder()

/** The name with its matched parts in brackets. */
function marked(query: string, name: string | Uint8Array): string {
  const parsed = parseQuery(query, { now: 0 })
  if (parsed.kind === 'error') expect.fail(parsed.message)
  const bytes = typeof name === 'string' ? encoder.encode(name) : name
  const { text, spans } = spansInText(bytes, matchedSpans(parsed.predicate, bytes))
  return spans.reduceRight((out, { from, to }) => `${out.slice(0, from)}[${out.slice(from, to)}]${out.slice(to)}`, text)
}

describe('matchedSpans', () => {
  it.each([
    ['ab', 'xABxab', 'x[AB]x[ab]'],
    ['aa', 'aaa', '[aaa]'],
    ['cafe', 'un Café!', 'un [Café]!'],
    ['cafe', 'cafe\u0301s', '[cafe\u0301]s'],
    ['s', 'Straße', '[S]tra[ß]e'],
    ['asse', 'Straße', 'Str[aße]'],
    ['한', '\u1112\u1161\u11ab글', '[\u1112\u1161\u11ab]글'],
    ['b 😀', 'a😀b', 'a[😀b]'],
    ['case:A', 'aAa', 'a[A]a'],
    ['diacritics:é', 'eé', 'e[é]'],
    ['startwith:a', 'aa', '[a]a'],
    ['endwith:a', 'aa', 'a[a]'],
    ['wfn:a', 'A', '[A]'],
    ['wfn:a', 'aa', 'aa'],
    ['a*c', 'abbc', '[a]bb[c]'],
    ['*a?c*', 'xaacac', 'x[a]a[c]ac'],
    ['a*d', 'abc', 'abc'],
    ['ext:gz;tar.gz', 'a.TAR.gz', 'a.[TAR.gz]'],
    ['ext:gz', 'gz', 'gz'],
    ['src/ma', 'main', '[ma]in'],
    ['main/', 'main', 'main'],
    ['path:ma', 'main', '[ma]in'],
    ['!a b', 'ab', 'a[b]'],
    ['a|b c', 'abc', '[abc]'],
    ['ww:ab', 'xab AB.ab', 'xab [AB].[ab]'],
    ['ascii:é', 'Éé', 'É[é]'],
    ['regex:b+', 'aBBcb', 'a[BB]cb'],
    ['regex:e.$', 'Étéx', 'Ét[éx]'],
    ['regex:ß', 'Straße', 'Stra[ß]e'],
    ['regex:s.', 'Straße', '[St]raße'],
    ['case:regex:[A-Z]', 'aBc', 'a[B]c'],
    ['ww:regex:b.', 'abx bc.', 'abx [bc].'],
    ['regex:🎉.', 'a🎉bc', 'a[🎉b]c'],
    ['regex:x', 'abc', 'abc'],
    ['', 'abc', 'abc'],
  ])('of %j in %j', (query, name, expected) => {
    expect(marked(query, name)).toBe(expected)
  })

  it('stand around invalid bytes', () => {
    expect(marked('b', Uint8Array.of(0xff, 0x42, 0xc3, 0x62))).toBe('\ufffd[B]\ufffd[b]')
    // Removing the mark joins C3 and 89 to É: only the whole is a match.
    expect(marked('e', Uint8Array.of(0xc3, 0xcc, 0x81, 0x89))).toBe('[\ufffd\u0301\ufffd]')
  })

  it('are ascending, apart, and inside the name, whatever the bytes', () => {
    const needle = fc.constantFrom('a', 'e', 's', 'ss', '*e*', 'case:E', 'diacritics:é', 'か', 'ガ')
    const name = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.string({ unit: fc.constantFrom(...'aeEéß\u0301\u3099かガsﬁ') }).map(text => encoder.encode(text)),
    )
    fc.assert(
      fc.property(needle, name, (query, bytes) => {
        const parsed = parseQuery(query, { now: 0 })
        if (parsed.kind === 'error') return expect.fail(parsed.message)
        let end = -1
        for (const { from, to } of matchedSpans(parsed.predicate, bytes)) {
          expect(from).toBeGreaterThan(end)
          expect(to).toBeGreaterThan(from)
          end = to
        }
        expect(end).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: process.env.SOAK ? 50_000 : 2_000 },
    )
  })
})
