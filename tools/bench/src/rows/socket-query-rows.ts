import type { BenchContext } from '../bench-context.js'
import { formatMs } from '../format.js'
import { clientSort } from '../queries.js'
import { type BenchRow, row } from '../report.js'
import { spreadOf } from '../statistics.js'

/** The mix over the gateway's native socket, one query after the other, as a client sees it. */
export async function socketQueryRows(context: BenchContext): Promise<BenchRow[]> {
  const { client } = await context.system()
  const { queries } = await context.corpus()
  context.log('queries over the socket')
  const all: number[] = []
  const inEngine: number[] = []
  for (const [index, { text, sort }] of queries.entries()) {
    const ask = (limit: number) => client.search({ query: text, limit, noCache: true, ...clientSort(sort) })
    // Warms what is mapped. Nothing that is kept of it is used.
    await ask(99)
    const startedMs = performance.now()
    const result = await ask(100)
    all[index] = performance.now() - startedMs
    inEngine[index] = result.tookMs
  }
  const spread = spreadOf(all)
  const engine = spreadOf(inEngine)
  return [
    row({
      id: 'query.socket',
      what: 'page and exact total over the gateway’s socket, one by one, not repeated',
      ours: {
        text: `p50 ${formatMs(spread.p50)}, p90 ${formatMs(spread.p90)}, p99 ${formatMs(spread.p99)}`,
        figures: {
          p50Ms: spread.p50,
          p90Ms: spread.p90,
          p99Ms: spread.p99,
          maxMs: spread.max,
          engineP50Ms: engine.p50,
          engineP99Ms: engine.p99,
        },
      },
      notes: [`of which in the engine: p50 ${formatMs(engine.p50)}, p99 ${formatMs(engine.p99)}`],
    }),
  ]
}
