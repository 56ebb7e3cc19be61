import { BlockLists } from './block-lists.js'
import { byteCodes } from './byte-codes.js'
import type { EncodedNames } from './encoded-names.js'
import { NamesBlockCursor } from './names-block.js'
import { BIGRAM_BIT, BLOCK_NAMES, KEY_BOUNDARY, UNIGRAM_BIT } from './segment-layout.js'

/**
 * Which blocks of names hold each gram of one to three bytes, and how many entries have it in their key.
 * Grams are taken over `/key/`; a boundary alone is none.
 */
export interface GramIndex {
  readonly count: number
  /** Gram numbers, ascending (see segment-layout.ts). */
  readonly keys: Uint32Array
  /** Blocks that hold each gram. */
  readonly blockCounts: Uint32Array
  /** Sum of the weights of the names that have the gram. */
  readonly totals: Uint32Array
  /** Writes the blocks of gram number `index`, ascending, to `out`. */
  readBlocks(index: number, out: Uint32Array): void
}

/** Numbers of a gram in `stats`: last name that had it plus one, total, blocks; one is spare, to keep them together. */
const STATS = 4
const TOTAL = 1
const BLOCKS = 2

/**
 * @param weights entries of each name (what totals count)
 * Cost: one pass over all keys, about 25 ns a byte; 1.7 bytes of memory a posting.
 *
 * Grams are numbered: k bytes in use, then k² pairs, then triples as they are met. Triples are found in rows of k, one
 * for each pair that was met, so the table is as large as the text is varied (2.5 MB for a million real names).
 */
export function collectGrams(names: EncodedNames, weights: Uint32Array): GramIndex {
  const { count: k, codeOf, byteOf } = byteCodes(names.keyBytes)
  const firstPair = k
  const firstTriple = k + k * k
  /** Row of a pair in `triples` plus one. */
  const rowOf = new Uint32Array(k * k)
  let rows = 0
  let triples = new Uint32Array(k * 64)
  let gramCount = firstTriple
  let stats = new Uint32Array((firstTriple + 1024) * STATS)
  const lists = new BlockLists()
  lists.ensureLists(gramCount)
  const blockTotal = Math.ceil(names.count / BLOCK_NAMES)
  const cursor = new NamesBlockCursor()
  const boundary = codeOf[KEY_BOUNDARY]

  for (let block = 0; block < blockTotal; block++) {
    const firstName = block * BLOCK_NAMES
    const endName = Math.min(names.count, firstName + BLOCK_NAMES)
    cursor.open(names.bytes, names.blockOffsets[block], names.blockOffsets[block + 1])
    for (let name = firstName; name < endName; name++) {
      cursor.next()
      const keys = cursor.key
      const from = cursor.keyStart
      const to = from + cursor.keyLength
      const weight = weights[name]
      // Room for all that this name can add, so that the inner loop need not look.
      const positions = to - from + 1
      lists.ensureLists(gramCount + positions)
      if ((gramCount + positions) * STATS > stats.length) stats = larger(stats, (gramCount + positions) * STATS)
      if ((rows + positions) * k > triples.length) triples = larger(triples, (rows + positions) * k)
      let one = boundary
      let row = -1
      // Position `from - 1` is the boundary before the key, `to` the one after it.
      for (let i = from; i <= to; i++) {
        const code = i < to ? codeOf[keys[i]] : boundary
        let at: number
        let last: number
        if (i < to) {
          at = code * STATS
          last = stats[at]
          if (last !== name + 1) {
            stats[at] = name + 1
            stats[at + TOTAL] += weight
            if (last <= firstName) {
              stats[at + BLOCKS]++
              lists.append(code, block - blockOfLast(last))
            }
          }
        }
        if (row >= 0) {
          const triple = row * k + code
          let gram = triples[triple]
          if (gram === 0) {
            gram = gramCount++
            triples[triple] = gram
          }
          at = gram * STATS
          last = stats[at]
          if (last !== name + 1) {
            stats[at] = name + 1
            stats[at + TOTAL] += weight
            if (last <= firstName) {
              stats[at + BLOCKS]++
              lists.append(gram, block - blockOfLast(last))
            }
          }
        }
        const pair = one * k + code
        at = (firstPair + pair) * STATS
        last = stats[at]
        if (last !== name + 1) {
          stats[at] = name + 1
          stats[at + TOTAL] += weight
          if (last <= firstName) {
            stats[at + BLOCKS]++
            lists.append(firstPair + pair, block - blockOfLast(last))
          }
        }
        row = rowOf[pair] - 1
        if (row < 0) {
          row = rows++
          rowOf[pair] = rows
        }
        one = code
      }
    }
  }

  let count = 0
  for (let gram = 0; gram < gramCount; gram++) if (stats[gram * STATS + BLOCKS] > 0) count++
  const sorted = new Uint32Array(count)
  const blockCounts = new Uint32Array(count)
  const totals = new Uint32Array(count)
  const numbers = new Uint32Array(count)
  let next = 0
  const add = (gram: number, key: number): void => {
    const blocks = stats[gram * STATS + BLOCKS]
    if (blocks === 0) return
    sorted[next] = key
    totals[next] = stats[gram * STATS + TOTAL]
    blockCounts[next] = blocks
    numbers[next++] = gram
  }
  // Codes are in byte order: going through the tables in order gives the grams in order.
  for (let pair = 0; pair < k * k; pair++) {
    if (rowOf[pair] === 0) continue
    const key = (byteOf[Math.floor(pair / k)] << 16) | (byteOf[pair % k] << 8)
    for (let code = 0; code < k; code++) {
      const gram = triples[(rowOf[pair] - 1) * k + code]
      if (gram !== 0) add(gram, key | byteOf[code])
    }
  }
  for (let pair = 0; pair < k * k; pair++) {
    add(firstPair + pair, BIGRAM_BIT | (byteOf[Math.floor(pair / k)] << 8) | byteOf[pair % k])
  }
  for (let code = 0; code < k; code++) add(code, UNIGRAM_BIT | byteOf[code])
  return {
    count,
    keys: sorted,
    blockCounts,
    totals,
    readBlocks: (index, out) => lists.read(numbers[index], blockCounts[index], out),
  }
}

/** Block of the name before `last` (a name plus one), 0 if there is none: what differences start from. */
function blockOfLast(last: number): number {
  return last === 0 ? 0 : Math.floor((last - 1) / BLOCK_NAMES)
}

function larger(array: Uint32Array<ArrayBuffer>, atLeast: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(Math.max(atLeast, Math.ceil(array.length * 1.5)))
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
