import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, StatusReply } from '@hotpath/client'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMs, formatShare } from '../format.js'
import { needlesOf, pickNeedle, prefixesOf, randomNumbers } from '../load/needles.js'
import { type BenchRow, row } from '../report.js'
import { type Spread, spreadOf } from '../statistics.js'
import { isComplete } from '../system.js'
import { totalBecomes } from '../total-becomes.js'

const SEED = 20
/** Words between two changes of the index: somebody who works saves a file every few minutes. */
const WORDS_PER_CHANGE = 20
const PAGE_ROWS = 50
/** Begins the names of what is saved, and no name of the corpus. */
const SAVED = 'hotpath-bench-saved-'
const SEEN_WITHIN_MS = 10_000

/** A day of somebody who types words, comes back to some of them, and saves files meanwhile. */
export async function cacheRows(context: BenchContext): Promise<BenchRow[]> {
  const { listFile, queries } = await context.corpus()
  const needles = needlesOf(queries)
  const tree = join(context.folder, 'day')
  mkdirSync(tree)
  writeFileSync(join(tree, 'day-begins'), '')
  context.log('a day of typing')
  const system = context.startSystem(join(context.folder, 'day-data'), ['--list', listFile, '--root', tree])
  try {
    const client = await system.connect()
    try {
      await system.waitForStatus(client, status => isComplete(status) && isFollowed(status))
      await system.settle()
      const words = context.scale(1_500, 60)
      const undisturbed = await typeWords(client, needles, words, async () => undefined)
      let changes = 0
      const day = await typeWords(client, needles, words, async () => {
        writeFileSync(join(tree, `${SAVED}${++changes}`), '')
        await totalBecomes(client, SAVED, changes, SEEN_WITHIN_MS)
      })
      return [dayRow(words, day, changes, undisturbed)]
    } finally {
      await client.close()
    }
  } finally {
    await system.stop()
  }
}

/** Lists are read once. */
function isFollowed({ roots }: StatusReply): boolean {
  return roots.some(({ root, fresh }) => root.kind === 'tree' && fresh.state === 'live')
}

interface Day {
  readonly spread: Spread
  readonly cachedShare: number
}

async function typeWords(
  client: Client,
  needles: readonly string[],
  words: number,
  change: () => Promise<void>,
): Promise<Day> {
  const random = randomNumbers(SEED)
  const latencies: number[] = []
  let cached = 0
  for (let word = 1; word <= words; word++) {
    for (const query of prefixesOf(pickNeedle(needles, random))) {
      const startedMs = performance.now()
      const result = await client.search({ query, limit: PAGE_ROWS })
      latencies.push(performance.now() - startedMs)
      if (result.cached) cached++
    }
    if (word % WORDS_PER_CHANGE === 0) await change()
  }
  return { spread: spreadOf(latencies), cachedShare: cached / latencies.length }
}

function dayRow(words: number, { spread, cachedShare }: Day, changes: number, undisturbed: Day): BenchRow {
  const { p50, p99, count } = spread
  return row({
    id: 'cache.day',
    what: `${formatCount(words)} words typed letter by letter, 80 % of them from a fifth; a file saved every ${WORDS_PER_CHANGE} words`,
    ours: {
      text: `${formatShare(cachedShare)} kept answers, p50 ${formatMs(p50)}, p99 ${formatMs(p99)}`,
      figures: {
        cachedShare,
        p50Ms: p50,
        p99Ms: p99,
        searches: count,
        changes,
        undisturbedCachedShare: undisturbed.cachedShare,
        undisturbedP50Ms: undisturbed.spread.p50,
        undisturbedP99Ms: undisturbed.spread.p99,
      },
    },
    notes: [
      `${formatCount(count)} searches, ${formatCount(changes)} changes, each of which empties the gateway's cache`,
      `the same words without changes: ${formatShare(undisturbed.cachedShare)} kept answers, p50 ${formatMs(undisturbed.spread.p50)}, p99 ${formatMs(undisturbed.spread.p99)}`,
    ],
  })
}
