import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { walkTree } from '@hotpath/scanner'
import { openStore, type SegmentSizes } from '@hotpath/store'
import type { BenchContext } from '../bench-context.js'
import { TreeColumns } from '../corpus/tree-columns.js'
import { buildEngineIndex } from '../engine-index.js'
import { formatCount, formatMegabytes, formatMs } from '../format.js'
import { type BenchRow, type Detail, row } from '../report.js'
import { bytesByPurpose } from './disk-rows.js'

const BUDGET_BYTES = 50
const SEED = 77

/** Bytes per entry of trees: three times of 100 ns, attributes and refs. */
export async function treeDiskRows(context: BenchContext): Promise<BenchRow[]> {
  return [await madeUpTree(context), await walkedTree(context)]
}

/** The entries of the corpus, as if they had been walked: the size for which the budget stands. */
async function madeUpTree(context: BenchContext): Promise<BenchRow> {
  const { listFile, name } = await context.corpus()
  context.log('building an index with the columns of a tree')
  const directory = join(context.folder, 'tree-index')
  const columns = new TreeColumns(SEED)
  const { store, sizes, entries, buildMs } = await buildEngineIndex(listFile, directory, rows => columns.of(rows))
  await store.close()
  rmSync(directory, { recursive: true })
  return treeRow(
    'disk.tree',
    `index of a tree with three 100 ns times, attributes and refs: the entries of the corpus (${name}) with made-up inodes and times`,
    sizes,
    entries,
    [`ticks of all three times are drawn for every entry; built in ${formatMs(buildMs)}`],
    true,
  )
}

/** A real tree: small, and what packages unpack has whole seconds. */
async function walkedTree(context: BenchContext): Promise<BenchRow> {
  const { tree } = context.options
  context.log(`indexing ${tree}`)
  const directory = join(context.folder, 'walked-index')
  const store = await openStore({ directory })
  try {
    const place = { volume: 'walked', prefix: new Uint8Array(0), virtualRoot: false }
    await store.addRoot({ id: 'walked', kind: 'tree', path: tree }, place)
    const epoch = await store.beginScan('walked', { bootId: 'bench', startedAt: 0 })
    let sequence = 0
    for await (const { entries, listedDirectory, listedObserved } of walkTree({ root: tree })) {
      if (entries.count === 0) break
      await store.addEntries(epoch, ++sequence, entries, {
        directory: listedDirectory,
        observed: listedObserved,
      }).received
    }
    const { entries } = await store.endScan(epoch, { lastSequence: sequence })
    await store.compact()
    return treeRow('disk.tree-walked', `the same of ${tree} as it is walked`, store.sizes(), entries, [], false)
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
}

function treeRow(
  id: string,
  what: string,
  sizes: readonly SegmentSizes[],
  entries: number,
  notes: readonly string[],
  judged: boolean,
): BenchRow {
  const bytes = bytesByPurpose(sizes)
  const perEntry = bytes.all / entries
  return row({
    id,
    what,
    ours: {
      text: `${perEntry.toFixed(2)} B/entry, ${formatMegabytes(bytes.all)}, ${formatCount(entries)} entries`,
      figures: { bytesPerEntry: perEntry, bytes: bytes.all, entries, segments: sizes.length },
    },
    ...(judged && {
      budget: { text: `≤ ${BUDGET_BYTES} B/entry, whole files, merged`, met: perEntry <= BUDGET_BYTES },
    }),
    notes,
    details: [sectionTable(sizes, entries)],
  })
}

/** Sections of a tenth of a byte an entry or more. */
function sectionTable(sizes: readonly SegmentSizes[], entries: number): Detail {
  const sections = new Map<string, number>()
  for (const segment of sizes) {
    for (const { tag, sizeBytes } of segment.sections) sections.set(tag, (sections.get(tag) ?? 0) + sizeBytes)
  }
  return {
    title: 'bytes per section, where they are a tenth of a byte an entry or more',
    columns: [
      { title: 'section', width: 8 },
      { title: 'B/entry', width: 8, align: 'right' },
    ],
    rows: [...sections]
      .sort(([, a], [, b]) => b - a)
      .filter(([, sum]) => sum / entries >= 0.1)
      .map(([tag, sum]) => [tag, (sum / entries).toFixed(2)]),
  }
}
