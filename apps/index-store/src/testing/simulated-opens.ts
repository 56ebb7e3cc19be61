import type { NodeKey } from '@hotpath/hot-score'

/** Opens of a simulated person, numbered from 0: which node, and when (seconds since 1970). The same in every process. */
export const SIMULATED_OPENS = 100_000
const NODES = 3_000
const START = 1_750_000_000

export function simulatedOpen(number: number): { node: NodeKey; at: number } {
  const mixed = Math.imul(number ^ (number >>> 7), 0x9e3779b1) >>> 0
  // Some nodes are opened all the time, most seldom.
  const rank = Math.floor(NODES * (mixed / 2 ** 32) ** 3)
  return { node: { volume: 9, low: rank, high: rank % 5, birth: 1 }, at: START + number * 20 }
}
