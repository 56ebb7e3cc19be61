import { CancelledError, InvalidInputError } from '@hotpath/model'
import { BenchContext } from './bench-context.js'
import type { Corpus } from './corpus/corpus.js'
import { formatCount, formatMegabytes } from './format.js'
import { formatMachine, loadNow, type Machine, thisMachine } from './machine.js'
import type { BenchOptions, FAMILY_NAMES } from './options.js'
import { type BenchRow, formatDetails, formatRows, type Verdict, verdictOf } from './report.js'
import { buildRows } from './rows/build-rows.js'
import { cacheRows } from './rows/cache-rows.js'
import { changeRows } from './rows/change-rows.js'
import { coldQueryRows } from './rows/cold-query-rows.js'
import { compactRows } from './rows/compact-rows.js'
import { deepPageRows } from './rows/deep-page-rows.js'
import { diskRows } from './rows/disk-rows.js'
import { engineQueryRows } from './rows/engine-query-rows.js'
import { followRows } from './rows/follow-rows.js'
import { fuzzyRows } from './rows/fuzzy-rows.js'
import { growRows } from './rows/grow-rows.js'
import { idleRows } from './rows/idle-rows.js'
import { loadRows } from './rows/load-rows.js'
import { memoryRows } from './rows/memory-rows.js'
import { ntfsRows } from './rows/ntfs-rows.js'
import { openRows } from './rows/open-rows.js'
import { rankRows } from './rows/rank-rows.js'
import { reconnectRows } from './rows/reconnect-rows.js'
import { renameRows } from './rows/rename-rows.js'
import { repairRows } from './rows/repair-rows.js'
import { repeatRows } from './rows/repeat-rows.js'
import { scanRows } from './rows/scan-rows.js'
import { socketQueryRows } from './rows/socket-query-rows.js'
import { startRows } from './rows/start-rows.js'
import { stormRows } from './rows/storm-rows.js'
import { treeDiskRows } from './rows/tree-disk-rows.js'
import { watchRows } from './rows/watch-rows.js'
import { worstQueryRows } from './rows/worst-query-rows.js'

/** What `--json` writes. */
export interface BenchReport {
  readonly version: 1
  readonly startedAt: string
  readonly smoke: boolean
  readonly machine: Machine
  readonly corpus:
    | { name: string; entries: number; directories: number; listBytes: number; queries: number }
    | undefined
  /** Averages of one, five and fifteen minutes. */
  readonly load: { readonly before: readonly number[]; readonly after: readonly number[] }
  readonly rows: readonly (BenchRow & { readonly verdict: Verdict })[]
  /** Rows that failed, with the reason; the others stand. */
  readonly failures: readonly { readonly family: string; readonly message: string }[]
}

interface Family {
  readonly name: (typeof FAMILY_NAMES)[number]
  /** Ids of its rows begin with this. */
  readonly prefix: string
  readonly measure: (context: BenchContext) => Promise<BenchRow[]>
}

/** In this order: what needs the running system comes together, and starting anew stops it. */
const FAMILIES: readonly Family[] = [
  { name: 'scan', prefix: 'scan', measure: scanRows },
  { name: 'build', prefix: 'build', measure: buildRows },
  { name: 'disk', prefix: 'disk', measure: diskRows },
  { name: 'tree', prefix: 'disk.tree', measure: treeDiskRows },
  { name: 'query', prefix: 'query', measure: engineQueryRows },
  { name: 'worst', prefix: 'query.worst', measure: worstQueryRows },
  { name: 'cold', prefix: 'query.cold', measure: coldQueryRows },
  { name: 'deep', prefix: 'pages.deep', measure: deepPageRows },
  { name: 'compact', prefix: 'compact', measure: compactRows },
  { name: 'fuzzy', prefix: 'fuzzy', measure: fuzzyRows },
  { name: 'rank', prefix: 'rank', measure: rankRows },
  { name: 'memory', prefix: 'memory', measure: memoryRows },
  { name: 'socket', prefix: 'query.socket', measure: socketQueryRows },
  { name: 'repeat', prefix: 'repeat', measure: repeatRows },
  { name: 'load', prefix: 'load', measure: loadRows },
  { name: 'reconnect', prefix: 'reconnect', measure: reconnectRows },
  { name: 'cache', prefix: 'cache', measure: cacheRows },
  { name: 'start', prefix: 'start', measure: startRows },
  { name: 'change', prefix: 'change', measure: changeRows },
  { name: 'storm', prefix: 'storm', measure: stormRows },
  { name: 'repair', prefix: 'repair', measure: repairRows },
  { name: 'watch', prefix: 'watch', measure: watchRows },
  { name: 'idle', prefix: 'idle', measure: idleRows },
  { name: 'follow', prefix: 'follow', measure: followRows },
  { name: 'opens', prefix: 'opens', measure: openRows },
  { name: 'rename', prefix: 'change.rename', measure: renameRows },
  { name: 'ntfs', prefix: 'ntfs', measure: ntfsRows },
  { name: 'grow', prefix: 'grow', measure: growRows },
]

/** Families that make what they need themselves. */
const WITHOUT_CORPUS: ReadonlySet<string> = new Set([
  'scan',
  'change',
  'storm',
  'repair',
  'watch',
  'idle',
  'follow',
  'rank',
  'opens',
  'rename',
  'grow',
])

/**
 * Measures, prints to `out` (progress to `progress`) and returns everything. Leaves nothing behind unless `keep`.
 *
 * @param signal ends it early: what runs is stopped, what was made is removed
 * @throws CancelledError if it was ended
 */
export async function runBench(
  options: BenchOptions,
  out: (text: string) => void,
  progress: (text: string) => void,
  signal?: AbortSignal,
): Promise<BenchReport> {
  const families = chosen(options.only)
  const startedAt = new Date().toISOString()
  const machine = thisMachine()
  const before = loadNow()
  const context = new BenchContext(options, progress)
  const rows: BenchRow[] = []
  const failures: { family: string; message: string }[] = []
  let corpus: Corpus | undefined
  const ended = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(new CancelledError()), { once: true })
  })
  ended.catch(() => {})
  try {
    if (families.some(({ name }) => !WITHOUT_CORPUS.has(name))) {
      progress('making or reading the corpus')
      corpus = await Promise.race([context.corpus(), ended])
    }
    out(formatHead(options, machine, corpus, before))
    for (const { name, measure } of families) {
      try {
        const measured = await Promise.race([measure(context), ended])
        rows.push(...(options.distinct ? measured.map(withoutBudget) : measured))
      } catch (error) {
        if (error instanceof CancelledError && signal?.aborted) throw error
        failures.push({ family: name, message: error instanceof Error ? error.message : String(error) })
      }
    }
  } finally {
    await context.close()
  }
  const after = loadNow()
  out(`\n${formatRows(rows)}\n${formatDetails(rows)}\n`)
  for (const { family, message } of failures) out(`FAILED ${family}: ${message}\n`)
  out(`load after: ${after.map(load => load.toFixed(1)).join(' ')}\n`)
  return {
    version: 1,
    startedAt,
    smoke: options.smoke,
    machine,
    corpus: corpus && {
      name: corpus.name,
      entries: corpus.entries,
      directories: corpus.directories,
      listBytes: corpus.listBytes,
      queries: corpus.queries.length,
    },
    load: { before, after },
    rows: rows.map(entry => ({ ...entry, verdict: verdictOf(entry) })),
    failures,
  }
}

/** Budgets stand for real names. */
function withoutBudget({ budget: _, ...entry }: BenchRow): BenchRow {
  return entry
}

function chosen(only: readonly string[] | undefined): Family[] {
  if (only === undefined) return [...FAMILIES]
  const known: string[] = FAMILIES.map(({ name }) => name)
  for (const name of only) {
    if (!known.includes(name))
      throw new InvalidInputError('--only', `some of ${known.join(', ')}`, JSON.stringify(name))
  }
  return FAMILIES.filter(({ name }) => only.includes(name))
}

function formatHead(
  options: BenchOptions,
  machine: Machine,
  corpus: Corpus | undefined,
  load: readonly number[],
): string {
  const lines = [`machine: ${formatMachine(machine)}`, `load before: ${load.map(value => value.toFixed(1)).join(' ')}`]
  if (corpus) {
    lines.push(
      `corpus: ${corpus.name}, ${formatCount(corpus.entries)} entries, ${formatCount(corpus.directories)} directories, ` +
        `list of ${formatMegabytes(corpus.listBytes)}, ${corpus.queries.length} queries`,
    )
  }
  lines.push(
    options.distinct
      ? 'no budgets: names that all differ are the worst case'
      : 'budgets are those for 10,000,000 real entries on 2 cores, whatever the size of this run',
  )
  if (options.smoke) lines.push('smoke run: few repetitions, figures are not to be quoted')
  return `${lines.join('\n')}\n`
}
