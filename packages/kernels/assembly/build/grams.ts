import { BLOCK_NAMES } from '../layout'
import { need } from './arena'
import { nextName, openBlock, text, textLength } from './names-cursor'

// One record of 32 bytes for each gram that was met: what is known of it, and its list of blocks.
/** u32: last name that had it plus one. */
const LAST: usize = 0
/** u32: entries. */
const TOTAL: usize = 4
/** u32: blocks that hold it. */
const BLOCKS: usize = 8
/** u32: next byte of its list, and the end of the list's slice; 0, 0 as long as it is empty. */
const NEXT: usize = 12
const END: usize = 16
/** u32: first slice. */
const FIRST: usize = 20
/** u32: bytes of the last slice. */
const SIZE: usize = 24
/** u32, of pairs: row of the triples that begin with it, an address of a record for each third code; or 0. */
const ROW: usize = 28
const RECORD: usize = 32

/** Bytes of a list's first slice; each further one is twice as large. */
const FIRST_SLICE: u32 = 8
const LARGEST_SLICE: u32 = 4096
/** Bytes at the end of a slice: address of the next one. */
const LINK: u32 = 4

/** Blocks of memory that slices, records and rows are cut from. */
const CHUNK: usize = 1 << 18
let chunkAt: usize = 0
let chunkEnd: usize = 0

@inline
function cut(bytes: usize): usize {
  if (bytes > chunkEnd - chunkAt) return cutAnew(bytes)
  const at = chunkAt
  chunkAt = at + bytes
  return at
}

function cutAnew(bytes: usize): usize {
  const size = max<usize>(bytes, CHUNK)
  chunkAt = need(size)
  chunkEnd = chunkAt + size
  const at = chunkAt
  chunkAt = at + bytes
  return at
}

function extend(record: usize): usize {
  const first = load<u32>(record, FIRST) == 0
  const size = first ? FIRST_SLICE : min<u32>(load<u32>(record, SIZE) * 2, LARGEST_SLICE)
  const at = cut(size)
  if (first) store<u32>(record, <u32>at, FIRST)
  else store<u32>(load<u32>(record, END), <u32>at)
  store<u32>(record, <u32>at + size - LINK, END)
  store<u32>(record, size, SIZE)
  return at
}

function append(record: usize, difference: u32): void {
  let at = <usize>load<u32>(record, NEXT)
  while (difference >= 0x80) {
    if (at == load<u32>(record, END)) at = extend(record)
    store<u8>(at++, <u8>(difference | 0x80))
    difference >>>= 7
  }
  if (at == load<u32>(record, END)) at = extend(record)
  store<u8>(at++, <u8>difference)
  store<u32>(record, <u32>at, NEXT)
}

@inline
function touch(record: usize, name: u32, firstName: u32, block: u32, weight: u32): void {
  const last = load<u32>(record, LAST)
  if (last != name + 1) {
    store<u32>(record, name + 1, LAST)
    store<u32>(record, load<u32>(record, TOTAL) + weight, TOTAL)
    if (last <= firstName) {
      store<u32>(record, load<u32>(record, BLOCKS) + 1, BLOCKS)
      append(record, block - (last == 0 ? 0 : (last - 1) / BLOCK_NAMES))
    }
  }
}

/** Before the first blocks of a dictionary. */
export function startGrams(): void {
  chunkAt = 0
  chunkEnd = 0
}

/**
 * Collects the grams of blocks from … to. `singles`: k records, `pairs`: k² records, zeroed before the first call. `codes`: see
 * names-cursor.ts; `boundary`: the code of `/`.
 */
export function collectGrams(
  names: usize,
  offsets: usize,
  from: u32,
  to: u32,
  nameCount: u32,
  weights: usize,
  codes: usize,
  k: u32,
  boundary: u32,
  singles: usize,
  pairs: usize,
): void {
  const rowBytes = <usize>k << 2
  for (let block = from; block < to; block++) {
    const firstName = block * BLOCK_NAMES
    const endName = min<u32>(nameCount, firstName + BLOCK_NAMES)
    openBlock(names + load<u32>(offsets + (<usize>block << 2)), <u8>boundary)
    for (let name = firstName; name < endName; name++) {
      nextName(codes, codes + 256, <u8>boundary)
      const weight = load<u32>(weights + (<usize>name << 2))
      let one = boundary
      let row: usize = 0
      let at = text + 1
      const end = text + textLength - 1
      for (; at < end; at++) {
        const code = <u32>load<u8>(at)
        touch(singles + (<usize>code << 5), name, firstName, block, weight)
        if (row != 0) touch(tripleOf(row, code), name, firstName, block, weight)
        const pair = pairs + (<usize>(one * k + code) << 5)
        touch(pair, name, firstName, block, weight)
        row = load<u32>(pair, ROW)
        if (row == 0) row = addRow(pair, rowBytes)
        one = code
      }
      if (row != 0) touch(tripleOf(row, boundary), name, firstName, block, weight)
      touch(pairs + (<usize>(one * k + boundary) << 5), name, firstName, block, weight)
    }
  }
}

@inline
function tripleOf(row: usize, code: u32): usize {
  const slot = row + (<usize>code << 2)
  const record = <usize>load<u32>(slot)
  return record != 0 ? record : addTriple(slot)
}

function addTriple(slot: usize): usize {
  const record = cut(RECORD)
  memory.fill(record, 0, RECORD)
  store<u32>(slot, <u32>record)
  return record
}

function addRow(pair: usize, rowBytes: usize): usize {
  const row = cut(rowBytes)
  memory.fill(row, 0, rowBytes)
  store<u32>(pair, <u32>row, ROW)
  return row
}

/** How many grams were met. */
export function countGrams(k: u32, singles: usize, pairs: usize): u32 {
  let count: u32 = 0
  for (let i: u32 = 0; i < k * k; i++) {
    const pair = pairs + (<usize>i << 5)
    if (load<u32>(pair, BLOCKS) != 0) count++
    const row = <usize>load<u32>(pair, ROW)
    if (row == 0) continue
    for (let code: u32 = 0; code < k; code++) if (load<u32>(row + (<usize>code << 2)) != 0) count++
  }
  for (let code: u32 = 0; code < k; code++) if (load<u32>(singles + (<usize>code << 5), BLOCKS) != 0) count++
  return count
}

const BIGRAM_BIT: u32 = 0x01000000
const UNIGRAM_BIT: u32 = 0x02000000

let outKeys: usize = 0
let outBlocks: usize = 0
let outTotals: usize = 0
let outRecords: usize = 0

@inline
function list(record: usize, key: u32): void {
  store<u32>(outKeys, key)
  store<u32>(outBlocks, load<u32>(record, BLOCKS))
  store<u32>(outTotals, load<u32>(record, TOTAL))
  store<u32>(outRecords, <u32>record)
  outKeys += 4
  outBlocks += 4
  outTotals += 4
  outRecords += 4
}

/** Lists the grams in order, u32 each: keys, blocks, totals, and addresses of their records. Codes are in byte order. */
export function listGrams(
  k: u32,
  byteOf: usize,
  singles: usize,
  pairs: usize,
  keys: usize,
  blocks: usize,
  totals: usize,
  records: usize,
): void {
  outKeys = keys
  outBlocks = blocks
  outTotals = totals
  outRecords = records
  for (let first: u32 = 0; first < k; first++) {
    for (let second: u32 = 0; second < k; second++) {
      const row = <usize>load<u32>(pairs + (<usize>(first * k + second) << 5), ROW)
      if (row == 0) continue
      const key = (<u32>load<u8>(byteOf + first) << 16) | (<u32>load<u8>(byteOf + second) << 8)
      for (let code: u32 = 0; code < k; code++) {
        const record = <usize>load<u32>(row + (<usize>code << 2))
        if (record != 0) list(record, key | <u32>load<u8>(byteOf + code))
      }
    }
  }
  for (let first: u32 = 0; first < k; first++) {
    for (let second: u32 = 0; second < k; second++) {
      const pair = pairs + (<usize>(first * k + second) << 5)
      if (load<u32>(pair, BLOCKS) == 0) continue
      list(pair, BIGRAM_BIT | (<u32>load<u8>(byteOf + first) << 8) | <u32>load<u8>(byteOf + second))
    }
  }
  for (let code: u32 = 0; code < k; code++) {
    const single = singles + (<usize>code << 5)
    if (load<u32>(single, BLOCKS) != 0) list(single, UNIGRAM_BIT | <u32>load<u8>(byteOf + code))
  }
}

/** Reads the first `count` blocks of a record's list to `out`, u32 each. */
@inline
function readBlocks(record: usize, count: u32, out: usize): void {
  let at = <usize>load<u32>(record, FIRST)
  let size = FIRST_SLICE
  let end = at + size - LINK
  let value: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    let difference: u32 = 0
    for (let shift: u32 = 0; ; shift += 7) {
      if (at == end) {
        at = load<u32>(end)
        size = min<u32>(size * 2, LARGEST_SLICE)
        end = at + size - LINK
      }
      const byte = <u32>load<u8>(at++)
      difference |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    value += difference
    store<u32>(out + (<usize>i << 2), value)
  }
}

const COOKIE_WITHOUT_RUNS: u32 = 12346
const COOKIE_WITH_RUNS: u32 = 12347
const OFFSETS_FROM_CONTAINERS: u32 = 4
const MAX_ARRAY_CARDINALITY: u32 = 4096
const BITMAP_CONTAINER_BYTES: u32 = 8192

/**
 * Writes the posting lists of grams from … to at `at`, where each starts (relative to `base`) to `offsets`. A short gram in more
 * than blocks / `commonShare` has none. `ids`: room for a u32 a block; `containers`: for 16 bytes per 65,536 blocks; `capacity`:
 * end of the room for lists. @returns the position after them, or 0 when gram `done` does not surely fit
 */
export function writePostings(
  from: u32,
  to: u32,
  blocks: u32,
  commonShare: u32,
  keys: usize,
  blockCounts: usize,
  records: usize,
  offsets: usize,
  base: usize,
  at: usize,
  capacity: usize,
  ids: usize,
  containers: usize,
  done: usize,
): usize {
  let g = from
  const most = (blocks >>> 16) + 1
  for (; g < to; g++) {
    const index = <usize>g << 2
    store<u32>(offsets + index, <u32>(at - base))
    const count = load<u32>(blockCounts + index)
    if (load<u32>(keys + index) >= BIGRAM_BIT && <u64>count * commonShare > <u64>blocks) continue
    // No container is larger than a bitmap, none of array or runs larger than two bytes an id.
    const room = 16 + most * 9 + min<u32>(count * 2, most * BITMAP_CONTAINER_BYTES)
    if (at + room > capacity) break
    readBlocks(load<u32>(records + index), count, ids)
    at = writeSet(ids, count, at, containers)
  }
  store<u32>(done, g)
  return at
}

/** Four numbers a container: first index, cardinality, runs (0: no run container), bytes. */
function writeSet(ids: usize, count: u32, at: usize, containers: usize): usize {
  let containerCount: u32 = 0
  let runContainers: u32 = 0
  let i: u32 = 0
  while (i < count) {
    const first = i
    let previous = load<u32>(ids + (<usize>i << 2))
    const key = previous >>> 16
    let runs: u32 = 1
    for (i++; i < count; i++) {
      const id = load<u32>(ids + (<usize>i << 2))
      if (id >>> 16 != key) break
      if (id != previous + 1) runs++
      previous = id
    }
    const cardinality = i - first
    const plain: u32 = cardinality <= MAX_ARRAY_CARDINALITY ? cardinality * 2 : BITMAP_CONTAINER_BYTES
    const asRuns: u32 = 2 + runs * 4
    const isRun = asRuns < plain
    if (isRun) runContainers++
    const container = containers + (<usize>(containerCount++) << 4)
    store<u32>(container, first)
    store<u32>(container, cardinality, 4)
    store<u32>(container, isRun ? runs : 0, 8)
    store<u32>(container, isRun ? asRuns : plain, 12)
  }
  const flagBytes = (containerCount + 7) >>> 3
  const withOffsets = runContainers == 0 || containerCount >= OFFSETS_FROM_CONTAINERS
  let header: u32 = 8 + containerCount * 8
  if (runContainers > 0) {
    header = 4 + flagBytes + containerCount * (withOffsets ? 8 : 4)
    store<u32>(at, COOKIE_WITH_RUNS | ((containerCount - 1) << 16))
    at += 4
    memory.fill(at, 0, flagBytes)
    for (let c: u32 = 0; c < containerCount; c++) {
      if (load<u32>(containers + (<usize>c << 4), 8) == 0) continue
      const flag = at + (c >>> 3)
      store<u8>(flag, <u8>(<u32>load<u8>(flag) | ((<u32>1) << (c & 7))))
    }
    at += flagBytes
  } else {
    store<u32>(at, COOKIE_WITHOUT_RUNS)
    store<u32>(at, containerCount, 4)
    at += 8
  }
  for (let c: u32 = 0; c < containerCount; c++) {
    const container = containers + (<usize>c << 4)
    store<u16>(at, <u16>(load<u32>(ids + (<usize>load<u32>(container) << 2)) >>> 16))
    store<u16>(at, <u16>(load<u32>(container, 4) - 1), 2)
    at += 4
  }
  if (withOffsets) {
    let offset = header
    for (let c: u32 = 0; c < containerCount; c++) {
      store<u32>(at, offset)
      offset += load<u32>(containers + (<usize>c << 4), 12)
      at += 4
    }
  }
  for (let c: u32 = 0; c < containerCount; c++) {
    const container = containers + (<usize>c << 4)
    const first = ids + (<usize>load<u32>(container) << 2)
    const end = first + (<usize>load<u32>(container, 4) << 2)
    const runs = load<u32>(container, 8)
    if (runs > 0) {
      store<u16>(at, <u16>runs)
      at += 2
      for (let id = first; id < end; id += 4) {
        const start = load<u32>(id)
        let last = start
        while (id + 4 < end && load<u32>(id, 4) == last + 1) {
          id += 4
          last++
        }
        store<u16>(at, <u16>start)
        store<u16>(at, <u16>(last - start), 2)
        at += 4
      }
    } else if (load<u32>(container, 4) <= MAX_ARRAY_CARDINALITY) {
      for (let id = first; id < end; id += 4) {
        store<u16>(at, <u16>load<u32>(id))
        at += 2
      }
    } else {
      memory.fill(at, 0, BITMAP_CONTAINER_BYTES)
      for (let id = first; id < end; id += 4) {
        const value = load<u32>(id)
        const byte = at + ((value & 0xffff) >>> 3)
        store<u8>(byte, <u8>(<u32>load<u8>(byte) | ((<u32>1) << (value & 7))))
      }
      at += BITMAP_CONTAINER_BYTES
    }
  }
  return at
}
