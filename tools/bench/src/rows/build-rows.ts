import type { BenchContext } from '../bench-context.js'
import { formatMs, formatRatio } from '../format.js'
import { PLOCATE_BUILD, type PlocateDatabase } from '../peers/plocate.js'
import { type BenchRow, type Budget, type Peer, row } from '../report.js'

const BUDGET_RATIO = 0.75

/** From a file list with sizes and times until everything can be searched. */
export async function buildRows(context: BenchContext): Promise<BenchRow[]> {
  const plocate = await context.plocate()
  const index = await context.engineIndex()
  const peers = [buildPeer(plocate)]
  const inProcess = row({
    id: 'build.engine',
    what: 'build from a file list, sizes and times, until all can be searched: one process',
    ours: {
      text: `${formatMs(index.buildMs)} wall, ${formatMs(index.buildCpuMs)} CPU`,
      figures: { wallMs: index.buildMs, cpuMs: index.buildCpuMs, mergeMs: index.mergeMs, entries: index.entries },
    },
    budget: budgetOf(index.buildMs, plocate),
    peers,
    notes: [`${index.slices} slices, then merged to one segment behind the answers in ${formatMs(index.mergeMs)}`],
  })
  const built = await context.system()
  const { entries } = await context.corpus()
  const wholeSystem = row({
    id: 'build.system',
    what: 'the same, all processes, from the start of the supervisor',
    ours: {
      text: `${formatMs(built.buildMs)} wall, ${formatMs(built.buildCpuMs)} CPU`,
      figures: { wallMs: built.buildMs, cpuMs: built.buildCpuMs, entries: built.entries },
    },
    budget: budgetOf(built.buildMs, plocate),
    peers,
    notes:
      built.entries === index.entries
        ? []
        : [`${built.entries} entries here, ${index.entries} in one process, ${entries} lines in the list`],
  })
  return [inProcess, wholeSystem]
}

function budgetOf(wallMs: number, plocate: PlocateDatabase | undefined): Budget {
  const text = `≤ ${BUDGET_RATIO} × plocate-build`
  if (plocate === undefined) return { text, met: undefined }
  const ratio = wallMs / plocate.buildMs
  return { text: `${text} (is ${formatRatio(ratio)})`, met: ratio <= BUDGET_RATIO }
}

function buildPeer(plocate: PlocateDatabase | undefined): Peer {
  if (plocate === undefined) return { name: PLOCATE_BUILD, text: 'not installed' }
  return {
    name: PLOCATE_BUILD,
    text: `${formatMs(plocate.buildMs)} wall, ${formatMs(plocate.buildCpuMs)} CPU, names only`,
    figures: { wallMs: plocate.buildMs, cpuMs: plocate.buildCpuMs },
  }
}
