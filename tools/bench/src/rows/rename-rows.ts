import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeChangeBatch } from '@hotpath/index-format'
import { type EngineOp, UnavailableError } from '@hotpath/model'
import { openStore } from '@hotpath/store'
import type { BenchContext } from '../bench-context.js'
import { openEngine } from '../engine-index.js'
import { formatCount, formatMs } from '../format.js'
import { MadeTree } from '../made-tree.js'
import { timeQuery } from '../query-timing.js'
import { type BenchRow, row } from '../report.js'
import { spreadOf } from '../statistics.js'
import { totalBecomes } from '../total-becomes.js'

const WATCHER = fileURLToPath(new URL('../../../../apps/journal-watcher/bundle/main.js', import.meta.url))
const BUDGET_MS = 50
const DIRECTORY_FILES = 1_000
/** A rename that is not visible by then is lost. */
const GIVE_UP_MS = 10_000
const BY_NAME = { column: 'name', descending: false } as const

/** Rename of a directory with very many descendants. */
export async function renameRows(context: BenchContext): Promise<BenchRow[]> {
  return [await inRunningSystem(context), await inStore(context)]
}

/** On a disk, seen by the watcher, asked over the gateway. */
async function inRunningSystem(context: BenchContext): Promise<BenchRow> {
  const files = context.scale(1_000_000, 3_000)
  const id = 'change.rename'
  const what = `rename of a directory with ${formatCount(files)} files below it → visible, running system`
  if (!existsSync(WATCHER)) return row({ id, what, skipped: 'the journal watcher is not built' })
  const tree = join(context.folder, 'rename-tree')
  context.log(`making ${formatCount(files)} files`)
  makeFiles(join(tree, markOf(0)), files)
  context.log('renaming their directory')
  const dataDir = join(context.folder, 'rename-data')
  const system = context.startSystem(dataDir, ['--root', tree])
  try {
    const client = await system.connect()
    try {
      const status = await system.waitForStatus(client, ({ roots }) =>
        roots.some(root => root.scan === undefined && root.entries > files && root.fresh.state !== 'catching-up'),
      )
      const mechanism = status.roots[0]?.mechanism ?? 'none'
      if (mechanism === 'none') return row({ id, what, skipped: 'the tree is not watched' })
      // Merging is over: what is measured is the rename alone.
      if (!context.options.smoke) await system.settle()
      const below = files + Math.ceil(files / DIRECTORY_FILES)
      const visible: number[] = []
      const moved: number[] = []
      const before = walBytes(dataDir)
      const renames = context.scale(15, 5)
      for (let i = 0; i < renames; i++) {
        renameSync(join(tree, markOf(i)), join(tree, markOf(i + 1)))
        const renamedMs = performance.now()
        visible.push((await totalBecomes(client, markOf(i + 1), 1, GIVE_UP_MS)) - renamedMs)
        moved.push((await totalBecomes(client, `path:${markOf(i + 1)}`, below + 1, GIVE_UP_MS)) - renamedMs)
        if ((await client.search({ query: `path:${markOf(i)}`, countOnly: true })).total !== 0)
          throw new UnavailableError(`entries are found below the old name ${markOf(i)}`)
      }
      const bytes = (walBytes(dataDir) - before) / renames
      const spread = spreadOf(visible)
      const paths = spreadOf(moved)
      return row({
        id,
        what: `${what}, by ${mechanism}`,
        ours: {
          text:
            `median ${formatMs(spread.p50)}, max ${formatMs(spread.max)}; with all that is below it by path: ` +
            `median ${formatMs(paths.p50)}, max ${formatMs(paths.max)}`,
          figures: {
            p50Ms: spread.p50,
            p99Ms: spread.p99,
            maxMs: spread.max,
            byPathP50Ms: paths.p50,
            byPathMaxMs: paths.max,
            walBytesPerRename: bytes,
            renames,
            files,
          },
        },
        budget: { text: `≤ ${BUDGET_MS} ms, median, below 1,000,000`, met: spread.p50 <= BUDGET_MS },
        notes: [
          `${renames} renames, one after the other; ${formatCount(bytes)} bytes of log each; time runs from the return of the ` +
            'call and holds the query that sees it',
        ],
      })
    } finally {
      await client.close()
    }
  } finally {
    await system.stop()
    rmSync(tree, { recursive: true })
  }
}

/** The same in the store and an engine of this process, without disk events and sockets: what it costs. */
async function inStore(context: BenchContext): Promise<BenchRow> {
  const files = context.scale(1_000_000, 20_000)
  context.log('renaming a directory in the store')
  const directory = join(context.folder, 'rename-index')
  const store = await openStore({ directory })
  try {
    const tree = await MadeTree.make(store, files)
    await store.compact()
    const opened = await openEngine(store)
    let ops: EngineOp[] = []
    const stop = store.onOps(list => ops.push(...list))
    try {
      const applied: number[] = []
      const replica: number[] = []
      const durable: number[] = []
      let rows = 0
      let bytes = 0
      const renames = context.scale(25, 5)
      for (let i = 0; i < renames; i++) {
        const changes = tree.renameBig(i === 0 ? 'big' : markOf(i), markOf(i + 1))
        bytes += encodeChangeBatch(tree.batch(changes)).length
        ops = []
        const startedMs = performance.now()
        const result = await tree.apply(changes)
        applied.push(performance.now() - startedMs)
        await result.durable
        durable.push(performance.now() - startedMs)
        const replicaMs = performance.now()
        opened.engine.apply(ops)
        replica.push(performance.now() - replicaMs)
        for (const op of ops) rows += op.op === 'put' ? op.slots.length : op.op === 'kill' ? op.ranges.length / 2 : 0
        const { total } = timeQuery(opened.engine, { text: `path:${markOf(i + 1)}`, sort: BY_NAME }, 'name')
        if (total !== tree.entries - 1) throw new UnavailableError(`${total} of ${tree.entries - 1} entries have moved`)
      }
      const query = spreadOf(
        Array.from({ length: 5 }, () => {
          return timeQuery(opened.engine, { text: `path:${markOf(renames)}`, sort: BY_NAME }, 'name').totalMs
        }),
      )
      return row({
        id: 'change.rename-store',
        what: `the same in store and engine of one process, ${formatCount(files)} files: what it costs`,
        ours: {
          text:
            `${formatCount(bytes / renames)} bytes of log and ${(rows / renames).toFixed(1)} rows each; applied in ` +
            `${formatMs(spreadOf(applied).p50)}, durable after ${formatMs(spreadOf(durable).p50)}, in a worker's replica ` +
            `after ${formatMs(spreadOf(replica).p50)} more; all below it by path: ${formatMs(query.p50)}`,
          figures: {
            walBytesPerRename: bytes / renames,
            rowsPerRename: rows / renames,
            applyP50Ms: spreadOf(applied).p50,
            applyMaxMs: spreadOf(applied).max,
            durableP50Ms: spreadOf(durable).p50,
            replicaP50Ms: spreadOf(replica).p50,
            replicaMaxMs: spreadOf(replica).max,
            pathQueryP50Ms: query.p50,
            files,
          },
        },
      })
    } finally {
      stop()
      await opened.close()
    }
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
}

function markOf(number: number): string {
  return `zqrename${number}x`
}

function makeFiles(folder: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const directory = join(folder, `part-${Math.floor(i / DIRECTORY_FILES)}`)
    if (i % DIRECTORY_FILES === 0) mkdirSync(directory, { recursive: true })
    closeSync(openSync(join(directory, `file-${i}.txt`), 'w'))
  }
}

/** Bytes of all log files below a folder. */
function walBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /(^|\/)wal-\d+\.log$/.test(name))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}
