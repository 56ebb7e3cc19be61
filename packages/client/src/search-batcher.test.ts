import { noHits, type SearchReply, type SearchRequest } from '@hotpath/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SearchBatcher } from './search-batcher.js'

/** One message to the server, which the test answers. */
interface Sent {
  readonly texts: readonly string[]
  readonly signal: AbortSignal
  answer(): void
}

let sent: Sent[]
let batcher: SearchBatcher

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  sent = []
  batcher = new SearchBatcher({
    search: (requests, _timeoutMs, signal) =>
      new Promise(resolve => {
        const texts = requests.map(({ text }) => Buffer.from(text).toString())
        sent.push({ texts, signal, answer: () => resolve(texts.map(reply)) })
      }),
  })
})

afterEach(() => {
  vi.useRealTimers()
})

test('what is asked in one turn travels in one message', async () => {
  const asked = ['a', 'b', 'c'].map(search)
  await turn()
  expect(texts()).toEqual([['a', 'b', 'c']])
  sent[0]!.answer()
  expect((await Promise.all(asked)).map(({ total }) => total)).toEqual([97, 98, 99])
})

test('while four messages are out, searches gather until one is answered', async () => {
  await fill()
  const asked = [search('e'), search('f')]
  await turn()
  expect(texts().slice(4)).toEqual([])
  sent[2]!.answer()
  await turn()
  expect(texts().slice(4)).toEqual([['e', 'f']])
  sent[4]!.answer()
  await Promise.all(asked)
})

test('messages that are out for long hold up nobody', async () => {
  await fill()
  void search('e').catch(() => {})
  await turn()
  await vi.advanceTimersByTimeAsync(19)
  expect(texts().slice(4)).toEqual([])
  void search('f').catch(() => {})
  await vi.advanceTimersByTimeAsync(1)
  expect(texts().slice(4)).toEqual([['e', 'f']])
  // Four messages count as many as were sent of late: one of them was.
  for (const text of ['g', 'h', 'i', 'j']) {
    void search(text).catch(() => {})
    await turn()
  }
  expect(texts().slice(5)).toEqual([['g'], ['h'], ['i']])
  await vi.advanceTimersByTimeAsync(20)
  expect(texts().slice(8)).toEqual([['j']])
})

test('a server that answers nothing has 256 messages to answer at most', async () => {
  for (let count = 0; count < 300; count++) {
    void search('x').catch(() => {})
    await turn()
    await vi.advanceTimersByTimeAsync(20)
  }
  expect(sent).toHaveLength(256)
  sent[7]!.answer()
  await turn()
  expect(sent).toHaveLength(257)
  expect(sent[256]!.texts).toHaveLength(44)
})

test('whoever gives up what waits to be sent is not sent', async () => {
  await fill()
  const controller = new AbortController()
  const given = batcher.search(request('e'), 10_000, controller.signal)
  void search('f').catch(() => {})
  await turn()
  controller.abort()
  await expect(given).rejects.toThrow('cancelled')
  await vi.advanceTimersByTimeAsync(20)
  expect(texts().slice(4)).toEqual([['f']])
})

test('nothing is sent after the end', async () => {
  await fill()
  const waiting = search('e')
  await turn()
  batcher.close(new Error('closed'))
  await expect(waiting).rejects.toThrow('closed')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sent).toHaveLength(4)
  expect(vi.getTimerCount()).toBe(4)
})

/** Four messages, none of which is answered. */
async function fill(): Promise<void> {
  for (const text of ['a', 'b', 'c', 'd']) {
    void search(text).catch(() => {})
    await turn()
  }
  expect(texts()).toEqual([['a'], ['b'], ['c'], ['d']])
}

function search(text: string): Promise<SearchReply> {
  return batcher.search(request(text), 10_000)
}

/** All that follows from what was asked and answered. */
async function turn(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}

function texts(): (readonly string[])[] {
  return sent.map(message => message.texts)
}

function request(text: string): SearchRequest {
  return {
    text: Buffer.from(text),
    limit: 10,
    offset: 0,
    sort: 'hot',
    descending: false,
    under: new Uint8Array(),
    minClock: '',
    match: 'auto',
    caseMode: 'ignore',
    countOnly: false,
    explain: false,
    fuzzy: false,
    noCache: false,
    deadlineMs: 0,
  }
}

function reply(text: string): SearchReply {
  return {
    total: text.charCodeAt(0),
    fuzzyTotal: Number.NaN,
    clock: '1',
    fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
    partial: false,
    tookMs: 0,
    rows: noHits(),
    explain: '',
  }
}
