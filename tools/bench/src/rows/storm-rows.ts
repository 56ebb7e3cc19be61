import { execFile } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Client } from '@hotpath/client'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMs } from '../format.js'
import { type BenchRow, row } from '../report.js'
import { type Spread, spreadOf } from '../statistics.js'
import { totalBecomes } from '../total-becomes.js'
import { withWatchedTree } from '../watched-system.js'

const run = promisify(execFile)
const MAKER = fileURLToPath(new URL('../../dist/file-maker.js', import.meta.url))
const MAKERS = 2
const STORM_RATE = 10_000
/** After the end of a storm. */
const BUDGET_MS = 1_000
/** A page of few hits among those that come: of the whole system, over the socket. */
const QUERY = 'file:needle'
const PAGE_BUDGET_MS = 8
const DIRECTORY_FILES = 1_000
const GIVE_UP_MS = 60_000

interface Storm {
  readonly id: string
  readonly what: string
  /** Budget for the time from its end until all is visible; undefined: reported. */
  readonly budgetMs?: number
  /** Resolves with the time (performance.now) at which the last system call returned. */
  happen(tree: string): Promise<number>
  /** Files that are visible afterwards. */
  readonly files: number
}

/** Very many changes at once: when the last one is visible, and what queries take meanwhile. */
export async function stormRows(context: BenchContext): Promise<BenchRow[]> {
  const storms = stormsOf(context)
  const outcome = await withWatchedTree(context, 'storm', async ({ client, tree, mechanism }) => {
    const needles = join(tree, 'needles')
    mkdirSync(needles)
    for (let i = 0; i < 100; i++) closeSync(openSync(join(needles, `needle${i}.md`), 'w'))
    await totalBecomes(client, QUERY, 100, GIVE_UP_MS)
    const rows: BenchRow[] = []
    for (const storm of storms) {
      context.log(storm.what)
      rows.push(await measure(client, tree, storm, mechanism))
    }
    return rows
  })
  if ('measured' in outcome) return outcome.measured
  return storms.map(({ id, what }) => row({ id, what, skipped: outcome.skipped }))
}

function stormsOf(context: BenchContext): Storm[] {
  const count = context.scale(100_000, 2_000)
  const seconds = context.scale(10, 1)
  const archive = join(context.folder, 'storm.tar')
  const made = join(context.folder, 'storm-made')
  for (let i = 0; i < count; i++) {
    const directory = join(made, 'unpacked', `part-${Math.floor(i / DIRECTORY_FILES)}`)
    if (i % DIRECTORY_FILES === 0) mkdirSync(directory, { recursive: true })
    closeSync(openSync(join(directory, `storm${i}.txt`), 'w'))
  }
  return [
    {
      id: 'storm.untar',
      what: `tar x of ${formatCount(count)} files → the last one visible, from the end of tar`,
      files: count,
      async happen(tree) {
        await run('tar', ['cf', archive, '-C', made, 'unpacked'])
        rmSync(made, { recursive: true })
        await run('tar', ['xf', archive, '-C', tree])
        return performance.now()
      },
    },
    {
      id: 'storm.remove',
      what: 'rm -rf of these → none visible, from the end of rm',
      files: 0,
      async happen(tree) {
        await run('rm', ['-rf', join(tree, 'unpacked')])
        return performance.now()
      },
    },
    {
      id: 'storm.create',
      what: `${formatCount(STORM_RATE)} files a second for ${seconds} s → all visible, from the last one`,
      files: STORM_RATE * seconds,
      budgetMs: BUDGET_MS,
      async happen(tree) {
        const ends = await Promise.all(
          Array.from({ length: MAKERS }, async (_, i) => {
            const rate = String(STORM_RATE / MAKERS)
            const { stdout } = await run(process.execPath, [
              MAKER,
              join(tree, 'made'),
              `storm${i}-`,
              rate,
              String(seconds),
            ])
            return (JSON.parse(stdout) as { endedMs: number }).endedMs - performance.timeOrigin
          }),
        )
        return Math.max(...ends)
      },
    },
  ]
}

async function measure(client: Client, tree: string, storm: Storm, mechanism: string): Promise<BenchRow> {
  let over = false
  const pages: number[] = []
  const asking = (async () => {
    while (!over) {
      const startedMs = performance.now()
      await client.search({ query: QUERY, limit: 100 })
      pages.push(performance.now() - startedMs)
      await delay(5)
    }
  })()
  try {
    const startedMs = performance.now()
    const endedMs = await storm.happen(tree)
    const seconds = (endedMs - startedMs) / 1000
    const visibleMs = await totalBecomes(client, 'file:storm', storm.files, GIVE_UP_MS)
    const page = spreadOf(pages)
    const afterMs = Math.max(0, visibleMs - endedMs)
    const { budgetMs } = storm
    return row({
      id: storm.id,
      what: `${storm.what}, by ${mechanism}`,
      ours: {
        text: `${formatMs(afterMs)} after ${seconds.toFixed(1)} s; pages meanwhile ${pagesText(page)}`,
        figures: { afterMs, stormMs: seconds * 1000, pageP50Ms: page.p50, pageP99Ms: page.p99, pageMaxMs: page.max },
      },
      budget:
        budgetMs === undefined
          ? { text: `pages p99 ≤ ${PAGE_BUDGET_MS} ms`, met: page.p99 <= PAGE_BUDGET_MS }
          : {
              text: `≤ ${formatMs(budgetMs)}, pages p99 ≤ ${PAGE_BUDGET_MS} ms`,
              met: afterMs <= budgetMs && page.p99 <= PAGE_BUDGET_MS,
            },
    })
  } finally {
    over = true
    await asking
  }
}

function pagesText({ p50, p99, count }: Spread): string {
  return `p50 ${formatMs(p50)}, p99 ${formatMs(p99)} of ${formatCount(count)}`
}
