import { join } from 'node:path'
import type { StatusReply } from '@hotpath/client'
import type { BenchContext } from '../bench-context.js'
import { formatMs } from '../format.js'
import { runSilently } from '../peers/program.js'
import { type BenchRow, row } from '../report.js'
import { spreadOf } from '../statistics.js'
import { isComplete, type SystemSource } from '../system.js'

const BUDGET_MS = 800

/** Start with an existing index until the first answer. Stops the system that rows share. */
export async function startRows(context: BenchContext): Promise<BenchRow[]> {
  return [await listRow(context), await treeRow(context)]
}

async function listRow(context: BenchContext): Promise<BenchRow> {
  const { entries } = await context.system()
  const { queries } = await context.corpus()
  await context.stopSystem()
  context.log('starting with an existing index')
  const text = queries.find(({ group }) => group === 'middle' || group === 'token')?.text ?? 'a'
  const flags = await context.systemFlags()
  const problemOf = ({ roots, entries: found }: StatusReply): string | undefined => {
    if (found !== entries) return `answered with ${found} of ${entries} entries`
    return roots.some(root => root.scan !== undefined) ? 'began to read the list again' : undefined
  }
  return await startRow(
    context,
    'start.existing',
    'start with an existing index → first answer, from the supervisor’s start',
    { dataDir: context.systemDataDir, flags },
    text,
    problemOf,
  )
}

/** What happened to the tree while nobody watched is found after the first answers. */
async function treeRow(context: BenchContext): Promise<BenchRow> {
  const source = { dataDir: join(context.folder, 'start-tree-data'), flags: ['--root', context.options.tree] }
  context.log(`indexing ${context.options.tree} to start with it`)
  const first = context.startSystem(source.dataDir, source.flags)
  const client = await first.connect()
  const { entries, roots } = await first.waitForStatus(client, isComplete)
  await client.close()
  await first.stop()
  const mechanism = roots[0]?.mechanism ?? 'none'
  return await startRow(
    context,
    'start.tree',
    `the same with ${context.options.tree}, followed by ${mechanism}`,
    source,
    'lib',
    ({ entries: found }) => (found === 0 ? `answered with none of ${entries} entries` : undefined),
  )
}

async function startRow(
  context: BenchContext,
  id: string,
  what: string,
  source: SystemSource,
  query: string,
  problemOf: (status: StatusReply) => string | undefined,
): Promise<BenchRow> {
  const starts: number[] = []
  const bare: number[] = []
  const notes: string[] = []
  for (let i = 0; i < context.scale(5, 2); i++) {
    bare.push(await runSilently(process.execPath, ['-e', '1']))
    const system = context.startSystem(source.dataDir, source.flags)
    const client = await system.connect()
    const { total } = await client.search({ query })
    starts.push(performance.now() - system.startedMs)
    const problem = total === 0 ? `found nothing for ${query}` : problemOf(await client.status())
    if (problem !== undefined) notes.push(`start ${i + 1} ${problem}`)
    await client.close()
    await system.stop()
  }
  const spread = spreadOf(starts)
  const node = spreadOf(bare)
  return row({
    id,
    what,
    ours: {
      text: `min ${formatMs(spread.min)}, median ${formatMs(spread.p50)}, max ${formatMs(spread.max)} of ${starts.length}`,
      figures: { minMs: spread.min, p50Ms: spread.p50, maxMs: spread.max },
    },
    budget: { text: `≤ ${BUDGET_MS} ms`, met: notes.length === 0 && spread.p50 <= BUDGET_MS },
    peers: [{ name: 'node -e 1', text: `median ${formatMs(node.p50)}`, figures: { p50Ms: node.p50 } }],
    notes,
  })
}
