import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alignedDelay } from './aligned-delay.js'

describe('a delay', () => {
  it.each([
    [5_000, 100_000],
    [1_000, 4_999],
  ])('from %i to %i ms ends with a multiple of the first, the nearest', (gridMs, longestMs) => {
    fc.assert(
      fc.property(fc.nat(2e12), fc.double({ min: gridMs, max: longestMs, noNaN: true }), (now, delayMs) => {
        const movedMs = alignedDelay(delayMs, now)
        expect((now + movedMs) % gridMs).toBe(0)
        expect(Math.abs(movedMs - delayMs)).toBeLessThanOrEqual(gridMs / 2)
      }),
    )
  })

  it('is not moved by more than half a multiple where its end, rounded, lies in the middle', () => {
    for (const [now, delayMs] of [
      [695_371_856_501, 4_998.999_938_964_844],
      [1_999_999_999_501, 4_998.999_999_999_999],
    ] as const) {
      expect(alignedDelay(delayMs, now)).toBe(4_499)
    }
  })

  it('that is short stays as it is, in whole milliseconds', () => {
    expect([0, 0.2, 20, 999.5].map(delayMs => alignedDelay(delayMs, 7))).toEqual([0, 1, 20, 1_000])
  })
})
