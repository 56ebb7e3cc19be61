import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@hotpath/client'
import type { BenchContext } from '../bench-context.js'
import { type Commit, Poller, RowWriter } from '../follow-programs.js'
import { formatMs } from '../format.js'
import { findProgram } from '../peers/program.js'
import { cpuMsOf } from '../process-tree.js'
import { type BenchRow, type Detail, type Figures, row } from '../report.js'
import { median, type Spread, spreadOf } from '../statistics.js'
import type { RunningSystem } from '../system.js'
import { withWatchedTree } from '../watched-system.js'

const BUDGET_P99_MS = 20
const BUDGET_MS = 50
const BUDGET_SLOWER = 0.05
const BUDGET_CPU = 0.01
/** Commits that are told later are not waited for. */
const GIVE_UP_MS = 20_000
/** As followers that poll do, and as the eagerest does. */
const SECOND_MS = 1_000
const EAGER_MS = 1

interface Rate {
  readonly rate: number
  readonly commits: number
}

interface Lag extends Rate {
  readonly synchronous: string
  readonly ours: Spread
  readonly eager: Spread
  readonly slow: Spread
}

/** Commits of another program to a database that is followed: until a client has the row, and what following costs. */
export async function followRows(context: BenchContext): Promise<BenchRow[]> {
  const what = 'a commit of another program → the row at a client'
  if (findProgram('python3') === undefined) return [row({ id: 'follow.push', what, skipped: 'python3 is not there' })]
  const directory = join(context.folder, 'follow-databases')
  mkdirSync(directory)
  const file = join(directory, 'followed.db')
  const writer = context.own(new RowWriter(file, join(directory, 'alone.db')))
  try {
    await writer.ready()
    const flags = ['--database', JSON.stringify({ path: file, name: 'bench' })]
    const outcome = await withWatchedTree(
      context,
      'follow',
      ({ system, client }) => measure(context, system, client, writer, file),
      { flags },
    )
    return 'measured' in outcome ? outcome.measured : [row({ id: 'follow.push', what, skipped: outcome.skipped })]
  } finally {
    await writer.stop()
  }
}

async function measure(
  context: BenchContext,
  system: RunningSystem,
  client: Client,
  writer: RowWriter,
  file: string,
): Promise<BenchRow[]> {
  const seen = new Map<number, number>()
  const stop = new AbortController()
  const changes = await client.changes({ databases: ['bench'], signal: stop.signal })
  const reading = (async () => {
    for await (const event of changes) {
      if (event.type !== 'transaction') continue
      const atMs = performance.timeOrigin + performance.now()
      for (const { key } of event.changes) seen.set(Number(key), atMs)
    }
  })().catch(() => {})
  const pollers = { eager: context.own(new Poller(file, EAGER_MS)), slow: context.own(new Poller(file, SECOND_MS)) }
  try {
    await Promise.all([pollers.eager.ready(), pollers.slow.ready()])
    const lags: Lag[] = []
    let first = 1
    const rates: Rate[] = [
      { rate: 1, commits: context.scale(10, 2) },
      { rate: 100, commits: context.scale(1_000, 20) },
      { rate: 1_000, commits: context.scale(3_000, 50) },
    ]
    for (const synchronous of ['NORMAL', 'FULL']) {
      for (const { rate, commits } of rates) {
        context.log(`${commits} commits, ${rate}/s, synchronous=${synchronous}`)
        const done = await writer.commit({ synchronous, rate, commits, first, apart: 0 })
        first += commits
        await allSeen(done, seen, pollers.slow.seen)
        const lag = (of: ReadonlyMap<number, number>): Spread =>
          spreadOf(done.map(([id, atMs]) => (of.get(id) ?? Number.POSITIVE_INFINITY) - atMs))
        const peers = { eager: lag(pollers.eager.seen), slow: lag(pollers.slow.seen) }
        lags.push({ synchronous, rate, commits, ours: lag(seen), ...peers })
      }
    }
    await Promise.all(Object.values(pollers).map(poller => poller.stop()))
    const costs = await writerRow(context, writer, first)
    return [pushRow(lags), await wakeRow(context, writer, seen, costs.next), costs.row, await idleRow(context, system)]
  } finally {
    stop.abort()
    await reading
    await Promise.all(Object.values(pollers).map(poller => poller.stop()))
  }
}

async function allSeen(done: readonly Commit[], ...by: ReadonlyMap<number, number>[]): Promise<void> {
  const deadlineMs = performance.now() + GIVE_UP_MS
  const isMissing = () => done.some(([id]) => by.some(seen => !seen.has(id)))
  while (isMissing() && performance.now() < deadlineMs) await delay(20)
}

function pushRow(lags: readonly Lag[]): BenchRow {
  const worst = Math.max(...lags.map(({ ours }) => ours.p99))
  const steady = Math.max(...lags.filter(({ rate }) => rate === 100).map(({ ours }) => ours.p99))
  const figures: Record<string, number> = { p99At100Ms: steady, p99WorstMs: worst }
  for (const { synchronous, rate, ours } of lags) figures[`${synchronous.toLowerCase()}${rate}P50Ms`] = ours.p50
  const most = (of: (lag: Lag) => Spread): Figures => ({ p99Ms: Math.max(...lags.map(lag => of(lag).p99)) })
  const detail: Detail = {
    title: 'commit → row, p50 / p99 after COMMIT returned',
    columns: [
      { title: 'synchronous', width: 12 },
      { title: 'commits/s', width: 10 },
      { title: 'hotpath', width: 22 },
      { title: 'data_version every 1 ms', width: 24 },
      { title: 'every 1 s', width: 22 },
    ],
    rows: lags.map(({ synchronous, rate, ours, eager, slow }) => [
      synchronous,
      `${rate}`,
      ...[ours, eager, slow].map(({ p50, p99 }) => `${formatMs(p50)} / ${formatMs(p99)}`),
    ]),
  }
  return row({
    id: 'follow.push',
    what: 'a commit of another program → the row at a client',
    ours: { text: `p99 ${formatMs(steady)} at 100/s, ${formatMs(worst)} at worst`, figures },
    budget: {
      text: `p99 ≤ ${BUDGET_P99_MS} ms at 100/s, ≤ ${BUDGET_MS} ms always`,
      met: steady <= BUDGET_P99_MS && worst <= BUDGET_MS,
    },
    peers: [
      { name: 'data_version every 1 ms', figures: most(lag => lag.eager), text: p99Text(most(lag => lag.eager)) },
      { name: 'polling every second', figures: most(lag => lag.slow), text: p99Text(most(lag => lag.slow)) },
    ],
    details: [detail],
  })
}

function p99Text({ p99Ms = Number.NaN }: Figures): string {
  return `p99 ${formatMs(p99Ms)} at worst`
}

/** One commit after nothing has happened for a while. */
async function wakeRow(
  context: BenchContext,
  writer: RowWriter,
  seen: ReadonlyMap<number, number>,
  first: number,
): Promise<BenchRow> {
  const seconds = context.scale(60, 1)
  context.log(`one commit after ${seconds} s`)
  await delay(seconds * 1_000)
  const done = await writer.commit({ synchronous: 'FULL', rate: 1, commits: 1, first, apart: 0 })
  await allSeen(done, seen)
  const [id, atMs] = done[0]!
  const lagMs = (seen.get(id) ?? Number.POSITIVE_INFINITY) - atMs
  return row({
    id: 'follow.wake',
    what: `one commit after ${seconds} s without any, synchronous=FULL`,
    ours: { text: formatMs(lagMs), figures: { lagMs } },
    budget: { text: `≤ ${BUDGET_MS} ms`, met: lagMs <= BUDGET_MS },
  })
}

/**
 * How much longer commits take while the database is followed than those of another one between them. Not right behind each other: what telling the first takes
 * would fall upon the second, which nobody follows.
 */
async function writerRow(
  context: BenchContext,
  writer: RowWriter,
  first: number,
): Promise<{ readonly row: BenchRow; readonly next: number }> {
  const commits = context.scale(3_000, 30)
  const took: { synchronous: string; followedMs: number; aloneMs: number }[] = []
  let next = first
  for (const synchronous of ['NORMAL', 'FULL']) {
    context.log(`what ${commits} commits take, synchronous=${synchronous}`)
    const done = await writer.commit({ synchronous, rate: 100, commits, first: next, apart: 0.5 })
    next += commits
    const [followedMs, aloneMs] = [median(done.map(each => each[2])), median(done.map(each => each[3]))]
    took.push({ synchronous, followedMs, aloneMs })
  }
  const slower = Math.max(...took.map(({ followedMs, aloneMs }) => followedMs / aloneMs - 1))
  const text = took.map(
    ({ synchronous, followedMs, aloneMs }) => `${synchronous} ${formatMs(followedMs)} (alone ${formatMs(aloneMs)})`,
  )
  return {
    row: row({
      id: 'follow.writer',
      what: 'COMMIT of the other program, median, beside one to a database that nobody follows',
      ours: { text: text.join(', '), figures: { slowerShare: slower } },
      budget: { text: `< ${BUDGET_SLOWER * 100} % longer`, met: slower < BUDGET_SLOWER },
    }),
    next,
  }
}

async function idleRow(context: BenchContext, system: RunningSystem): Promise<BenchRow> {
  const seconds = context.scale(120, 2)
  context.log(`a followed database in which nothing happens for ${seconds} s`)
  await system.settle(context.scale(15_000, 500))
  const before = { cpuMs: cpuMsOf(system.pids), atMs: performance.now() }
  await delay(seconds * 1_000)
  const share = (cpuMsOf(system.pids) - before.cpuMs) / (performance.now() - before.atMs)
  return row({
    id: 'follow.idle',
    what: `a followed database in which nothing happens for ${seconds} s: processor time of all processes`,
    ours: { text: `${(share * 100).toFixed(2)} % of a core`, figures: { cpuShare: share } },
    budget: { text: `< ${BUDGET_CPU * 100} % of a core`, met: share < BUDGET_CPU },
  })
}
