import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesNaively } from './naive-matcher.js'
import { passesWords } from './words.js'

const runs = process.env.SOAK ? 100_000 : 3_000
const encoder = new TextEncoder()

describe('passesWords', () => {
  it.each([
    ['substring', 'ab', 'x ab', true],
    ['substring', 'ab', 'xab ab', true],
    ['substring', 'ab', 'xab', false],
    ['substring', 'ab', 'ab_x', true],
    ['substring', 'ab', 'ab1', false],
    ['substring', 'ab', 'éab', false],
    ['substring', 'ab', 'ab\u0304', false],
    ['substring', '-', 'a-b', true],
    ['substring', '', 'ab', true],
    ['prefix', 'ab', 'ab-x', true],
    ['prefix', 'ab', 'abx', false],
    ['suffix', 'ab', 'x-ab', true],
    ['suffix', 'ab', 'xab', false],
    ['exact', 'ab', 'ab', true],
    ['exact', 'ab', 'ab ', false],
  ] as const)('%s %s of %s: %s', (mode, needle, name, holds) => {
    expect(passesWords(mode, encoder.encode(needle), encoder.encode(name))).toBe(holds)
  })

  it('is what the naive matcher says, also of bytes that are no UTF-8', () => {
    const piece = fc.constantFrom('a', 'b', '-', 'é', '文', '\u0301', '🎉', '𐐷', '1', '\xff')
    const bytes = (pieces: readonly string[]) =>
      Buffer.concat(pieces.map(part => (part === '\xff' ? Buffer.from([0xe2, 0x82]) : Buffer.from(part))))
    fc.assert(
      fc.property(
        fc.constantFrom('substring' as const, 'prefix' as const, 'suffix' as const, 'exact' as const),
        fc.array(fc.constantFrom('a', 'b', '-', '文', '🎉'), { minLength: 1, maxLength: 2 }),
        fc.array(piece, { maxLength: 8 }),
        (mode, needle, name) => {
          // Its key is its own key, but for composed marks.
          const test = { mode, needle: new Uint8Array(bytes(needle)), words: true as const }
          const components = [
            new Uint8Array(bytes(name.filter(part => part !== '\u0301' && part !== 'é' && part !== '𐐷'))),
          ]
          const [component] = components
          expect(passesWords(mode, test.needle, component!)).toBe(
            matchesNaively({ kind: 'name', test }, { components, kind: 0, size: 0 }),
          )
        },
      ),
      { numRuns: runs },
    )
  })
})
