import { expect, it } from 'vitest'
import { EntryRate } from './entry-rate.js'

/** A clock that goes on only where it is slept. */
function run(perSecond: number, costs: readonly number[], workMs = 0) {
  let now = 1000
  const sleeps: number[] = []
  const rate = new EntryRate(
    perSecond,
    ms => {
      sleeps.push(ms)
      now += ms
    },
    () => now,
  )
  for (const cost of costs) {
    now += workMs
    rate.spend(cost)
  }
  return { seconds: (now - 1000) / 1000, sleeps, rate, wait: (ms: number) => (now += ms) }
}

it('keeps the rate, with few wake-ups', () => {
  const { seconds, sleeps } = run(500, Array(10_000).fill(5))
  expect(seconds).toBe(100)
  expect(sleeps.length).toBe(10)
  expect(run(0, Array(100).fill(1e6)).sleeps).toEqual([])
})

it('counts the time that reading takes, and sleeps off one large directory at once', () => {
  expect(run(500, Array(1000).fill(5), 20).sleeps).toEqual([])
  expect(run(500, [1_000_000]).sleeps).toEqual([2_000_000])
})

it('makes up for nothing after a pause', () => {
  const { rate, sleeps, wait } = run(500, [10])
  wait(3_600_000)
  for (let i = 0; i < 1_000; i++) rate.spend(5)
  expect(sleeps).toEqual([10_000])
})
