import {
  CancelledError,
  type FoundRowReply,
  type FoundRowsReply,
  QueryError,
  RequestError,
  UnavailableError,
} from '@hotpath/client/browser'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EMPTY_STATE, type PageState, stateFromUrl } from '../state/page-state.js'
import { isSameRow, RowList, rowRequestOf } from './row-list.js'

const row = (key: FoundRowReply['key']): FoundRowReply => ({
  database: 'chat',
  table: 'message',
  key,
  snippet: `text ${JSON.stringify(key)}`,
  matched: [],
  cut: [false, false],
})
const answerOf = (...keys: number[]): FoundRowsReply => ({ total: keys.length, tookMs: 1, rows: keys.map(row) })

/** A gateway whose answers the test gives. */
function scripted() {
  const asked: {
    query: unknown
    limit: number | undefined
    offset: number | undefined
    answer(answer: FoundRowsReply): void
    fail(error: Error): void
    isCancelled(): boolean
  }[] = []
  let isSeen = true
  const found = new RowList(
    {
      searchRows: ({ query, limit, offset, signal }) =>
        new Promise((answer, fail) => {
          signal?.addEventListener('abort', () => fail(new CancelledError()))
          asked.push({ query, limit, offset, answer, fail, isCancelled: () => signal?.aborted === true })
        }),
    },
    () => isSeen,
  )
  return {
    found,
    asked,
    hide: (hidden: boolean) => {
      isSeen = !hidden
    },
  }
}

const request = (query: string, more: Partial<PageState> = {}) => rowRequestOf({ ...EMPTY_STATE, query, ...more })
const turn = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('rowRequestOf', () => {
  it('asks for nothing where only files can be meant', () => {
    expect(request('  ')).toBeUndefined()
    expect(rowRequestOf(stateFromUrl('?q=x&type=audio'))).toBeUndefined()
    expect(rowRequestOf(stateFromUrl('?q=x&under=/home'))).toBeUndefined()
    expect(request('x')).toEqual({ query: 'x', limit: 100, offset: 0 })
    expect(rowRequestOf(stateFromUrl('?view=rows&from=2000&q=x'))).toEqual({ query: 'x', limit: 1_000, offset: 2_000 })
  })
})

describe('isSameRow', () => {
  it('compares keys by their values', () => {
    expect(isSameRow(row([1, { integer: '9007199254740993' }]), row([1, { integer: '9007199254740993' }]))).toBe(true)
    expect(isSameRow(row(1), row(2))).toBe(false)
    expect(isSameRow(row(1), { ...row(1), table: 'other' })).toBe(false)
  })
})

describe('RowList', () => {
  it('cancels the former search, and shows its rows until the next are there', async () => {
    const { found, asked } = scripted()
    found.search(request('a'))
    asked[0]!.answer(answerOf(3, 2))
    await turn()
    expect([found.total, found.isSearching]).toEqual([2, false])
    found.search(request('ab'))
    found.search(request('abc'))
    expect(asked.slice(1).map(({ query, isCancelled }) => [query, isCancelled()])).toEqual([
      ['ab', true],
      ['abc', false],
    ])
    expect([found.total, found.isSearching]).toEqual([2, true])
    asked[1]!.answer(answerOf(1, 2, 3))
    await turn()
    expect(found.total).toBe(2)
    asked[2]!.answer(answerOf(9))
    await turn()
    expect([found.total, found.rows[0]!.key]).toEqual([1, 9])
    found.search(undefined)
    expect([found.total, found.rows]).toEqual([0, []])
    found.close()
  })

  it('asks once for what is the same', async () => {
    const { found, asked } = scripted()
    found.search(request('a'))
    found.search(request('a'))
    expect(asked).toHaveLength(1)
    found.close()
    expect(asked[0]!.isCancelled()).toBe(true)
  })

  it('asks for nothing again that nobody said to have changed', async () => {
    const { found, asked } = scripted()
    found.search(request('a'))
    asked[0]!.answer(answerOf(1))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(asked).toHaveLength(1)
    found.search(undefined)
    found.outdate()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(asked).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
    found.close()
  })

  it('asks again for what changed, once for many changes, and never twice at the same time', async () => {
    const { found, asked } = scripted()
    found.search(request('a'))
    // What is on its way may not have seen it.
    for (let i = 0; i < 5; i++) found.outdate()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toHaveLength(1)
    asked[0]!.answer(answerOf(1))
    await vi.advanceTimersByTimeAsync(240)
    for (let i = 0; i < 5; i++) found.outdate()
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(20)
    expect(asked).toHaveLength(2)
    asked[1]!.answer(answerOf(2, 1))
    await vi.advanceTimersByTimeAsync(10_000)
    expect([found.total, asked.length]).toEqual([2, 2])
    // After a silence at once.
    found.outdate()
    await turn()
    expect(asked).toHaveLength(3)
    found.close()
  })

  it('asks again while it is seen, and keeps the active row', async () => {
    const { found, asked, hide } = scripted()
    const changed = async () => {
      found.outdate()
      await vi.advanceTimersByTimeAsync(1_000)
    }
    found.search(request('a'))
    asked[0]!.answer(answerOf(3, 2))
    await turn()
    found.activate(1)
    hide(true)
    await changed()
    expect(asked).toHaveLength(1)
    hide(false)
    await changed()
    expect([asked.length, found.isSearching]).toEqual([2, false])
    const { rows } = found
    const version = found.version()
    asked[1]!.answer(answerOf(3, 2))
    await turn()
    expect([found.rows === rows, found.version() - version]).toEqual([true, 0])
    await changed()
    asked[2]!.answer(answerOf(4, 3, 2))
    await turn()
    expect([found.active, found.rows[found.active!]!.key]).toEqual([2, 2])
    // Another search, or a row that has gone: none is active.
    await changed()
    asked[3]!.answer(answerOf(4))
    await turn()
    expect(found.active).toBeUndefined()
    found.activate(7)
    expect(found.active).toBe(0)
    found.search(request('b'))
    asked[4]!.answer(answerOf(4))
    await turn()
    expect(found.active).toBeUndefined()
    found.close()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked).toHaveLength(5)
  })

  it('keeps rows through errors in what is typed, and while nobody answers', async () => {
    const { found, asked } = scripted()
    found.search(request('a'))
    asked[0]!.answer(answerOf(1))
    await turn()
    found.search(request('a ('))
    asked[1]!.fail(new QueryError({ code: 'SYNTAX', message: 'not closed', position: 2, expected: ')' }))
    await turn()
    found.outdate()
    expect([found.total, found.failure]).toEqual([1, ''])
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked).toHaveLength(2)
    found.search(request('a'))
    asked[2]!.answer(answerOf(1))
    await turn()
    found.outdate()
    await vi.advanceTimersByTimeAsync(5_000)
    asked[3]!.fail(new UnavailableError('away'))
    await turn()
    expect(found.total).toBe(1)
    // What never had an answer has none to show.
    found.search(request('b'))
    asked[4]!.fail(new UnavailableError('away'))
    await turn()
    expect([found.total, found.failure]).toEqual([0, 'away'])
    await vi.advanceTimersByTimeAsync(5_000)
    asked[5]!.answer(answerOf(1, 2))
    await turn()
    expect([found.total, found.failure]).toEqual([2, ''])
    found.close()
  })

  it('asks less often for what takes long', async () => {
    const { found, asked } = scripted()
    found.search(request('a'))
    asked[0]!.answer({ ...answerOf(1), tookMs: 300 })
    await turn()
    found.outdate()
    await vi.advanceTimersByTimeAsync(5_900)
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(asked).toHaveLength(2)
    asked[1]!.answer(answerOf(1))
    await turn()
    found.outdate()
    await vi.advanceTimersByTimeAsync(240)
    expect(asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(20)
    expect(asked).toHaveLength(3)
    found.close()
  })

  it('gives up where a gateway knows no rows', async () => {
    const { found, asked } = scripted()
    found.search(request('a'))
    asked[0]!.fail(new RequestError(404, 'NOT_FOUND', 'nothing here'))
    await turn()
    found.outdate()
    await vi.advanceTimersByTimeAsync(20_000)
    expect([found.total, asked.length]).toEqual([0, 1])
    found.close()
  })
})
