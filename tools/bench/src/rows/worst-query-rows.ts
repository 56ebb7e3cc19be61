import { parseSort, type Sort } from '@hotpath/query'
import type { BenchContext } from '../bench-context.js'
import { openEngine } from '../engine-index.js'
import { formatCount, formatMs } from '../format.js'
import { type QueryTimes, sortName, timeQueries } from '../query-timing.js'
import { type BenchRow, type Detail, row } from '../report.js'
import { spreadOf } from '../statistics.js'

const PAGE_BUDGET_MS = 8
const TOTAL_BUDGET_MS = 60

/**
 * What people type and no index helps with: nearly everything matches, two frequent terms meet, a filter without a name,
 * a negation. Written down by what they are, not by how long they take.
 */
export const WORST_QUERIES: readonly string[] = [
  '',
  '*',
  '*.*',
  'a',
  'e',
  'a e',
  'e a i o',
  'e !a',
  '!a',
  '!e ext:c',
  'a ext:c',
  'a|e',
  'html class',
  'lib test',
  '?a?',
  '*a*e*',
  'case:a',
  'size:>0',
  'size:<100kb',
  'a size:>100kb',
  'dm:>=2015',
  'e dm:2015',
  'folder:',
  'file:e',
  'len:>20',
]
/** All that the engine knows. */
const SORTS: readonly Sort[] = ['hot', 'name', 'path', 'size', 'modified', 'created', 'accessed', 'ext']
  .flatMap(name => [parseSort(name), parseSort(`${name}-desc`)])
  .filter(sort => sort !== undefined)

/** The worst queries anyone can type, by every sort. */
export async function worstQueryRows(context: BenchContext): Promise<BenchRow[]> {
  const { store } = await context.engineIndex()
  const opened = await openEngine(store)
  try {
    context.log('the worst queries')
    const repeats = context.scale(3, 1)
    const queries = WORST_QUERIES.flatMap(text => SORTS.map(sort => ({ text, sort })))
    const times = timeQueries(opened.engine, queries, 'name', repeats)
    const pages = spreadOf(times.map(({ pageMs }) => pageMs))
    const totals = spreadOf(times.map(({ totalMs }) => totalMs))
    return [
      row({
        id: 'query.worst',
        what: `the worst queries anyone can type: ${WORST_QUERIES.length} queries by ${SORTS.length} sorts`,
        ours: {
          text:
            `page p50 ${formatMs(pages.p50)}, p99 ${formatMs(pages.p99)}, worst ${formatMs(pages.max)}; ` +
            `total p50 ${formatMs(totals.p50)}, p99 ${formatMs(totals.p99)}, worst ${formatMs(totals.max)}`,
          figures: {
            pageP50Ms: pages.p50,
            pageP99Ms: pages.p99,
            pageMaxMs: pages.max,
            totalP50Ms: totals.p50,
            totalP99Ms: totals.p99,
            totalMaxMs: totals.max,
            queries: WORST_QUERIES.length,
            sorts: SORTS.length,
          },
        },
        budget: {
          text: `page ≤ ${PAGE_BUDGET_MS} ms, total ≤ ${TOTAL_BUDGET_MS} ms, each of them`,
          met: pages.max <= PAGE_BUDGET_MS && totals.max <= TOTAL_BUDGET_MS,
        },
        notes: [`each the median of ${repeats} rounds over all of them after one that warms`],
        details: [perQuery(times), perSort(times)],
      }),
    ]
  } finally {
    await opened.close()
  }
}

function timesOf(times: readonly QueryTimes[], text: string): QueryTimes[] {
  return times.filter(({ query }) => query.text === text)
}

function shown(text: string): string {
  return text === '' ? '(empty)' : text
}

/** For each query: the sort that is slowest, of its page and of its total. */
function perQuery(times: readonly QueryTimes[]): Detail {
  return {
    title: 'each query by its slowest sort',
    columns: [
      { title: 'query', width: 16 },
      { title: 'hits', width: 11, align: 'right' },
      { title: 'page', width: 9, align: 'right' },
      { title: 'by', width: 13 },
      { title: 'total', width: 9, align: 'right' },
      { title: 'by', width: 13 },
      { title: 'over budget', width: 11 },
    ],
    rows: WORST_QUERIES.map(text => {
      const own = timesOf(times, text)
      const page = own.reduce((worst, each) => (each.pageMs > worst.pageMs ? each : worst))
      const total = own.reduce((worst, each) => (each.totalMs > worst.totalMs ? each : worst))
      const over = [page.pageMs > PAGE_BUDGET_MS ? 'page' : '', total.totalMs > TOTAL_BUDGET_MS ? 'total' : '']
      return [
        shown(text),
        formatCount(page.total),
        formatMs(page.pageMs),
        sortName(page.query.sort),
        formatMs(total.totalMs),
        sortName(total.query.sort),
        over.filter(part => part !== '').join(', '),
      ]
    }),
  }
}

/** Milliseconds of the page of each query by each sort. */
function perSort(times: readonly QueryTimes[]): Detail {
  return {
    title: 'milliseconds of the page by sort; the second line is descending',
    columns: [
      { title: 'query', width: 16 },
      ...SORTS.filter(({ descending }) => !descending).map(({ column }) => ({
        title: column,
        width: 9,
        align: 'right' as const,
      })),
    ],
    rows: WORST_QUERIES.flatMap(text => {
      const own = timesOf(times, text)
      return [false, true].map(descending => [
        descending ? '' : shown(text),
        ...own.filter(({ query }) => query.sort.descending === descending).map(({ pageMs }) => pageMs.toFixed(2)),
      ])
    }),
  }
}
