import type { Engine } from '@hotpath/engine'
import type { BenchContext } from '../bench-context.js'
import { openEngine } from '../engine-index.js'
import { formatCount, formatMs } from '../format.js'
import { searchPlocate } from '../peers/plocate.js'
import { findProgram } from '../peers/program.js'
import { type BenchQuery, type BudgetGroup, budgetGroupOf, plocatePatterns } from '../queries.js'
import { measuredQueries, PAGE_ROWS, type QueryTimes, sortName, timeQueries } from '../query-timing.js'
import { type BenchRow, type Detail, type Peer, row } from '../report.js'
import { spreadOf } from '../statistics.js'

/** Queries shown by name. */
const WORST = 5

type MixTimes = QueryTimes<BenchQuery>

/** The mix in the engine: warm, nothing cached, one search at a time; a second thread helps to verify names. */
export async function engineQueryRows(context: BenchContext): Promise<BenchRow[]> {
  const { store } = await context.engineIndex()
  const { queries } = await context.corpus()
  const opened = await openEngine(store)
  const { engine } = opened
  try {
    context.log('queries in the engine')
    const repeats = context.scale(7, 3)
    const byName = timeQueries(engine, queries, 'name', repeats)
    const plain = queries.filter(query => budgetGroupOf(query) !== 'path')
    const byPath = timeQueries(engine, plain, 'auto', repeats)
    const of = (group: BudgetGroup): MixTimes[] => byName.filter(({ query }) => budgetGroupOf(query) === group)
    const peers = await plocatePeers(context, byName)
    const paths = [...of('path'), ...byPath]
    return [
      pageRow(byName, repeats, peers.page),
      totalRow('query.total-term', 'exact total in the same answer, one term', of('term'), { p99: 5 }, peers.total),
      totalRow('query.total-several', 'exact total, several terms or filters', of('several'), { p99: 30 }),
      totalRow('query.total-path', 'exact total, match in the path (`path:`, separators, match=auto)', paths, {
        p50: 5,
        p99: 60,
      }),
      shortRow(engine, repeats),
    ]
  } finally {
    await opened.close()
  }
}

function pageRow(times: readonly MixTimes[], repeats: number, peer: Peer): BenchRow {
  const spread = spreadOf(times.map(({ pageMs }) => pageMs))
  return row({
    id: 'query.page',
    what: `first ${PAGE_ROWS} by any sort, ignoring case, not cached`,
    ours: measuredQueries(spread),
    budget: { text: 'p50 ≤ 0.5 ms, p99 ≤ 5 ms', met: spread.p50 <= 0.5 && spread.p99 <= 5 },
    peers: [peer],
    notes: [`${times.length} queries, each the median of ${repeats} rounds over the whole mix after one that warms`],
    details: [classTable(times), worstTable(times)],
  })
}

function totalRow(
  id: string,
  what: string,
  times: readonly MixTimes[],
  budget: { p50?: number; p99: number },
  peer?: Peer,
): BenchRow {
  const spread = spreadOf(times.map(({ totalMs }) => totalMs))
  const { p50, p99 } = budget
  return row({
    id,
    what,
    ours: measuredQueries(spread),
    budget: {
      text: `${p50 === undefined ? '' : `p50 ≤ ${p50} ms, `}p99 ≤ ${p99} ms`,
      met: (p50 === undefined || spread.p50 <= p50) && spread.p99 <= p99,
    },
    peers: peer ? [peer] : [],
    details: [worstTable(times)],
  })
}

/** Every letter and digit, and pairs that are frequent and that are rare. */
const SHORT_NEEDLES = [
  ...'abcdefghijklmnopqrstuvwxyz0123456789.-_é',
  ...['us', 'in', 'er', 'ab', 'zz', 'qx', 'io', '.h', '.c', '-1', '3d', 'li', 'jq', 'é1', '_t', '0x'],
]

function shortRow(engine: Engine, repeats: number): BenchRow {
  const queries = SHORT_NEEDLES.map(text => ({
    group: text.length === 1 ? 'one' : 'two',
    text,
    sort: { column: 'name', descending: false } as const,
  }))
  const times = timeQueries(engine, queries, 'name', repeats)
  const spread = spreadOf(times.map(({ totalMs }) => totalMs))
  return row({
    id: 'query.short',
    what: 'one and two characters, page and exact total',
    ours: measuredQueries(spread),
    budget: { text: 'p99 ≤ 5 ms', met: spread.p99 <= 5 },
    details: [worstTable(times)],
  })
}

function classTable(times: readonly MixTimes[]): Detail {
  const groups = [...new Set(times.map(({ query }) => query.group))].sort()
  return {
    title: 'milliseconds per class of query: page, then page and exact total',
    columns: [
      { title: 'class', width: 12 },
      { title: 'queries', width: 7, align: 'right' },
      ...['page p50', 'p90', 'p99', 'total p50', 'p90', 'p99'].map(title => ({
        title,
        width: 9,
        align: 'right' as const,
      })),
    ],
    rows: groups.map(group => {
      const own = times.filter(({ query }) => query.group === group)
      const spreads = [spreadOf(own.map(({ pageMs }) => pageMs)), spreadOf(own.map(({ totalMs }) => totalMs))]
      return [group, `${own.length}`, ...spreads.flatMap(({ p50, p90, p99 }) => [p50, p90, p99].map(v => v.toFixed(3)))]
    }),
  }
}

function worstTable(times: readonly MixTimes[]): Detail {
  const worst = [...times].sort((a, b) => b.totalMs - a.totalMs).slice(0, WORST)
  return {
    title: `the ${worst.length} slowest queries`,
    columns: [
      { title: 'query', width: 40 },
      { title: 'class', width: 10 },
      { title: 'sort', width: 13 },
      { title: 'page', width: 9, align: 'right' },
      { title: 'total', width: 9, align: 'right' },
      { title: 'hits', width: 11, align: 'right' },
    ],
    rows: worst.map(({ query, pageMs, totalMs, total }) => [
      query.text,
      query.group,
      sortName(query.sort),
      formatMs(pageMs),
      formatMs(totalMs),
      formatCount(total),
    ]),
  }
}

/** The same questions to plocate, as whole processes; a sample, since some take seconds. */
async function plocatePeers(context: BenchContext, times: readonly MixTimes[]): Promise<{ page: Peer; total: Peer }> {
  const program = findProgram('plocate')
  const database = await context.plocate()
  const missing = (name: string): Peer => ({ name, text: 'not installed' })
  const names = { page: 'plocate -i -b -l 100', total: 'plocate -i -b -c' }
  if (program === undefined || database === undefined) {
    return { page: missing(names.page), total: missing(names.total) }
  }
  const askable = times.filter(({ query }) => plocatePatterns(query) !== undefined)
  const wanted = context.scale(40, 10)
  const step = Math.max(1, Math.floor(askable.length / wanted))
  const sample = askable.filter((_, index) => index % step === 0).slice(0, wanted)
  context.log('the same queries to plocate')
  const ask = async (name: string, what: 'first 100' | 'count', ours: (times: MixTimes) => number): Promise<Peer> => {
    const found: number[] = []
    for (const { query } of sample) {
      found.push(await searchPlocate(program, database.file, plocatePatterns(query)!, what))
    }
    const spread = spreadOf(found)
    const own = spreadOf(sample.map(ours))
    return {
      name,
      text:
        `p50 ${formatMs(spread.p50)}, max ${formatMs(spread.max)} for ${sample.length} of the queries, with the start ` +
        `of the process; ours for these: p50 ${formatMs(own.p50)}, max ${formatMs(own.max)}`,
      figures: { p50Ms: spread.p50, p99Ms: spread.p99, maxMs: spread.max, oursP50Ms: own.p50, oursMaxMs: own.max },
    }
  }
  return {
    page: await ask(names.page, 'first 100', ({ pageMs }) => pageMs),
    total: await ask(names.total, 'count', ({ totalMs }) => totalMs),
  }
}
