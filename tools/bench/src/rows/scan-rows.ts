import { WalkPool, walkTree } from '@hotpath/scanner'
import type { BenchContext } from '../bench-context.js'
import { formatCount, formatMs, formatRatio } from '../format.js'
import { findProgram, runSilently } from '../peers/program.js'
import { type BenchRow, type Budget, type Peer, row } from '../report.js'
import { type Spread, spreadOf } from '../statistics.js'

interface Contender {
  readonly name: string
  /** Milliseconds of one run; undefined: not installed. */
  readonly run: (() => Promise<number>) | undefined
}

const NAMES_RATIO = 1.5
const SIZES_RATIO = 2

/** Walks of a warm directory tree. All take turns, so that a busy moment hits all of them. */
export async function scanRows(context: BenchContext): Promise<BenchRow[]> {
  const { tree } = context.options
  context.log(`walking ${tree}`)
  let entries = 0
  // The scanner starts its threads before it is told what to walk, and keeps them.
  const pool = new WalkPool()
  const walk = (namesOnly: boolean) => async (): Promise<number> => {
    const startedMs = performance.now()
    const walking = walkTree({ root: tree, namesOnly, pool })
    for await (const batch of walking) if (batch.entries.count === 0) break
    entries = walking.counters().entries
    return performance.now() - startedMs
  }
  const program = (name: string, names: string[], args: string[]): Contender => {
    const path = findProgram(...names)
    return { name, run: path === undefined ? undefined : () => runSilently(path, args) }
  }
  const contenders: Contender[] = [
    { name: 'names', run: walk(true) },
    { name: 'sizes', run: walk(false) },
    program('bfs', ['bfs'], [tree]),
    program('fd -u', ['fd', 'fdfind'], ['-u', '.', tree]),
    program('find', ['find'], [tree]),
    program('find -printf %s', ['find'], [tree, '-printf', '%s %p\\n']),
  ]
  const times = new Map(contenders.map(({ name }) => [name, [] as number[]]))
  // The first round brings everything into memory.
  for (let round = 0; round <= context.scale(5, 2); round++) {
    for (const { name, run } of contenders) {
      const ms = await run?.()
      if (ms !== undefined && round > 0) times.get(name)!.push(ms)
    }
  }
  await pool.close()
  const spreads = new Map([...times].map(([name, values]) => [name, spreadOf(values)]))
  const spread = (name: string): Spread => spreads.get(name)!
  const peer = (name: string): Peer => {
    const { count, p50, min } = spread(name)
    if (count === 0) return { name, text: 'not installed' }
    return { name, text: `median ${formatMs(p50)}`, figures: { p50Ms: p50, minMs: min } }
  }
  const scanRow = (id: string, what: string, own: Spread, budget: Budget, peers: string[]): BenchRow =>
    row({
      id,
      what: `${what}, ${formatCount(entries)} entries of ${tree}`,
      ours: {
        text: `median ${formatMs(own.p50)} (${formatMs(own.min)} … ${formatMs(own.max)}), ${formatCount((entries / own.p50) * 1000)}/s`,
        figures: { p50Ms: own.p50, minMs: own.min, maxMs: own.max, entriesPerSecond: (entries / own.p50) * 1000 },
      },
      budget,
      peers: peers.map(peer),
    })
  const names = spread('names')
  const sizes = spread('sizes')
  return [
    scanRow('scan.names', 'scan of a warm tree, names', names, ratioBudget(names, spread('bfs'), NAMES_RATIO, 'bfs'), [
      'bfs',
      'fd -u',
      'find',
    ]),
    scanRow(
      'scan.sizes',
      'scan of a warm tree, with sizes, times and refs',
      sizes,
      ratioBudget(sizes, spread('find -printf %s'), SIZES_RATIO, 'find -printf %s'),
      ['find -printf %s'],
    ),
  ]
}

/** As fast as the peer times `ratio`. */
function ratioBudget(own: Spread, peer: Spread, ratio: number, name: string): Budget {
  const text = `≥ ${ratio} × as fast as ${name}`
  if (peer.count === 0) return { text, met: undefined }
  const found = peer.p50 / own.p50
  return { text: `${text} (is ${formatRatio(found)})`, met: found >= ratio }
}
