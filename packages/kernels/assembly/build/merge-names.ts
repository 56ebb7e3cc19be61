import { lowered } from '../byte-search'
import { BLOCK_NAMES, LOWER_CONSTANTS, MAX_KEY_BYTES, MAX_NAME_BYTES } from '../layout'
import { copyBytes, writeName } from './names'

// Merges dictionaries. Their bytes come from files: whatever they hold, nothing is read outside of what belongs to them but for
// vector loads, and nothing is written outside of the cursors.

/** Bytes of a cursor: fields, then the current name and its lower-cased form, each with room for vector stores. */
export const CURSOR_BYTES: u32 = 8448
const NAME: usize = 96
const LOWERED: usize = 96 + 4096 + 64
// Fields; those up to END_FIELDS are set by the caller (src/build/build-merge.ts).
/** u32: names section and its length. */
const BYTES: usize = 0
const LENGTH: usize = 4
/** u32: offsets of blocks. */
const OFFSETS: usize = 8
/** u32: names. */
const COUNT: usize = 12
/** u32: a byte for each name, 1 if it is wanted. */
const USED: usize = 16
/** u32: new id of each name, u32. */
const NEW_IDS: usize = 20
/** u32: present name, 0xffffffff before the first; its next byte and the end of its block. */
const ID: usize = 24
const AT: usize = 28
const END: usize = 32
/** u32: bytes of the present name. */
const NAME_LENGTH: usize = 36
/** u32: its key, and the key's length with KEY_STORED. */
const KEY: usize = 40
const KEY_LENGTH: usize = 44
/** u64: first eight bytes of the key, big-endian. */
const WORD: usize = 48
const KEY_STORED: u32 = 0x8000

const DONE: i32 = 1
const FOUND: i32 = 0
const DAMAGED: i32 = -1

/** Value of the varint at the cursor's place; sets `bad` if there is none before the end. */
let bad = false

@inline
function varint(cursor: usize, at: usize, end: usize): u32 {
  let value: u32 = 0
  for (let shift: u32 = 0; shift < 35; shift += 7) {
    if (at >= end) break
    const byte = <u32>load<u8>(at++)
    if (shift == 28 && byte > 0x0f) break
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      store<u32>(cursor, <u32>at, AT)
      return value
    }
  }
  bad = true
  return 0
}

/** Goes to the next name that is wanted. */
function next(cursor: usize): i32 {
  const count = load<u32>(cursor, COUNT)
  const bias = v128.load(LOWER_CONSTANTS)
  const least = v128.load(LOWER_CONSTANTS, 16)
  const bit = v128.load(LOWER_CONSTANTS, 32)
  let id = load<u32>(cursor, ID)
  let length = load<u32>(cursor, NAME_LENGTH)
  for (;;) {
    id++
    store<u32>(cursor, id, ID)
    if (id == count) return DONE
    if (id % BLOCK_NAMES == 0) {
      const offsets = <usize>load<u32>(cursor, OFFSETS) + (<usize>(id / BLOCK_NAMES) << 2)
      const start = load<u32>(offsets)
      const end = load<u32>(offsets, 4)
      if (start > end || end > load<u32>(cursor, LENGTH)) return DAMAGED
      store<u32>(cursor, load<u32>(cursor, BYTES) + start, AT)
      store<u32>(cursor, load<u32>(cursor, BYTES) + end, END)
      length = 0
    }
    const end = <usize>load<u32>(cursor, END)
    let at = <usize>load<u32>(cursor, AT)
    if (at >= end) return DAMAGED
    const shared = <u32>load<u8>(at++)
    if (shared > length) return DAMAGED
    bad = false
    const h = varint(cursor, at, end)
    if (bad) return DAMAGED
    at = load<u32>(cursor, AT)
    const suffix = h >>> 1
    if (suffix > <u32>(end - at) || shared + suffix > MAX_NAME_BYTES) return DAMAGED
    const name = cursor + NAME + shared
    const low = cursor + LOWERED + shared
    for (let i: u32 = 0; i < suffix; i += 16) {
      const bytes = v128.load(at + i)
      v128.store(name + i, bytes)
      v128.store(low + i, lowered(bytes, bias, least, bit))
    }
    at += suffix
    length = shared + suffix
    store<u32>(cursor, <u32>at, AT)
    if ((h & 1) != 0) {
      const keyLength = varint(cursor, at, end)
      if (bad) return DAMAGED
      at = load<u32>(cursor, AT)
      if (keyLength > <u32>(end - at) || keyLength > MAX_KEY_BYTES) return DAMAGED
      store<u32>(cursor, <u32>at, KEY)
      store<u32>(cursor, keyLength | KEY_STORED, KEY_LENGTH)
      store<u32>(cursor, <u32>(at + keyLength), AT)
    } else {
      store<u32>(cursor, <u32>(cursor + LOWERED), KEY)
      store<u32>(cursor, length, KEY_LENGTH)
    }
    if (load<u8>(<usize>load<u32>(cursor, USED) + id) == 0) continue
    store<u32>(cursor, length, NAME_LENGTH)
    const keyLength = load<u32>(cursor, KEY_LENGTH) & ~KEY_STORED
    let word: u64 = 0
    if (keyLength > 0) {
      word = bswap<u64>(load<u64>(load<u32>(cursor, KEY)))
      if (keyLength < 8) word &= <u64>-1 << ((8 - keyLength) << 3)
    }
    store<u64>(cursor, word, WORD)
    return FOUND
  }
}

/** Order of two byte strings, a prefix first. */
function compare(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const length = min<u32>(aLength, bLength)
  for (let i: u32 = 0; i < length; i += 8) {
    const left = length - i
    let x = bswap<u64>(load<u64>(a + i))
    let y = bswap<u64>(load<u64>(b + i))
    if (left < 8) {
      const mask = <u64>-1 << ((8 - left) << 3)
      x &= mask
      y &= mask
    }
    if (x != y) return x < y ? -1 : 1
  }
  return <i32>aLength - <i32>bLength
}

/** True if the name of cursor a comes before that of b. */
function before(a: usize, b: usize): bool {
  const x = load<u64>(a, WORD)
  const y = load<u64>(b, WORD)
  if (x != y) return x < y
  const order = compare(
    load<u32>(a, KEY),
    load<u32>(a, KEY_LENGTH) & ~KEY_STORED,
    load<u32>(b, KEY),
    load<u32>(b, KEY_LENGTH) & ~KEY_STORED,
  )
  if (order != 0) return order < 0
  return compare(a + NAME, load<u32>(a, NAME_LENGTH), b + NAME, load<u32>(b, NAME_LENGTH)) < 0
}

function siftDown(heap: usize, size: u32, start: u32): void {
  const moving = load<u32>(heap + (<usize>start << 2))
  let parent = start
  for (;;) {
    let child = parent * 2 + 1
    if (child >= size) break
    let at = heap + (<usize>child << 2)
    if (child + 1 < size && before(load<u32>(at, 4), load<u32>(at))) {
      child++
      at += 4
    }
    if (!before(load<u32>(at), moving)) break
    store<u32>(heap + (<usize>parent << 2), load<u32>(at))
    parent = child
  }
  store<u32>(heap + (<usize>parent << 2), moving)
}

/** Makes a heap of the cursors that have a name. @returns how many, or DAMAGED */
export function startMerge(cursors: usize, count: u32, heap: usize): i32 {
  let size: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const cursor = cursors + <usize>i * CURSOR_BYTES
    const state = next(cursor)
    if (state == DAMAGED) return DAMAGED
    if (state == FOUND) store<u32>(heap + (<usize>(size++) << 2), <u32>cursor)
  }
  for (let i = <i32>(size >>> 1) - 1; i >= 0; i--) siftDown(heap, size, <u32>i)
  return <i32>size
}

// Fields of the output record (u32): it lives from call to call.
/** Cursors in the heap. */
const OUT_SIZE: usize = 0
/** Names written. */
const OUT_NAMES: usize = 4
/** Next byte. */
const OUT_AT: usize = 8
/** Bytes of the last name, which stands at OUT_LAST. */
const OUT_LENGTH: usize = 12
const OUT_LAST: usize = 16
/** Bytes that one name can take, vector stores included. */
const MOST_BYTES: usize = 4096 + 12288 + 64

/**
 * Takes up to `most` names out of the heap and writes those that are new at `base`. @returns 1 when all are done, 0 when more are to come
 * or there is no room for another name before `capacity`, DAMAGED
 */
export function mergeNames(
  heap: usize,
  most: u32,
  out: usize,
  base: usize,
  capacity: usize,
  offsets: usize,
  keyBytes: usize,
): i32 {
  let size = load<u32>(out, OUT_SIZE)
  let names = load<u32>(out, OUT_NAMES)
  let at = <usize>load<u32>(out, OUT_AT)
  let lastLength = load<u32>(out, OUT_LENGTH)
  const last = out + OUT_LAST
  let damaged = false
  for (; size > 0 && most > 0 && at + MOST_BYTES <= capacity; most--) {
    const cursor = <usize>load<u32>(heap)
    const name = cursor + NAME
    const length = load<u32>(cursor, NAME_LENGTH)
    if (names == 0 || length != lastLength || compare(last, length, name, length) != 0) {
      const first = names % BLOCK_NAMES == 0
      if (first) store<u32>(offsets + (<usize>(names / BLOCK_NAMES) << 2), <u32>(at - base))
      at = writeName(
        at,
        last,
        first ? 0 : lastLength,
        name,
        length,
        load<u32>(cursor, KEY),
        load<u32>(cursor, KEY_LENGTH),
        keyBytes,
      )
      copyBytes(last, name, length)
      lastLength = length
      names++
    }
    store<u32>(<usize>load<u32>(cursor, NEW_IDS) + (<usize>load<u32>(cursor, ID) << 2), names - 1)
    const state = next(cursor)
    if (state == DAMAGED) {
      damaged = true
      break
    }
    if (state == DONE) {
      size--
      store<u32>(heap, load<u32>(heap + (<usize>size << 2)))
    }
    if (size > 1) siftDown(heap, size, 0)
  }
  store<u32>(out, size, OUT_SIZE)
  store<u32>(out, names, OUT_NAMES)
  store<u32>(out, <u32>at, OUT_AT)
  store<u32>(out, lastLength, OUT_LENGTH)
  return damaged ? DAMAGED : size == 0 ? DONE : FOUND
}
