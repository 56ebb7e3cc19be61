import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.js'

/** One bit at a time, straight from the polynomial. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

describe('crc32c', () => {
  it('gives the values of RFC 3720 B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c)
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(0))).toBe(0)
  })

  it('agrees with the definition for every length and alignment, and continues from a seed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(70), fc.nat(70), (bytes, a, b) => {
        const start = Math.min(a, bytes.length)
        const middle = Math.min(start + b, bytes.length)
        expect(crc32c(bytes, start)).toBe(bitwise(bytes.subarray(start)))
        expect(crc32c(bytes, middle, bytes.length, crc32c(bytes, start, middle))).toBe(crc32c(bytes, start))
      }),
    )
  })

  it('refuses a range outside the bytes', () => {
    expect(() => crc32c(new Uint8Array(4), 0, 5)).toThrow(RangeError)
    expect(() => crc32c(new Uint8Array(4), 3, 2)).toThrow(RangeError)
    expect(() => crc32c(new Uint8Array(4), -1, 2)).toThrow(RangeError)
  })
})
