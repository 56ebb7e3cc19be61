import { join } from 'node:path'
import { type Client, connect } from '@hotpath/client'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMs, formatShare } from '../format.js'
import { measureEcho } from '../peers/echo.js'
import { type BenchRow, row } from '../report.js'
import { spreadOf } from '../statistics.js'

/** Queries in a message, and connections that send them: the shape for which the budget stands. */
const BATCH = 4
const CONNECTIONS = 4
/** Who asks over one connection at the same time, each for a batch: as the threads of a program, or the parts of a page. */
const ASKERS = 8
const PAGE_ROWS = 100
/** About what a query and a page of a hundred rows are on the wire. */
const REQUEST_BYTES = 100
const BYTES_PER_ROW = 130

/** One query again and again over the gateway's socket, beside a bare ZeroMQ echo. */
export async function repeatRows(context: BenchContext): Promise<BenchRow[]> {
  const { client, system } = await context.system()
  const { queries } = await context.corpus()
  context.log('one query again and again')
  const text = queries.find(({ group }) => group === 'middle' || group === 'token')?.text ?? 'a'
  const durationMs = context.scale(5_000, 500)
  const alone: number[] = []
  let aloneCached = 0
  const untilMs = performance.now() + durationMs
  for (let startedMs = performance.now(); startedMs < untilMs; startedMs = performance.now()) {
    const result = await client.search({ query: text, limit: PAGE_ROWS })
    alone.push(performance.now() - startedMs)
    if (result.cached) aloneCached++
  }
  // The first ones compile.
  const spread = spreadOf(alone.slice(Math.floor(alone.length / 10)))
  const { rows } = await client.search({ query: text, limit: PAGE_ROWS })
  const joined = await inBatches(system.dataDir, text, durationMs, ASKERS)
  const { perSecond } = joined
  const lone = await inBatches(system.dataDir, text, durationMs, 1)
  const echo = await measureEcho({
    socketPath: join(context.folder, 'echo.sock'),
    requestBytes: REQUEST_BYTES,
    replyBytes: 1 + rows.count * BYTES_PER_ROW,
    connections: CONNECTIONS,
    durationMs,
  })
  return [
    row({
      id: 'repeat.alone',
      what: `repeated query over the socket, ${rows.count} rows, one by one`,
      ours: {
        text: `p50 ${formatMs(spread.p50)}, p99 ${formatMs(spread.p99)}, ${formatShare(aloneCached / alone.length)} kept answers`,
        figures: { p50Ms: spread.p50, p99Ms: spread.p99, cachedShare: aloneCached / alone.length },
      },
      budget: { text: 'p50 ≤ 0.3 ms', met: spread.p50 <= 0.3 },
      peers: [
        {
          name: 'bare ZeroMQ echo',
          text: `p50 ${formatMs(echo.alone.p50)}, p99 ${formatMs(echo.alone.p99)}`,
          figures: { p50Ms: echo.alone.p50, p99Ms: echo.alone.p99 },
        },
      ],
    }),
    row({
      id: 'repeat.batches',
      what: `repeated query, ${rows.count} rows, ${ASKERS} askers of ${BATCH} at a time on each of ${CONNECTIONS} connections of one client process`,
      ours: {
        text: `${formatCount(perSecond)}/s, ${formatShare(joined.cachedShare)} kept answers`,
        figures: {
          queriesPerSecond: perSecond,
          cachedShare: joined.cachedShare,
          loneQueriesPerSecond: lone.perSecond,
          loneCachedShare: lone.cachedShare,
        },
      },
      budget: { text: '≥ 60,000/s', met: perSecond >= 60_000 },
      peers: [
        {
          name: 'bare ZeroMQ echo',
          text: `${formatCount(echo.perSecond)} messages/s, which would be ${formatCount(echo.perSecond * BATCH)} queries/s`,
          figures: { messagesPerSecond: echo.perSecond },
        },
      ],
      notes: [
        `one asker on each connection, who waits for each message: ${formatCount(lone.perSecond)}/s, ${formatShare(lone.cachedShare)} kept answers`,
        'rows that a client has are not sent again; the echo always sends as many bytes as they have',
      ],
    }),
  ]
}

interface BatchFigures {
  readonly perSecond: number
  /** Of all answers, how many the gateway had kept: 0 to 1. */
  readonly cachedShare: number
}

/** Queries per second. Searches that are asked for at the same time travel in one message. */
async function inBatches(dataDir: string, query: string, durationMs: number, askers: number): Promise<BatchFigures> {
  const clients: Client[] = []
  try {
    for (let i = 0; i < CONNECTIONS; i++) clients.push(await connect({ dataDir }))
    let answered = 0
    let cached = 0
    const startedMs = performance.now()
    const ask = async (client: Client): Promise<void> => {
      while (performance.now() < startedMs + durationMs) {
        const searches = Array.from({ length: BATCH }, () => client.search({ query, limit: PAGE_ROWS }))
        for (const result of await Promise.all(searches)) if (result.cached) cached++
        answered += BATCH
      }
    }
    await Promise.all(clients.flatMap(client => Array.from({ length: askers }, () => ask(client))))
    return { perSecond: answered / ((performance.now() - startedMs) / 1000), cachedShare: cached / answered }
  } finally {
    for (const client of clients) await client.close()
  }
}
