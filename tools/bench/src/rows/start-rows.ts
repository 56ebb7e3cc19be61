import type { BenchContext } from '../bench-context.js'
import { formatMs } from '../format.js'
import { runSilently } from '../peers/program.js'
import { type BenchRow, row } from '../report.js'
import { spreadOf } from '../statistics.js'

const BUDGET_MS = 800

/** Start with an existing index until the first answer. Stops the system that rows share. */
export async function startRows(context: BenchContext): Promise<BenchRow[]> {
  const { entries } = await context.system()
  const { queries } = await context.corpus()
  await context.stopSystem()
  context.log('starting with an existing index')
  const text = queries.find(({ group }) => group === 'middle' || group === 'token')?.text ?? 'a'
  const flags = await context.systemFlags()
  const starts: number[] = []
  const bare: number[] = []
  const notes: string[] = []
  for (let i = 0; i < context.scale(5, 3); i++) {
    bare.push(await runSilently(process.execPath, ['-e', '1']))
    const system = context.startSystem(context.systemDataDir, flags)
    const client = await system.connect()
    await client.search({ query: text })
    starts.push(performance.now() - system.startedMs)
    const status = await client.status()
    if (status.entries !== entries) notes.push(`start ${i + 1} answered with ${status.entries} of ${entries} entries`)
    if (status.roots.some(root => root.scan !== undefined)) notes.push(`start ${i + 1} began to read the list again`)
    await client.close()
    await system.stop()
  }
  const spread = spreadOf(starts)
  const node = spreadOf(bare)
  return [
    row({
      id: 'start.existing',
      what: 'start with an existing index → first answer, from the supervisor’s start',
      ours: {
        text: `min ${formatMs(spread.min)}, median ${formatMs(spread.p50)}, max ${formatMs(spread.max)} of ${starts.length}`,
        figures: { minMs: spread.min, p50Ms: spread.p50, maxMs: spread.max },
      },
      budget: { text: `≤ ${BUDGET_MS} ms`, met: spread.p50 <= BUDGET_MS },
      peers: [{ name: 'node -e 1', text: `median ${formatMs(node.p50)}`, figures: { p50Ms: node.p50 } }],
      notes,
    }),
  ]
}
