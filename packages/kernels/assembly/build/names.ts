import { lowered } from '../byte-search'
import { BLOCK_NAMES, LOWER_CONSTANTS } from '../layout'
import { need, mark, release } from './arena'

// Distinct names: a record each (16 bytes), then keys, order, and the blocks of the dictionary.
/** u32: address of the name's bytes. */
const NAME_AT: usize = 0
/** u32: address of its key. */
const KEY_AT: usize = 4
/** u16 */
const NAME_LENGTH: usize = 8
/** u16: bytes of the key; KEY_STORED is set if it is not the name with A–Z lowered. */
const KEY_LENGTH: usize = 10
const RECORD_SHIFT: usize = 4
const KEY_STORED: u32 = 0x8000
const MAX_SHARED_BYTES: u32 = 255

@inline
function mix(hash: u64): u64 {
  hash = (hash ^ (hash >>> 32)) * 0x9e3779b97f4a7c15
  return hash ^ (hash >>> 29)
}

@inline
function hashOf(at: usize, length: u32): u32 {
  let hash: u64 = length
  while (length > 8) {
    hash = mix(hash ^ load<u64>(at))
    at += 8
    length -= 8
  }
  if (length > 0) hash = mix(hash ^ (load<u64>(at) & (<u64>-1 >>> ((8 - length) << 3))))
  return <u32>(hash ^ (hash >>> 32))
}

@inline
function same(a: usize, b: usize, length: u32): bool {
  while (length >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false
    a += 8
    b += 8
    length -= 8
  }
  return length == 0 || ((load<u64>(a) ^ load<u64>(b)) & (<u64>-1 >>> ((8 - length) << 3))) == 0
}

/**
 * Numbers the names of rows[0 … count), the same bytes the same number. `table`: `slots` (a power of two) pairs of u32, zeroed
 * before the first call: hash, number + 1. `records` has room for all rows. @returns how many names there are now; stops
 * (with `done` < count) before the table is too full: then call `rehash` with one twice as large and go on.
 */
export function internNames(
  names: usize,
  offsets: usize,
  rows: usize,
  from: u32,
  to: u32,
  table: usize,
  slots: u32,
  records: usize,
  known: u32,
  out: usize,
  done: usize,
): u32 {
  const mask = slots - 1
  const most = slots - (slots >>> 2)
  let i = from
  for (; i < to && known < most; i++) {
    const row = <usize>(rows == 0 ? i : load<u32>(rows + (<usize>i << 2)))
    const at = names + load<u32>(offsets + (row << 2))
    const length = load<u32>(offsets + (row << 2), 4) - load<u32>(offsets + (row << 2))
    const hash = hashOf(at, length)
    let slot = hash & mask
    let name: u32 = 0
    for (;;) {
      const entry = table + (<usize>slot << 3)
      const found = load<u32>(entry, 4)
      if (found == 0) {
        name = known++
        store<u32>(entry, hash)
        store<u32>(entry, known, 4)
        const record = records + (<usize>name << RECORD_SHIFT)
        store<u32>(record, <u32>at, NAME_AT)
        store<u16>(record, <u16>length, NAME_LENGTH)
        break
      }
      if (load<u32>(entry) == hash) {
        const record = records + (<usize>(found - 1) << RECORD_SHIFT)
        if (load<u16>(record, NAME_LENGTH) == length && same(load<u32>(record, NAME_AT), at, length)) {
          name = found - 1
          break
        }
      }
      slot = (slot + 1) & mask
    }
    store<u32>(out + (<usize>i << 2), name)
  }
  store<u32>(done, i)
  return known
}

/** Fills a table, zeroed, from a smaller one. */
export function rehash(table: usize, slots: u32, larger: usize, largerSlots: u32): void {
  const mask = largerSlots - 1
  for (let i: u32 = 0; i < slots; i++) {
    const entry = load<u64>(table + (<usize>i << 3))
    if (entry == 0) continue
    let slot = <u32>entry & mask
    while (load<u32>(larger + (<usize>slot << 3), 4) != 0) slot = (slot + 1) & mask
    store<u64>(larger + (<usize>slot << 3), entry)
  }
}

/** Records of names that are distinct already, numbered from 0. */
export function recordNames(names: usize, offsets: usize, from: u32, to: u32, records: usize): void {
  for (let i = from; i < to; i++) {
    const offset = offsets + (<usize>i << 2)
    const record = records + (<usize>i << RECORD_SHIFT)
    store<u32>(record, <u32>(names + load<u32>(offset)), NAME_AT)
    store<u16>(record, <u16>(load<u32>(offset, 4) - load<u32>(offset)), NAME_LENGTH)
  }
}

/**
 * Makes the keys of names from … to at `keys` (room: their bytes and 16). A name that is its own key is moved there whole,
 * so that sorting and writing touch one place. Numbers of the names that are not ASCII go to `others`.
 * @returns the end of the keys; how many others there are goes to `otherCount`
 */
export function makeKeys(records: usize, from: u32, to: u32, keys: usize, others: usize, otherCount: usize): usize {
  const bias = v128.load(LOWER_CONSTANTS)
  const least = v128.load(LOWER_CONSTANTS, 16)
  const bit = v128.load(LOWER_CONSTANTS, 32)
  let found: u32 = 0
  for (let name = from; name < to; name++) {
    const record = records + (<usize>name << RECORD_SHIFT)
    const at = <usize>load<u32>(record, NAME_AT)
    const length = <u32>load<u16>(record, NAME_LENGTH)
    let high: i32 = 0
    let changed = false
    for (let i: u32 = 0; i < length; i += 16) {
      const bytes = v128.load(at + i)
      const low = lowered(bytes, bias, least, bit)
      v128.store(keys + i, low)
      const rest = length - i
      const mask = rest < 16 ? (1 << rest) - 1 : 0xffff
      high |= i8x16.bitmask(bytes) & mask
      changed = changed || (i8x16.bitmask(i8x16.ne(bytes, low)) & mask) != 0
    }
    store<u32>(record, <u32>keys, KEY_AT)
    store<u16>(record, <u16>length, KEY_LENGTH)
    if (high != 0) store<u32>(others + (<usize>(found++) << 2), name)
    else if (!changed) store<u32>(record, <u32>keys, NAME_AT)
    keys += length
  }
  store<u32>(otherCount, found)
  return keys
}

/** Gives a name a key of its own, which is stored with it. */
export function setKey(records: usize, name: u32, key: usize, length: u32): void {
  const record = records + (<usize>name << RECORD_SHIFT)
  store<u32>(record, <u32>key, KEY_AT)
  store<u16>(record, <u16>(length | KEY_STORED), KEY_LENGTH)
}

// Sorting. An element is 16 bytes: the key's next eight bytes as a big-endian number, and the name's number.
const NUMBER: usize = 8
/** Elements; below it, insertion is faster than another partition. */
const FEW: u32 = 12
/** Buckets of the first pass: two bytes. */
const BUCKETS: u32 = 65536

@inline
function wordAt(records: usize, name: u32, depth: u32): u64 {
  const record = records + (<usize>name << RECORD_SHIFT)
  const length = <u32>load<u16>(record, KEY_LENGTH) & 0x7fff
  if (length <= depth) return 0
  const word = bswap<u64>(load<u64>(<usize>load<u32>(record, KEY_AT) + depth))
  const left = length - depth
  return left >= 8 ? word : word & (<u64>-1 << ((8 - left) << 3))
}

/** Order of two byte strings, a prefix first. */
@inline
function compareBytes(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
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

/** Dictionary order of two names whose keys share `depth` bytes. */
export function compareNames(records: usize, a: u32, b: u32, depth: u32): i32 {
  const left = records + (<usize>a << RECORD_SHIFT)
  const right = records + (<usize>b << RECORD_SHIFT)
  const leftLength = <u32>load<u16>(left, KEY_LENGTH) & 0x7fff
  const rightLength = <u32>load<u16>(right, KEY_LENGTH) & 0x7fff
  const skip = min<u32>(depth, min<u32>(leftLength, rightLength))
  const order = compareBytes(
    <usize>load<u32>(left, KEY_AT) + skip,
    leftLength - skip,
    <usize>load<u32>(right, KEY_AT) + skip,
    rightLength - skip,
  )
  if (order != 0) return order
  return compareBytes(
    load<u32>(left, NAME_AT),
    load<u16>(left, NAME_LENGTH),
    load<u32>(right, NAME_AT),
    load<u16>(right, NAME_LENGTH),
  )
}

/** True if element x comes after y, their keys sharing `depth` bytes. */
@inline
function after(records: usize, x: usize, y: usize, depth: u32): bool {
  const a = load<u64>(x)
  const b = load<u64>(y)
  if (a != b) return a > b
  // A word that ends in zero may hold the end of the key, which only the comparison of all of it can tell.
  return compareNames(records, load<u32>(x, NUMBER), load<u32>(y, NUMBER), (a & 0xff) != 0 ? depth + 8 : depth) > 0
}

/** One element beside the array. */
const SPARE: usize = 0x100

function sortFew(records: usize, from: usize, to: usize, depth: u32): void {
  for (let x = from + 16; x < to; x += 16) {
    const element = v128.load(x)
    v128.store(SPARE, element)
    let y = x
    while (y > from && after(records, y - 16, SPARE, depth)) {
      v128.store(y, v128.load(y - 16))
      y -= 16
    }
    v128.store(y, element)
  }
}

/** Sorts elements whose words say nothing, by comparing whole names: heapsort, because there may be many alike. */
function sortByComparing(records: usize, from: usize, count: u32, depth: u32): void {
  if (count <= FEW) {
    sortFew(records, from, from + (<usize>count << 4), depth)
    return
  }
  for (let i = <i32>(count >>> 1) - 1; i >= 0; i--) sift(records, from, <u32>i, count, depth)
  for (let end = count - 1; end > 0; end--) {
    const last = from + (<usize>end << 4)
    const element = v128.load(last)
    v128.store(last, v128.load(from))
    v128.store(from, element)
    sift(records, from, 0, end, depth)
  }
}

function sift(records: usize, from: usize, start: u32, end: u32, depth: u32): void {
  let parent = start
  for (;;) {
    let child = parent * 2 + 1
    if (child >= end) return
    let at = from + (<usize>child << 4)
    if (child + 1 < end && after(records, at + 16, at, depth)) {
      child++
      at += 16
    }
    const above = from + (<usize>parent << 4)
    if (!after(records, at, above, depth)) return
    const element = v128.load(at)
    v128.store(at, v128.load(above))
    v128.store(above, element)
    parent = child
  }
}

@inline
function medianOfThree(a: u64, b: u64, c: u64): u64 {
  return max<u64>(min<u64>(a, b), min<u64>(max<u64>(a, b), c))
}

/** Stack of ranges that are still to be sorted: from, to, depth, whether their words are loaded (u32 each). */
let stackTop: usize = 0

@inline
function push(from: usize, to: usize, depth: u32, loaded: u32): void {
  if (to - from < 32) return
  store<u32>(stackTop, <u32>from)
  store<u32>(stackTop, <u32>to, 4)
  store<u32>(stackTop, depth, 8)
  store<u32>(stackTop, loaded, 12)
  stackTop += 16
}

/**
 * Three-way quicksort by words of eight bytes. The stack needs 16 bytes · 3 · 32: of the three parts of a partition the largest is
 * laid down first, so each that is taken up before it has at most half of the elements.
 */
function sortRange(records: usize, first: usize, end: usize, stack: usize): void {
  stackTop = stack
  push(first, end, 0, 1)
  while (stackTop > stack) {
    stackTop -= 16
    const from = <usize>load<u32>(stackTop)
    const to = <usize>load<u32>(stackTop, 4)
    const depth = load<u32>(stackTop, 8)
    if (load<u32>(stackTop, 12) == 0) {
      for (let x = from; x < to; x += 16) store<u64>(x, wordAt(records, load<u32>(x, NUMBER), depth))
    }
    const count = <u32>((to - from) >>> 4)
    if (count <= FEW) {
      sortFew(records, from, to, depth)
      continue
    }
    const pivot = medianOfThree(load<u64>(from), load<u64>(from + (<usize>(count >>> 1) << 4)), load<u64>(to - 16))
    let less = from
    let at = from
    let greater = to
    while (at < greater) {
      const word = load<u64>(at)
      if (word < pivot) {
        const element = v128.load(at)
        v128.store(at, v128.load(less))
        v128.store(less, element)
        less += 16
        at += 16
      } else if (word > pivot) {
        greater -= 16
        const element = v128.load(at)
        v128.store(at, v128.load(greater))
        v128.store(greater, element)
      } else at += 16
    }
    let deeper = depth + 8
    let equalEnd = greater
    if ((pivot & 0xff) == 0) {
      sortByComparing(records, less, <u32>((greater - less) >>> 4), depth)
      equalEnd = less
      deeper = depth
    }
    const below = less - from
    const equal = equalEnd - less
    const above = to - greater
    // The largest first, the smallest last.
    if (equal >= below && equal >= above) {
      push(less, equalEnd, deeper, 0)
      if (below >= above) {
        push(from, less, depth, 1)
        push(greater, to, depth, 1)
      } else {
        push(greater, to, depth, 1)
        push(from, less, depth, 1)
      }
    } else if (below >= above) {
      push(from, less, depth, 1)
      if (equal >= above) {
        push(less, equalEnd, deeper, 0)
        push(greater, to, depth, 1)
      } else {
        push(greater, to, depth, 1)
        push(less, equalEnd, deeper, 0)
      }
    } else {
      push(greater, to, depth, 1)
      if (equal >= below) {
        push(less, equalEnd, deeper, 0)
        push(from, less, depth, 1)
      } else {
        push(from, less, depth, 1)
        push(less, equalEnd, deeper, 0)
      }
    }
  }
}

/** First pass: elements of names 0 … count - 1, by the first two bytes of their keys. `starts`: 65,537 u32, filled. */
export function spreadNames(records: usize, count: u32, elements: usize, starts: usize): void {
  memory.fill(starts, 0, (BUCKETS + 1) * 4)
  const before = mark()
  const words = need(<usize>count << 3)
  for (let name: u32 = 0; name < count; name++) {
    const word = wordAt(records, name, 0)
    store<u64>(words + (<usize>name << 3), word)
    const bucket = starts + (<usize>(word >>> 48) << 2)
    store<u32>(bucket, load<u32>(bucket, 4) + 1, 4)
  }
  for (let i: u32 = 0; i < BUCKETS; i++) {
    const at = starts + (<usize>i << 2)
    store<u32>(at, load<u32>(at) + load<u32>(at, 4), 4)
  }
  for (let name: u32 = 0; name < count; name++) {
    const word = load<u64>(words + (<usize>name << 3))
    const bucket = starts + (<usize>(word >>> 48) << 2)
    const position = load<u32>(bucket)
    store<u32>(bucket, position + 1)
    const element = elements + (<usize>position << 4)
    store<u64>(element, word)
    store<u32>(element, name, NUMBER)
  }
  release(before)
}

/** Second pass: sorts buckets from … to; `starts` as `spreadNames` left it: the end of each bucket. */
export function sortBuckets(records: usize, elements: usize, starts: usize, from: u32, to: u32): void {
  const before = mark()
  const stack = need(16 * 3 * 64)
  for (let bucket = from; bucket < to; bucket++) {
    const start = bucket == 0 ? 0 : load<u32>(starts + (<usize>(bucket - 1) << 2))
    const end = load<u32>(starts + (<usize>bucket << 2))
    if (end - start > 1) sortRange(records, elements + (<usize>start << 4), elements + (<usize>end << 4), stack)
  }
  release(before)
}

@inline
function writeVarint(at: usize, value: u32): usize {
  while (value >= 0x80) {
    store<u8>(at++, <u8>(value | 0x80))
    value >>>= 7
  }
  store<u8>(at++, <u8>value)
  return at
}

/** Leading bytes that are the same, at most `limit`. */
@inline
export function sharedBytes(a: usize, b: usize, limit: u32): u32 {
  for (let i: u32 = 0; i < limit; i += 16) {
    const differ = ~i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i))) & 0xffff
    if (differ != 0) return min<u32>(limit, i + ctz<u32>(differ))
  }
  return limit
}

@inline
export function copyBytes(to: usize, from: usize, length: u32): void {
  for (let i: u32 = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i))
}

/**
 * Writes names elements[from … to) (`from` a multiple of BLOCK_NAMES) as blocks at `at`, where each block starts to `offsets`
 * (relative to `base`), each name's rank to `rank`, and marks the bytes of keys. @returns the position after them
 */
export function encodeNames(
  records: usize,
  elements: usize,
  from: u32,
  to: u32,
  base: usize,
  at: usize,
  offsets: usize,
  rank: usize,
  keyBytes: usize,
): usize {
  let previous: usize = 0
  let previousLength: u32 = 0
  for (let id = from; id < to; id++) {
    const name = load<u32>(elements + (<usize>id << 4), NUMBER)
    store<u32>(rank + (<usize>name << 2), id)
    const record = records + (<usize>name << RECORD_SHIFT)
    const start = <usize>load<u32>(record, NAME_AT)
    const length = <u32>load<u16>(record, NAME_LENGTH)
    if (id % BLOCK_NAMES == 0) {
      store<u32>(offsets + (<usize>(id / BLOCK_NAMES) << 2), <u32>(at - base))
      previousLength = 0
    }
    at = writeName(
      at,
      previous,
      previousLength,
      start,
      length,
      load<u32>(record, KEY_AT),
      load<u16>(record, KEY_LENGTH),
      keyBytes,
    )
    previous = start
    previousLength = length
  }
  return at
}

/** Writes one name, front-coded against the one before. `keyLength` with KEY_STORED. May write 16 bytes past the end. */
@inline
export function writeName(
  at: usize,
  previous: usize,
  previousLength: u32,
  start: usize,
  length: u32,
  key: usize,
  keyLength: u32,
  keyBytes: usize,
): usize {
  const shared = sharedBytes(previous, start, min<u32>(min<u32>(length, previousLength), MAX_SHARED_BYTES))
  store<u8>(at++, <u8>shared)
  const stored = (keyLength & KEY_STORED) != 0
  const suffix = length - shared
  at = writeVarint(at, suffix * 2 + (stored ? 1 : 0))
  copyBytes(at, start + shared, suffix)
  at += suffix
  if (stored) {
    const bytes = keyLength & ~KEY_STORED
    at = writeVarint(at, bytes)
    copyBytes(at, key, bytes)
    at += bytes
    for (let i: u32 = 0; i < bytes; i++) store<u8>(keyBytes + load<u8>(key + i), 1)
  } else {
    for (let i: u32 = 0; i < length; i++) store<u8>(keyBytes + load<u8>(key + i), 1)
  }
  return at
}

/** Bytes of all names together. */
export function nameBytes(records: usize, count: u32): u32 {
  let bytes: u32 = 0
  for (let name: u32 = 0; name < count; name++) bytes += load<u16>(records + (<usize>name << RECORD_SHIFT), NAME_LENGTH)
  return bytes
}
