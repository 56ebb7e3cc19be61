import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UnavailableError } from '@hotpath/model'
import type { BenchContext } from '../bench-context.js'
import { makeCorpus } from '../corpus/corpus.js'
import { formatCount, formatMegabytes, formatMs } from '../format.js'
import type { GrowReport } from '../grow-worker.js'
import { memoryOf } from '../process-tree.js'
import { sortName } from '../query-timing.js'
import { type BenchRow, row } from '../report.js'

const WORKER = fileURLToPath(new URL('../../dist/grow-worker.js', import.meta.url))
const SIZES = [100_000, 1_000_000, 10_000_000, 30_000_000]
const SMOKE_SIZES = [2_000, 10_000]
const SAMPLE_MS = 50

interface Grown extends GrowReport {
  /** Largest anonymous memory of the process, sampled. */
  readonly peakBytes: number
}

/** The same synthetic tree at several sizes, each built and searched by a process of its own. */
export async function growRows(context: BenchContext): Promise<BenchRow[]> {
  const { growth, smoke } = context.options
  const what = 'growth: size, build, memory and queries of synthetic trees'
  if (growth === undefined && !smoke) return [row({ id: 'grow', what, skipped: 'asked for with --growth [ENTRIES]' })]
  const largest = growth ?? 0
  const sizes = smoke ? SMOKE_SIZES : [...new Set([...SIZES.filter(size => size < largest), largest])]
  const grown: Grown[] = []
  for (const size of sizes) {
    context.log(`growing to ${formatCount(size)} entries`)
    grown.push(await growTo(context, size))
  }
  const last = grown[grown.length - 1]!
  const figures = Object.fromEntries(
    grown.flatMap(each =>
      Object.entries(each).map(([name, value]) => [`at${each.entries}_${name}`, value] as [string, number]),
    ),
  )
  return [
    row({
      id: 'grow',
      what,
      ours: {
        text:
          `${grown.map(({ entries }) => formatCount(entries)).join(', ')} entries; at the largest ` +
          `${(last.sizeBytes / last.entries).toFixed(2)} B/entry, total p50 ${formatMs(last.totalP50Ms)}, p99 ${formatMs(last.totalP99Ms)}`,
        figures,
      },
      notes: [
        'one process each: parser, store, its worker thread, a query worker and one that helps; not the whole system',
      ],
      details: [
        {
          title: 'by number of entries',
          columns: [
            { title: 'entries', width: 11, align: 'right' },
            ...['size', 'B/entry', 'build', 'merge', 'peak', 'idle', 'page p50', 'p99', 'total p50', 'p99'].map(
              title => ({
                title,
                width: 9,
                align: 'right' as const,
              }),
            ),
          ],
          rows: grown.map(each => [
            formatCount(each.entries),
            formatMegabytes(each.sizeBytes),
            (each.sizeBytes / each.entries).toFixed(2),
            formatMs(each.buildMs),
            formatMs(each.mergeMs),
            formatMegabytes(each.peakBytes),
            formatMegabytes(each.idleBytes),
            formatMs(each.pageP50Ms),
            formatMs(each.pageP99Ms),
            formatMs(each.totalP50Ms),
            formatMs(each.totalP99Ms),
          ]),
        },
      ],
    }),
  ]
}

async function growTo(context: BenchContext, size: number): Promise<Grown> {
  const folder = join(context.folder, `grow-${size}`)
  try {
    const corpus = await makeCorpus(folder, size, context.scale(500, 60), context.options.distinct)
    const queryFile = join(folder, 'queries.tsv')
    const lines = corpus.queries.map(({ group, text, sort }) => `${group}\t${text}\t${sortName(sort)}\n`)
    writeFileSync(queryFile, lines.join(''))
    const rounds = `${context.scale(5, 1)}`
    const child = spawn(process.execPath, [WORKER, corpus.listFile, join(folder, 'index'), queryFile, rounds], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    let peakBytes = 0
    const sampler = setInterval(() => {
      const { anonymousBytes } = memoryOf(child.pid === undefined ? [] : [child.pid])
      // A process that is ending tells nothing.
      if (anonymousBytes > peakBytes) peakBytes = anonymousBytes
    }, SAMPLE_MS)
    try {
      const [code] = (await once(child, 'close')) as [number | null]
      if (code !== 0) throw new UnavailableError(`building ${size} entries ended with exit code ${code}`)
    } finally {
      clearInterval(sampler)
    }
    return { ...(JSON.parse(output) as GrowReport), peakBytes }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
