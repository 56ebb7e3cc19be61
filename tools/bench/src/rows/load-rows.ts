import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMegabytes, formatMs, formatShare } from '../format.js'
import { type LoadPlan, type LoadResult, QUERIES_PER_SECOND } from '../load/load-plan.js'
import { needlesOf } from '../load/needles.js'
import { runLoad } from '../load/run-load.js'
import { memoryOf } from '../process-tree.js'
import { type BenchRow, row } from '../report.js'
import { spreadOf } from '../statistics.js'

const MIXED_CLIENTS = 5
const TYPING_CLIENTS = 50
/** They share a process: fifty would measure how fifty programs start. */
const TYPISTS_PER_PROCESS = 25
const BUDGET_MS = 20

/** Many clients at once, in processes of their own. */
export async function loadRows(context: BenchContext): Promise<BenchRow[]> {
  const { system } = await context.system()
  const needles = needlesOf((await context.corpus()).queries)
  const { dataDir } = system
  const measured = async (plans: LoadPlan[]) => {
    const before = memoryOf(system.pids).anonymousBytes
    const result = await runLoad(plans)
    return { result, before, after: memoryOf(system.pids).anonymousBytes }
  }
  context.log(`${MIXED_CLIENTS} clients that ask steadily`)
  const common = { dataDir, needles }
  const durationMs = context.scale(60_000, 1_000)
  const mixed = await measured(
    Array.from({ length: MIXED_CLIENTS }, (_, at) => ({ kind: 'mixed', ...common, clients: 1, durationMs, seed: at })),
  )
  context.log(`${TYPING_CLIENTS} clients that type`)
  const typing = await measured(
    Array.from({ length: TYPING_CLIENTS / TYPISTS_PER_PROCESS }, (_, at) => ({
      ...{ kind: 'typing', ...common, clients: TYPISTS_PER_PROCESS, seed: 1_000 * (at + 1) },
      durationMs: context.scale(30_000, 1_500),
    })),
  )
  return [
    loadRow(
      'load.mixed',
      `${MIXED_CLIENTS} clients × ${QUERIES_PER_SECOND} queries/s for ${durationMs / 1_000} s, 80 % repeated, over the socket`,
      mixed,
    ),
    loadRow('load.typing', `${TYPING_CLIENTS} clients that type at once, a search with each letter`, typing),
  ]
}

interface Measured {
  readonly result: LoadResult
  readonly before: number
  readonly after: number
}

function loadRow(id: string, what: string, { result, before, after }: Measured): BenchRow {
  const { latenciesMs, cached, replaced, errors } = result
  const { p50, p99, max, count } = spreadOf(latenciesMs)
  const cachedShare = count === 0 ? 0 : cached / count
  return row({
    id,
    what,
    ours: {
      text: `p50 ${formatMs(p50)}, p99 ${formatMs(p99)}, ${errors.length} errors, ${formatShare(cachedShare)} kept answers`,
      figures: {
        p50Ms: p50,
        p99Ms: p99,
        maxMs: max,
        answers: count,
        replaced,
        errors: errors.length,
        cachedShare,
        anonymousBytesBefore: before,
        anonymousBytesAfter: after,
      },
    },
    budget: { text: `p99 ≤ ${BUDGET_MS} ms, no errors`, met: p99 <= BUDGET_MS && errors.length === 0 },
    notes: [
      `${formatCount(count)} answers, ${formatCount(replaced)} replaced by a newer one, slowest ${formatMs(max)}`,
      `anonymous memory ${formatMegabytes(before)} before, ${formatMegabytes(after)} after`,
      ...[...new Set(errors)].slice(0, 3).map(error => `error: ${error}`),
    ],
  })
}
