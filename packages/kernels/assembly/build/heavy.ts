import { BLOCK_NAMES } from '../layout'
import { need } from './arena'
import { nextName, openBlock, text, textLength } from './names-cursor'

// Heavy substrings. A trie over codes, nodes numbered from 1: a record of 32 bytes each. The children of a node are numbered one after the
// other, in the order of their codes, so that a node needs no row of all codes: tables of those do not fit into caches. Only the
// first two codes have tables: `pairs` (k² u32, the row of each pair or 0) and rows (k u32, nodes of three codes).

/** f64: entries that have the string. */
const TOTAL: usize = 0
/** u32: last name that had it plus one. */
const LAST: usize = 8
/** u32: blocks that have it. */
const BLOCKS: usize = 12
/** u32: first child, and how many there are. */
const FIRST: usize = 16
const SIZE: usize = 20
/** u32: parent; of three codes, the first two as a pair. */
const PARENT: usize = 24
/** u8 */
const DEPTH: usize = 29
const NODE_SHIFT: usize = 5

/** Child of a node by its code, 0 if there is none. `codes`: code of each node, with 16 bytes to spare. */
@inline
function childOf(nodes: usize, codes: usize, node: u32, code: u8): u32 {
  const record = nodes + (<usize>node << NODE_SHIFT)
  const size = load<u32>(record, SIZE)
  if (size == 0) return 0
  const first = load<u32>(record, FIRST)
  const wanted = i8x16.splat(code)
  for (let i: u32 = 0; i < size; i += 16) {
    let hits = <u32>i8x16.bitmask(i8x16.eq(v128.load(codes + first + i), wanted))
    const rest = size - i
    if (rest < 16) hits &= ((<u32>1) << rest) - 1
    if (hits != 0) return first + i + ctz<u32>(hits)
  }
  return 0
}

/** Writes the codes of `/key/` of every `step`-th block of blocks from … to (`from` a multiple of `step`); where each name ends goes to `ends`. */
export function sampleText(
  names: usize,
  offsets: usize,
  from: u32,
  to: u32,
  step: u32,
  nameCount: u32,
  codes: usize,
  boundary: u32,
  out: usize,
  at: u32,
  ends: usize,
): u32 {
  for (let block = from; block < to; block += step) {
    const firstName = block * BLOCK_NAMES
    const endName = min<u32>(nameCount, firstName + BLOCK_NAMES)
    openBlock(names + load<u32>(offsets + (<usize>block << 2)), <u8>boundary)
    for (let name = firstName; name < endName; name++) {
      nextName(codes, codes + 256, <u8>boundary)
      memory.copy(out + at, text, textLength)
      at += textLength
      store<u32>(ends, at)
      ends += 4
    }
  }
  return at
}

/** Most bytes that `sampleText` can write for a block: the codes of its names. */
export function sampleBytes(
  names: usize,
  offsets: usize,
  from: u32,
  to: u32,
  step: u32,
  nameCount: u32,
  codes: usize,
  boundary: u32,
): u32 {
  let bytes: u32 = 0
  for (let block = from; block < to; block += step) {
    const firstName = block * BLOCK_NAMES
    const endName = min<u32>(nameCount, firstName + BLOCK_NAMES)
    openBlock(names + load<u32>(offsets + (<usize>block << 2)), <u8>boundary)
    for (let name = firstName; name < endName; name++) {
      nextName(codes, codes + 256, <u8>boundary)
      bytes += textLength
    }
  }
  return bytes
}

/**
 * The places of the sample at which a node of three codes begins: pairs of u32 (place, node) to `places`. @returns how many
 */
export function startPlaces(sample: usize, ends: usize, names: u32, k: u32, pairs: usize, places: usize): u32 {
  let found: u32 = 0
  let from: u32 = 0
  for (let name: u32 = 0; name < names; name++) {
    const end = load<u32>(ends + (<usize>name << 2))
    for (let i = from; i + 4 <= end; i++) {
      const at = sample + i
      const row = <usize>load<u32>(pairs + (<usize>(<u32>load<u8>(at) * k + <u32>load<u8>(at, 1)) << 2))
      if (row == 0) continue
      const node = load<u32>(row + (<usize>load<u8>(at, 2) << 2))
      if (node == 0) continue
      store<u32>(places, i)
      store<u32>(places, node, 4)
      places += 8
      found++
    }
    from = end
  }
  return found
}

/**
 * Counts in how many blocks each candidate of `length` codes is: a node of one code less (from `firstNode` on) and a further code.
 * `counts`: 8 bytes for each node and code, zeroed: last name's block plus one, blocks. Places that end here are dropped.
 * @returns how many places are left
 */
export function countCandidates(
  sample: usize,
  ends: usize,
  places: usize,
  placeCount: u32,
  length: u32,
  k: u32,
  firstNode: u32,
  counts: usize,
): u32 {
  let kept: u32 = 0
  let name: u32 = 0
  let end = load<u32>(ends)
  for (let p: u32 = 0; p < placeCount; p++) {
    const place = places + (<usize>p << 3)
    const i = load<u32>(place)
    while (i >= end) end = load<u32>(ends + (<usize>++name << 2))
    if (i + length > end) continue
    const node = load<u32>(place, 4)
    const candidate = counts + (<usize>((node - firstNode) * k + <u32>load<u8>(sample + i + length - 1)) << 3)
    const block = name / BLOCK_NAMES + 1
    if (load<u32>(candidate) != block) {
      store<u32>(candidate, block)
      store<u32>(candidate, load<u32>(candidate, 4) + 1, 4)
    }
    const keep = places + (<usize>(kept++) << 3)
    store<u32>(keep, i)
    store<u32>(keep, node, 4)
  }
  return kept
}

/**
 * Makes nodes of candidates in at least `needed` blocks, in the order of nodes and codes, `most` at most, as children of nodes
 * firstNode … endNode. @returns the next number of a node
 */
export function keepCandidates(
  counts: usize,
  firstNode: u32,
  endNode: u32,
  depth: u32,
  k: u32,
  needed: f64,
  most: u32,
  nodes: usize,
  codes: usize,
): u32 {
  let next = endNode
  for (let node = firstNode; node < endNode; node++) {
    const record = nodes + (<usize>node << NODE_SHIFT)
    store<u32>(record, next, FIRST)
    for (let code: u32 = 0; code < k && next - endNode < most; code++) {
      if (<f64>load<u32>(counts + (<usize>((node - firstNode) * k + code) << 3), 4) < needed) continue
      addNode(nodes, codes, next++, node, code, depth)
    }
    store<u32>(record, next - load<u32>(record, FIRST), SIZE)
  }
  return next
}

@inline
function addNode(nodes: usize, codes: usize, node: u32, parent: u32, code: u32, depth: u32): void {
  const record = nodes + (<usize>node << NODE_SHIFT)
  memory.fill(record, 0, 1 << NODE_SHIFT)
  store<u32>(record, parent, PARENT)
  store<u8>(record, <u8>depth, DEPTH)
  store<u8>(codes + node, <u8>code)
}

/** Takes each place on to its child of `length` codes; places without one are dropped. @returns how many are left */
export function followPlaces(
  sample: usize,
  places: usize,
  placeCount: u32,
  length: u32,
  nodes: usize,
  codes: usize,
): u32 {
  let kept: u32 = 0
  for (let p: u32 = 0; p < placeCount; p++) {
    const place = places + (<usize>p << 3)
    const i = load<u32>(place)
    const child = childOf(nodes, codes, load<u32>(place, 4), load<u8>(sample + i + length - 1))
    if (child == 0) continue
    const keep = places + (<usize>(kept++) << 3)
    store<u32>(keep, i)
    store<u32>(keep, child, 4)
  }
  return kept
}

/** Counts the strings of the trie in blocks from … to. */
export function countSubstrings(
  names: usize,
  offsets: usize,
  from: u32,
  to: u32,
  nameCount: u32,
  weights: usize,
  byteCodes: usize,
  k: u32,
  boundary: u32,
  pairs: usize,
  nodes: usize,
  codes: usize,
): void {
  for (let block = from; block < to; block++) {
    const firstName = block * BLOCK_NAMES
    const endName = min<u32>(nameCount, firstName + BLOCK_NAMES)
    openBlock(names + load<u32>(offsets + (<usize>block << 2)), <u8>boundary)
    for (let name = firstName; name < endName; name++) {
      nextName(byteCodes, byteCodes + 256, <u8>boundary)
      const end = text + textLength
      const weight = <f64>load<u32>(weights + (<usize>name << 2))
      for (let at = text; at + 4 <= end; at++) {
        const row = <usize>load<u32>(pairs + (<usize>(<u32>load<u8>(at) * k + <u32>load<u8>(at, 1)) << 2))
        if (row == 0) continue
        let node = load<u32>(row + (<usize>load<u8>(at, 2) << 2))
        if (node == 0) continue
        for (let next = at + 3; next < end; next++) {
          node = childOf(nodes, codes, node, load<u8>(next))
          if (node == 0) break
          const record = nodes + (<usize>node << NODE_SHIFT)
          const last = load<u32>(record, LAST)
          if (last == name + 1) continue
          store<u32>(record, name + 1, LAST)
          store<f64>(record, load<f64>(record, TOTAL) + weight, TOTAL)
          if (last <= firstName) store<u32>(record, load<u32>(record, BLOCKS) + 1, BLOCKS)
        }
      }
    }
  }
}

const BIGRAM_BIT: u32 = 0x01000000

/** How many three-byte grams are in more than `heavyBlocks` blocks. */
export function countHeavyGrams(keys: usize, blocks: usize, count: u32, heavyBlocks: f64): u32 {
  let found: u32 = 0
  for (let g: u32 = 0; g < count; g++) {
    const index = <usize>g << 2
    if (load<u32>(keys + index) < BIGRAM_BIT && <f64>load<u32>(blocks + index) > heavyBlocks) found++
  }
  return found
}

/** Begins the trie with those grams. `codeOf`: code of each byte. @returns the next number of a node */
export function startTrie(
  keys: usize,
  blocks: usize,
  count: u32,
  heavyBlocks: f64,
  codeOf: usize,
  k: u32,
  pairs: usize,
  nodes: usize,
  codes: usize,
): u32 {
  let next: u32 = 1
  for (let g: u32 = 0; g < count; g++) {
    const index = <usize>g << 2
    const gram = load<u32>(keys + index)
    if (gram >= BIGRAM_BIT || !(<f64>load<u32>(blocks + index) > heavyBlocks)) continue
    const third = <u32>load<u8>(codeOf + (gram & 0xff))
    const pair = <u32>load<u8>(codeOf + (gram >>> 16)) * k + <u32>load<u8>(codeOf + ((gram >>> 8) & 0xff))
    const pairAt = pairs + (<usize>pair << 2)
    let row = <usize>load<u32>(pairAt)
    if (row == 0) {
      row = need(<usize>k << 2)
      memory.fill(row, 0, <usize>k << 2)
      store<u32>(pairAt, <u32>row)
    }
    store<u32>(row + (<usize>third << 2), next)
    addNode(nodes, codes, next++, pair, third, 3)
  }
  return next
}
