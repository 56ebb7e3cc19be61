import type { RowsOfNames } from './build-kernels.js'
import { BLOCK_NAMES, COUNT_OVERFLOW } from './segment-layout.js'

/** Rows of each name, from the name of each row. Cost: a counting sort. */
export function rowsOfNames(nameIds: Uint32Array, nameCount: number): RowsOfNames {
  const count = nameIds.length
  const blocks = Math.ceil(nameCount / BLOCK_NAMES)
  const weights = new Uint32Array(nameCount)
  for (let row = 0; row < count; row++) weights[nameIds[row]]++
  const counts = new Uint8Array(nameCount)
  const overflow: number[] = []
  const blockStarts = new Uint32Array(blocks + 1)
  const next = new Uint32Array(nameCount)
  let sum = 0
  for (let name = 0; name < nameCount; name++) {
    counts[name] = Math.min(weights[name], COUNT_OVERFLOW)
    if (weights[name] >= COUNT_OVERFLOW) overflow.push(name, weights[name])
    if (name % BLOCK_NAMES === 0) blockStarts[name / BLOCK_NAMES] = sum
    next[name] = sum
    sum += weights[name]
  }
  blockStarts[blocks] = sum
  const inverse = new Uint32Array(count)
  for (let row = 0; row < count; row++) inverse[next[nameIds[row]]++] = row
  return { weights, counts, overflow: Uint32Array.from(overflow), blockStarts, inverse }
}
