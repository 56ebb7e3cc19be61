import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { largestRows, smallestRows } from './extreme-rows.js'

const runs = process.env.SOAK ? 500 : 20

/** By sorting everything. */
function naive(values: Float64Array, minor: Uint32Array, skip: Uint8Array, limit: number): number[] {
  const rows = [...values.keys()].filter(row => skip[row] === 0 && !Number.isNaN(values[row]))
  rows.sort((a, b) => (values[a] === values[b] ? minor[b] - minor[a] || a - b : values[a] < values[b] ? 1 : -1))
  if (rows.length <= limit) return rows
  return rows.slice(0, limit).filter(row => values[row] > values[rows[limit]])
}

describe('the rows of the largest values', () => {
  it('are what sorting gives', () => {
    const edge = fc.constantFrom(0, -0, -1, 1, 1e18, -1e18, 2 ** 53, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
    const value = fc.oneof(fc.constant(Number.NaN), edge, fc.integer({ min: -50, max: 50 }), fc.double())
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 6000 }),
        (some, count) => {
          const values = Float64Array.from({ length: count }, (_, i) => some[(i * 7919) % some.length])
          const minor = Uint32Array.from({ length: count }, (_, i) => (i * 31) % 4)
          const skip = Uint8Array.from({ length: count }, (_, i) => (i % 11 === 0 ? 1 : 0))
          expect([...largestRows(values, minor, skip)]).toEqual(naive(values, minor, skip, 4096))
          const mirrored = values.map(known => -known)
          const ages = minor.map(known => 3 - known)
          expect([...smallestRows(values, minor, skip)]).toEqual(naive(mirrored, ages, skip, 4096))
        },
      ),
      { numRuns: runs },
    )
  })

  it('are a sixteenth of many, in any order of the input', () => {
    const count = 100_000
    const orders = [(i: number) => i, (i: number) => count - i, (i: number) => Math.abs(i - count / 2), () => 5]
    for (const order of orders) {
      const values = Float64Array.from({ length: count }, (_, i) => order(i))
      const none = new Uint32Array(count)
      expect([...largestRows(values)]).toEqual(naive(values, none, new Uint8Array(count), count / 16))
    }
  })
})
