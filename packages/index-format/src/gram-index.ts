import type { NameSet } from './name-set.js'
import { BIGRAM_BIT, BLOCK_NAMES, KEY_BOUNDARY, UNIGRAM_BIT } from './segment-layout.js'

/**
 * Which blocks of names hold each gram of one to three bytes, and how many entries have it in their key.
 * Grams are taken over `/key/`; a boundary alone is none.
 */
export interface GramIndex {
  readonly count: number
  /** Gram numbers, ascending (see segment-layout.ts). */
  readonly keys: Uint32Array
  /** count + 1 positions in `blocks`. */
  readonly starts: Uint32Array
  /** Ascending block numbers of each gram. */
  readonly blocks: Uint32Array
  /** Sum of the weights of the names that have the gram. */
  readonly totals: Uint32Array
}

/** Slots at first; a dictionary of 4 M names has about 90,000 grams. */
const INITIAL_SLOTS = 1 << 18

/**
 * @param weights entries of each name (what totals count)
 * Cost: one pass over all keys with one hash probe a gram; 4 bytes of memory per posting twice.
 */
export function collectGrams(names: NameSet, weights: Uint32Array): GramIndex {
  let slots = INITIAL_SLOTS
  let mask = slots - 1
  let table = new Uint32Array(slots)
  let capacity = 1 << 16
  let gramOf = new Uint32Array(capacity)
  let lastName = new Uint32Array(capacity)
  let lastBlock = new Uint32Array(capacity)
  let totals = new Uint32Array(capacity)
  let blockCounts = new Uint32Array(capacity)
  let count = 0
  // The grams that are new in each block, block after block: scattered to posting lists at the end.
  let stream = new Uint32Array(Math.max(4096, names.count * 8))
  let streamed = 0
  const blockTotal = Math.ceil(names.count / BLOCK_NAMES)
  const streamEnds = new Uint32Array(blockTotal)

  const grow = (): void => {
    capacity *= 2
    gramOf = larger(gramOf, capacity)
    lastName = larger(lastName, capacity)
    lastBlock = larger(lastBlock, capacity)
    totals = larger(totals, capacity)
    blockCounts = larger(blockCounts, capacity)
    if (capacity * 2 > slots) {
      slots *= 2
      mask = slots - 1
      table = new Uint32Array(slots)
      for (let g = 0; g < count; g++) {
        let slot = hashGram(gramOf[g]) & mask
        while (table[slot] !== 0) slot = (slot + 1) & mask
        table[slot] = g + 1
      }
    }
  }
  const { keys, keyOffsets } = names
  for (let block = 0; block < blockTotal; block++) {
    const firstName = block * BLOCK_NAMES
    const endName = Math.min(names.count, firstName + BLOCK_NAMES)
    for (let name = firstName; name < endName; name++) {
      const from = keyOffsets[name]
      const to = keyOffsets[name + 1]
      const weight = weights[name]
      let two = 0
      let one = KEY_BOUNDARY
      // Position `from - 1` is the boundary before the key, `to` the one after it.
      for (let i = from; i <= to; i++) {
        const byte = i < to ? keys[i] : KEY_BOUNDARY
        for (let size = 1; size <= 3; size++) {
          let gram: number
          if (size === 1) {
            if (i === to) continue
            gram = UNIGRAM_BIT | byte
          } else if (size === 2) gram = BIGRAM_BIT | (one << 8) | byte
          else {
            if (i === from) continue
            gram = (two << 16) | (one << 8) | byte
          }
          let slot = hashGram(gram) & mask
          let found = table[slot]
          while (found !== 0 && gramOf[found - 1] !== gram) {
            slot = (slot + 1) & mask
            found = table[slot]
          }
          let g: number
          if (found === 0) {
            if (count === capacity) {
              grow()
              slot = hashGram(gram) & mask
              while (table[slot] !== 0) slot = (slot + 1) & mask
            }
            g = count++
            gramOf[g] = gram
            table[slot] = count
          } else {
            g = found - 1
            if (lastName[g] === name + 1) continue
          }
          lastName[g] = name + 1
          totals[g] += weight
          if (lastBlock[g] !== block + 1) {
            lastBlock[g] = block + 1
            blockCounts[g]++
            if (streamed === stream.length) stream = larger(stream, stream.length + (stream.length >>> 1))
            stream[streamed++] = g
          }
        }
        two = one
        one = byte
      }
    }
    streamEnds[block] = streamed
  }

  const order = gramOf.subarray(0, count).slice().sort()
  const position = new Uint32Array(count)
  const starts = new Uint32Array(count + 1)
  const sortedTotals = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    let slot = hashGram(order[i]) & mask
    while (gramOf[table[slot] - 1] !== order[i]) slot = (slot + 1) & mask
    const g = table[slot] - 1
    sortedTotals[i] = totals[g]
    starts[i + 1] = starts[i] + blockCounts[g]
    position[g] = starts[i]
  }
  const blocks = new Uint32Array(streamed)
  let at = 0
  for (let block = 0; block < blockTotal; block++) {
    const end = streamEnds[block]
    while (at < end) blocks[position[stream[at++]]++] = block
  }
  return { count, keys: order, starts, blocks, totals: sortedTotals }
}

function hashGram(gram: number): number {
  const hash = Math.imul(gram, 0x9e3779b1)
  return hash ^ (hash >>> 15)
}

function larger(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(length)
  copy.set(array)
  return copy
}

/**
 * Grams that every `/key/` holds that contains `needle`: its 3-byte grams, or itself if it is shorter. None for an empty
 * needle and for a boundary alone, which are in every `/key/`.
 */
export function gramsOfNeedle(needle: Uint8Array): number[] {
  if (needle.length === 0 || (needle.length === 1 && needle[0] === KEY_BOUNDARY)) return []
  if (needle.length === 1) return [UNIGRAM_BIT | needle[0]]
  if (needle.length === 2) return [BIGRAM_BIT | (needle[0] << 8) | needle[1]]
  const grams = new Set<number>()
  for (let i = 2; i < needle.length; i++) grams.add((needle[i - 2] << 16) | (needle[i - 1] << 8) | needle[i])
  return [...grams]
}
