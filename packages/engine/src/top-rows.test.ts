import { randomOf } from '@hotpath/query/testing'
import { describe, expect, it } from 'vitest'
import { topRows } from './top-rows.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))

describe('the first rows', () => {
  it.each([
    [0, 50],
    [1, 50],
    [100, 3_000],
    [4_095, 9_000],
    [4_096, 4_000],
    [4_096, 30_000],
    [10_000, 25_000],
  ])('are those of a sorted list: %i of %i', (limit, count) => {
    const random = randomOf(SEED)
    const rows = Array.from({ length: count }, (_, row) => ({
      row,
      value: random.chance(0.05) ? Number.POSITIVE_INFINITY : random.below(count / 10),
      minor: random.chance(0.1) ? Number.POSITIVE_INFINITY : -random.below(3),
    }))
    let steps = 0
    const top = topRows(limit, { tie: (a, b) => b - a, step: () => steps++ })
    let offered = 0
    for (const { row, value, minor } of rows) {
      // As its callers do: what comes too late is not offered.
      if (value > top.lastValue || (value === top.lastValue && minor > top.lastMinor)) continue
      top.offer(row, value, minor)
      offered++
    }
    const order = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1)
    const right = rows.sort((a, b) => order(a.value, b.value) || order(a.minor, b.minor) || b.row - a.row)
    expect(top.sorted(), `seed ${SEED}`).toEqual(right.slice(0, limit).map(({ row }) => row))
    if (count > 3 * limit && limit > 0) expect(offered).toBeLessThan(count)
    if (limit > 1) expect(steps).toBeGreaterThan(0)
  })
})
