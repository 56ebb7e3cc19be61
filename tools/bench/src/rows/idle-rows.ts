import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchContext } from '../bench-context.js'
import { formatCount } from '../format.js'
import { cpuMsOf } from '../process-tree.js'
import { type BenchRow, row } from '../report.js'
import { withWatchedTree } from '../watched-system.js'

const BUDGET_CPU = 0.005

/** What a system costs that follows a tree in which nothing happens: processor time of all its processes, and what they write. */
export async function idleRows(context: BenchContext): Promise<BenchRow[]> {
  const seconds = context.scale(300, 3)
  const id = 'idle'
  const what = `nothing happens for ${seconds} s: processor time and bytes written`
  const outcome = await withWatchedTree(context, 'idle', async ({ system, mechanism }) => {
    context.log(`waiting for ${seconds} s`)
    // Ten seconds after a scan the tree is compared once with what was read.
    await system.settle(context.scale(15_000, 1_000))
    const { pids } = system
    const before = { cpuMs: cpuMsOf(pids), written: writtenBy(pids), files: stateOf(system.dataDir) }
    const startedMs = performance.now()
    await delay(seconds * 1000)
    const share = (cpuMsOf(pids) - before.cpuMs) / (performance.now() - startedMs)
    const bytes = writtenBy(pids) - before.written
    const changed = stateOf(system.dataDir) !== before.files
    return row({
      id,
      what: `${what}, by ${mechanism}`,
      ours: {
        text: `${(share * 100).toFixed(2)} % of a core, ${formatCount(bytes)} bytes${changed ? '; files of the index have changed' : ''}`,
        figures: { cpuShare: share, bytesWritten: bytes, filesChanged: changed ? 1 : 0 },
      },
      budget: {
        text: `< ${BUDGET_CPU * 100} % of a core, 0 bytes in 300 s`,
        met: share < BUDGET_CPU && bytes === 0 && !changed,
      },
    })
  })
  return ['measured' in outcome ? outcome.measured : row({ id, what, skipped: outcome.skipped })]
}

/** Bytes that processes caused to be written to disks (proc_pid_io(5)): pipes and sockets are not counted. */
function writtenBy(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      return sum + Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1] ?? 0)
    } catch {
      return sum
    }
  }, 0)
}

/** Names, sizes and times of all files below a folder: the same text, nothing was written. */
function stateOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(name => {
      const stats = statSync(join(folder, name), { throwIfNoEntry: false })
      return `${name} ${stats?.size} ${stats?.mtimeMs}`
    })
    .join('\n')
}
