import type { GramIndex } from './gram-index.js'
import { compareBytes } from './key.js'
import type { NameSet } from './name-set.js'
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
const SAMPLE_STEP = 8
/** Share of HEAVY_BLOCKS / SAMPLE_STEP that a candidate must reach in the sample; below one because samples scatter. */
const SAMPLE_SLACK = 0.8
/** Bytes. Longer substrings are seldom heavy and are found through their parts. */
const MAX_LENGTH = 12
/** Bounds the table (about 9,400 were found among 10 million entries). */
const MAX_CANDIDATES = 65_536

/** A trie of byte strings, three bytes at its root, as an open-addressing table of (state, byte) → state. */
class Trie {
  private slots = 1 << 12
  private keys = new Float64Array(this.slots).fill(-1)
  private targets = new Int32Array(this.slots)
  private used = 0
  /** Depth in bytes of each state. */
  readonly depth: number[] = []
  /** Parent state and last byte of each state; for states of depth 3 the gram itself. */
  readonly parent: number[] = []
  readonly last: number[] = []

  /** @returns the state, or -1 */
  root(gram: number): number {
    return this.find(gram)
  }

  /** @returns the state, or -1 */
  step(state: number, byte: number): number {
    return this.find((state + 1) * 0x1000000 + byte)
  }

  addRoot(gram: number): number {
    return this.add(gram, -1, gram, 3)
  }

  addStep(state: number, byte: number): number {
    return this.add((state + 1) * 0x1000000 + byte, state, byte, this.depth[state] + 1)
  }

  remove(state: number): void {
    const key = this.depth[state] === 3 ? this.last[state] : (this.parent[state] + 1) * 0x1000000 + this.last[state]
    this.targets[this.slotOf(key)] = -1
  }

  bytesOf(state: number): Uint8Array {
    const bytes: number[] = []
    for (let at = state; at >= 0; at = this.parent[at]) {
      if (this.depth[at] === 3) bytes.unshift(this.last[at] >>> 16, (this.last[at] >>> 8) & 0xff, this.last[at] & 0xff)
      else bytes.unshift(this.last[at])
    }
    return Uint8Array.from(bytes)
  }

  private find(key: number): number {
    const slot = this.slotOf(key)
    return this.keys[slot] === key ? this.targets[slot] : -1
  }

  private slotOf(key: number): number {
    const low = key % 0x100000000
    const high = (key - low) / 0x100000000
    let hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1)
    hash ^= hash >>> 15
    const mask = this.slots - 1
    let slot = hash & mask
    while (this.keys[slot] !== -1 && this.keys[slot] !== key) slot = (slot + 1) & mask
    return slot
  }

  private add(key: number, parent: number, last: number, depth: number): number {
    const state = this.depth.length
    this.depth.push(depth)
    this.parent.push(parent)
    this.last.push(last)
    if (this.used * 2 >= this.slots) {
      const keys = this.keys
      const targets = this.targets
      this.slots *= 2
      this.keys = new Float64Array(this.slots).fill(-1)
      this.targets = new Int32Array(this.slots)
      for (let i = 0; i < keys.length; i++) {
        if (keys[i] === -1) continue
        const slot = this.slotOf(keys[i])
        this.keys[slot] = keys[i]
        this.targets[slot] = targets[i]
      }
    }
    const slot = this.slotOf(key)
    this.keys[slot] = key
    this.targets[slot] = state
    this.used++
    return state
  }
}

/**
 * Finds heavy substrings on a sample, level by level (a string can only be heavy if its parts are), and counts those
 * exactly in one pass over all names.
 * @param weights entries of each name
 * @param heavyBlocks a substring in more blocks than this is heavy
 * @returns in byte order
 */
export function findHeavySubstrings(
  names: NameSet,
  weights: Uint32Array,
  grams: GramIndex,
  heavyBlocks = HEAVY_BLOCKS,
): HeavySubstring[] {
  const blocks = Math.ceil(names.count / BLOCK_NAMES)
  if (blocks <= heavyBlocks) return []
  const trie = new Trie()
  for (let g = 0; g < grams.count; g++) {
    if (grams.keys[g] < BIGRAM_BIT && grams.starts[g + 1] - grams.starts[g] > heavyBlocks) trie.addRoot(grams.keys[g])
  }
  mineSample(names, blocks, heavyBlocks, trie)
  return countExactly(names, weights, heavyBlocks, trie)
}

function mineSample(names: NameSet, blocks: number, heavyBlocks: number, trie: Trie): void {
  const needed = (heavyBlocks / SAMPLE_STEP) * SAMPLE_SLACK
  const padded = new Uint8Array(1 << 16)
  for (let length = 4; length <= MAX_LENGTH; length++) {
    const firstNew = trie.depth.length
    const seenIn: number[] = []
    const counts: number[] = []
    for (let block = 0; block < blocks; block += SAMPLE_STEP) {
      const end = Math.min(names.count, (block + 1) * BLOCK_NAMES)
      for (let name = block * BLOCK_NAMES; name < end; name++) {
        const size = padKey(names, name, padded)
        for (let i = 0; i + length <= size; i++) {
          const prefix = walk(trie, padded, i, length - 1)
          if (prefix < 0) continue
          let state = trie.step(prefix, padded[i + length - 1])
          if (state < 0) {
            if (walk(trie, padded, i + 1, length - 1) < 0 || trie.depth.length - firstNew >= MAX_CANDIDATES) continue
            state = trie.addStep(prefix, padded[i + length - 1])
            seenIn[state - firstNew] = -1
            counts[state - firstNew] = 0
          }
          if (state >= firstNew && seenIn[state - firstNew] !== block) {
            seenIn[state - firstNew] = block
            counts[state - firstNew]++
          }
        }
      }
    }
    let kept = 0
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] < needed) trie.remove(firstNew + i)
      else kept++
    }
    if (kept === 0) break
  }
}

/** State after `length` bytes from `at`, or -1. */
function walk(trie: Trie, bytes: Uint8Array, at: number, length: number): number {
  let state = trie.root((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2])
  for (let i = 3; i < length && state >= 0; i++) state = trie.step(state, bytes[at + i])
  return state
}

function countExactly(names: NameSet, weights: Uint32Array, heavyBlocks: number, trie: Trie): HeavySubstring[] {
  const states = trie.depth.length
  const totals = new Float64Array(states)
  const blockCounts = new Uint32Array(states)
  const lastName = new Int32Array(states).fill(-1)
  const lastBlock = new Int32Array(states).fill(-1)
  const padded = new Uint8Array(1 << 16)
  for (let name = 0; name < names.count; name++) {
    const size = padKey(names, name, padded)
    const block = Math.floor(name / BLOCK_NAMES)
    for (let i = 0; i + 4 <= size; i++) {
      let state = trie.root((padded[i] << 16) | (padded[i + 1] << 8) | padded[i + 2])
      for (let j = i + 3; j < size && state >= 0; j++) {
        state = trie.step(state, padded[j])
        if (state < 0) break
        if (lastName[state] === name) continue
        lastName[state] = name
        totals[state] += weights[name]
        if (lastBlock[state] !== block) {
          lastBlock[state] = block
          blockCounts[state]++
        }
      }
    }
  }
  const heavy: HeavySubstring[] = []
  for (let state = 0; state < states; state++) {
    if (trie.depth[state] > 3 && blockCounts[state] > heavyBlocks) {
      heavy.push({ bytes: trie.bytesOf(state), total: totals[state] })
    }
  }
  return heavy.sort((a, b) => compareBytes(a.bytes, b.bytes))
}

/** Writes `/key/` to `out` and returns its length. */
function padKey(names: NameSet, name: number, out: Uint8Array): number {
  let size = 0
  out[size++] = KEY_BOUNDARY
  for (let i = names.keyOffsets[name], end = names.keyOffsets[name + 1]; i < end; i++) out[size++] = names.keys[i]
  out[size++] = KEY_BOUNDARY
  return size
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
