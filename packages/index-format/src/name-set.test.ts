import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOf } from './key.js'
import { makeKeys, NameInterner, sortNames } from './name-set.js'
import { keysOf, namesOf } from './testing/decoded-names.js'
import { NASTY_NAMES } from './testing/random-rows.js'
import { compareNames, nameText } from './testing/tree-oracle.js'

const runs = process.env.SOAK ? 5_000 : 200

/** Names that differ late, twins under the key, and any bytes, NUL too. */
const names = fc.array(
  fc.oneof(
    fc.constantFrom(...NASTY_NAMES.filter(name => name.length < 400)),
    fc.uint8Array({ maxLength: 9 }),
    fc.array(fc.constantFrom(0x41, 0x61, 0x62, 0), { maxLength: 11 }).map(bytes => Uint8Array.from(bytes)),
    fc
      .integer({ min: 0, max: 99 })
      .map(i => Uint8Array.from(Buffer.from(`a rather long prefix ${'Ab'.repeat(i % 9)}${i}`))),
  ),
  { maxLength: 300 },
)

describe('names', () => {
  it('are numbered as they first appear, and sorted by key and bytes', () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 0, max: 500 }), (given, expected) => {
        const interner = new NameInterner(expected)
        const numbers = new Map<string, number>()
        for (const name of given) {
          const source = Uint8Array.of(1, ...name, 2)
          const number = interner.intern(source, 1, 1 + name.length)
          expect(number).toBe(numbers.get(nameText(name)) ?? numbers.size)
          numbers.set(nameText(name), number)
        }
        expect(interner.count).toBe(numbers.size)

        const { names: set, rank } = sortNames(interner)
        const distinct = [...numbers.keys()].map(text => Uint8Array.from(Buffer.from(text, 'latin1')))
        const sorted = distinct.toSorted(compareNames)
        expect(set.count).toBe(distinct.length)
        expect([...rank]).toEqual(distinct.map(name => sorted.indexOf(name)))
        expect(namesOf(set).map(nameText)).toEqual(sorted.map(nameText))
        const keys = sorted.map(name => nameText(keyOf(name)))
        expect(keysOf(set).map(nameText)).toEqual(keys)
        expect([...set.keyBytes.keys()].filter(byte => set.keyBytes[byte] === 1)).toEqual(
          [...new Set(keys.flatMap(key => [...Buffer.from(key, 'latin1')]))].sort((a, b) => a - b),
        )
      }),
      { numRuns: runs },
    )
  })

  it('have keys that may be longer than all names together', () => {
    const long = Buffer.from('\u{1d160}'.repeat(1000))
    const { keys, keyOffsets } = makeKeys(long, Uint32Array.of(0, long.length), 1)
    expect(keyOffsets[1]).toBe(12_000)
    expect(nameText(keys.subarray(0, 12_000))).toBe(nameText(keyOf(long)))
  })
})
