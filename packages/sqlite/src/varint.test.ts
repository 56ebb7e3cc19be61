import { describe, expect, it } from 'vitest'
import { varintEnd, varintRowid, varintSize } from './varint.js'

/** As SQLite writes it, from its description: seven bits a byte, or eight bytes of seven and one of eight. */
function encoded(value: bigint): Uint8Array {
  let rest = BigInt.asUintN(64, value)
  if (rest < 1n << 56n) {
    const bytes = [Number(rest & 0x7fn)]
    for (rest >>= 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80)
    return Uint8Array.from(bytes)
  }
  const bytes = [Number(rest & 0xffn)]
  rest >>= 8n
  for (let index = 0; index < 8; index++, rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.from(bytes)
}

const EDGES = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)).flatMap(power => [
  power - 1n,
  power,
  power + 1n,
  -power,
])

describe('varints', () => {
  it('are rowids with a sign, at every edge of their length', () => {
    for (const edge of EDGES) {
      const value = BigInt.asIntN(64, edge)
      expect(BigInt(varintRowid(encoded(value), 0))).toBe(value)
    }
  })

  it('are numbers where those are exact', () => {
    expect(varintRowid(encoded(2n ** 53n - 1n), 0)).toBe(2 ** 53 - 1)
    expect(varintRowid(encoded(-1n), 0)).toBe(-1)
    expect(varintRowid(encoded(2n ** 53n), 0)).toBe(2n ** 53n)
    expect(varintRowid(encoded(-(2n ** 53n)), 0)).toBe(-(2n ** 53n))
  })

  it('are sizes, exact up to 2^53', () => {
    for (const edge of EDGES.filter(value => value >= 0n && value <= 2n ** 53n))
      expect(varintSize(encoded(edge), 0)).toBe(Number(edge))
  })

  it('end after their bytes, and nowhere where they are cut', () => {
    for (const edge of EDGES) {
      const bytes = encoded(edge)
      expect(varintEnd(bytes, 0, bytes.length)).toBe(bytes.length)
      for (let limit = 0; limit < bytes.length; limit++) expect(varintEnd(bytes, 0, limit)).toBe(0)
    }
    expect(varintEnd(new Uint8Array(20).fill(0xff), 3, 20)).toBe(12)
  })
})
