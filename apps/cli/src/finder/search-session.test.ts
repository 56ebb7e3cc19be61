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

  override async watch(params: SearchParams, handlers: WatchHandlers) {
    this.calls.push(`watch ${String(params.query)}`)
    this.handlers = handlers
    return { ended: new Promise<void>(() => {}), close: () => void this.closes++ }
  }
}

function begin(settledMs = 1) {
  const index = new SlowIndex(rows)
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
    fuzzy: true,
    sort: 'size',
    descending: true,
  })
  session.close()
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
