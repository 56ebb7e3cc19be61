import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_BYTES_PER_UNIT, writeWtf8 } from './wtf8.js'

function wtf8(units: readonly number[], before: readonly number[] = [], after: readonly number[] = []): string {
  const words = Uint16Array.from([...before, ...units, ...after])
  const into = new Uint8Array(5 + MAX_BYTES_PER_UNIT * units.length + 1)
  const end = writeWtf8(words, before.length, units.length, into, 5)
  expect([...into.subarray(0, 5), into[end]]).toEqual([0, 0, 0, 0, 0, 0])
  return Buffer.from(into.subarray(5, end)).toString('hex')
}

const unitsOf = (text: string): number[] => Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))

describe('WTF-8', () => {
  it.each([
    ['ASCII', unitsOf('a~\x7f\x01'), '617e7f01'],
    ['two bytes', [0x80, 0x7ff], 'c280dfbf'],
    ['three bytes', [0x800, 0xd7ff, 0xe000, 0xffff], 'e0a080ed9fbfee8080efbfbf'],
    ['a pair of surrogates', [0xd83d, 0xde00], 'f09f9880'],
    ['the first and the last pair', [0xd800, 0xdc00, 0xdbff, 0xdfff], 'f0908080f48fbfbf'],
    ['a lone high surrogate', [0x61, 0xd83d, 0x62], '61eda0bd62'],
    ['a high one at the end', [0xd83d], 'eda0bd'],
    ['a lone low surrogate', [0xdc00, 0x61], 'edb08061'],
    ['two high ones and a low one', [0xd83d, 0xd83d, 0xde00], 'eda0bdf09f9880'],
    ['a pair the wrong way round', [0xde00, 0xd83d], 'edb880eda0bd'],
    ['`/` and NUL, which are replaced', [0x2f, 0x61, 0], 'efbfbd61efbfbd'],
    ['`.`, which is replaced', unitsOf('.'), 'efbfbd'],
    ['`..`, which is replaced', unitsOf('..'), 'efbfbdefbfbd'],
    ['names that begin with dots', unitsOf('.a'), '2e61'],
    ['names that end with dots', unitsOf('a.'), '612e'],
    ['three dots', unitsOf('...'), '2e2e2e'],
  ])('writes %s', (_what, units, hex) => expect(wtf8(units)).toBe(hex))

  it('looks at nothing beside the name', () => {
    expect(wtf8([0xd83d], [0xd83d], [0xde00])).toBe('eda0bd')
    expect(wtf8([0xde00], [0xd83d], [0xde00])).toBe('edb880')
    expect(wtf8(unitsOf('.'), unitsOf('.'), unitsOf('a'))).toBe('efbfbd')
  })

  it('is UTF-8 where text is well-formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 255 }), text => {
        fc.pre(!/[/\0]/.test(text) && text !== '.' && text !== '..')
        expect(wtf8(unitsOf(text))).toBe(Buffer.from(text).toString('hex'))
      }),
      { numRuns: 500 },
    )
  })

  it('keeps all units but what is replaced', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0xd700, max: 0xe100 }), { minLength: 1, maxLength: 255 }), units => {
        expect(unitsOfWtf8(Buffer.from(wtf8(units), 'hex'))).toEqual(units)
      }),
      { numRuns: 500 },
    )
  })
})

/** Decodes sequences of three and four bytes. */
function unitsOfWtf8(bytes: Uint8Array): number[] {
  const units: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const [first, second, third, fourth] = [0, 1, 2, 3].map(i => bytes[at + i]! & 0x3f) as [
      number,
      number,
      number,
      number,
    ]
    if (bytes[at]! < 0xf0) {
      units.push(((first & 0xf) << 12) | (second << 6) | third)
      at += 3
      continue
    }
    const point = ((first & 7) << 18) | (second << 12) | (third << 6) | fourth
    units.push(...unitsOf(String.fromCodePoint(point)))
    at += 4
  }
  return units
}
