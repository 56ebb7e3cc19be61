import type { BenchContext } from '../bench-context.js'
import { formatMegabytes } from '../format.js'
import { memoryOf, stageOf, type TreeMemory } from '../process-tree.js'
import { clientSort } from '../queries.js'
import { type BenchRow, row } from '../report.js'

const BUDGETS_MB = { idle: 250, load: 350, build: 600 }
/** Searches that are under way at once while the memory under load is read. */
const OUTSTANDING = 16
const SAMPLE_MS = 50

/** Sum of anonymous memory over all processes of the running system. */
export async function memoryRows(context: BenchContext): Promise<BenchRow[]> {
  const built = await context.system()
  const { system } = built
  const idle = memoryOf(system.pids)
  const processes = system.pids.map(pid => ({ stage: stageOf(pid), ...memoryOf([pid]) }))
  const load = await memoryUnderLoad(context)
  return [
    memoryRow('memory.idle', 'memory of all processes, idle', idle, BUDGETS_MB.idle, [
      {
        title: 'memory per process, idle',
        columns: [
          { title: 'process', width: 16 },
          { title: 'anonymous', width: 10, align: 'right' },
          { title: 'PSS', width: 10, align: 'right' },
          { title: 'of files', width: 10, align: 'right' },
        ],
        rows: processes.map(process => [
          process.stage,
          formatMegabytes(process.anonymousBytes),
          formatMegabytes(process.pssBytes),
          formatMegabytes(process.fileBytes),
        ]),
      },
    ]),
    memoryRow('memory.load', `the same under ${OUTSTANDING} searches at once (peak)`, load, BUDGETS_MB.load),
    memoryRow('memory.build', `the same while building (peak of ${built.memorySamples})`, built.peak, BUDGETS_MB.build),
  ]
}

function memoryRow(
  id: string,
  what: string,
  memory: TreeMemory,
  budgetMb: number,
  details: BenchRow['details'] = [],
): BenchRow {
  const { anonymousBytes, pssBytes, fileBytes } = memory
  return row({
    id,
    what,
    ours: {
      text: `${formatMegabytes(anonymousBytes)}; PSS ${formatMegabytes(pssBytes)}, files ${formatMegabytes(fileBytes)}`,
      figures: { anonymousBytes, pssBytes, fileBytes },
    },
    budget: { text: `≤ ${budgetMb} MB anonymous`, met: anonymousBytes <= budgetMb * 1e6 },
    details,
  })
}

/** The largest of the samples while the query mix runs. */
async function memoryUnderLoad(context: BenchContext): Promise<TreeMemory> {
  const { system, client } = await context.system()
  const { queries } = await context.corpus()
  let peak = memoryOf(system.pids)
  const sampler = setInterval(() => {
    const memory = memoryOf(system.pids)
    if (memory.anonymousBytes > peak.anonymousBytes) peak = memory
  }, SAMPLE_MS)
  try {
    const waiting = Array.from({ length: context.scale(3, 1) }, () => queries).flat()
    const ask = async (): Promise<void> => {
      for (let query = waiting.pop(); query; query = waiting.pop()) {
        await client.search({ query: query.text, ...clientSort(query.sort) })
      }
    }
    await Promise.all(Array.from({ length: OUTSTANDING }, ask))
    return peak
  } finally {
    clearInterval(sampler)
  }
}
