import {
  BAD_ARGUMENT,
  BLOCK_NAMES,
  malformed,
  MAX_KEY_BYTES,
  MAX_NAME_BYTES,
  NAME_LOWERED,
  NAME_ORIGINAL,
  NO_ROOM,
  RESULT_MATCHES,
  RESULT_NEXT,
  RESULT_SUM,
} from './layout'
import { findWith, lowered } from './byte-search'
import {
  A,
  B,
  carryOver,
  checkProgram,
  CONTAINS,
  DATA,
  DATA_BYTES,
  evaluate,
  FLAG_ORIGINAL,
  HEADER_BYTES,
  KIND,
  SUBJECT,
} from './name-program'

// Fields of the argument record (u32 each); src/kernel-functions.ts says what they mean.
const PROGRAM: usize = 0
const PROGRAM_BYTES: usize = 4
const NAMES: usize = 8
const NAMES_BYTES: usize = 12
const OFFSETS: usize = 16
const BLOCKS: usize = 20
const NAME_COUNT: usize = 24
const LIST: usize = 28
const FROM: usize = 32
const TO: usize = 36
const OUT: usize = 40
const CAPACITY: usize = 44
const BITS: usize = 48
const COUNTS: usize = 52
const COUNT_BYTES: usize = 56
const OVERFLOW: usize = 60
const OVERFLOW_COUNT: usize = 64

/** A count of one byte that stands for one in the overflow table. */
const COUNT_OVERFLOW: u32 = 255

/** Entries of name `name`; 0 if the overflow table lacks it. */
function countOf(args: usize, name: u32): u32 {
  const counts = <usize>load<u32>(args, COUNTS)
  if (load<u32>(args, COUNT_BYTES) == 4) return load<u32>(counts + (<usize>name << 2))
  const count = <u32>load<u8>(counts + name)
  if (count != COUNT_OVERFLOW) return count
  const table = <usize>load<u32>(args, OVERFLOW)
  let below: u32 = 0
  let above = load<u32>(args, OVERFLOW_COUNT)
  while (below < above) {
    const middle = (below + above) >> 1
    if (load<u32>(table + (<usize>middle << 3)) < name) below = middle + 1
    else above = middle
  }
  const entry = table + (<usize>below << 3)
  return below < load<u32>(args, OVERFLOW_COUNT) && load<u32>(entry) == name ? load<u32>(entry, 4) : 0
}

/** Value of the varint at `at`, of at most 3 bytes; `next` has the position after it, 0 if it is damaged. */
let next: usize = 0

function readVarint(at: usize, end: usize): u32 {
  let value: u32 = 0
  for (let shift: u32 = 0; shift < 21 && at < end; shift += 7) {
    const byte = <u32>load<u8>(at++)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      next = at
      return value
    }
  }
  next = 0
  return 0
}

/** See src/kernel-functions.ts. */
export function verifyBlocks(args: usize): i32 {
  const program = <usize>load<u32>(args, PROGRAM)
  const checked = checkProgram(program, load<u32>(args, PROGRAM_BYTES))
  if (checked < 0) return checked
  const names = <usize>load<u32>(args, NAMES)
  const namesBytes = load<u32>(args, NAMES_BYTES)
  const offsets = <usize>load<u32>(args, OFFSETS)
  const blocks = load<u32>(args, BLOCKS)
  const nameCount = load<u32>(args, NAME_COUNT)
  const list = <usize>load<u32>(args, LIST)
  const to = load<u32>(args, TO)
  const bits = <usize>load<u32>(args, BITS)
  const withCounts = load<u32>(args, COUNTS) != 0
  let out = <usize>load<u32>(args, OUT)
  const withOut = out != 0
  const limit = out + (<usize>load<u32>(args, CAPACITY) << 2)
  if (nameCount > blocks * BLOCK_NAMES || (blocks > 0 && nameCount <= (blocks - 1) * BLOCK_NAMES)) return BAD_ARGUMENT
  if (list == 0 && to > blocks) return BAD_ARGUMENT
  if (withOut && load<u32>(args, CAPACITY) < BLOCK_NAMES) return NO_ROOM

  const withOriginal = (load<u32>(program, 8) & FLAG_ORIGINAL) != 0
  // One needle in the key is what most queries are: its search is inlined with everything in locals.
  const leaf = program + HEADER_BYTES
  const single = load<u32>(program, 4) == 1 && load<u32>(leaf, KIND) == CONTAINS && load<u32>(leaf, SUBJECT) == 0
    && load<u32>(leaf, 8) == 0xffffffff && load<u32>(leaf, 12) == 0xfffffffe
  const needle = program + <usize>load<u32>(leaf, DATA)
  const needleBytes = load<u32>(leaf, DATA_BYTES)
  const a = load<u32>(leaf, A)
  const b = load<u32>(leaf, B)
  const vectorA = single ? i8x16.splat(load<i8>(needle + a)) : i8x16.splat(0)
  const vectorB = single ? i8x16.splat(load<i8>(needle + b)) : i8x16.splat(0)

  let sum: f64 = 0
  let matches: u32 = 0
  let position = load<u32>(args, FROM)
  for (; position < to; position++) {
    if (withOut && <u32>(limit - out) < BLOCK_NAMES << 2) break
    const block = list != 0 ? load<u32>(list + (<usize>position << 2)) : position
    if (block >= blocks) return malformed(list + (<usize>position << 2))
    const start = load<u32>(offsets + (<usize>block << 2))
    const stop = load<u32>(offsets + (<usize>block << 2), 4)
    if (start > stop || stop > namesBytes) return malformed(offsets + (<usize>block << 2))
    let at = names + start
    const end = names + stop
    let name = block * BLOCK_NAMES
    const nameEnd = min<u32>(name + BLOCK_NAMES, nameCount)
    let length: u32 = 0
    let found: u32 = 0
    let clean: u32 = 0
    for (; name < nameEnd; name++) {
      if (<u32>(end - at) < 2 || at >= end) return malformed(at)
      const shared = <u32>load<u8>(at)
      let h = <u32>load<u8>(at, 1)
      let source = at + 2
      if (h >= 0x80) {
        h = readVarint(at + 1, end)
        source = next
        if (source == 0) return malformed(at + 1)
      }
      const suffix = h >> 1
      if (shared > length || suffix > <u32>(end - source) || shared + suffix > MAX_NAME_BYTES) return malformed(at)
      at = source + suffix
      for (let i: u32 = 0; i < suffix; i += 16) {
        const bytes = v128.load(source + i)
        v128.store(NAME_LOWERED + shared + i, lowered(bytes))
        if (withOriginal) v128.store(NAME_ORIGINAL + shared + i, bytes)
      }
      length = shared + suffix
      let key = NAME_LOWERED
      let keyBytes = length
      if (h & 1) {
        keyBytes = readVarint(at, end)
        if (next == 0) return malformed(at)
        key = next
        if (keyBytes > MAX_KEY_BYTES || keyBytes > <u32>(end - key)) return malformed(at)
        at = key + keyBytes
      }
      let hit: bool
      if (single) {
        // As containsCarried does it. A stored key is searched whole, and leaves the new part of the buffer unknown.
        if (found > shared) found = 0
        if (clean > shared) clean = shared
        if (h & 1) {
          hit = findWith(key, 0, keyBytes, needle, needleBytes, a, b, vectorA, vectorB) >= 0
        } else if (found != 0) {
          hit = true
        } else {
          const from = clean >= needleBytes ? clean - needleBytes + 1 : 0
          const place = findWith(NAME_LOWERED, from, length, needle, needleBytes, a, b, vectorA, vectorB)
          hit = place >= 0
          found = hit ? <u32>place + needleBytes : 0
          clean = hit ? found - 1 : length
        }
      } else {
        carryOver(program, shared)
        hit = evaluate(program, key, keyBytes, NAME_ORIGINAL, length, (h & 1) == 0, true)
      }
      if (hit) {
        matches++
        if (withOut) {
          store<u32>(out, name)
          out += 4
        }
        if (bits != 0) {
          const byte = bits + (name >> 3)
          store<u8>(byte, <u8>(<u32>load<u8>(byte) | ((<u32>1) << (name & 7))))
        }
        if (withCounts) sum += <f64>countOf(args, name)
      }
    }
    if (at != end) return malformed(at)
  }
  store<u32>(RESULT_MATCHES, matches)
  store<u32>(RESULT_NEXT, position)
  store<f64>(RESULT_SUM, sum)
  return 0
}
