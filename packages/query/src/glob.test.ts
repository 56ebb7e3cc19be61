import { keyOf } from '@hotpath/index-format'
import { Kind } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { componentTokens, matchesGlob, pathTokens } from './glob.js'
import { matchesNaively } from './naive-matcher.js'
import type { GlobToken } from './predicate.js'

const runs = process.env.SOAK ? 200_000 : 5_000
const bytes = (text: string) => new TextEncoder().encode(text)

const literal = fc.constantFrom('a', 'b', 'ab', 'д', '日', 'aa').map(
  (text): GlobToken => ({
    kind: 'literal',
    bytes: bytes(text),
  }),
)
const simple = fc.oneof(literal, fc.constantFrom<GlobToken>({ kind: 'one' }, { kind: 'many' }))

describe('matchesGlob', () => {
  it('agrees with the naive matcher on names', () => {
    const name = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'b', 'д', '日'), maxLength: 8 }).map(bytes),
      fc
        .array(fc.constantFrom(0x61, 0x62, 0xd0, 0xb4, 0xe6, 0x97, 0xa5), { maxLength: 8 })
        .map(list => Uint8Array.from(list)),
    )
    fc.assert(
      fc.property(fc.array(simple, { maxLength: 6 }), name, (tokens, component) => {
        const entry = { components: [component], kind: Kind.file, size: 0 }
        const expected = matchesNaively({ kind: 'name', test: { mode: 'glob', tokens } }, entry)
        expect(matchesGlob(tokens, keyOf(component))).toBe(expected)
      }),
      { numRuns: runs },
    )
  })

  it('agrees with the naive matcher on paths', () => {
    const part = fc.stringMatching(/^[ab?*]{0,4}$/)
    const components = fc.array(fc.oneof(part, fc.constantFrom('**', 'a**', '**b', 'a')), {
      minLength: 1,
      maxLength: 4,
    })
    const path = fc.array(fc.stringMatching(/^[ab]{0,3}$/), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(components, fc.boolean(), fc.boolean(), path, (pattern, anchored, below, names) => {
        if (/^\*\*+$/.test(pattern.at(-1)!)) pattern.push('a')
        const tokens = pathTokens(pattern, anchored, below)
        const entry = { components: names.map(bytes), kind: Kind.file, size: 0 }
        expect(matchesGlob(tokens, bytes(names.join('/')))).toBe(matchesNaively({ kind: 'pathGlob', tokens }, entry))
      }),
      { numRuns: runs },
    )
  })

  it('reads only its range', () => {
    const tokens = componentTokens('a*c')
    expect(matchesGlob(tokens, bytes('xabcx'), 1, 4)).toBe(true)
    expect(matchesGlob(tokens, bytes('xabcx'))).toBe(false)
  })

  it('does not go astray in fifty stars', () => {
    // Exponential backtracking would take longer than the universe has; the work is bounded by bytes × tokens.
    const tokens = componentTokens(`${'*a'.repeat(50)}*b`)
    expect(matchesGlob(tokens, bytes('a'.repeat(255)))).toBe(false)
    expect(matchesGlob(tokens, bytes(`${'a'.repeat(255)}b`))).toBe(true)
    const deep = pathTokens(
      Array.from({ length: 40 }, () => '*a*a**a*'),
      false,
      false,
    )
    expect(matchesGlob(deep, bytes('aaaaaaaa/'.repeat(400)))).toBe(false)
  })
})

describe('tokens', () => {
  it('fold their literals and leave out what folds to nothing', () => {
    expect(componentTokens('É*?\u0301')).toEqual([
      { kind: 'literal', bytes: bytes('e') },
      { kind: 'many' },
      { kind: 'one' },
    ])
    expect(componentTokens('É', { keepCase: true, keepMarks: false })).toEqual([{ kind: 'literal', bytes: bytes('E') }])
  })
})
