import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { SearchAnswer, SearcherQuery } from './searcher-messages.js'
import { WarmUp } from './warm-up.js'

let asked: SearcherQuery[]
let isIdle: boolean
let entries: number
let warmUp: WarmUp

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  isIdle = true
  entries = 1
  const pool = {
    searchWhileIdle(query: SearcherQuery) {
      if (!isIdle) return undefined
      asked.push(query)
      return Promise.resolve<SearchAnswer[]>([])
    },
  }
  warmUp = new WarmUp(pool, () => entries > 0)
})
afterEach(() => {
  warmUp.stop()
  vi.useRealTimers()
})

it('searches once after a start, keeps nothing of it, and then never again', async () => {
  warmUp.start()
  await vi.advanceTimersByTimeAsync(900)
  expect(asked).toEqual([])
  await vi.advanceTimersByTimeAsync(20_000)
  const count = asked.length
  expect(count).toBeGreaterThan(100)
  expect(asked.every(({ noCache }) => noCache)).toBe(true)
  expect(new Set(asked.map(({ match }) => match))).toEqual(new Set(['name', 'auto']))
  await vi.advanceTimersByTimeAsync(600_000)
  expect([asked.length, vi.getTimerCount()]).toEqual([count, 0])
})

it('waits for entries, and lets everybody else go first', async () => {
  entries = 0
  warmUp.start()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(asked).toEqual([])
  entries = 1
  isIdle = false
  await vi.advanceTimersByTimeAsync(30_000)
  expect(asked).toEqual([])
  isIdle = true
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked.length).toBeGreaterThan(100)
})

it('looks seldom while there is nothing to do, and ends when it is stopped', async () => {
  entries = 0
  let looks = 0
  warmUp = new WarmUp({ searchWhileIdle: () => undefined }, () => {
    looks++
    return false
  })
  warmUp.start()
  await vi.advanceTimersByTimeAsync(300_000)
  expect(looks).toBeLessThan(16)
  warmUp.stop()
  expect(vi.getTimerCount()).toBe(0)
})
