import type { EncodedGrams } from './build-kernels.js'
import { type ByteCodes, byteCodes } from './byte-codes.js'
import type { EncodedNames } from './encoded-names.js'
import { compareBytes } from './key.js'
import { MAX_KEY_BYTES, NamesBlockCursor } from './names-block.js'
import { BIGRAM_BIT, BLOCK_NAMES, KEY_BOUNDARY } from './segment-layout.js'

/**
 * Exact totals of heavy substrings: byte strings of four bytes and more that occur in so many blocks that verifying them
 * all would take milliseconds. With the total known, a query can stop at its first page.
 *
 * Layout: offsets u32 × (items + 1) into the strings, totals u32 × items, then the strings, in byte order.
 * Strings are taken over `/key/`, like grams.
 */
export interface HeavySubstring {
  readonly bytes: Uint8Array
  /** Entries whose `/key/` contains it. */
  readonly total: number
}

/** Blocks: verifying 1,000 blocks takes about half a millisecond. Below that no stored total is needed. */
export const HEAVY_BLOCKS = 1000
/** Candidates are sought in every eighth block; what the sample misses costs time in queries, never exactness. */
export const HEAVY_SAMPLE_STEP = 8
/** Share of HEAVY_BLOCKS / HEAVY_SAMPLE_STEP that a candidate must reach in the sample; below one because samples scatter. */
export const HEAVY_SAMPLE_SLACK = 0.8
/** Bytes. Longer substrings are seldom heavy and are found through their parts. */
export const HEAVY_MAX_LENGTH = 12
/** Candidates that are kept of each length: bounds memory (9,400 substrings of all lengths were found among 10 M entries). */
export const HEAVY_MAX_KEPT = 16_384

/**
 * A trie of byte strings of two bytes and more over byte codes, each node a row of children.
 * Nodes are numbered from 1; 0 stands for none.
 */
class Trie {
  readonly depth: number[] = [0]
  private readonly parent: number[] = [0]
  private readonly code: number[] = [0]
  /** Node of each pair of codes. */
  readonly pairs: Uint32Array
  /** Child of each node and code. */
  children: Uint32Array

  constructor(readonly codes: ByteCodes) {
    this.pairs = new Uint32Array(codes.count * codes.count)
    this.children = new Uint32Array(codes.count * 256)
  }

  /** Nodes, the absent one included. */
  get nodes(): number {
    return this.depth.length
  }

  /** Adds three bytes, packed as in a gram. */
  addGram(gram: number): void {
    const { count, codeOf } = this.codes
    const second = codeOf[(gram >>> 8) & 0xff]
    const pair = codeOf[gram >>> 16] * count + second
    if (this.pairs[pair] === 0) this.pairs[pair] = this.add(codeOf[gram >>> 16], second, 2)
    this.addChild(this.pairs[pair], codeOf[gram & 0xff])
  }

  addChild(node: number, code: number): void {
    const child = this.add(node, code, this.depth[node] + 1)
    this.children[node * this.codes.count + code] = child
  }

  private add(parent: number, code: number, depth: number): number {
    const node = this.depth.length
    this.depth.push(depth)
    this.parent.push(parent)
    this.code.push(code)
    if ((node + 1) * this.codes.count > this.children.length) {
      const larger = new Uint32Array(this.children.length * 2)
      larger.set(this.children)
      this.children = larger
    }
    return node
  }

  bytesOf(node: number): Uint8Array {
    const { byteOf } = this.codes
    const bytes = new Uint8Array(this.depth[node])
    let at = node
    for (let i = bytes.length - 1; i > 0; i--) {
      bytes[i] = byteOf[this.code[at]]
      // The parent of a pair is its first code.
      if (i === 1) bytes[0] = byteOf[this.parent[at]]
      at = this.parent[at]
    }
    return bytes
  }
}

/**
 * Finds heavy substrings on a sample, length by length (a string can only be heavy if what it begins with is), and
 * counts those exactly in one pass over all names.
 * @param weights entries of each name
 * @param heavyBlocks a substring in more blocks than this is heavy
 * @returns in byte order
 */
export function findHeavySubstrings(
  names: EncodedNames,
  weights: Uint32Array,
  grams: Pick<EncodedGrams, 'count' | 'keys' | 'blockCounts'>,
  heavyBlocks = HEAVY_BLOCKS,
): HeavySubstring[] {
  const blocks = Math.ceil(names.count / BLOCK_NAMES)
  if (blocks <= heavyBlocks) return []
  const trie = new Trie(byteCodes(names.keyBytes))
  for (let g = 0; g < grams.count; g++) {
    if (grams.keys[g] < BIGRAM_BIT && grams.blockCounts[g] > heavyBlocks) trie.addGram(grams.keys[g])
  }
  mineSample(names, blocks, heavyBlocks, trie)
  return countExactly(names, weights, heavyBlocks, trie)
}

/** Extends the trie by the candidates of each length. */
function mineSample(names: EncodedNames, blocks: number, heavyBlocks: number, trie: Trie): void {
  const needed = (heavyBlocks / HEAVY_SAMPLE_STEP) * HEAVY_SAMPLE_SLACK
  const { count: k } = trie.codes
  const sample = new Sample(names, blocks, trie.codes)
  const { text, ends, blockOf } = sample
  /** 1 where no candidate begins any more. */
  const spent = new Uint8Array(text.length)
  let firstKept = 1
  for (let length = 4; length <= HEAVY_MAX_LENGTH && firstKept < trie.nodes; length++) {
    const { nodes, pairs, children, depth } = trie
    const counts = new Uint32Array((nodes - firstKept) * k)
    const seenIn = new Uint32Array((nodes - firstKept) * k)
    let from = 0
    for (let name = 0; name < ends.length; name++) {
      const end = ends[name]
      const block = blockOf[name] + 1
      for (let i = from; i < end; i++) {
        if (spent[i] !== 0) continue
        if (i + length > end) {
          spent[i] = 1
          continue
        }
        let node = pairs[text[i] * k + text[i + 1]]
        for (let j = 2; j < length - 1 && node !== 0; j++) node = children[node * k + text[i + j]]
        if (node === 0) {
          spent[i] = 1
          continue
        }
        const candidate = (node - firstKept) * k + text[i + length - 1]
        if (seenIn[candidate] !== block) {
          seenIn[candidate] = block
          counts[candidate]++
        }
      }
      from = end
    }
    const first = nodes
    for (let node = firstKept; node < nodes; node++) {
      if (depth[node] !== length - 1) continue
      for (let code = 0; code < k && trie.nodes - first < HEAVY_MAX_KEPT; code++) {
        if (counts[(node - firstKept) * k + code] >= needed) trie.addChild(node, code)
      }
    }
    firstKept = first
  }
}

/** Every HEAVY_SAMPLE_STEP-th block as one text of codes. */
class Sample {
  /** `/key/` of one name after the other. */
  readonly text: Uint8Array
  readonly ends: Uint32Array
  readonly blockOf: Uint32Array

  constructor(names: EncodedNames, blocks: number, codes: ByteCodes) {
    const limit = Math.ceil(blocks / HEAVY_SAMPLE_STEP) * BLOCK_NAMES
    const ends = new Uint32Array(limit)
    const blockOf = new Uint32Array(limit)
    const cursor = new NamesBlockCursor()
    let text = new Uint8Array(limit * 24)
    let at = 0
    let count = 0
    for (let block = 0; block < blocks; block += HEAVY_SAMPLE_STEP) {
      cursor.open(names.bytes, names.blockOffsets[block], names.blockOffsets[block + 1])
      while (cursor.next()) {
        if (at + cursor.keyLength + 2 > text.length) {
          const larger = new Uint8Array(Math.ceil((at + cursor.keyLength + 2) * 1.5))
          larger.set(text)
          text = larger
        }
        at = padKey(cursor, codes, text, at)
        ends[count] = at
        blockOf[count++] = block
      }
    }
    this.text = text.subarray(0, at)
    this.ends = ends.subarray(0, count)
    this.blockOf = blockOf
  }
}

function countExactly(names: EncodedNames, weights: Uint32Array, heavyBlocks: number, trie: Trie): HeavySubstring[] {
  const { nodes, pairs, children, depth, codes } = trie
  const { count: k } = codes
  const totals = new Float64Array(nodes)
  const blockCounts = new Uint32Array(nodes)
  /** Last name that had the string plus one. */
  const lastName = new Uint32Array(nodes)
  const padded = new Uint8Array(MAX_KEY_BYTES + 2)
  const cursor = new NamesBlockCursor()
  for (let name = 0; name < names.count; name++) {
    const block = Math.floor(name / BLOCK_NAMES)
    if (name % BLOCK_NAMES === 0) cursor.open(names.bytes, names.blockOffsets[block], names.blockOffsets[block + 1])
    cursor.next()
    const size = padKey(cursor, codes, padded, 0)
    const weight = weights[name]
    const firstOfBlock = block * BLOCK_NAMES
    for (let i = 0; i + 4 <= size; i++) {
      let node = pairs[padded[i] * k + padded[i + 1]]
      if (node === 0) continue
      node = children[node * k + padded[i + 2]]
      for (let j = i + 3; j < size && node !== 0; j++) {
        node = children[node * k + padded[j]]
        const last = lastName[node]
        if (node === 0 || last === name + 1) continue
        lastName[node] = name + 1
        totals[node] += weight
        if (last <= firstOfBlock) blockCounts[node]++
      }
    }
  }
  const heavy: HeavySubstring[] = []
  for (let node = 1; node < nodes; node++) {
    if (depth[node] > 3 && blockCounts[node] > heavyBlocks)
      heavy.push({ bytes: trie.bytesOf(node), total: totals[node] })
  }
  return heavy.sort((a, b) => compareBytes(a.bytes, b.bytes))
}

/** Writes the codes of `/key/` of the cursor's name at `at` and returns the position after them. */
function padKey(cursor: NamesBlockCursor, { codeOf }: ByteCodes, out: Uint8Array, at: number): number {
  const { key, keyStart } = cursor
  let next = at
  out[next++] = codeOf[KEY_BOUNDARY]
  for (let i = keyStart, end = keyStart + cursor.keyLength; i < end; i++) out[next++] = codeOf[key[i]]
  out[next++] = codeOf[KEY_BOUNDARY]
  return next
}

export function encodeHeavyTable(heavy: readonly HeavySubstring[]): Uint8Array {
  let bytes = 0
  for (const item of heavy) bytes += item.bytes.length
  const out = new Uint8Array(4 * (heavy.length * 2 + 1) + bytes)
  const view = new DataView(out.buffer)
  const strings = 4 * (heavy.length * 2 + 1)
  let at = 0
  heavy.forEach((item, i) => {
    view.setUint32(i * 4, at, true)
    view.setUint32((heavy.length + 1 + i) * 4, item.total, true)
    out.set(item.bytes, strings + at)
    at += item.bytes.length
  })
  view.setUint32(heavy.length * 4, at, true)
  return out
}
