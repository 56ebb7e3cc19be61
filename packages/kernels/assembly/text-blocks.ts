import { lowered } from './byte-search'
import {
  BLOCK_NAMES,
  LOWER_CONSTANTS,
  malformed,
  MAX_KEY_BYTES,
  MAX_NAME_BYTES,
  NAME_CHAIN,
  NAME_LOWERED,
  NAME_ORIGINAL,
  RESULT_MATCHES,
  RESULT_NEXT,
  RESULT_SUM,
  SHARED_BYTES,
  SUFFIX_STARTS,
  TEXT_NEXT,
  TEXT_PLACES,
} from './layout'
import {
  A,
  ACCEPT,
  B,
  CONTAINS,
  DATA,
  DATA_BYTES,
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
import { evaluateShort, SHORT_NAME } from './short-name'
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
  readVarint,
  TO,
} from './verify-args'

// Names that must hold a text, without putting them together. An occurrence lies in the suffix that is stored of a name, and
// is found there by a search through the bytes of the block; or it spans the shared bytes and the suffix, which then
// begins with a later byte of the text; or it lies in the shared bytes, and the name before has it, too.

/** Bits of TEXT_PLACES: no longer text. */
const MAX_TEXT: u32 = 32
/** Shorter texts are in too many names for what follows to be worth while, unless nothing follows. */
const MIN_TEXT: u32 = 3
/** No occurrence; no address and no length is as large. */
const NONE: u32 = 0xffffffff

/** True if no name passes without the text of the first test in its key, and `verifyText` is the way to look for it. */
export function beginsWithText(program: usize): bool {
  const leaf = program + HEADER_BYTES
  if (load<u32>(leaf, KIND) != CONTAINS || load<u32>(leaf, SUBJECT) != 0 || load<u32>(leaf, ON_FALSE) != REJECT) return false
  const bytes = load<u32>(leaf, DATA_BYTES)
  return bytes > 0 && bytes <= MAX_TEXT && (bytes >= MIN_TEXT || load<u32>(leaf, ON_TRUE) == ACCEPT)
}

/** Fills TEXT_PLACES and TEXT_NEXT. */
function prepareText(text: usize, bytes: u32): void {
  memory.fill(TEXT_PLACES, 0, 1024)
  const ends = i32x4.splat(1 << (bytes - 1))
  for (let i: usize = 0; i < 1024; i += 16) v128.store(TEXT_NEXT + i, ends)
  for (let k: u32 = 1; k < bytes; k++) {
    note(TEXT_PLACES, load<u8>(text + k), k)
    if (k > 1) note(TEXT_NEXT, load<u8>(text + k), k - 1)
  }
}

/** Sets bit `place` for a byte of a key, and for its capital. */
@inline
function note(table: usize, byte: u32, place: u32): void {
  const at = table + (<usize>byte << 2)
  store<u32>(at, load<u32>(at) | ((<u32>1) << place))
  if (byte - 0x61 < 26) store<u32>(at - 128, load<u32>(at - 128) | ((<u32>1) << place))
}

/** True if bytes that may have capitals are the text. */
@inline
function holdsLowered(at: usize, text: usize, bytes: u32): bool {
  const bias = v128.load(LOWER_CONSTANTS)
  const highest = v128.load(LOWER_CONSTANTS, 16)
  const bit = v128.load(LOWER_CONSTANTS, 32)
  for (let i: u32 = 0; i < bytes; i += 16) {
    const same = i8x16.bitmask(i8x16.eq(lowered(v128.load(at + i), bias, highest, bit), v128.load(text + i)))
    const wanted = bytes - i >= 16 ? 0xffff : (1 << (bytes - i)) - 1
    if ((same & wanted) != wanted) return false
  }
  return true
}

/** 0x20 in all lanes if capitals of the byte are to be found, too. */
@inline
function caseBit(byte: u32): v128 {
  return i8x16.splat(byte - 0x61 < 26 ? 0x20 : 0)
}

/** Address of the first occurrence of the text in [from, end), NONE if there is none. */
function occurrenceFrom(from: usize, end: usize, text: usize, bytes: u32, a: u32, b: u32): u32 {
  const byteA = <u32>load<u8>(text + a)
  const byteB = <u32>load<u8>(text + b)
  const wantedA = i8x16.splat(<u8>byteA)
  const wantedB = i8x16.splat(<u8>byteB)
  const bitA = caseBit(byteA)
  const bitB = caseBit(byteB)
  for (let at = from; at < end; at += 32) {
    const low = v128.and(
      i8x16.eq(v128.or(v128.load(at + a), bitA), wantedA),
      i8x16.eq(v128.or(v128.load(at + b), bitB), wantedB),
    )
    const high = v128.and(
      i8x16.eq(v128.or(v128.load(at + a, 16), bitA), wantedA),
      i8x16.eq(v128.or(v128.load(at + b, 16), bitB), wantedB),
    )
    let hits = <u32>i8x16.bitmask(low) | (<u32>i8x16.bitmask(high) << 16)
    while (hits != 0) {
      const where = at + <usize>ctz<u32>(hits)
      if (where >= end) return NONE
      if (holdsLowered(where, text, bytes)) return <u32>where
      hits &= hits - 1
    }
  }
  return NONE
}

/**
 * End of the first occurrence that begins in the shared bytes of name `i` of the block and ends in its suffix, NONE if there
 * is none. `places`: those of the text at which the suffix may begin.
 */
function spanning(places: u32, i: u32, suffix: u32, text: usize, bytes: u32): u32 {
  const source = <usize>load<u32>(SUFFIX_STARTS + (<usize>i << 2))
  const shared = load<u32>(SHARED_BYTES + (<usize>i << 2))
  for (let open = places; open != 0; ) {
    // The later the place in the text, the sooner the occurrence begins.
    const place = <u32>31 - clz<u32>(open)
    open &= ~((<u32>1) << place)
    if (place > shared || bytes - place > suffix) continue
    if (holdsLowered(source, text + place, bytes - place) && endsWith(i, shared, text, place)) return shared - place + bytes
  }
  return NONE
}

/** True if the first `shared` bytes of name `i` of the block, not the first, end with the first `bytes` of the text. */
function endsWith(i: u32, shared: u32, text: usize, bytes: u32): bool {
  let j = i - 1
  for (let left = bytes; left > 0; left--) {
    const at = --shared
    // The byte is where the last name stored it that shares only bytes before it.
    while (load<u32>(SHARED_BYTES + (<usize>j << 2)) > at) j--
    const offset = at - load<u32>(SHARED_BYTES + (<usize>j << 2))
    const byte = <u32>load<u8>(<usize>load<u32>(SUFFIX_STARTS + (<usize>j << 2)) + offset)
    const small = byte - 0x41 < 26 ? byte + 0x20 : byte
    if (small != <u32>load<u8>(text + left - 1)) return false
  }
  return true
}

/** Puts name `i` of the block together in NAME_ORIGINAL. */
function compose(i: u32, length: u32): void {
  let chain: u32 = 0
  let shared: u32 = NONE
  for (let j = i; shared != 0; j--) {
    const own = load<u32>(SHARED_BYTES + (<usize>j << 2))
    if (own >= shared) continue
    shared = own
    store<u8>(NAME_CHAIN + chain++, <u8>j)
  }
  while (chain > 0) {
    const j = <usize>load<u8>(NAME_CHAIN + --chain)
    const from = load<u32>(SHARED_BYTES + (j << 2))
    const to = chain > 0 ? load<u32>(SHARED_BYTES + (<usize>load<u8>(NAME_CHAIN + chain - 1) << 2)) : length
    const source = <usize>load<u32>(SUFFIX_STARTS + (j << 2))
    for (let at = from; at < to; at += 16) v128.store(NAME_ORIGINAL + at, v128.load(source + (at - from)))
  }
}

/** True if a name of NAME_ORIGINAL whose key is its bytes lower-cased passes, from test `test` on. */
function passes(program: usize, test: u32, length: u32, end: usize, suffix: u32): bool {
  const bias = v128.load(LOWER_CONSTANTS)
  const highest = v128.load(LOWER_CONSTANTS, 16)
  const bit = v128.load(LOWER_CONSTANTS, 32)
  if (length > SHORT_NAME) {
    for (let i: u32 = 0; i < length; i += 16) {
      v128.store(NAME_LOWERED + i, lowered(v128.load(NAME_ORIGINAL + i), bias, highest, bit))
    }
    return evaluate(program, test, NAME_LOWERED, length, NAME_ORIGINAL, length)
  }
  return evaluateShort(
    program,
    test,
    lowered(v128.load(NAME_ORIGINAL), bias, highest, bit),
    lowered(v128.load(NAME_ORIGINAL, 16), bias, highest, bit),
    lowered(v128.load(NAME_ORIGINAL, 32), bias, highest, bit),
    lowered(v128.load(NAME_ORIGINAL, 48), bias, highest, bit),
    length,
    end,
    suffix,
  )
}

/** `verifyBlocks` for a program that `beginsWithText`, its arguments checked. */
export function verifyText(args: usize): i32 {
  const program = <usize>load<u32>(args, PROGRAM)
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

  const withOriginal = (load<u32>(program, 8) & FLAG_ORIGINAL) != 0
  const leaf = program + HEADER_BYTES
  const onTrue = load<u32>(leaf, ON_TRUE)
  const text = program + <usize>load<u32>(leaf, DATA)
  const textBytes = load<u32>(leaf, DATA_BYTES)
  const a = load<u32>(leaf, A)
  const b = load<u32>(leaf, B)
  prepareText(text, textBytes)

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
    const end = names + stop
    let at = names + start
    // Where the text is next, in the bytes as they are stored.
    let occurrence = occurrenceFrom(at, end, text, textBytes, a, b)
    let name = block * BLOCK_NAMES
    const nameEnd = min<u32>(name + BLOCK_NAMES, nameCount)
    let length: u32 = 0
    // End of the first occurrence in the name.
    let found: u32 = NONE
    for (let i: u32 = 0; name < nameEnd; name++, i++) {
      if (<u32>(end - at) < 2 || at >= end) return malformed(at)
      const head = load<u32>(at)
      const shared = head & 0xff
      let h = (head >>> 8) & 0xff
      let source = at + 2
      let places = load<u32>(TEXT_PLACES + ((head >>> 14) & 0x3fc)) & load<u32>(TEXT_NEXT + ((head >>> 22) & 0x3fc))
      if (h >= 0x80) {
        h = readVarint(at + 1, end)
        source = next
        if (source == 0) return malformed(at + 1)
        places =
          load<u32>(TEXT_PLACES + (<usize>load<u8>(source) << 2)) & load<u32>(TEXT_NEXT + (<usize>load<u8>(source, 1) << 2))
      }
      const suffix = h >> 1
      if (shared > length || suffix > <u32>(end - source) || shared + suffix > MAX_NAME_BYTES) return malformed(at)
      at = source + suffix
      length = shared + suffix
      store<u32>(SUFFIX_STARTS + (<usize>i << 2), <u32>source)
      store<u32>(SHARED_BYTES + (<usize>i << 2), shared)
      if (found > shared) {
        found = places != 0 ? spanning(places, i, suffix, text, textBytes) : NONE
        if (found == NONE && occurrence < <u32>at) {
          if (occurrence < <u32>source) occurrence = occurrenceFrom(source, end, text, textBytes, a, b)
          // Nothing of NONE is below anything.
          if (occurrence < <u32>at && occurrence + textBytes <= <u32>at) found = length - <u32>(at - occurrence) + textBytes
        }
      }
      let hit = found != NONE
      if (h & 1) {
        const keyBytes = readVarint(at, end)
        if (next == 0) return malformed(at)
        const key = next
        if (keyBytes > MAX_KEY_BYTES || keyBytes > <u32>(end - key)) return malformed(at)
        if (withOriginal) compose(i, length)
        at = key + keyBytes
        hit = evaluate(program, 0, key, keyBytes, NAME_ORIGINAL, length)
      } else if (hit && onTrue != ACCEPT) {
        compose(i, length)
        hit = onTrue != REJECT && passes(program, onTrue, length, source + suffix, suffix)
      }
      if (occurrence < <u32>at) occurrence = occurrenceFrom(at, end, text, textBytes, a, b)
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
