import { join } from 'node:path'
import { evictFile } from '@hotpath/platform'
import type { BenchContext } from '../bench-context.js'
import { ColdEngine } from '../cold-engine.js'
import { formatCount, formatMegabytes, formatMs } from '../format.js'
import { searchPlocate } from '../peers/plocate.js'
import { findProgram } from '../peers/program.js'
import { type BenchQuery, plocatePatterns } from '../queries.js'
import { PAGE_ROWS, sortName, timeQuery } from '../query-timing.js'
import { type BenchRow, type Detail, type Peer, row } from '../report.js'
import { median, type Spread, spreadOf } from '../statistics.js'

const ID = 'query.cold'
const BUDGET_MS = 22
/** Blocks of names that a selective query looks at, of all segments and tables. */
const MOST_BLOCKS = 500
/** Share of the pages that may stay in memory for the file to count as evicted. */
const MOST_RESIDENT = 0.01
const PAGE_BYTES = 4096
const SLOWEST = 8
/** Classes whose queries ask for more than names: they read whole columns or the tree. */
const NOT_OF_NAMES = new Set(['size', 'date', 'separator', 'path'])

interface ColdTimes {
  readonly query: BenchQuery
  readonly pageMs: number
  readonly totalMs: number
  readonly warmMs: number
  readonly pagesRead: number
  /** Of them, those for which the search stood still one by one. */
  readonly waits: number
  readonly blocks: number
}

/** Queries that look at few blocks of names, with nothing of the index but its small tables in memory. */
export async function coldQueryRows(context: BenchContext): Promise<BenchRow[]> {
  const { store } = await context.engineIndex()
  const { queries } = await context.corpus()
  context.log('queries with a cold page cache')
  const cold = new ColdEngine(store, join(context.folder, 'cold'))
  const what = `selective queries (≤ ${MOST_BLOCKS} blocks of names) with a cold page cache, page and exact total`
  try {
    const selective = selectiveQueries(cold, queries)
    const sample = evenly(selective, context.scale(150, 12))
    const left = await cold.restart()
    if (left.residentPages > left.pages * MOST_RESIDENT) {
      const why = `${formatCount(left.residentPages)} of ${formatCount(left.pages)} pages stayed in memory when evicted`
      return [row({ id: ID, what, skipped: `${why}: set TMPDIR to a folder that is on a disk` })]
    }
    const opened = cold.residency().residentPages
    const times: ColdTimes[] = []
    for (const each of sample) times.push(await timeCold(cold, each, context.scale(3, 1)))
    return [
      row({
        id: ID,
        what,
        ...resultOf(times),
        peers: [await plocatePeer(context, times)],
        notes: [
          `${times.length} of the ${selective.length} queries of the mix that look at ≤ ${MOST_BLOCKS} blocks, of all classes but ` +
            `${[...NOT_OF_NAMES].join(', ')}; each the median of ${context.scale(3, 1)} times, evicted before each; ` +
            `${left.residentPages} of ${formatCount(left.pages)} pages stayed`,
          `opening reads ${formatMegabytes(opened * PAGE_BYTES)} of small tables before the first query; the program and its code stay warm`,
        ],
        details: [classTable(times), slowestTable(times)],
      }),
    ]
  } finally {
    cold.close()
  }
}

/** Queries and the blocks that they looked at; asking all of them also compiles what answers them. */
function selectiveQueries(cold: ColdEngine, queries: readonly BenchQuery[]): { query: BenchQuery; blocks: number }[] {
  return queries
    .filter(({ group }) => !NOT_OF_NAMES.has(group))
    .map(query => {
      const { text, sort } = query
      const options = {
        text,
        sort,
        match: 'name',
        nowMs: Date.now(),
        limit: PAGE_ROWS,
        offset: 0,
        explain: true,
      } as const
      const result = cold.engine.search(options)
      const blocks = 'kind' in result ? Number.POSITIVE_INFINITY : result.explanation?.blocksVerified
      return { query, blocks: blocks ?? Number.POSITIVE_INFINITY }
    })
    .filter(({ blocks }) => blocks <= MOST_BLOCKS)
}

async function timeCold(
  cold: ColdEngine,
  { query, blocks }: { query: BenchQuery; blocks: number },
  repeats: number,
): Promise<ColdTimes> {
  const pages: number[] = []
  const totals: number[] = []
  const read: number[] = []
  const waits: number[] = []
  for (let round = 0; round < repeats; round++) {
    await cold.restart()
    const before = cold.residency().residentPages
    const waitsBefore = process.resourceUsage().majorPageFault
    const { pageMs, totalMs } = timeQuery(cold.engine, query, 'name')
    waits.push(process.resourceUsage().majorPageFault - waitsBefore)
    read.push(cold.residency().residentPages - before)
    pages.push(pageMs)
    totals.push(totalMs)
  }
  const warm = Array.from({ length: 3 }, () => timeQuery(cold.engine, query, 'name').totalMs)
  return {
    query,
    blocks,
    pageMs: median(pages),
    totalMs: median(totals),
    warmMs: median(warm),
    pagesRead: median(read),
    waits: median(waits),
  }
}

function resultOf(times: readonly ColdTimes[]): Pick<BenchRow, 'ours' | 'budget'> {
  const totals = spreadOf(times.map(({ totalMs }) => totalMs))
  const pages = spreadOf(times.map(({ pageMs }) => pageMs))
  const warm = spreadOf(times.map(({ warmMs }) => warmMs))
  const read = spreadOf(times.map(({ pagesRead }) => pagesRead))
  const waits = spreadOf(times.map(each => each.waits))
  const line = ({ p50, p99, max }: Spread): string => `p50 ${formatMs(p50)}, p99 ${formatMs(p99)}, max ${formatMs(max)}`
  return {
    ours: {
      text: `${line(totals)}; page alone ${line(pages)}; pages read p50 ${read.p50}, p99 ${read.p99}, waited for by themselves p50 ${waits.p50}, p99 ${waits.p99}`,
      figures: {
        p50Ms: totals.p50,
        p90Ms: totals.p90,
        p99Ms: totals.p99,
        maxMs: totals.max,
        pageP50Ms: pages.p50,
        pageP99Ms: pages.p99,
        pageMaxMs: pages.max,
        warmP50Ms: warm.p50,
        warmP99Ms: warm.p99,
        pagesReadP50: read.p50,
        pagesReadP99: read.p99,
        waitsP50: waits.p50,
        waitsP99: waits.p99,
        queries: totals.count,
      },
    },
    budget: { text: `p99 ≤ ${BUDGET_MS} ms`, met: totals.p99 <= BUDGET_MS },
  }
}

async function plocatePeer(context: BenchContext, times: readonly ColdTimes[]): Promise<Peer> {
  const name = 'plocate -i -b -c, database evicted'
  const program = findProgram('plocate')
  const database = await context.plocate()
  if (program === undefined || database === undefined) return { name, text: 'not installed' }
  const askable = evenly(
    times.filter(({ query }) => plocatePatterns(query) !== undefined),
    context.scale(40, 4),
  )
  const found: number[] = []
  for (const { query } of askable) {
    evictFile(database.file)
    found.push(await searchPlocate(program, database.file, plocatePatterns(query)!, 'count'))
  }
  const spread = spreadOf(found)
  const own = spreadOf(askable.map(({ totalMs }) => totalMs))
  return {
    name,
    text:
      `p50 ${formatMs(spread.p50)}, p99 ${formatMs(spread.p99)}, max ${formatMs(spread.max)} for ${askable.length} of the queries, ` +
      `with the start of its process; ours for these: p50 ${formatMs(own.p50)}, max ${formatMs(own.max)}`,
    figures: { p50Ms: spread.p50, p99Ms: spread.p99, maxMs: spread.max, oursP50Ms: own.p50, oursMaxMs: own.max },
  }
}

function classTable(times: readonly ColdTimes[]): Detail {
  const groups = [...new Set(times.map(({ query }) => query.group))].sort()
  return {
    title: 'milliseconds per class of query, cold and then warm',
    columns: [
      { title: 'class', width: 12 },
      ...['queries', 'cold p50', 'cold max', 'warm p50', 'pages read', 'waits'].map(title => ({
        title,
        width: 10,
        align: 'right' as const,
      })),
    ],
    rows: groups.map(group => {
      const own = times.filter(({ query }) => query.group === group)
      const cold = spreadOf(own.map(({ totalMs }) => totalMs))
      return [
        group,
        `${own.length}`,
        cold.p50.toFixed(2),
        cold.max.toFixed(2),
        median(own.map(({ warmMs }) => warmMs)).toFixed(2),
        `${median(own.map(({ pagesRead }) => pagesRead))}`,
        `${median(own.map(({ waits }) => waits))}`,
      ]
    }),
  }
}

function slowestTable(times: readonly ColdTimes[]): Detail {
  const slowest = [...times].sort((a, b) => b.totalMs - a.totalMs).slice(0, SLOWEST)
  return {
    title: `the ${slowest.length} slowest queries`,
    columns: [
      { title: 'query', width: 30 },
      { title: 'class', width: 10 },
      { title: 'sort', width: 13 },
      { title: 'blocks', width: 7, align: 'right' },
      { title: 'pages read', width: 10, align: 'right' },
      { title: 'waits', width: 6, align: 'right' },
      { title: 'cold', width: 9, align: 'right' },
      { title: 'warm', width: 9, align: 'right' },
    ],
    rows: slowest.map(({ query, blocks, pagesRead, waits, totalMs, warmMs }) => [
      query.text,
      query.group,
      sortName(query.sort),
      `${blocks}`,
      `${pagesRead}`,
      `${waits}`,
      formatMs(totalMs),
      formatMs(warmMs),
    ]),
  }
}

/** Some of a list, evenly spaced. */
function evenly<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list]
  return Array.from({ length: count }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / count)]!)
}
