import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EncodedNames } from './encoded-names.js'
import { collectGrams } from './gram-index.js'
import { encodeHeavyTable, findHeavySubstrings } from './heavy-table.js'
import { NameInterner, sortNames } from './name-set.js'
import { BLOCK_NAMES } from './segment-layout.js'
import { keysOf } from './testing/decoded-names.js'
import { bytesOfText } from './testing/model-rows.js'
import { nameText } from './testing/tree-oracle.js'

const runs = process.env.SOAK ? 1_000 : 30
/** As in heavy-table.ts: blocks that are looked at for candidates, and the longest string. */
const SAMPLE_STEP = 8
const MAX_LENGTH = 12

function encoded(names: readonly string[]): EncodedNames {
  const interner = new NameInterner(names.length)
  for (const name of names) {
    const bytes = bytesOfText(name)
    interner.intern(bytes, 0, bytes.length)
  }
  return sortNames(interner).names
}

/** Text → blocks and entries that have it, for every substring of 4 to 12 bytes. */
function naiveSubstrings(set: EncodedNames, weights: Uint32Array): Map<string, { blocks: Set<number>; total: number }> {
  const found = new Map<string, { blocks: Set<number>; total: number }>()
  keysOf(set).forEach((bytes, name) => {
    const key = `/${nameText(bytes)}/`
    const own = new Set<string>()
    for (let from = 0; from < key.length; from++) {
      for (let to = from + 4; to <= Math.min(key.length, from + MAX_LENGTH); to++) own.add(key.slice(from, to))
    }
    for (const text of own) {
      const known = found.get(text) ?? { blocks: new Set<number>(), total: 0 }
      found.set(text, known)
      known.blocks.add(Math.floor(name / BLOCK_NAMES))
      known.total += weights[name]
    }
  })
  return found
}

describe('heavy substrings', () => {
  it('are those of many blocks, with exact totals, as far as the sample shows them', () => {
    const part = fc.constantFrom('report', 'Report', 'repo', 'img_', 'ümlaut', 'x', '-', '.txt', '.jpeg', '20', '9')
    const name = fc.tuple(
      fc.array(part, { maxLength: 3 }),
      fc.integer({ min: 0, max: 5000 }),
      fc.array(part, { maxLength: 2 }),
    )
    const names = fc.array(name, { minLength: 40, maxLength: 700 })
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 8 }), (parts, heavyBlocks) => {
        const set = encoded(parts.map(([before, number, after]) => `${before.join('')}${number}${after.join('')}`))
        const weights = Uint32Array.from({ length: set.count }, (_, i) => (i * 7) % 5)
        const all = naiveSubstrings(set, weights)
        const inSample = (text: string): boolean => {
          const needed = (heavyBlocks / SAMPLE_STEP) * 0.8
          return [...all.get(text)!.blocks].filter(block => block % SAMPLE_STEP === 0).length >= needed
        }
        const expected = [...all]
          .filter(([, { blocks }]) => blocks.size > heavyBlocks)
          .filter(([text]) => {
            for (let length = 4; length <= text.length; length++) if (!inSample(text.slice(0, length))) return false
            return true
          })
          .map(([text, { total }]) => ({ text, total }))
          .sort((a, b) => (a.text < b.text ? -1 : 1))
        const heavy = findHeavySubstrings(set, weights, collectGrams(set, weights), heavyBlocks)
        expect(heavy.map(({ bytes, total }) => ({ text: nameText(bytes), total }))).toEqual(expected)
      }),
      { numRuns: runs },
    )
  })

  it('are none in a dictionary of few blocks', () => {
    const set = encoded(Array.from({ length: 1000 }, (_, i) => `same-${i}`))
    const weights = new Uint32Array(set.count).fill(1)
    expect(findHeavySubstrings(set, weights, collectGrams(set, weights))).toEqual([])
    expect([...encodeHeavyTable([])]).toEqual([0, 0, 0, 0])
  })

  it('take the bytes that the layout says', () => {
    const table = encodeHeavyTable([
      { bytes: bytesOfText('abcd'), total: 7 },
      { bytes: bytesOfText('bcdef'), total: 258 },
    ])
    expect(Buffer.from(table).toString('hex')).toBe(
      `${'000000000400000009000000'}${'0700000002010000'}${'61626364'}${'6263646566'}`,
    )
  })
})
