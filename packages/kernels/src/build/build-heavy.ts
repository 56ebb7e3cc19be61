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

/** Bytes of a node, and where things are in it: see assembly/build/heavy.ts. */
const NODE_BYTES = 32
const BLOCKS = 12
const PARENT = 24
const DEPTH = 29
/** Bytes past the last code that vector loads may read. */
const READ_PAST = 16

/** A trie of byte strings in the memory. */
interface Trie {
  /** Nodes, the absent one included. */
  count: number
  readonly pairs: number
  readonly nodes: number
  readonly codes: number
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
  const most = 1 + first + (HEAVY_MAX_LENGTH - 3) * HEAVY_MAX_KEPT
  const pairs = memory.takeZeroed(k * k * 4)
  const nodes = memory.take(most * NODE_BYTES)
  const codes = memory.take(most + READ_PAST)
  const codeOf = memory.place(byteCodes(names.keyBytes).codeOf)
  const count = functions.startTrie(keys, blocks, grams.count, heavyBlocks, codeOf, k, pairs, nodes, codes)
  return { count, pairs, nodes, codes }
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
  let placeCount = functions.startPlaces(text, ends, samples, k, trie.pairs, places)

  const needed = (heavyBlocks / HEAVY_SAMPLE_STEP) * HEAVY_SAMPLE_SLACK
  let firstNode = 1
  for (let length = 4; length <= HEAVY_MAX_LENGTH && firstNode < trie.count; length++) {
    const endNode = trie.count
    const cells = (endNode - firstNode) * k
    memory.scope(() => {
      const counts = memory.takeZeroed(cells * 8)
      placeCount = functions.countCandidates(text, ends, places, placeCount, length, k, firstNode, counts)
      trie.count = functions.keepCandidates(
        counts,
        firstNode,
        endNode,
        length,
        k,
        needed,
        HEAVY_MAX_KEPT,
        trie.nodes,
        trie.codes,
      )
    })
    placeCount = functions.followPlaces(text, places, placeCount, length, trie.nodes, trie.codes)
    firstNode = endNode
  }
}

function countExactly(memory: BuildMemory, placed: PlacedNames, heavyBlocks: number, trie: Trie): HeavySubstring[] {
  const { names, offsets, count, blocks, weights, codes, boundary, k } = placed
  inPieces(blocks, (from, to) =>
    memory.functions.countSubstrings(
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
      trie.nodes,
      trie.codes,
    ),
  )
  const nodes = new DataView(memory.bytes.buffer, trie.nodes, trie.count * NODE_BYTES)
  const heavy: HeavySubstring[] = []
  for (let node = 1; node < trie.count; node++) {
    const at = node * NODE_BYTES
    if (nodes.getUint8(at + DEPTH) > 3 && nodes.getUint32(at + BLOCKS, true) > heavyBlocks) {
      heavy.push({ bytes: bytesOf(memory, placed, trie, nodes, node), total: nodes.getFloat64(at, true) })
    }
  }
  return heavy.sort((a, b) => compareBytes(a.bytes, b.bytes))
}

function bytesOf(
  memory: BuildMemory,
  { byteOf, k }: PlacedNames,
  trie: Trie,
  nodes: DataView,
  node: number,
): Uint8Array {
  const bytesOfCodes = memory.u8(byteOf, k)
  const codes = memory.u8(trie.codes, trie.count)
  const bytes = new Uint8Array(nodes.getUint8(node * NODE_BYTES + DEPTH))
  let at = node
  for (let i = bytes.length - 1; i >= 2; i--) {
    bytes[i] = bytesOfCodes[codes[at]]
    at = nodes.getUint32(at * NODE_BYTES + PARENT, true)
  }
  // The parent of three codes is a pair.
  bytes[0] = bytesOfCodes[Math.floor(at / k)]
  bytes[1] = bytesOfCodes[at % k]
  return bytes
}
