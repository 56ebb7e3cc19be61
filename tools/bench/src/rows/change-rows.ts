import { mkdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@hotpath/client'
import type { BenchContext } from '../bench-context.js'
import { formatMs } from '../format.js'
import { type BenchRow, row } from '../report.js'
import { type Spread, spreadOf } from '../statistics.js'
import { withWatchedTree } from '../watched-system.js'

const RATES = [10, 100, 1_000]
const BUDGET_MS = 50
/** Files in one directory of the tree. */
const DIRECTORY_FILES = 500
/** After the last change; what is not visible by then is lost. */
const GIVE_UP_MS = 10_000

/** Change on disk → visible to a query, through the whole system. */
export async function changeRows(context: BenchContext): Promise<BenchRow[]> {
  const what = (rate: number): string => `change on disk → visible to a query, ${rate} changes/s`
  const outcome = await withWatchedTree(context, 'tree', async ({ client, tree, mechanism }) => {
    context.log('changes on disk')
    const rows: BenchRow[] = []
    for (const rate of RATES) {
      const { spread, lost } = await measureChanges(client, join(tree, `rate-${rate}`), rate, context.scale(10, 2))
      rows.push(
        row({
          id: `change.rate-${rate}`,
          what: `${what(rate)}, by ${mechanism}`,
          ours: {
            text: `p50 ${formatMs(spread.p50)}, p99 ${formatMs(spread.p99)}, max ${formatMs(spread.max)}`,
            figures: { p50Ms: spread.p50, p99Ms: spread.p99, maxMs: spread.max, changes: spread.count, lost },
          },
          budget: { text: `p99 ≤ ${BUDGET_MS} ms`, met: spread.p99 <= BUDGET_MS && lost === 0 },
          notes: lost === 0 ? [] : [`${lost} changes were not visible ${GIVE_UP_MS} ms after the last one`],
        }),
      )
    }
    return rows
  })
  if ('measured' in outcome) return outcome.measured
  return RATES.map(rate => row({ id: `change.rate-${rate}`, what: what(rate), skipped: outcome.skipped }))
}

/**
 * Makes files at a rate while the number of visible ones is asked for without a pause. File i is visible at the latest
 * when the answer says i + 1; its time runs from the return of the call that made it.
 */
async function measureChanges(
  client: Client,
  folder: string,
  rate: number,
  seconds: number,
): Promise<{ spread: Spread; lost: number }> {
  const count = rate * seconds
  const mark = `mark${rate}x`
  const madeMs: number[] = []
  const seenMs: number[] = []
  let lastMadeMs = Number.POSITIVE_INFINITY
  const watch = async (): Promise<void> => {
    while (seenMs.length < count && performance.now() < lastMadeMs + GIVE_UP_MS) {
      const { total } = await client.search({ query: `file:${mark}`, countOnly: true })
      const now = performance.now()
      while (seenMs.length < total) seenMs.push(now)
      // Room for the other side of this very process.
      await delay(1)
    }
  }
  const watching = watch()
  const startedMs = performance.now()
  for (let i = 0; i < count; i++) {
    const dueMs = startedMs + (i * 1000) / rate
    if (dueMs > performance.now()) await delay(dueMs - performance.now())
    const directory = join(folder, String(Math.floor(i / DIRECTORY_FILES)))
    if (i % DIRECTORY_FILES === 0) mkdirSync(directory, { recursive: true })
    await (await open(join(directory, `${mark}${i}.txt`), 'w')).close()
    madeMs.push(performance.now())
  }
  lastMadeMs = performance.now()
  await watching
  await rm(folder, { recursive: true })
  const latencies = seenMs.slice(0, count).map((ms, i) => Math.max(0, ms - madeMs[i]!))
  return { spread: spreadOf(latencies), lost: Math.max(0, count - seenMs.length) }
}
