import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterOpen, DEFAULT_SCORING, merged, type Scoring, scoreOf, standingOf, type Use } from './scoring.js'

const DAY = 86_400
const CLASSIC: Scoring = { formula: 'classic', halfLifeDays: 10 }

function useOf(opens: readonly number[], scoring = DEFAULT_SCORING): Use {
  return opens.reduce<Use | undefined>((use, at) => afterOpen(use, at, scoring), undefined)!
}

describe('decay', () => {
  it('halves in ten days, and is nothing after thirty', () => {
    const use = useOf([1_000_000_000])
    expect(scoreOf(use, 1_000_000_000, DEFAULT_SCORING)).toBe(1)
    expect(scoreOf(use, 1_000_000_000 + 10 * DAY, DEFAULT_SCORING)).toBe(0.5)
    expect(scoreOf(use, 1_000_000_000 + 30 * DAY, DEFAULT_SCORING)).toBeCloseTo(0.125, 15)
    expect(scoreOf(use, 1_000_000_000 + 30 * DAY + 1, DEFAULT_SCORING)).toBe(0)
  })

  it('has the half-life that is asked for', () => {
    const scoring: Scoring = { formula: 'decay', halfLifeDays: 5 }
    expect(scoreOf(useOf([0], scoring), 10 * DAY, scoring)).toBe(0.25)
  })

  it('is the sum of what each open weighs now, in whatever order they came', () => {
    const opens = fc.array(fc.integer({ min: 1_000_000_000, max: 1_000_000_000 + 30 * DAY }), {
      minLength: 1,
      maxLength: 40,
    })
    fc.assert(
      fc.property(opens, fc.integer({ min: 0, max: 20 * DAY }), (times, later) => {
        const last = Math.max(...times)
        const now = last + later
        const sum = times.reduce((total, at) => total + 2 ** ((at - now) / (10 * DAY)), 0)
        for (const order of [times, [...times].sort((a, b) => a - b), [...times].sort((a, b) => b - a)]) {
          const use = useOf(order)
          expect(use).toMatchObject({ runs: times.length, opened: last })
          expect(scoreOf(use, now, DEFAULT_SCORING) / sum).toBeCloseTo(1, 9)
        }
      }),
    )
  })

  it('does not bring back what is outside of the window', () => {
    const use = useOf([0, 0, 0, 31 * DAY])
    expect(use).toEqual({ runs: 4, opened: 31 * DAY, heat: 1 })
    expect(useOf([31 * DAY, 0])).toEqual({ runs: 2, opened: 31 * DAY, heat: 1 })
  })

  it('takes an open of the future for one of now', () => {
    expect(scoreOf(useOf([2_000]), 1_000, DEFAULT_SCORING)).toBe(1)
  })
})

describe('standing', () => {
  it('orders as scores do at any time', () => {
    const use = fc.record({
      runs: fc.constant(1),
      opened: fc.integer({ min: 1_000_000_000, max: 1_000_000_000 + 30 * DAY }),
      heat: fc.double({ min: 1, max: 1e6, noNaN: true }),
    })
    fc.assert(
      fc.property(
        use,
        use,
        fc.integer({ min: 0, max: 90 * DAY }),
        fc.constantFrom(1, 10, 45),
        (a, b, later, halfLifeDays) => {
          const scoring: Scoring = { formula: 'decay', halfLifeDays }
          const now = Math.max(a.opened, b.opened) + later
          const [first, second] = [scoreOf(a, now, scoring), scoreOf(b, now, scoring)]
          if (first === 0 || second === 0) return
          const difference = standingOf(a, scoring)! - standingOf(b, scoring)!
          // Standings that are nearly equal may be rounded the other way.
          if (Math.abs(difference) > 1e-6) expect(Math.sign(first - second)).toBe(Math.sign(difference))
        },
      ),
    )
  })

  it('is not known where scores do not fall together', () => {
    expect(standingOf(useOf([5]), CLASSIC)).toBeUndefined()
  })
})

describe('classic', () => {
  it('is log1p(count) / (1 + days * 0.01)', () => {
    const use = useOf([0, 0, 0], CLASSIC)
    expect(scoreOf(use, 0, CLASSIC)).toBe(Math.log(4))
    expect(scoreOf(use, 50 * DAY, CLASSIC)).toBe(Math.log(4) / 1.5)
  })
})

describe('merged', () => {
  it('is as if all opens had been of one node, and stays at the largest count', () => {
    const both = merged(useOf([5 * DAY, 7 * DAY]), useOf([6 * DAY]), DEFAULT_SCORING)
    const one = useOf([5 * DAY, 7 * DAY, 6 * DAY])
    expect(both).toMatchObject({ runs: one.runs, opened: one.opened })
    expect(both.heat).toBeCloseTo(one.heat, 12)
    expect(merged({ runs: 0xffff_ffff, opened: 1, heat: 1 }, useOf([1]), DEFAULT_SCORING).runs).toBe(0xffff_ffff)
  })
})
