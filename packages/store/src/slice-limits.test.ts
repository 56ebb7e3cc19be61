import { describe, expect, it } from 'vitest'
import { rowsOfNextSlice, type SliceLimits, shownSliceRows, sliceLimits } from './slice-limits.js'

function slicesOf(limits: SliceLimits, rows: number): number[] {
  const slices = [Math.min(rows, limits.firstSliceRows)]
  for (let before = slices[0]!; before < rows; before += slices.at(-1)!) {
    slices.push(Math.min(rows - before, rowsOfNextSlice(limits, before)))
  }
  return slices
}

describe('slices of a scan', () => {
  it('grow with it up to the largest', () => {
    const shown = sliceLimits(500_000, shownSliceRows(500_000))
    expect(slicesOf(shown, 1_000_000)).toEqual([62_500, 125_000, 125_000, 125_000, 125_000, 140_625, 175_782, 121_093])
    expect(slicesOf(shown, 10_000_000)).toHaveLength(27)
    expect(slicesOf(sliceLimits(500_000, undefined), 300_000)).toEqual([125_000, 125_000, 50_000])
    expect(slicesOf(sliceLimits(500_000, 7), 100)).toEqual([7, 93])
  })

  it.each([1, 2, 3, 10, 333, 500_000])('leave little for the end and are few (%i)', sliceRows => {
    const limits = sliceLimits(sliceRows, shownSliceRows(sliceRows))
    const rows = sliceRows * 11
    const slices = slicesOf(limits, rows)
    let before = 0
    for (const slice of slices) {
      expect(slice).toBeGreaterThan(0)
      expect(slice).toBeLessThanOrEqual(sliceRows)
      expect(slice).toBeLessThanOrEqual(Math.max(limits.leastSliceRows, Math.ceil(before / 4)))
      before += slice
    }
    expect(before).toBe(rows)
    expect(slices.length).toBeLessThanOrEqual(11 + 10)
  })
})
