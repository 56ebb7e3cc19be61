import { type Predicate, parseQuery } from '@hotpath/query'
import { expect, it } from 'vitest'
import { MAX_AGE_MS } from './cache-counts.js'
import { ResultCache } from './result-cache.js'
import type { SegmentState } from './segment-state.js'

function predicateOf(text: string): Predicate {
  const query = parseQuery(text, { now: 0 })
  if (query.kind !== 'query') throw new Error(query.message)
  return query.predicate
}

/** All of a segment that the cache looks at. */
function segmentOf(displacedVersion = 0): SegmentState {
  return { displacedVersion } as SegmentState
}

function remember(cache: ResultCache, text: string, segment: SegmentState, rows: readonly number[]): void {
  const result = cache.of(predicateOf(text))
  result?.table(segment, 'f').keepPage('name up', { rows: Uint32Array.from(rows), isAll: false })
  result?.table(segment, 'f').keepTotal({ count: rows.length, deadRows: 0 })
  if (result) cache.keep(result)
}

function rowsOf(cache: ResultCache, text: string, segment: SegmentState): Uint32Array | undefined {
  return cache.of(predicateOf(text))?.table(segment, 'f').page('name up')?.rows
}

it('keeps pages and totals of a segment by what the query asks, and counts who finds them', () => {
  const cache = new ResultCache(() => 0)
  const segment = segmentOf()
  remember(cache, 'main', segment, [1, 2, 3])
  expect(rowsOf(cache, 'MAIN', segment)).toEqual(Uint32Array.of(1, 2, 3))
  expect(rowsOf(cache, 'mai', segment)).toBe(undefined)
  expect(rowsOf(cache, 'main', segmentOf())).toBe(undefined)
  expect(cache.counts).toMatchObject({ hits: 1, misses: 2, entries: 1 })
})

it.each(['childcount:3', 'dupe:', 'runcount:>1', 'child:a', 'root:', 'main !dr:today'])(
  'keeps nothing of %s, which depends on more than a segment',
  text => {
    expect(new ResultCache(() => 0).of(predicateOf(text))).toBe(undefined)
  },
)

it('forgets orders when directories moved, and totals only where these ask for places', () => {
  const cache = new ResultCache(() => 0)
  const segment = { displacedVersion: 0 }
  for (const text of ['main', 'a/main']) remember(cache, text, segment as SegmentState, [7])
  segment.displacedVersion++
  const tableOf = (text: string) => cache.of(predicateOf(text))?.table(segment as SegmentState, 'f')
  expect(tableOf('main')?.page('name up')).toBe(undefined)
  expect(tableOf('main')?.knownTotal()).toEqual({ count: 1, deadRows: 0 })
  expect(tableOf('a/main')?.knownTotal()).toBe(undefined)
})

it('gives what is older than five minutes back, and all of a segment that is gone', () => {
  let nowMs = 1_000
  const cache = new ResultCache(() => nowMs)
  const [one, other] = [segmentOf(), segmentOf()]
  remember(cache, 'main', one, [1])
  remember(cache, 'main', other, [2])
  const { bytes } = cache.counts
  cache.drop(one)
  expect(rowsOf(cache, 'main', one)).toBe(undefined)
  expect(rowsOf(cache, 'main', other)).toEqual(Uint32Array.of(2))
  expect(cache.counts.bytes).toBeLessThan(bytes)
  nowMs += MAX_AGE_MS + 1
  cache.expire()
  expect(cache.counts).toMatchObject({ entries: 0, bytes: 0 })
})

it('stays within its bounds whatever is asked', () => {
  const cache = new ResultCache(() => 0)
  const segment = segmentOf()
  const rows = Array.from({ length: 1_000 }, (_, row) => row)
  for (let i = 0; i < 2_500; i++) remember(cache, `main${i}`, segment, i < 1_500 ? rows : [i])
  const { entries, bytes } = cache.counts
  expect(entries).toBe(1_000)
  expect(bytes).toBeLessThanOrEqual(4 * 2 ** 20)
  for (let i = 0; i < 1_500; i++) remember(cache, `main${i}`, segment, rows)
  expect(cache.counts.bytes).toBeLessThanOrEqual(4 * 2 ** 20)
  expect(cache.counts.bytes).toBeGreaterThan(3 * 2 ** 20)
})

it('tells the rows of a complete result to a query that was typed on', () => {
  const cache = new ResultCache(() => 0)
  const segment = segmentOf()
  const result = cache.of(predicateOf('mai'))
  result?.table(segment, 'f').keepPage('hot', { rows: Uint32Array.of(5, 3), isAll: true })
  if (result) cache.keep(result)
  expect(cache.of(predicateOf('main'))?.among(segment, 'f')).toEqual(Uint32Array.of(5, 3))
  expect(cache.of(predicateOf('main'))?.among(segment, 'd')).toBe(undefined)
  expect(cache.of(predicateOf('ma'))?.among(segment, 'f')).toBe(undefined)
})
