import { describe, expect, it } from 'vitest'
import { MAX_SCROLL_HEIGHT_PX, RowScale } from './row-scale.js'

describe('RowScale', () => {
  it('is the plain list while a browser can lay it out', () => {
    const scale = new RowScale(1_000, 34, 600)
    expect(scale.exact).toBe(true)
    expect(scale.scrollHeightPx).toBe(34_000)
    expect(scale.topOf(1_234.5)).toBe(1_234.5)
    expect(scale.scrollTopOf(1_234.5)).toBe(1_234.5)
  })

  it('reaches both ends and every row of a list that is too tall', () => {
    const scale = new RowScale(10_000_000, 34, 600)
    expect(scale.exact).toBe(false)
    expect(scale.scrollHeightPx).toBe(MAX_SCROLL_HEIGHT_PX)
    expect(scale.topOf(0)).toBe(0)
    expect(scale.topOf(MAX_SCROLL_HEIGHT_PX - 600)).toBe(340_000_000 - 600)
    for (const row of [0, 1, 77_777, 5_000_000, 9_999_998, 9_999_999]) {
      const top = scale.topToShow(row, 0)
      const { first, end } = scale.visible(top, 0)
      expect(row >= first && row < end).toBe(true)
      expect(scale.topOf(scale.scrollTopOf(top))).toBeCloseTo(top, 3)
    }
  })

  it('moves as little as it must to show a row', () => {
    const scale = new RowScale(100, 10, 55)
    expect(scale.topToShow(3, 20)).toBe(20)
    expect(scale.topToShow(0, 20)).toBe(0)
    expect(scale.topToShow(7, 20)).toBe(25)
    expect(scale.topToShow(99, 0)).toBe(945)
  })

  it('draws the rows in the window and a few more, and none that are not there', () => {
    expect(new RowScale(100, 10, 55).visible(20, 2)).toEqual({ first: 0, end: 10 })
    expect(new RowScale(100, 10, 55).visible(945, 2)).toEqual({ first: 92, end: 100 })
    expect(new RowScale(3, 10, 55).visible(0, 2)).toEqual({ first: 0, end: 3 })
    expect(new RowScale(0, 10, 55).visible(0, 2)).toEqual({ first: 0, end: 0 })
    expect(new RowScale(0, 10, 55).maxTopPx).toBe(0)
  })
})
