import type { Engine } from '@hotpath/engine'
import { InvalidInputError } from '@hotpath/model'
import { parseQuery, type Sort } from '@hotpath/query'
import { formatMs } from './format.js'
import type { Measured } from './report.js'
import { median, type Spread } from './statistics.js'

/** Rows of a page in all rows of the benchmark. */
export const PAGE_ROWS = 100

/** What a query of any list has. */
export interface TimedQuery {
  readonly text: string
  readonly sort: Sort
}

/** One query, asked several times; each figure is the median, so that one interruption counts nothing. */
export interface QueryTimes<Q extends TimedQuery = TimedQuery> {
  readonly query: Q
  /** From the text to the first hundred rows. */
  readonly pageMs: number
  /** From the text to rows and exact total. */
  readonly totalMs: number
  readonly total: number
}

export type Match = 'name' | 'auto'

/** The whole list again and again, not each query again and again: caches of the processor are as in real use. */
export function timeQueries<Q extends TimedQuery>(
  engine: Engine,
  queries: readonly Q[],
  match: Match,
  repeats: number,
): QueryTimes<Q>[] {
  const pages = queries.map((): number[] => [])
  const totals = queries.map((): number[] => [])
  const counts = queries.map(() => 0)
  // The first round maps pages and compiles; it is not counted.
  for (let round = 0; round <= repeats; round++) {
    // What a worker does between searches.
    if (round === 1) engine.settle(Number.POSITIVE_INFINITY)
    for (const [index, query] of queries.entries()) {
      const { pageMs, totalMs, total } = timeQuery(engine, query, match)
      counts[index] = total
      if (round === 0) continue
      pages[index]!.push(pageMs)
      totals[index]!.push(totalMs)
    }
  }
  return queries.map((query, i) => ({
    query,
    pageMs: median(pages[i]!),
    totalMs: median(totals[i]!),
    total: counts[i]!,
  }))
}

/** One search now. @throws InvalidInputError if the text is no query */
export function timeQuery(engine: Engine, { text, sort }: TimedQuery, match: Match): Omit<QueryTimes, 'query'> {
  const nowMs = Date.now()
  // The engine's own figure for the page begins after parsing.
  const parseStartedMs = performance.now()
  parseQuery(text, { now: nowMs, match })
  const startedMs = performance.now()
  // The same query comes again and again: what was kept of it would be measured.
  const result = engine.search({ text, sort, match, nowMs, limit: PAGE_ROWS, offset: 0, noCache: true })
  const totalMs = performance.now() - startedMs
  if ('kind' in result) throw new InvalidInputError('query', 'a query', `${text}: ${result.message}`)
  return { pageMs: startedMs - parseStartedMs + result.pageMs, totalMs, total: result.total }
}

/** Times of many queries in one line. */
export function measuredQueries({ p50, p90, p99, max, count }: Spread): Measured {
  return {
    text: `p50 ${formatMs(p50)}, p90 ${formatMs(p90)}, p99 ${formatMs(p99)}, max ${formatMs(max)}`,
    figures: { p50Ms: p50, p90Ms: p90, p99Ms: p99, maxMs: max, queries: count },
  }
}

/** `size-desc` and so on, as people write it. */
export function sortName({ column, descending }: Sort): string {
  return `${column}${descending ? '-desc' : ''}`
}
