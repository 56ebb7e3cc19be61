import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, StatusReply } from '@hotpath/client'
import { UnavailableError } from '@hotpath/model'
import type { BenchContext } from '../bench-context.js'
import { ChangedTree } from '../changed-tree.js'
import { formatCount, formatMs } from '../format.js'
import { stageOf } from '../process-tree.js'
import { type BenchRow, row } from '../report.js'
import { isComplete, type RunningSystem } from '../system.js'
import { type WatchedSystem, withWatchedTree } from '../watched-system.js'

const GIVE_UP_MS = 120_000
const SMOKE_GIVE_UP_MS = 10_000
/** Changes are made by several system calls, each with an event; some are merged. */
const OVERFLOW_SHARE = 1.5

/** What comes of changes that nobody heard of: made while the system was away, or lost because the queue of events ran over. */
export async function repairRows(context: BenchContext): Promise<BenchRow[]> {
  return [await downtimeRow(context), await overflowRow(context)]
}

async function downtimeRow(context: BenchContext): Promise<BenchRow> {
  const changes = context.scale(10_000, 400)
  const id = 'repair.downtime'
  const what = `${formatCount(changes)} changes while the system is away → the index is right, from its start`
  const tree = new ChangedTree(join(context.folder, 'downtime'), context.scale(100_000, 1_000), changes)
  const measure = async ({ system, client, mechanism }: WatchedSystem): Promise<BenchRow> => {
    await system.waitForStatus(client, isLive)
    await system.stop()
    context.log('changes while the system is away')
    tree.change()
    const again = context.startSystem(system.dataDir, ['--root', tree.folder])
    const next = await again.connect()
    try {
      return row({
        id,
        what: `${what}, by ${mechanism}`,
        ...(await repairOf(context, tree, again, next, again.startedMs)),
      })
    } finally {
      await next.close()
      await again.stop()
    }
  }
  const outcome = await withWatchedTree(context, 'downtime', measure, { prepare: () => tree.make() })
  return 'measured' in outcome ? outcome.measured : row({ id, what, skipped: outcome.skipped })
}

async function overflowRow(context: BenchContext): Promise<BenchRow> {
  const id = 'repair.overflow'
  const queued = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'latin1'))
  const changes = Math.ceil(queued * OVERFLOW_SHARE)
  const what = `${formatCount(changes)} changes run over a queue of ${formatCount(queued)} events → the index is right, from when the watcher goes on`
  const tree = new ChangedTree(join(context.folder, 'overflow'), context.scale(100_000, 1_000), changes)
  const measure = async ({ system, client, mechanism }: WatchedSystem): Promise<BenchRow> => {
    await system.waitForStatus(client, isLive)
    context.log('changes that run over the queue')
    const watcher = system.pids.find(pid => stageOf(pid) === 'journal-watcher')
    if (watcher === undefined) throw new UnavailableError('there is no watcher')
    process.kill(watcher, 'SIGSTOP')
    try {
      tree.change()
    } finally {
      process.kill(watcher, 'SIGCONT')
    }
    const measured = await repairOf(context, tree, system, client, performance.now())
    const { roots } = await client.status()
    const losses = roots.reduce((sum, root) => sum + root.losses, 0)
    const notes = losses > 0 ? measured.notes : [...measured.notes, 'the system noticed no loss']
    return row({ id, what: `${what}, by ${mechanism}`, ...measured, notes })
  }
  const options = { isUnprivileged: true, prepare: () => tree.make() }
  const outcome = await withWatchedTree(context, 'overflow', measure, options)
  return 'measured' in outcome ? outcome.measured : row({ id, what, skipped: outcome.skipped })
}

/** When the index is right and when it says so, in milliseconds since `startedMs`. */
async function repairOf(
  context: BenchContext,
  tree: ChangedTree,
  system: RunningSystem,
  client: Client,
  startedMs: number,
): Promise<Required<Pick<BenchRow, 'ours' | 'budget' | 'notes'>>> {
  const budget = 'the index is right'
  const equal = await tree.becomesEqual(client, context.scale(GIVE_UP_MS, SMOKE_GIVE_UP_MS))
  if (typeof equal === 'string') {
    const waitedMs = performance.now() - startedMs
    const ours = { text: `not right after ${formatMs(waitedMs)}`, figures: { waitedMs, changes: tree.changes } }
    return { ours, budget: { text: budget, met: false }, notes: [equal] }
  }
  await system.waitForStatus(client, isLive)
  const liveMs = performance.now() - startedMs
  const equalMs = equal - startedMs
  // What was right may not have become wrong on the way.
  const isStillRight = typeof (await tree.becomesEqual(client, 0)) === 'number'
  return {
    ours: {
      text: `${formatMs(equalMs)}; live after ${formatMs(liveMs)}`,
      figures: { equalMs, liveMs, changes: tree.changes },
    },
    budget: { text: budget, met: isStillRight },
    notes: isStillRight ? [] : ['what was right is wrong again'],
  }
}

function isLive(status: StatusReply): boolean {
  return isComplete(status) && status.fresh.state === 'live'
}
