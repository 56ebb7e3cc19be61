import { BLOCK_NAMES } from '../layout'
import { need } from './arena'
import { nextName, openBlock, text, textLength } from './names-cursor'

// Heavy substrings. A trie over codes: `pairs` (k² u32) has the node of each pair, `rows` (u32 a node) the address of a row of k
// children (u32), or 0. Nodes are numbered from 1.

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
export function startPlaces(sample: usize, ends: usize, names: u32, k: u32, pairs: usize, rows: usize, places: usize): u32 {
  let found: u32 = 0
  let from: u32 = 0
  for (let name: u32 = 0; name < names; name++) {
    const end = load<u32>(ends + (<usize>name << 2))
    for (let i = from; i + 4 <= end; i++) {
      const at = sample + i
      const pair = load<u32>(pairs + (<usize>(<u32>load<u8>(at) * k + <u32>load<u8>(at, 1)) << 2))
      if (pair == 0) continue
      const node = load<u32>(<usize>load<u32>(rows + (<usize>pair << 2)) + (<usize>load<u8>(at, 2) << 2))
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
 * Makes nodes of candidates in at least `needed` blocks, in the order of nodes and codes, `most` at most: the child is set in its
 * node's row (rows of nodes firstNode … endNode, which this makes, at `children`), parent and code are noted. @returns the next number of a node
 */
export function keepCandidates(
  counts: usize,
  firstNode: u32,
  endNode: u32,
  depths: usize,
  depth: u32,
  k: u32,
  needed: f64,
  most: u32,
  rows: usize,
  children: usize,
  parents: usize,
  codes: usize,
): u32 {
  let next = endNode
  for (let node = firstNode; node < endNode; node++) {
    if (<u32>load<u8>(depths + node) != depth - 1) continue
    const row = children + (<usize>((node - firstNode) * k) << 2)
    store<u32>(rows + (<usize>node << 2), <u32>row)
    for (let code: u32 = 0; code < k && next - endNode < most; code++) {
      if (<f64>load<u32>(counts + (<usize>((node - firstNode) * k + code) << 3), 4) < needed) continue
      store<u32>(parents + (<usize>next << 2), node)
      store<u8>(codes + next, <u8>code)
      store<u8>(depths + next, <u8>depth)
      store<u32>(rows + (<usize>next << 2), 0)
      store<u32>(row + (<usize>code << 2), next)
      next++
    }
  }
  return next
}

/** Takes each place on to its child of `length` codes; places without one are dropped. @returns how many are left */
export function followPlaces(sample: usize, places: usize, placeCount: u32, length: u32, rows: usize): u32 {
  let kept: u32 = 0
  for (let p: u32 = 0; p < placeCount; p++) {
    const place = places + (<usize>p << 3)
    const i = load<u32>(place)
    const row = <usize>load<u32>(rows + (<usize>load<u32>(place, 4) << 2))
    if (row == 0) continue
    const child = load<u32>(row + (<usize>load<u8>(sample + i + length - 1) << 2))
    if (child == 0) continue
    const keep = places + (<usize>(kept++) << 3)
    store<u32>(keep, i)
    store<u32>(keep, child, 4)
  }
  return kept
}

/**
 * Counts the strings of the trie in blocks from … to. `found`: 16 bytes a node, zeroed: f64 total, u32 last name plus one, u32 blocks.
 */
export function countSubstrings(
  names: usize,
  offsets: usize,
  from: u32,
  to: u32,
  nameCount: u32,
  weights: usize,
  codes: usize,
  k: u32,
  boundary: u32,
  pairs: usize,
  rows: usize,
  found: usize,
): void {
  for (let block = from; block < to; block++) {
    const firstName = block * BLOCK_NAMES
    const endName = min<u32>(nameCount, firstName + BLOCK_NAMES)
    openBlock(names + load<u32>(offsets + (<usize>block << 2)), <u8>boundary)
    for (let name = firstName; name < endName; name++) {
      nextName(codes, codes + 256, <u8>boundary)
      const end = text + textLength
      const weight = <f64>load<u32>(weights + (<usize>name << 2))
      for (let at = text; at + 4 <= end; at++) {
        let node = load<u32>(pairs + (<usize>(<u32>load<u8>(at) * k + <u32>load<u8>(at, 1)) << 2))
        if (node == 0) continue
        node = load<u32>(<usize>load<u32>(rows + (<usize>node << 2)) + (<usize>load<u8>(at, 2) << 2))
        if (node == 0) continue
        for (let next = at + 3; next < end; next++) {
          const row = <usize>load<u32>(rows + (<usize>node << 2))
          if (row == 0) break
          node = load<u32>(row + (<usize>load<u8>(next) << 2))
          if (node == 0) break
          const record = found + (<usize>node << 4)
          const last = load<u32>(record, 8)
          if (last == name + 1) continue
          store<u32>(record, name + 1, 8)
          store<f64>(record, load<f64>(record) + weight)
          if (last <= firstName) store<u32>(record, load<u32>(record, 12) + 1, 12)
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
  rows: usize,
  parents: usize,
  codes: usize,
  depths: usize,
): u32 {
  let next: u32 = 1
  for (let g: u32 = 0; g < count; g++) {
    const index = <usize>g << 2
    const gram = load<u32>(keys + index)
    if (gram >= BIGRAM_BIT || !(<f64>load<u32>(blocks + index) > heavyBlocks)) continue
    const first = <u32>load<u8>(codeOf + (gram >>> 16))
    const second = <u32>load<u8>(codeOf + ((gram >>> 8) & 0xff))
    const third = <u32>load<u8>(codeOf + (gram & 0xff))
    const pairAt = pairs + (<usize>(first * k + second) << 2)
    let pair = load<u32>(pairAt)
    if (pair == 0) {
      pair = next++
      store<u32>(pairAt, pair)
      store<u32>(parents + (<usize>pair << 2), first)
      store<u8>(codes + pair, <u8>second)
      store<u8>(depths + pair, 2)
      const row = need(<usize>k << 2)
      memory.fill(row, 0, <usize>k << 2)
      store<u32>(rows + (<usize>pair << 2), <u32>row)
    }
    const node = next++
    store<u32>(parents + (<usize>node << 2), pair)
    store<u8>(codes + node, <u8>third)
    store<u8>(depths + node, 3)
    store<u32>(rows + (<usize>node << 2), 0)
    store<u32>(<usize>load<u32>(rows + (<usize>pair << 2)) + (<usize>third << 2), node)
  }
  return next
}
