import { BATCH_OPENS, DEFAULT_SCORING, HotTable, type NodeKey, OpenBuffer } from '@hotpath/hot-score'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMs } from '../format.js'
import { type BenchRow, row } from '../report.js'
import { spreadOf } from '../statistics.js'

const ACCEPT_BUDGET = 1_000_000
const APPLY_BUDGET_MS = 0.3
/** Nodes of somebody who has opened a hundred new files a day for three years. */
const NODES = 100_000
const START_SECONDS = 1_750_000_000

/** Opens: taken into the buffer, and applied to a table of records. */
export async function openRows(context: BenchContext): Promise<BenchRow[]> {
  context.log('opens')
  const nodes = Array.from({ length: NODES }, (_, i): NodeKey => ({ volume: 1, low: i * 7, high: 0, birth: i }))
  return [acceptRow(context, nodes), applyRow(context, nodes)]
}

function acceptRow(context: BenchContext, nodes: readonly NodeKey[]): BenchRow {
  const rounds = context.scale(50, 5)
  const perSecond: number[] = []
  for (let round = 0; round < rounds; round++) {
    const buffer = new OpenBuffer(65_536)
    const startedMs = performance.now()
    for (let i = 0; i < buffer.capacity; i++) buffer.accept(nodes[(i * 31) % NODES]!, START_SECONDS)
    perSecond.push((buffer.capacity / (performance.now() - startedMs)) * 1000)
  }
  const spread = spreadOf(perSecond)
  return row({
    id: 'opens.accept',
    what: 'opens accepted in process, per second',
    ours: {
      text: `${formatCount(Math.round(spread.p50))}/s (${formatCount(Math.round(spread.min))} to ${formatCount(Math.round(spread.max))})`,
      figures: { p50PerSecond: spread.p50, minPerSecond: spread.min },
    },
    budget: { text: `≥ ${formatCount(ACCEPT_BUDGET)}/s`, met: spread.p50 >= ACCEPT_BUDGET },
  })
}

function applyRow(context: BenchContext, nodes: readonly NodeKey[]): BenchRow {
  const table = new HotTable(DEFAULT_SCORING)
  for (const { volume, low, high, birth } of nodes) table.open(volume, low, high, birth, START_SECONDS)
  table.takeChanges()
  const buffer = new OpenBuffer(BATCH_OPENS)
  const batches = context.scale(2_000, 100)
  const few: number[] = []
  const many: number[] = []
  for (let batch = 0; batch < batches; batch++) {
    // What people do: a hundred nodes, some of them again and again. The worst case: a thousand nodes anywhere.
    const spread = batch % 2 === 0 ? 100 : NODES
    for (let i = 0; i < BATCH_OPENS; i++) {
      buffer.accept(nodes[((batch * 7919 + i) * 104_729) % spread]!, START_SECONDS + batch)
    }
    const startedMs = performance.now()
    buffer.take(BATCH_OPENS, opens => table.openAll(opens))
    table.takeChanges()
    ;(batch % 2 === 0 ? few : many).push(performance.now() - startedMs)
  }
  // The first ones compile.
  const [usual, scattered] = [few, many].map(times => spreadOf(times.slice(Math.floor(times.length / 10))))
  return row({
    id: 'opens.apply',
    what: `${formatCount(BATCH_OPENS)} opens applied to ${formatCount(NODES)} records`,
    ours: {
      text: `of 100 nodes p50 ${formatMs(usual!.p50)}, p99 ${formatMs(usual!.p99)}\nof ${formatCount(BATCH_OPENS)} nodes p50 ${formatMs(scattered!.p50)}, p99 ${formatMs(scattered!.p99)}`,
      figures: {
        p50Ms: usual!.p50,
        p99Ms: usual!.p99,
        scatteredP50Ms: scattered!.p50,
        scatteredP99Ms: scattered!.p99,
      },
    },
    budget: { text: `≤ ${APPLY_BUDGET_MS} ms`, met: Math.max(usual!.p50, scattered!.p50) <= APPLY_BUDGET_MS },
    notes: ['with the columns for query workers; checksums and copies of pages are made while they are written'],
  })
}
