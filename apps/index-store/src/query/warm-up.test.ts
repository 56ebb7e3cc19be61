import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { SearchAnswer, SearcherQuery } from './searcher-messages.js'
import { WarmUp } from './warm-up.js'

let asked: SearcherQuery[]
let isIdle: boolean
let entries: number
let page: SearchAnswer | undefined
let warmUp: WarmUp

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  isIdle = true
  entries = 1
  page = undefined
  const pool = {
    searchWhileIdle(query: SearcherQuery) {
      if (!isIdle) return undefined
      asked.push(query)
      return Promise.resolve<SearchAnswer[]>(page ? [page] : [])
    },
  }
  warmUp = new WarmUp(pool, () => entries)
})
afterEach(() => {
  warmUp.stop()
  vi.useRealTimers()
})

it('searches once after a start, and then never again', async () => {
  warmUp.start()
  await vi.advanceTimersByTimeAsync(900)
  expect(asked).toEqual([])
  await vi.advanceTimersByTimeAsync(20_000)
  const count = asked.length
  expect(count).toBeGreaterThan(100)
  expect(new Set(asked.map(({ match }) => match))).toEqual(new Set(['name', 'auto']))
  await vi.advanceTimersByTimeAsync(600_000)
  expect([asked.length, vi.getTimerCount()]).toEqual([count, 0])
})

it('searches again when the index has grown much, and not for less', async () => {
  warmUp.start()
  await vi.advanceTimersByTimeAsync(20_000)
  const count = asked.length
  entries = 3
  warmUp.start()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(asked.length).toBe(count)
  entries = 4
  for (let i = 0; i < 3; i++) warmUp.start()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(asked.length).toBe(2 * count)
})

it('goes on with pieces of the names that it finds', async () => {
  const names = ['größe-and-more.txt', 'b', 'with "quotes" inside', 'abcdefghij']
  const paths = names.map(name => Buffer.from(`d/${name}`))
  const pathOffsets = Uint32Array.from([0, ...paths.map((_, at) => Buffer.concat(paths.slice(0, at + 1)).length)])
  page = {
    ...{ kind: 'page', total: 4, fuzzyTotal: 0, partial: false, tookMs: 1, explain: '' },
    rows: { count: 4, pathOffsets, paths: Buffer.concat(paths), nameStart: Uint32Array.from([2, 2, 2, 2]) } as never,
  }
  warmUp.start()
  await vi.advanceTimersByTimeAsync(60_000)
  const texts = asked.map(({ text }) => text)
  expect(texts.length).toBeLessThanOrEqual(800)
  expect(texts).toEqual(expect.arrayContaining(['grö', 'größe', 'abcd', 'fgh']))
  expect(texts.filter(text => /["\s]/.test(text))).toEqual([])
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

it('comes soon when what it waited for was read', async () => {
  entries = 0
  warmUp.start()
  await vi.advanceTimersByTimeAsync(40_000)
  entries = 1
  for (let i = 0; i < 12; i++) {
    warmUp.start()
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(asked.length).toBeGreaterThan(1)
})

it('looks seldom while there is nothing to do, and ends when it is stopped', async () => {
  entries = 0
  let looks = 0
  warmUp = new WarmUp({ searchWhileIdle: () => undefined }, () => {
    looks++
    return 0
  })
  warmUp.start()
  await vi.advanceTimersByTimeAsync(300_000)
  expect(looks).toBeLessThan(16)
  warmUp.stop()
  expect(vi.getTimerCount()).toBe(0)
})
