import { expect, it } from 'vitest'
import { ChangeRate } from './change-rate.js'

it('counts by minutes, the last sixty of them', () => {
  let nowMs = 5_000
  const rate = new ChangeRate(() => nowMs)
  rate.add(3)
  rate.add(4)
  expect(rate.perMinute()).toEqual([...new Array(59).fill(0), 7])
  nowMs += 2 * 60_000
  rate.add(1)
  expect(rate.perMinute().slice(-4)).toEqual([0, 7, 0, 1])
  nowMs += 57 * 60_000
  expect(rate.perMinute().slice(0, 3)).toEqual([7, 0, 1])
  nowMs += 60_000
  expect(rate.perMinute().slice(0, 3)).toEqual([0, 1, 0])
  nowMs += 1e9
  expect(rate.perMinute()).toEqual(new Array(60).fill(0))
})
