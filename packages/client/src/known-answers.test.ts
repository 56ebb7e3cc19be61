import { type HitColumns, type SearchReply, searchRequest } from '@hotpath/protocol'
import { expect, it } from 'vitest'
import { KnownAnswers, keyOf } from './known-answers.js'

function rowsOf(count: number, buffer = new ArrayBuffer(count * 200 + 8)): HitColumns {
  return {
    count,
    ids: new Uint8Array(buffer, 0, count * 24),
    pathOffsets: Uint32Array.from({ length: count + 1 }, (_, row) => row * 100),
    paths: new Uint8Array(buffer, 0, count * 100),
    nameStart: new Uint32Array(count),
    kind: new Uint8Array(count),
    size: new Float64Array(count),
    modified: { seconds: new Float64Array(count), ticks: new Uint32Array(count) },
    created: { seconds: new Float64Array(count), ticks: new Uint32Array(count).fill(1) },
    accessed: { seconds: new Float64Array(count).fill(3), ticks: new Uint32Array(count) },
    hot: new Float64Array(count),
    opens: new Uint32Array(count).fill(2),
    opened: new Float64Array(count).fill(1_700_000_000),
  }
}

function reply(number: number | undefined, rows = rowsOf(3)): SearchReply {
  return {
    total: 3,
    fuzzyTotal: Number.NaN,
    clock: 'c',
    fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
    partial: false,
    tookMs: 0.5,
    rows,
    explain: '',
    number,
  }
}

it('keeps what has a number, as a copy of its own', () => {
  const known = new KnownAnswers()
  known.keep('none', reply(undefined))
  expect(known.find('none')).toBeUndefined()
  const buffer = new ArrayBuffer(1_000_000)
  const one = reply(7, rowsOf(3, buffer))
  known.keep('one', one)
  expect(known.find('one')).toEqual(one)
  for (const column of [known.find('one')!.rows.ids, known.find('one')!.rows.paths])
    expect(column.buffer.byteLength).toBe(column.byteLength)
  known.keep('one', { ...one, number: 8 })
  expect(known.find('one')?.number).toBe(8)
  known.clear()
  expect(known.find('one')).toBeUndefined()
})

it('gives up what was used longest ago, beyond a number and beyond bytes', () => {
  const known = new KnownAnswers()
  for (let i = 0; i < 64; i++) known.keep(`${i}`, reply(i + 1))
  known.find('0')
  known.keep('64', reply(65))
  expect(['0', '1', '2', '64'].map(key => known.find(key)?.number)).toEqual([1, undefined, 3, 65])
  // Some 470 KB each: eight of them are the most.
  for (let i = 0; i < 12; i++) known.keep(`long ${i}`, reply(100 + i, rowsOf(2_400)))
  expect(Array.from({ length: 12 }, (_, i) => known.find(`long ${i}`) !== undefined).filter(Boolean).length).toBe(8)
  expect(known.find('64')).toBeUndefined()
  known.keep('too long', reply(200, rowsOf(5_000)))
  expect(known.find('too long')).toBeUndefined()
})

it('tells requests apart that may have other answers', () => {
  const requests = [
    searchRequest('a'),
    searchRequest('b'),
    searchRequest('a', { limit: 99 }),
    searchRequest('a', { offset: 1 }),
    searchRequest('a', { sort: 'hot' }),
    searchRequest('a', { descending: true }),
    searchRequest('a', { match: 'auto' }),
    searchRequest('a', { caseMode: 'smart' }),
    searchRequest('a', { countOnly: true }),
    searchRequest('a', { fuzzy: true }),
    searchRequest('a', { under: Buffer.from('/x') }),
    searchRequest('a/', { under: Buffer.from('x') }),
  ]
  expect(new Set(requests.map(keyOf)).size).toBe(requests.length)
  expect(keyOf(searchRequest('a', { minClock: 'c', deadlineMs: 3, known: 4 }))).toBe(keyOf(searchRequest('a')))
})
