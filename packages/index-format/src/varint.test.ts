import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_VARINT_BYTES, VarintReader, varintLength, writeVarint } from './varint.js'

describe('varint', () => {
  it('takes the documented bytes at every length boundary', () => {
    const cases: [number, number[]][] = [
      [0, [0]],
      [127, [0x7f]],
      [128, [0x80, 1]],
      [16383, [0xff, 0x7f]],
      [16384, [0x80, 0x80, 1]],
      [2097151, [0xff, 0xff, 0x7f]],
      [2097152, [0x80, 0x80, 0x80, 1]],
      [268435455, [0xff, 0xff, 0xff, 0x7f]],
      [268435456, [0x80, 0x80, 0x80, 0x80, 1]],
      [4294967295, [0xff, 0xff, 0xff, 0xff, 0x0f]],
    ]
    for (const [value, bytes] of cases) {
      const target = new Uint8Array(MAX_VARINT_BYTES)
      expect(writeVarint(target, 0, value)).toBe(bytes.length)
      expect([...target.subarray(0, bytes.length)]).toEqual(bytes)
      expect(varintLength(value)).toBe(bytes.length)
    }
  })

  it('survives a round trip', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffffffff })), values => {
        const target = new Uint8Array(values.length * MAX_VARINT_BYTES)
        let end = 0
        for (const value of values) end = writeVarint(target, end, value)
        const reader = new VarintReader(target, 0, end)
        expect(values.map(() => reader.next())).toEqual(values)
        expect(reader.at).toBe(end)
      }),
    )
  })

  it('refuses what is cut off and what is above 32 bits', () => {
    const full = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)
    for (let n = 0; n < full.length; n++) {
      expect(() => new VarintReader(full, 0, n).next()).toThrow(/a varint/)
    }
    expect(() => new VarintReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x10), 0, 5).next()).toThrow(/at most 32 bits/)
    expect(() => new VarintReader(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0), 0, 6).next()).toThrow(/at most 32/)
    expect(() => new VarintReader(full, 0, 6)).toThrow(/a range within 5 bytes/)
    expect(() => new VarintReader(full, 4, 3)).toThrow(/a range within 5 bytes/)
  })
})
