import type { Engine } from '@hotpath/engine'
import { InvalidInputError } from '@hotpath/model'
import { SORT_COLUMNS, type Sort } from '@hotpath/query'
import type { BenchContext } from '../bench-context.js'
import { openEngine } from '../engine-index.js'
import { formatCount, formatMs } from '../format.js'
import { findProgram, runProgram } from '../peers/program.js'
import { PAGE_ROWS, sortName } from '../query-timing.js'
import { type BenchRow, type Measured, type Peer, row } from '../report.js'
import { spreadOf } from '../statistics.js'

/** All entries, and what most names hold. */
const QUERIES = ['', 'e']
/** Where pages are, as shares of all hits. */
const PLACES = [0.01, 0.3, 0.5, 0.99]
/** Of these, those of the round that warms. */
const WARM_PLACES = PLACES.slice(2)
const FIRST_LIMIT_MS = 500
const NEXT_LIMIT_MS = 50

/** Pages far down all orders of one query. */
interface DeepTimes {
  readonly text: string
  readonly sort: Sort
  /** Nothing of the order is known. */
  readonly first: readonly number[]
  /** The page behind each of these. */
  readonly next: readonly number[]
}

/** Pages far down long lists, as a scroll bar asks for them. */
export async function deepPageRows(context: BenchContext): Promise<BenchRow[]> {
  const { store } = await context.engineIndex()
  const opened = await openEngine(store)
  const { engine } = opened
  try {
    context.log('pages far down in the engine')
    const times: DeepTimes[] = []
    for (const text of QUERIES) {
      for (const column of SORT_COLUMNS) {
        for (const descending of [false, true]) times.push(timed(engine, text, { column, descending }))
      }
    }
    return [deepRow(times, [await plocatePeer(context)])]
  } finally {
    await opened.close()
  }
}

function timed(engine: Engine, text: string, sort: Sort): DeepTimes {
  const { total } = search(engine, text, sort, 0)
  const first: number[] = []
  const next: number[] = []
  // The first round maps pages, and learns what stays known of a segment (extensions, depths, lengths of names).
  for (const round of [0, 1]) {
    for (const place of round === 0 ? WARM_PLACES : PLACES) {
      // Any operation makes the engine forget the places of orders.
      engine.apply([])
      const offset = Math.floor(total * place)
      const found = search(engine, text, sort, offset)
      const followed = search(engine, text, sort, offset + PAGE_ROWS)
      if (round === 0) continue
      first.push(found.pageMs)
      next.push(followed.pageMs)
    }
    engine.settle(Number.POSITIVE_INFINITY)
  }
  return { text, sort, first, next }
}

function search(engine: Engine, text: string, sort: Sort, offset: number) {
  const result = engine.search({ text, sort, match: 'name', nowMs: Date.now(), limit: PAGE_ROWS, offset })
  if ('kind' in result) throw new InvalidInputError('query', 'a query', `${text}: ${result.message}`)
  return result
}

function deepRow(times: readonly DeepTimes[], peers: readonly Peer[]): BenchRow {
  const first = spreadOf(times.flatMap(each => each.first))
  const next = spreadOf(times.flatMap(each => each.next))
  const ours: Measured = {
    text: `p50 ${formatMs(first.p50)}, max ${formatMs(first.max)}; next p50 ${formatMs(next.p50)}, max ${formatMs(next.max)}`,
    figures: { p50Ms: first.p50, maxMs: first.max, nextP50Ms: next.p50, nextMaxMs: next.max, pages: first.count },
  }
  const worst = (values: readonly number[]): string => formatMs(Math.max(...values))
  return row({
    id: 'pages.deep',
    what: `${PAGE_ROWS} rows anywhere in long lists`,
    ours,
    budget: {
      text: `max ≤ ${FIRST_LIMIT_MS} ms, next ≤ ${NEXT_LIMIT_MS} ms`,
      met: first.max <= FIRST_LIMIT_MS && next.max <= NEXT_LIMIT_MS,
    },
    peers,
    notes: [`behind ${PLACES.map(place => `${place * 100} %`).join(', ')} of the hits of each query, in each order`],
    details: [
      {
        title: 'the slowest page of each order',
        columns: [
          { title: 'query', width: 8 },
          { title: 'order', width: 16 },
          { title: 'page', width: 9, align: 'right' },
          { title: 'next page', width: 9, align: 'right' },
        ],
        rows: times.map(({ text, sort, first, next }) => [text, sortName(sort), worst(first), worst(next)]),
      },
    ],
  })
}

/** plocate has one order, that of its database, and prints it from the beginning. */
async function plocatePeer(context: BenchContext): Promise<Peer> {
  const name = 'plocate -l, all paths up to the middle'
  const program = findProgram('plocate')
  const database = await context.plocate()
  if (program === undefined || database === undefined) return { name, text: 'plocate is not installed' }
  const { entries } = await context.engineIndex()
  const rows = Math.floor(entries / 2) + PAGE_ROWS
  const { wallMs } = await runProgram(program, ['-d', database.file, '-l', `${rows}`, '/'])
  return { name, text: `${formatMs(wallMs)} for ${formatCount(rows)} rows, whole process`, figures: { wallMs } }
}
