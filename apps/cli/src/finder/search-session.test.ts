import {
  type LiveChange,
  QueryError,
  type SearchParams,
  type SearchResult,
  UnavailableError,
  type WatchHandlers,
} from '@hotpath/client'
import { expect, test } from 'vitest'
import { FakeIndex } from '../testing/fake-index.js'
import { PAGE_ROWS, type WantedSearch } from './results.js'
import { SearchSession } from './search-session.js'

const wanted = (text: string): WantedSearch => ({ text, sort: 'size-desc', fuzzy: true })
const rows = Array.from({ length: 300 }, (_, i) => ({ path: `/${i}` }))

/** An index whose answers come when the test says so. */
class SlowIndex extends FakeIndex {
  readonly waiting: { params: SearchParams; answer(): void; fail(error: Error): void }[] = []
  handlers: WatchHandlers | undefined
  closes = 0

  override search(params: SearchParams): Promise<SearchResult> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ params, answer: () => void super.search(params).then(resolve), fail: reject })
    })
  }

  override async live(params: SearchParams, handlers: WatchHandlers) {
    this.calls.push(`watch ${String(params.query)}`)
    this.handlers = handlers
    return { ended: new Promise<void>(() => {}), close: () => void this.closes++ }
  }
}

function begin(settledMs = 1, count = rows.length) {
  const index = new SlowIndex(rows.slice(0, count))
  const heard: string[] = []
  const session = new SearchSession(
    index,
    {
      onAnswer: (search, page, answer, isFresh) =>
        heard.push(`${search.text} ${page} ${answer.hits.length} ${isFresh}`),
      onProblem: (search, error) => heard.push(`${search.text}: ${error.message}`),
      onStale: () => heard.push('stale'),
      onAway: reason => heard.push(reason),
    },
    settledMs,
  )
  return { index, heard, session }
}

test('a newer search replaces the older one, whose answer nobody hears', async () => {
  const { index, heard, session } = begin()
  session.ask(wanted('a'))
  session.ask(wanted('ab'))
  expect(index.waiting.map(({ params }) => params.signal?.aborted)).toEqual([true, false])
  index.waiting[1]!.answer()
  index.waiting[0]!.answer()
  await expect.poll(() => heard).toEqual([`ab 0 ${PAGE_ROWS} true`])
  expect(index.waiting[1]!.params).toMatchObject({
    query: 'ab',
    match: 'auto',
    fuzzy: false,
    sort: 'size',
    descending: true,
  })
  session.close()
})

test('what is found as it is written is shown first; hits that forgive mistakes follow where there is room for them', async () => {
  const few = begin(10_000, 3)
  few.session.ask(wanted('a'))
  few.index.waiting[0]!.answer()
  await expect.poll(() => few.index.waiting.length).toBe(2)
  expect(few.heard).toEqual(['a 0 3 true'])
  expect(few.index.waiting.map(({ params }) => params.fuzzy)).toEqual([false, true])
  few.index.waiting[1]!.answer()
  await expect.poll(() => few.heard).toHaveLength(2)
  few.session.close()
  // That nothing is written like that is no answer yet.
  const none = begin(10_000, 0)
  none.session.ask(wanted('a'))
  none.index.waiting[0]!.answer()
  await expect.poll(() => none.index.waiting.length).toBe(2)
  expect(none.heard).toEqual([])
  none.index.waiting[1]!.answer()
  await expect.poll(() => none.heard).toEqual(['a 0 0 true'])
  none.session.close()
  // A full page, and a search that forgives nothing, are asked for once.
  const full = begin(10_000)
  full.session.ask(wanted('a'))
  full.index.waiting[0]!.answer()
  await expect.poll(() => full.heard).toHaveLength(1)
  full.session.ask({ ...wanted('a'), fuzzy: false })
  full.index.waiting[1]!.answer()
  await expect.poll(() => full.heard).toHaveLength(2)
  expect(full.index.waiting).toHaveLength(2)
  full.session.close()
})

test('further pages are asked for by their place', async () => {
  const { index, heard, session } = begin(10_000)
  session.ask(wanted('a'))
  index.waiting[0]!.answer()
  await expect.poll(() => heard).toHaveLength(1)
  session.more(1, 2)
  expect(index.waiting[1]!.params).toMatchObject({ offset: PAGE_ROWS, limit: 2 * PAGE_ROWS })
  index.waiting[1]!.answer()
  await expect.poll(() => heard.at(-1)).toBe(`a 1 ${300 - PAGE_ROWS} false`)
  session.close()
})

test('a search that stays is followed; one that is replaced is not any more', async () => {
  const { index, heard, session } = begin()
  session.ask(wanted('a'))
  index.waiting[0]!.answer()
  await expect.poll(() => index.calls).toContain('watch a')
  await index.handlers!.onChange({} as LiveChange)
  expect(heard.at(-1)).toBe('stale')
  session.ask(wanted('b'))
  expect(index.closes).toBe(1)
  const before = heard.length
  await index.handlers!.onChange({} as LiveChange)
  expect(heard).toHaveLength(before)
  session.close()
})

test('a query that is wrong is told, an index that is away is asked again', async () => {
  const { index, heard, session } = begin()
  session.ask(wanted('size:'))
  index.waiting[0]!.fail(new QueryError({ code: 'SYNTAX', message: 'no size', position: 5, expected: '' }))
  await expect.poll(() => heard).toEqual(['size:: no size'])
  session.ask(wanted('a'))
  index.waiting[1]!.fail(new UnavailableError('away'))
  await expect.poll(() => index.waiting.length).toBe(3)
  expect(heard.at(-1)).toBe('away')
  index.waiting[2]!.answer()
  await expect.poll(() => heard.at(-1)).toBe(`a 0 ${PAGE_ROWS} true`)
  session.close()
})
