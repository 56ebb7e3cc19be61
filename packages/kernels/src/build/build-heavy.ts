import {
  BLOCK_NAMES,
  byteCodes,
  compareBytes,
  type EncodedGrams,
  type EncodedNames,
  HEAVY_BLOCKS,
  HEAVY_MAX_KEPT,
  HEAVY_MAX_LENGTH,
  HEAVY_SAMPLE_SLACK,
  HEAVY_SAMPLE_STEP,
  type HeavySubstring,
} from '@hotpath/index-format'
import { inPieces, type PlacedNames, placeNames } from './build-grams.js'
import type { BuildMemory } from './build-memory.js'

/** Bytes that are counted for each node: total, last name, blocks. */
const COUNT_BYTES = 16

/** A trie of byte strings in the memory: see assembly/build/heavy.ts. */
interface Trie {
  /** Nodes, the absent one included. */
  nodes: number
  readonly pairs: number
  readonly rows: number
  readonly parents: number
  readonly codes: number
  readonly depths: number
}

type GramCounts = Pick<EncodedGrams, 'count' | 'keys' | 'blockCounts'>

/** See heavy-table.ts. */
export function findHeavySubstrings(
  memory: BuildMemory,
  names: EncodedNames,
  weights: Uint32Array,
  grams: GramCounts,
  heavyBlocks = HEAVY_BLOCKS,
): HeavySubstring[] {
  if (Math.ceil(names.count / BLOCK_NAMES) <= heavyBlocks) return []
  const placed = placeNames(memory, names, weights)
  const trie = startTrie(memory, placed, names, grams, heavyBlocks)
  mineSample(memory, placed, heavyBlocks, trie)
  return countExactly(memory, placed, heavyBlocks, trie)
}

function startTrie(
  memory: BuildMemory,
  placed: PlacedNames,
  names: EncodedNames,
  grams: GramCounts,
  heavyBlocks: number,
): Trie {
  const { functions } = memory
  const { k } = placed
  const keys = memory.place(grams.keys)
  const blocks = memory.place(grams.blockCounts)
  const first = functions.countHeavyGrams(keys, blocks, grams.count, heavyBlocks)
  const most = 1 + 2 * first + (HEAVY_MAX_LENGTH - 3) * HEAVY_MAX_KEPT
  const trie = {
    nodes: 0,
    pairs: memory.takeZeroed(k * k * 4),
    rows: memory.take(most * 4),
    parents: memory.take(most * 4),
    codes: memory.take(most),
    depths: memory.take(most),
  }
  const codeOf = memory.place(byteCodes(names.keyBytes).codeOf)
  const { pairs, rows, parents, codes, depths } = trie
  trie.nodes = functions.startTrie(
    keys,
    blocks,
    grams.count,
    heavyBlocks,
    codeOf,
    k,
    pairs,
    rows,
    parents,
    codes,
    depths,
  )
  return trie
}

/** Extends the trie by the candidates of each length. */
function mineSample(memory: BuildMemory, placed: PlacedNames, heavyBlocks: number, trie: Trie): void {
  const { functions } = memory
  const { names, offsets, count, blocks, codes, boundary, k } = placed
  const step = HEAVY_SAMPLE_STEP
  let bytes = 0
  inPieces(blocks, (from, to) => {
    bytes += functions.sampleBytes(names, offsets, from, to, step, count, codes, boundary)
  })
  const sampled = Math.min(Math.ceil(blocks / step) * BLOCK_NAMES, count)
  const text = memory.take(bytes)
  const ends = memory.take(sampled * 4)
  let at = 0
  let samples = 0
  inPieces(blocks, (from, to) => {
    at = functions.sampleText(names, offsets, from, to, step, count, codes, boundary, text, at, ends + samples * 4)
    for (let block = from; block < to; block += step) samples += Math.min(BLOCK_NAMES, count - block * BLOCK_NAMES)
  })
  const places = memory.take(bytes * 8)
  let placeCount = functions.startPlaces(text, ends, samples, k, trie.pairs, trie.rows, places)

  const needed = (heavyBlocks / HEAVY_SAMPLE_STEP) * HEAVY_SAMPLE_SLACK
  let firstNode = 1
  for (let length = 4; length <= HEAVY_MAX_LENGTH && firstNode < trie.nodes; length++) {
    const endNode = trie.nodes
    const cells = (endNode - firstNode) * k
    const children = memory.takeZeroed(cells * 4)
    memory.scope(() => {
      const counts = memory.takeZeroed(cells * 8)
      placeCount = functions.countCandidates(text, ends, places, placeCount, length, k, firstNode, counts)
      trie.nodes = functions.keepCandidates(
        counts,
        firstNode,
        endNode,
        trie.depths,
        length,
        k,
        needed,
        HEAVY_MAX_KEPT,
        trie.rows,
        children,
        trie.parents,
        trie.codes,
      )
    })
    placeCount = functions.followPlaces(text, places, placeCount, length, trie.rows)
    firstNode = endNode
  }
}

function countExactly(memory: BuildMemory, placed: PlacedNames, heavyBlocks: number, trie: Trie): HeavySubstring[] {
  const { functions } = memory
  const { names, offsets, count, blocks, weights, codes, boundary, k } = placed
  const found = memory.takeZeroed(trie.nodes * COUNT_BYTES)
  inPieces(blocks, (from, to) =>
    functions.countSubstrings(
      names,
      offsets,
      from,
      to,
      count,
      weights,
      codes,
      k,
      boundary,
      trie.pairs,
      trie.rows,
      found,
    ),
  )
  const depths = memory.u8(trie.depths, trie.nodes)
  const blockCounts = memory.u32(found, trie.nodes * 4)
  const totals = memory.f64(found, trie.nodes * 2)
  const heavy: HeavySubstring[] = []
  for (let node = 1; node < trie.nodes; node++) {
    if (depths[node] > 3 && blockCounts[node * 4 + 3] > heavyBlocks) {
      heavy.push({ bytes: bytesOf(memory, placed, trie, node), total: totals[node * 2] })
    }
  }
  return heavy.sort((a, b) => compareBytes(a.bytes, b.bytes))
}

function bytesOf(memory: BuildMemory, { byteOf, k }: PlacedNames, trie: Trie, node: number): Uint8Array {
  const bytesOfCodes = memory.u8(byteOf, k)
  const parents = memory.u32(trie.parents, trie.nodes)
  const codes = memory.u8(trie.codes, trie.nodes)
  const bytes = new Uint8Array(memory.u8(trie.depths, trie.nodes)[node])
  let at = node
  for (let i = bytes.length - 1; i > 0; i--) {
    bytes[i] = bytesOfCodes[codes[at]]
    // The parent of a pair is its first code.
    if (i === 1) bytes[0] = bytesOfCodes[parents[at]]
    at = parents[at]
  }
  return bytes
}
