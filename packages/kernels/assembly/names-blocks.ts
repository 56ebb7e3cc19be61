import {
  BAD_ARGUMENT,
  BLOCK_NAMES,
  LANE_MASKS,
  LOWER_CONSTANTS,
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
import { lowered } from './byte-search'
import {
  A,
  ACCEPT,
  B,
  checkProgram,
  CONTAINS,
  DATA,
  DATA_BYTES,
  EXACT,
  evaluate,
  FLAG_ORIGINAL,
  HEADER_BYTES,
  KIND,
  ON_FALSE,
  ON_TRUE,
  REJECT,
  SUBJECT,
} from './name-program'
import { rowsOf } from './name-rows'
import { confirmed, evaluateShort, HALF_NAME, placesAllowed, placesOf, SHORT_NAME, store4 } from './short-name'
import { beginsWithText, verifyText } from './text-blocks'
import {
  BITS,
  BLOCKS,
  CAPACITY,
  COUNTS,
  FROM,
  LIST,
  NAME_COUNT,
  NAMES,
  NAMES_BYTES,
  next,
  OFFSETS,
  OUT,
  OVERFLOW,
  OVERFLOW_COUNT,
  PROGRAM,
  PROGRAM_BYTES,
  readVarint,
  TO,
} from './verify-args'

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
  const counts = <usize>load<u32>(args, COUNTS)
  const overflow = <usize>load<u32>(args, OVERFLOW)
  const overflowCount = load<u32>(args, OVERFLOW_COUNT)
  let out = <usize>load<u32>(args, OUT)
  const withOut = out != 0
  const limit = out + (<usize>load<u32>(args, CAPACITY) << 2)
  if (nameCount > blocks * BLOCK_NAMES || (blocks > 0 && nameCount <= (blocks - 1) * BLOCK_NAMES)) return BAD_ARGUMENT
  if (list == 0 && to > blocks) return BAD_ARGUMENT
  if (withOut && load<u32>(args, CAPACITY) < BLOCK_NAMES) return NO_ROOM

  if (beginsWithText(program)) return verifyText(args)
  const withOriginal = (load<u32>(program, 8) & FLAG_ORIGINAL) != 0
  // The first test of most programs is a text in the key: it is inlined with everything in locals.
  const leaf = program + HEADER_BYTES
  const kind = load<u32>(leaf, KIND)
  const textBytes = load<u32>(leaf, DATA_BYTES)
  const inlined = kind >= CONTAINS && kind <= EXACT && textBytes > 0 && load<u32>(leaf, SUBJECT) == 0
  const onTrue = load<u32>(leaf, ON_TRUE)
  const onFalse = load<u32>(leaf, ON_FALSE)
  const text = program + <usize>load<u32>(leaf, DATA)
  const a = load<u32>(leaf, A)
  const b = load<u32>(leaf, B)
  const wantedA = inlined ? v128.load8_splat(text + a) : i8x16.splat(0)
  const wantedB = inlined ? v128.load8_splat(text + b) : i8x16.splat(0)
  const bias = v128.load(LOWER_CONSTANTS)
  const highest = v128.load(LOWER_CONSTANTS, 16)
  const bit = v128.load(LOWER_CONSTANTS, 32)
  // The name, lower-cased.
  let k0 = i8x16.splat(0)
  let k1 = k0
  let k2 = k0
  let k3 = k0

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
      // Bytes before `shared` stay, the others come from where the suffix would start if it were the whole name.
      const from = source - shared
      const keep = LANE_MASKS + 64 - <usize>min<u32>(shared, SHORT_NAME)
      k0 = v128.bitselect(k0, lowered(v128.load(from), bias, highest, bit), v128.load(keep))
      k1 = v128.bitselect(k1, lowered(v128.load(from, 16), bias, highest, bit), v128.load(keep, 16))
      length = shared + suffix
      if (length > HALF_NAME) {
        k2 = v128.bitselect(k2, lowered(v128.load(from, 32), bias, highest, bit), v128.load(keep, 32))
        k3 = v128.bitselect(k3, lowered(v128.load(from, 48), bias, highest, bit), v128.load(keep, 48))
      }
      if (withOriginal) {
        v128.store(NAME_ORIGINAL + shared, v128.load(source))
        v128.store(NAME_ORIGINAL + shared, v128.load(source, 16), 16)
        for (let i: u32 = 32; i < suffix; i += 16) v128.store(NAME_ORIGINAL + shared + i, v128.load(source + i))
      }
      let hit: bool
      if (h & 1 || length > SHORT_NAME) {
        // Only long names use the buffers beyond what the vectors hold, and only after a long name can `shared` do.
        if (length > SHORT_NAME) {
          store4(NAME_LOWERED, k0, k1, k2, k3)
          for (let i = max<u32>(shared, SHORT_NAME); i < length; i += 16) {
            v128.store(NAME_LOWERED + i, lowered(v128.load(from + i), bias, highest, bit))
          }
        }
        let key = NAME_LOWERED
        let keyBytes = length
        if (h & 1) {
          keyBytes = readVarint(at, end)
          if (next == 0) return malformed(at)
          key = next
          if (keyBytes > MAX_KEY_BYTES || keyBytes > <u32>(end - key)) return malformed(at)
          at = key + keyBytes
        }
        hit = evaluate(program, 0, key, keyBytes, NAME_ORIGINAL, length)
      } else {
        let test: u32 = 0
        if (inlined) {
          let places = placesAllowed(kind, length, textBytes) & (placesOf(k0, k1, k2, k3, length, wantedA) >>> a)
          if (b != a) places &= placesOf(k0, k1, k2, k3, length, wantedB) >>> b
          if (places != 0 && textBytes > 2) places = confirmed(places, k0, k1, k2, k3, length, text, textBytes)
          test = places != 0 ? onTrue : onFalse
        }
        hit =
          test < REJECT
            ? evaluateShort(program, test, k0, k1, k2, k3, length, source + suffix, suffix)
            : test == ACCEPT
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
        if (counts != 0) sum += <f64>rowsOf(counts, overflow, overflowCount, name)
      }
    }
    if (at != end) return malformed(at)
  }
  store<u32>(RESULT_MATCHES, matches)
  store<u32>(RESULT_NEXT, position)
  store<f64>(RESULT_SUM, sum)
  return 0
}
