import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { median, quantile, spreadOf } from './statistics.js'

describe('statistics', () => {
  it('takes nearest ranks', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect(spreadOf(hundred)).toEqual({ count: 100, min: 1, p50: 50, p90: 90, p99: 99, max: 100 })
    expect(spreadOf([7])).toEqual({ count: 1, min: 7, p50: 7, p90: 7, p99: 7, max: 7 })
    expect(median([3, 1, 2, 10])).toBe(2)
  })

  it('has no figures where nothing was measured', () => {
    expect(spreadOf([])).toEqual({ count: 0, min: NaN, p50: NaN, p90: NaN, p99: NaN, max: NaN })
  })

  it('sorts as numbers and does not touch its input', () => {
    const values = [10, 9, 100]
    expect(spreadOf(values).max).toBe(100)
    expect(values).toEqual([10, 9, 100])
  })

  it('gives a measured value with the right share at or below it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const sorted = Float64Array.from(values).sort()
          const value = quantile(sorted, share)
          expect(sorted).toContain(value)
          const atMost = sorted.filter(other => other <= value).length
          const below = sorted.filter(other => other < value).length
          expect(atMost).toBeGreaterThanOrEqual(share * sorted.length)
          expect(below).toBeLessThanOrEqual(Math.max(0, Math.ceil(share * sorted.length) - 1))
        },
      ),
    )
  })
})
