import {
  CancelledError,
  type LiveHandlers,
  type MarkedHit,
  type MarkedResult,
  QueryError,
  UnavailableError,
} from '@hotpath/client/browser'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EMPTY_STATE, type SearchState } from '../state/page-state.js'
import { ResultList } from './result-list.js'

const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const

function resultOf(ids: readonly string[], more: Partial<MarkedResult> = {}): MarkedResult {
  const hits = ids.map(id => ({ id }) as MarkedHit)
  const head = { total: ids.length, fuzzyTotal: undefined, clock: '1', fresh, partial: false, tookMs: 1 }
  return { ...head, hits, explanation: undefined, ...more }
}

/** A gateway whose answers the test gives. */
function scripted() {
  const searches: {
    query: unknown
    offset: number | undefined
    answer(result: MarkedResult): void
    fail(error: Error): void
    isCancelled(): boolean
  }[] = []
  const watches: { query: unknown; offset: number | undefined; handlers: LiveHandlers; isClosed: boolean }[] = []
  const moved: ((id: string) => number | undefined)[] = []
  const list = new ResultList(
    {
      search: ({ query, offset, signal }) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new CancelledError()))
          searches.push({
            query,
            offset,
            answer: resolve,
            fail: reject,
            isCancelled: () => signal?.aborted === true,
          })
        }),
      live: ({ query, offset }, handlers) => {
        const watch = { query, offset, handlers, isClosed: false }
        watches.push(watch)
        const close = () => {
          watch.isClosed = true
        }
        return { ended: new Promise(() => {}), close }
      },
    },
    placeOf => moved.push(placeOf),
  )
  return { list, searches, watches, moved }
}

const search = (query: string, more: Partial<SearchState> = {}): SearchState => ({ ...EMPTY_STATE, query, ...more })
const turn = async () => {
  for (let step = 0; step < 10; step++) await Promise.resolve()
}

describe('ResultList', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  async function shown(ids: readonly string[], more: Partial<MarkedResult> = {}) {
    const all = scripted()
    all.list.search(search('a'))
    all.searches[0]!.answer(resultOf(ids, more))
    await turn()
    return all
  }

  it('shows the former hits until the new ones are there, and cancels what is out of date', async () => {
    const { list, searches } = await shown(['x'])
    list.search(search('ab'))
    list.search(search('abc'))
    expect(searches[1]!.isCancelled()).toBe(true)
    expect(list.hit(0)?.id).toBe('x')
    expect(list.isSearching).toBe(true)
    searches[2]!.answer(resultOf(['y', 'z']))
    await turn()
    expect(list.rows).toBe(2)
    expect(list.hit(0)?.id).toBe('y')
    expect(list.searchCount).toBe(2)
    expect(list.isSearching).toBe(false)
  })

  it('counts fuzzy hits as rows, also when a later page does not count them', async () => {
    const { list, searches } = await shown(['x'], { total: 1, fuzzyTotal: 150 })
    expect(list.rows).toBe(151)
    list.look({ first: 100, end: 120 })
    searches[1]!.answer(resultOf([], { total: 1, fuzzyTotal: undefined }))
    await turn()
    expect(list.rows).toBe(151)
  })

  it('says where a query is wrong without what filters put before it', async () => {
    const { list, searches } = scripted()
    list.search(search('é(', { filters: { types: ['audio'], age: '', size: '' } }))
    expect(searches[0]!.query).toBe('audio: é(')
    searches[0]!.fail(new QueryError({ code: 'SYNTAX', message: 'at 9: wrong', position: 9, expected: ')' }))
    await turn()
    expect(list.failure).toEqual({ kind: 'query', problem: { message: 'wrong; expected )', position: 1 } })
    list.search(search('e'))
    searches[1]!.answer(resultOf(['x']))
    await turn()
    expect(list.failure).toBeUndefined()
  })

  it('tries again by itself while the gateway is away', async () => {
    const { list, searches } = scripted()
    list.search(search('a'))
    searches[0]!.fail(new UnavailableError('nobody is there'))
    await turn()
    expect(list.failure).toEqual({ kind: 'away', message: 'nobody is there' })
    vi.advanceTimersByTime(1_000)
    expect(searches).toHaveLength(2)
  })

  it('stays where it is while rows far down do not come in time', async () => {
    const { list, searches } = await shown(['x'], { total: 10_000_000 })
    list.look({ first: 5_000_000, end: 5_000_040 })
    searches[1]!.fail(new UnavailableError('the deadline passed'))
    await turn()
    expect(list.isSlow).toBe(true)
    expect(list.failure).toBeUndefined()
    vi.advanceTimersByTime(1_000)
    const again = searches.filter(({ offset }) => offset === 5_000_000)
    expect(again).toHaveLength(2)
    again[1]!.answer(resultOf(['far'], { total: 10_000_000 }))
    await turn()
    expect(list.hit(5_000_000)?.id).toBe('far')
    expect(list.isSlow).toBe(false)
    expect(list.searchCount).toBe(1)
  })

  it('follows what is looked at once it stands still, in place', async () => {
    const { list, watches, moved } = await shown(['x', 'y'])
    expect(watches).toHaveLength(0)
    vi.advanceTimersByTime(300)
    expect(watches).toMatchObject([{ query: 'a', offset: 0 }])
    const { handlers } = watches[0]!
    handlers.onHits(resultOf(['x', 'y']))
    expect(moved).toHaveLength(0)
    const added = [{ at: 0, hit: { id: 'new' } as MarkedHit }]
    const head = { total: 2, fuzzyTotal: undefined, clock: '2', fresh, partial: false }
    handlers.onChange({ ...head, removed: ['x'], changed: [], added })
    expect([0, 1].map(row => list.hit(row)?.id)).toEqual(['new', 'y'])
    expect(moved[0]!('y')).toBe(1)
    expect(moved[0]!('x')).toBeUndefined()
    expect(list.head?.clock).toBe('2')
    handlers.onAway?.()
    expect(list.isAway).toBe(true)
    handlers.onResync(resultOf(['z'], { clock: '3' }), 'reconnected')
    expect(list.isAway).toBe(false)
    expect(list.hit(0)?.id).toBe('z')
    expect(list.rows).toBe(1)
  })

  it('follows elsewhere when something else is looked at, and nothing of an old search', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => String(at))
    const { list, searches, watches } = await shown(ids, { total: 5_000 })
    vi.advanceTimersByTime(300)
    list.look({ first: 10, end: 40 })
    vi.advanceTimersByTime(300)
    expect(watches).toHaveLength(1)
    list.look({ first: 1_010, end: 1_120 })
    vi.advanceTimersByTime(900)
    // Not before the rows are there.
    expect(watches).toHaveLength(1)
    for (const one of searches.slice(1)) one.answer(resultOf(ids, { total: 5_000 }))
    await turn()
    vi.advanceTimersByTime(300)
    expect(watches[0]!.isClosed).toBe(true)
    expect(watches[1]).toMatchObject({ offset: 1_000 })
    list.search(search('b'))
    expect(watches[1]!.isClosed).toBe(true)
    // What was on its way is of the former search.
    watches[1]!.handlers.onHits(resultOf(['old'], { total: 1, clock: '9' }))
    expect(list.head?.total).toBe(5_000)
    expect(searches.at(-1)!.query).toBe('b')
    list.close()
  })
})
