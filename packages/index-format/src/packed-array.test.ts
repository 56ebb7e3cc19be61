import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bitsFor, packArray, packedAt, packedBytes } from './packed-array.js'

describe('a packed array', () => {
  it('takes the bits that its largest value needs', () => {
    expect([0, 1, 2, 3, 4, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1].map(bitsFor)).toEqual([
      0, 1, 2, 2, 3, 8, 9, 31, 32, 32,
    ])
  })

  it('puts value i in the bits from i times the width on', () => {
    expect([...packArray([1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3], 11, 3)]).toEqual([
      0xd1, 0x58, 0x1f, 0xd1, 0, 0, 0, 0, 0, 0, 0, 0,
    ])
    expect([...packArray([], 0, 0)]).toEqual([0, 0, 0, 0])
    expect([...packArray([0x01020304], 1, 32)]).toEqual([4, 3, 2, 1, 0, 0, 0, 0])
  })

  it('gives back what was put in, at every width', () => {
    const values = fc.integer({ min: 0, max: 32 }).chain(width => {
      const max = 2 ** width - 1
      const value = fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(0, max))
      return fc.record({ width: fc.constant(width), values: fc.array(value, { maxLength: 100 }) })
    })
    fc.assert(
      fc.property(values, ({ width, values: given }) => {
        const bytes = packArray(given, given.length, width)
        expect(bytes.length).toBe(packedBytes(given.length, width))
        const words = new Uint32Array(bytes.buffer)
        expect(given.map((_, i) => packedAt(words, i, width))).toEqual(given)
      }),
    )
  })
})
