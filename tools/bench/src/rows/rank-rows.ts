import { join } from 'node:path'
import type { BenchContext } from '../bench-context.js'
import { runFzf } from '../peers/fzf.js'
import { findProgram } from '../peers/program.js'
import {
  pathsOf,
  type RankingTree,
  rankInEngine,
  readRankingCases,
  type Successes,
  successesOf,
} from '../ranking-cases.js'
import { type BenchRow, type Measured, type Peer, row } from '../report.js'

/** Share of the cases whose wanted entry is to be the first hit. */
const LEAST_AT_ONE = 0.95
/** Hits among which the wanted entry is looked for. */
const LOOKED_AT = 20

/** How often the entry that a person wants is the first hit, or among the first five. */
export async function rankRows(context: BenchContext): Promise<BenchRow[]> {
  context.log('ranking cases')
  const trees = readRankingCases()
  const places: number[] = []
  const missed: string[][] = []
  for (const [index, tree] of trees.entries()) {
    const found = await rankInEngine(tree, join(context.folder, `ranking-${index}`), LOOKED_AT)
    places.push(...found)
    tree.cases.forEach(({ query, wanted, kind }, i) => {
      if (found[i] !== 1) missed.push([query, wanted, kind, found[i] === 0 ? 'not found' : `${found[i]}`])
    })
  }
  const successes = successesOf(places)
  return [
    row({
      id: 'rank.success',
      what: `wanted entry first, and among five, in ${successes.cases} cases`,
      ours: measured(successes),
      budget: { text: 'at 1 ≥ 95 %', met: successes.atOne / successes.cases >= LEAST_AT_ONE },
      peers: [await fzfPeer(trees)],
      notes: ['both are given the same entries; fzf sees no times'],
      details: [
        {
          title: 'cases whose wanted entry is not the first hit',
          columns: [
            { title: 'query', width: 22 },
            { title: 'wanted', width: 70 },
            { title: 'what is hard', width: 34 },
            { title: 'place', width: 9 },
          ],
          rows: missed,
        },
      ],
    }),
  ]
}

async function fzfPeer(trees: readonly RankingTree[]): Promise<Peer> {
  const program = findProgram('fzf')
  if (program === undefined) return { name: 'fzf --filter', text: 'fzf is not installed' }
  const places: number[] = []
  for (const tree of trees) {
    const text = pathsOf(tree)
      .map(({ path }) => `${path}\n`)
      .join('')
    for (const { query, wanted } of tree.cases) {
      const { lines } = await runFzf(program, query, { text })
      places.push(lines.slice(0, LOOKED_AT).indexOf(wanted) + 1)
    }
  }
  return { name: 'fzf --filter', ...measured(successesOf(places)) }
}

function measured({ cases, atOne, atFive }: Successes): Measured {
  const percent = (count: number): string => `${((count / cases) * 100).toFixed(1)} %`
  return {
    text: `at 1: ${percent(atOne)}, at 5: ${percent(atFive)}`,
    figures: { successAtOne: atOne / cases, successAtFive: atFive / cases, cases },
  }
}
