import {
  decodeEnvelope,
  decodeSearchReply,
  encodeEnvelope,
  noHits,
  type SearchReply,
  type SearchRequest,
  searchRequest,
} from '@hotpath/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { AnswerCache } from './answer-cache.js'
import { KeptSearches } from './kept-searches.js'

const FRESH = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const

let cache: AnswerCache
let searches: KeptSearches<string>
/** What the store was asked, and what is different in its answers. */
let asked: string[][]
let special: Partial<SearchReply>

beforeEach(() => {
  asked = []
  special = {}
  cache = new AnswerCache()
  cache.connected('store')
  cache.heard('store')
  searches = new KeptSearches(cache, async (_client, requests) => {
    asked.push(requests.map(textOf))
    return requests.map(request => replyTo(textOf(request)))
  })
})

const textOf = ({ text }: SearchRequest) => Buffer.from(text).toString()

function replyTo(text: string): SearchReply {
  return {
    total: text.length,
    fuzzyTotal: Number.NaN,
    clock: 's:5',
    fresh: FRESH,
    partial: false,
    tookMs: 1,
    rows: noHits(),
    explain: '',
    ...special,
  }
}

const asker = {
  get signal(): AbortSignal {
    return new AbortController().signal
  },
}

async function ask(...requests: SearchRequest[]): Promise<SearchReply[]> {
  return (await searches.encoded('client', requests, 1_000, asker)).map(decodeSearchReply)
}

function atOnce(...requests: SearchRequest[]) {
  const body = { type: 'searchBatch', value: { requests } } as const
  const bytes = searches.answerAtOnce(encodeEnvelope({ requestId: 9, sender: 'c', deadlineMs: 5, body }), 'gateway')
  return bytes && decodeEnvelope(bytes)
}

describe('searches with a cache', () => {
  it('are asked once, whoever asks and how', async () => {
    const one = searchRequest('one')
    expect(await ask(one)).toEqual([replyTo('one')])
    const kept = { ...replyTo('one'), cached: true, number: expect.any(Number) }
    expect(await ask({ ...one, deadlineMs: 12 })).toEqual([kept])
    expect(await searches.one('http', { ...one, minClock: 's:5' }, 1_000, asker)).toEqual(kept)
    expect(atOnce(one, { ...one, deadlineMs: 3 })).toEqual({
      requestId: 9,
      sender: 'gateway',
      deadlineMs: 0,
      body: { type: 'searchBatchReply', value: { replies: [kept, kept] } },
    })
    const alone = { type: 'searchRequest', value: one } as const
    const bytes = searches.answerAtOnce(encodeEnvelope({ requestId: 2, sender: 'c', deadlineMs: 0, body: alone }), 'g')
    expect(decodeEnvelope(bytes!)).toMatchObject({ requestId: 2, body: { type: 'searchReply', value: kept } })
    expect(asked).toEqual([['one']])
    expect(cache.stats()).toMatchObject({ hits: 5, misses: 1, answers: 1 })
  })

  it('that wait are given what was kept meanwhile, which stays the answer that it was', async () => {
    const waiting: (() => void)[] = []
    searches = new KeptSearches(cache, async (_client, requests, _deadlineAt, _signal, keeping) => {
      await new Promise<void>(resolve => waiting.push(resolve))
      if (keeping?.areKept()) return undefined
      asked.push(requests.map(textOf))
      return requests.map(request => replyTo(textOf(request)))
    })
    const both = [ask(searchRequest('one')), ask(searchRequest('one'))]
    waiting.shift()!()
    const [first] = await Promise.all([both[0], new Promise(resolve => setImmediate(resolve))])
    expect(first).toEqual([replyTo('one')])
    const [kept] = await ask(searchRequest('one'))
    waiting.shift()!()
    expect(await both[1]).toEqual([kept])
    expect(kept).toMatchObject({ cached: true, number: expect.any(Number) })
    expect(await ask(searchRequest('one'))).toEqual([kept])
    expect(asked).toEqual([['one']])
  })

  it('say what they ask where another may wait for it, and nothing of what is never kept', async () => {
    const keys: (readonly string[] | undefined)[] = []
    searches = new KeptSearches(cache, async (_client, requests, _deadlineAt, _signal, keeping) => {
      keys.push(keeping?.keys)
      return requests.map(request => replyTo(textOf(request)))
    })
    const one = searchRequest('one')
    await ask(one, searchRequest('two'))
    cache.gap()
    await searches.one('http', { ...one, deadlineMs: 5 }, 1_000, asker)
    expect(keys[0]).toEqual([keys[1]![0], expect.any(String)])
    expect(keys[0]![1]).not.toBe(keys[0]![0])
    keys.length = 0
    for (const request of [{ ...one, noCache: true }, searchRequest('x', { explain: true }), searchRequest('dm:today')])
      await ask(request)
    cache.disconnected()
    await ask(searchRequest('three'))
    expect(keys).toEqual([undefined, undefined, undefined, undefined])
  })

  it('send rows once to whoever names the answer that he has', async () => {
    const rows = {
      ...noHits(),
      count: 1,
      ids: new Uint8Array(24),
      pathOffsets: Uint32Array.of(0, 2),
      nameStart: Uint32Array.of(1),
    }
    special = { rows: { ...rows, paths: Buffer.from('/a'), kind: new Uint8Array(1), size: Float64Array.of(7) } }
    const one = searchRequest('one')
    await ask(one)
    const [{ number }] = (await ask(one)) as [SearchReply]
    const known = { ...one, known: number }
    const unchanged = { ...replyTo('one'), rows: noHits(), cached: true, number, unchanged: true }
    expect(await ask(known)).toEqual([unchanged])
    expect(atOnce(known, one)?.body).toMatchObject({
      value: { replies: [unchanged, { number, rows: { count: 1 }, cached: true }] },
    })
    const other = atOnce({ ...one, known: number! + 1 })?.body
    expect(other).toMatchObject({ value: { replies: [{ number, rows: { count: 1 } }] } })
    // Forgotten and asked again: another number.
    cache.gap()
    expect(await ask(known)).toMatchObject([{ rows: { count: 1 } }])
    expect(await ask(known)).toMatchObject([{ number: number! + 1, rows: { count: 1 } }])
  })

  it('ask the store only for what is missing, and answer in order', async () => {
    await ask(searchRequest('bb'))
    expect(atOnce(searchRequest('a'), searchRequest('bb'))).toBeUndefined()
    const replies = await ask(searchRequest('a'), searchRequest('bb'), searchRequest('ccc'))
    expect(replies.map(({ total, cached }) => [total, cached])).toEqual([
      [1, undefined],
      [2, true],
      [3, undefined],
    ])
    expect(asked).toEqual([['bb'], ['a', 'ccc']])
    expect(await searches.one('http', searchRequest('ccc'), 1_000, asker)).toMatchObject({ total: 3, cached: true })
  })

  it('leave the cache alone where that was asked for, but keep the new answer', async () => {
    await ask(searchRequest('a'))
    special = { total: 77 }
    const off = { ...searchRequest('a'), noCache: true }
    expect(atOnce(off)).toBeUndefined()
    expect(await ask(off)).toMatchObject([{ total: 77 }])
    expect(await searches.one('http', off, 1_000, asker)).toMatchObject({ total: 77 })
    expect(await ask(searchRequest('a'))).toMatchObject([{ total: 77, cached: true }])
    expect(cache.stats()).toMatchObject({ bypassed: 2, hits: 1, misses: 1 })
  })

  it('keep nothing that another moment or the next word may change', async () => {
    const cases: [SearchRequest, Partial<SearchReply>][] = [
      [searchRequest('dm:today'), {}],
      [searchRequest('a', { explain: true }), { explain: '{}' }],
      [searchRequest('a'), { partial: true }],
      [searchRequest('a'), { fresh: { ...FRESH, state: 'catching-up', lagMs: 12 } }],
      [searchRequest('a'), { error: { code: 'CANCELLED', message: '', position: Number.NaN, expected: '' } }],
    ]
    for (const [request, difference] of cases) {
      special = difference
      await ask(request)
      await searches.one('http', request, 1_000, asker)
      expect(atOnce(request)).toBeUndefined()
    }
    expect(asked.length).toBe(2 * cases.length)
    expect(cache.stats().answers).toBe(0)
  })

  it('pass on what the store says of a failure', async () => {
    const failing = new KeptSearches<string>(cache, async () => Promise.reject(new Error('away')))
    await expect(failing.encoded('c', [searchRequest('a')], 1_000, asker)).rejects.toThrow('away')
    await expect(failing.one('c', searchRequest('a'), 1_000, asker)).rejects.toThrow('away')
  })
})
