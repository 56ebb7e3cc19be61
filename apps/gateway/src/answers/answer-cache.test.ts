import type { EventDetail, Fresh } from '@hotpath/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AnswerCache } from './answer-cache.js'

const LIMITS = { maxAnswers: 3, maxBytes: 4_000, maxAnswerBytes: 1_500, maxAgeMs: 60_000 }

let cache: AnswerCache

beforeEach(() => {
  vi.useFakeTimers()
  cache = new AnswerCache(LIMITS, Date.now)
})
afterEach(() => {
  vi.useRealTimers()
})

const answer = (size = 10, clock = 's:5') => ({
  number: 1,
  bytes: new Uint8Array(size),
  unchanged: new Uint8Array(0),
  clock,
})
const receive = (detail: EventDetail) => cache.receive({ sequence: 1, clock: 's:6', detail })
const fresh = (part: Partial<Fresh> = {}): EventDetail => ({
  kind: 'fresh',
  fresh: { root: 'r', fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [], ...part } },
})

function follow(): void {
  cache.connected('store')
  cache.heard('store')
}

function put(key: string, kept = answer()): boolean {
  cache.keep(key, cache.begin(), kept)
  return cache.find(key, '') !== undefined
}

describe('an answer is kept', () => {
  it('only while the events of the store that computed it are heard', () => {
    expect(put('a')).toBe(false)
    cache.heard('store')
    expect(put('a')).toBe(false)
    cache.connected('store')
    expect(put('a')).toBe(true)
    cache.disconnected()
    expect(cache.find('a', '')).toBeUndefined()
    // The store is back; what it published meanwhile is not known.
    cache.connected('store')
    expect(put('a')).toBe(false)
    cache.heard('another store')
    expect(put('a')).toBe(false)
    cache.heard('store')
    expect(put('a')).toBe(true)
  })

  it('until something says that it may be out of date', () => {
    follow()
    const root = 'r'
    const details: EventDetail[] = [
      { kind: 'outdated' },
      { kind: 'generation', generation: { root, epoch: 1, partial: false } },
      { kind: 'freshInstance', freshInstance: { root, reason: 'loss' } },
      { kind: 'shutdown', shutdown: { reason: '' } },
    ]
    for (const detail of details) {
      expect(put('a')).toBe(true)
      receive(detail)
      expect(cache.find('a', ''), detail.kind).toBeUndefined()
    }
    expect(put('a')).toBe(true)
    cache.gap()
    expect(cache.find('a', '')).toBeUndefined()
    expect(cache.stats().emptied).toBe(5)
    expect(put('a')).toBe(true)
    // The word for these changes came before.
    receive({ kind: 'changes', changes: { root, added: 1, removed: 0, updated: 0 } })
    expect(cache.find('a', '')).toBeDefined()
  })

  it('until freshness is another, not for the same news again', () => {
    follow()
    receive(fresh())
    for (const other of [fresh({ lagMs: 3 }), fresh({ state: 'repairing' }), fresh({ dirty: 1 })]) {
      expect(put('a')).toBe(true)
      receive(other)
      expect(cache.find('a', '')).toBeUndefined()
      expect(put('a')).toBe(true)
      receive(other)
      expect(cache.find('a', '')).toBeDefined()
    }
    // After a gap nobody knows what was said last.
    cache.gap()
    expect(put('a')).toBe(true)
    receive(fresh({ dirty: 1 }))
    expect(cache.find('a', '')).toBeUndefined()
  })

  it('not if it was computed before a change and comes after the word of it', () => {
    follow()
    const begun = cache.begin()
    receive({ kind: 'outdated' })
    cache.keep('a', begun, answer())
    expect(cache.find('a', '')).toBeUndefined()
    const begunBeforeGap = cache.begin()
    cache.gap()
    cache.keep('a', begunBeforeGap, answer())
    expect(cache.find('a', '')).toBeUndefined()
  })

  it('for those alone who ask for no later clock', () => {
    follow()
    put('a')
    expect(cache.find('a', 's:5')).toBeDefined()
    expect(cache.find('a', 's:4')).toBeDefined()
    expect(cache.find('a', 's:6')).toBeUndefined()
    expect(cache.find('a', 'other:1')).toBeUndefined()
    expect(cache.stats().stale).toBe(2)
  })

  it('for a time', () => {
    follow()
    put('a')
    vi.advanceTimersByTime(LIMITS.maxAgeMs)
    expect(cache.find('a', '')).toBeDefined()
    vi.advanceTimersByTime(2_000)
    expect(cache.find('a', '')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ answers: 0, stale: 1, evicted: 0 })
  })

  it('within bounds of number and bytes, the least recently used given up first', () => {
    follow()
    for (const key of ['a', 'b', 'c']) put(key)
    cache.find('a', '')
    put('d')
    expect(['a', 'b', 'c', 'd'].filter(key => cache.find(key, ''))).toEqual(['a', 'c', 'd'])
    expect(put('large', answer(1_500))).toBe(false)
    for (const key of ['e', 'f', 'g', 'h']) {
      put(key, answer(1_200))
      expect(cache.stats().bytes).toBeLessThanOrEqual(LIMITS.maxBytes)
    }
    expect(cache.stats()).toMatchObject({ answers: 2, evicted: 6 })
  })
})
