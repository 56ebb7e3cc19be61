import { BAD_PROGRAM } from './layout'
import { findIn, sameBytes } from './byte-search'
import { codePointLength } from './code-point'

// A compiled name program (layout: src/name-program.ts): tests with two successors each, evaluated from the first on.

export const HEADER_BYTES: usize = 16
export const LEAF_BYTES: usize = 48
export const ACCEPT: u32 = 0xffffffff
export const REJECT: u32 = 0xfffffffe
const MAGIC: u32 = 0x31504e48
const MAX_LEAVES: u32 = 1024

export const FLAG_ORIGINAL: u32 = 1

export const KIND: usize = 0
export const SUBJECT: usize = 4
const ON_TRUE: usize = 8
const ON_FALSE: usize = 12
export const DATA: usize = 16
export const DATA_BYTES: usize = 20
export const A: usize = 24
export const B: usize = 28
const C: usize = 32
/** Bytes of the name, from its start, that are known not to hold the needle. */
const CLEAN: usize = 36
/** End of the first occurrence of the needle, 0 if none is known. */
const FOUND: usize = 40

export const CONTAINS: u32 = 1
const PREFIX: u32 = 2
const SUFFIX: u32 = 3
const EXACT: u32 = 4
const GLOB: u32 = 5
const EXTENSION: u32 = 6
const LENGTH: u32 = 7
const CONSTANT: u32 = 8
const NON_ASCII: u32 = 9

/** Elements of a glob pattern that are not bytes. */
const ANY_CHARACTER: u32 = 0x100
const ANY_CHARACTERS: u32 = 0x101

/** 0, or BAD_PROGRAM if evaluating could read outside of the program or not end. */
export function checkProgram(program: usize, bytes: u32): i32 {
  if (bytes < 16 || load<u32>(program) != MAGIC) return BAD_PROGRAM
  const leaves = load<u32>(program, 4)
  if (leaves == 0 || leaves > MAX_LEAVES || <u32>HEADER_BYTES + leaves * <u32>LEAF_BYTES > bytes) return BAD_PROGRAM
  for (let i: u32 = 0; i < leaves; i++) {
    const leaf = program + HEADER_BYTES + <usize>i * LEAF_BYTES
    const onTrue = load<u32>(leaf, ON_TRUE)
    const onFalse = load<u32>(leaf, ON_FALSE)
    // Forward only, so that every evaluation ends.
    if (onTrue < REJECT && (onTrue <= i || onTrue >= leaves)) return BAD_PROGRAM
    if (onFalse < REJECT && (onFalse <= i || onFalse >= leaves)) return BAD_PROGRAM
    const data = load<u32>(leaf, DATA)
    const length = load<u32>(leaf, DATA_BYTES)
    if (data > bytes || length > bytes - data || load<u32>(leaf, SUBJECT) > 1) return BAD_PROGRAM
    const kind = load<u32>(leaf, KIND)
    const a = load<u32>(leaf, A)
    if (kind == CONTAINS) {
      if (length == 0 || a >= length || load<u32>(leaf, B) >= length) return BAD_PROGRAM
    } else if (kind == EXTENSION) {
      if (a == 0 || (a & (a - 1)) != 0 || a > 0x1000 || (a << 3) > length) return BAD_PROGRAM
      let at = <usize>data + (<usize>a << 3)
      const end = data + length
      for (let n = load<u32>(leaf, C); n > 0; n--) {
        if (at + 2 > end) return BAD_PROGRAM
        at += 2 + <usize>load<u16>(program + at)
        if (at > end) return BAD_PROGRAM
      }
    } else if (kind == 0 || kind > NON_ASCII) {
      return BAD_PROGRAM
    }
    store<u32>(leaf, 0, CLEAN)
    store<u32>(leaf, 0, FOUND)
  }
  return 0
}

/** The buffers now hold a name that shares `shared` leading bytes with the one before. */
export function carryOver(program: usize, shared: u32): void {
  let leaf = program + HEADER_BYTES
  for (let i = load<u32>(program, 4); i > 0; i--) {
    if (load<u32>(leaf, CLEAN) > shared) store<u32>(leaf, shared, CLEAN)
    if (load<u32>(leaf, FOUND) > shared) store<u32>(leaf, 0, FOUND)
    leaf += LEAF_BYTES
  }
}

/**
 * True if the name passes. `carriedKey`, `carriedOriginal`: the subject is in the buffer for which carryOver keeps what
 * is known; otherwise the subject is searched from its start.
 */
export function evaluate(
  program: usize,
  key: usize,
  keyBytes: u32,
  original: usize,
  originalBytes: u32,
  carriedKey: bool,
  carriedOriginal: bool,
): bool {
  let next: u32 = 0
  do {
    const leaf = program + HEADER_BYTES + <usize>next * LEAF_BYTES
    const onOriginal = load<u32>(leaf, SUBJECT) != 0
    const text = onOriginal ? original : key
    const length = onOriginal ? originalBytes : keyBytes
    const data = program + <usize>load<u32>(leaf, DATA)
    const dataBytes = load<u32>(leaf, DATA_BYTES)
    let result = false
    switch (load<u32>(leaf, KIND)) {
      case CONTAINS:
        result = (onOriginal ? carriedOriginal : carriedKey)
          ? containsCarried(leaf, text, length, data, dataBytes)
          : findIn(text, 0, length, data, dataBytes, load<u32>(leaf, A), load<u32>(leaf, B)) >= 0
        break
      case PREFIX:
        result = dataBytes <= length && sameBytes(text, data, dataBytes)
        break
      case SUFFIX:
        result = dataBytes <= length && sameBytes(text + (length - dataBytes), data, dataBytes)
        break
      case EXACT:
        result = dataBytes == length && sameBytes(text, data, dataBytes)
        break
      case GLOB:
        result = matchGlob(data, dataBytes >> 1, text, length)
        break
      case EXTENSION:
        result = hasExtension(leaf, data, text, length)
        break
      case LENGTH:
        result = hasCharacters(text, length, load<u32>(leaf, A), load<u32>(leaf, B))
        break
      case NON_ASCII:
        result = hasNonAscii(text, length)
        break
      default:
        result = load<u32>(leaf, A) != 0
    }
    next = result ? load<u32>(leaf, ON_TRUE) : load<u32>(leaf, ON_FALSE)
  } while (next < REJECT)
  return next == ACCEPT
}

function containsCarried(leaf: usize, text: usize, length: u32, needle: usize, needleBytes: u32): bool {
  if (load<u32>(leaf, FOUND) != 0) return true
  const clean = load<u32>(leaf, CLEAN)
  const from = clean >= needleBytes ? clean - needleBytes + 1 : 0
  const at = findIn(text, from, length, needle, needleBytes, load<u32>(leaf, A), load<u32>(leaf, B))
  if (at < 0) {
    store<u32>(leaf, length, CLEAN)
    return false
  }
  store<u32>(leaf, <u32>at + needleBytes, FOUND)
  store<u32>(leaf, <u32>at + needleBytes - 1, CLEAN)
  return true
}

/** Backtracks to the last `*` only: at most length × elements steps. */
function matchGlob(pattern: usize, elements: u32, text: usize, length: u32): bool {
  let p: u32 = 0
  let t: u32 = 0
  let star: i32 = -1
  let starText: u32 = 0
  while (true) {
    if (p < elements) {
      const element = <u32>load<u16>(pattern + (p << 1))
      if (element == ANY_CHARACTERS) {
        star = <i32>(p++)
        starText = t
        continue
      }
      if (t < length) {
        if (element == ANY_CHARACTER) {
          t += codePointLength(text + t, length - t)
          p++
          continue
        }
        if (element == <u32>load<u8>(text + t)) {
          t++
          p++
          continue
        }
      }
    } else if (t == length) return true
    if (star < 0 || starText >= length) return false
    starText += codePointLength(text + starText, length - starText)
    t = starText
    p = <u32>star + 1
  }
}

/** Must be what src/name-program.ts fills the table with. */
@inline
function extensionSlot(low: u32, high: u32): u32 {
  const mixed = low * 0x9e3779b1 ^ high * 0x85ebca77
  return mixed ^ (mixed >>> 15)
}

/** Characters of the text are `least` to `most`. */
function hasCharacters(text: usize, length: u32, least: u32, most: u32): bool {
  // No character has more than four bytes.
  if (length < least || (most < 0x40000000 && length > most << 2)) return false
  if (!hasNonAscii(text, length)) return length <= most
  let count: u32 = 0
  for (let t: u32 = 0; t < length; count++) t += codePointLength(text + t, length - t)
  return count >= least && count <= most
}

function hasNonAscii(text: usize, length: u32): bool {
  let t: u32 = 0
  for (; t + 16 <= length; t += 16) if (i8x16.bitmask(v128.load(text + t)) != 0) return true
  return t < length && (i8x16.bitmask(v128.load(text + t)) & ((1 << (length - t)) - 1)) != 0
}

/** The text ends in a dot and one of the extensions. */
function hasExtension(leaf: usize, data: usize, text: usize, length: u32): bool {
  const longest = load<u32>(leaf, B)
  const slots = load<u32>(leaf, A)
  const stop: u32 = length <= longest + 1 ? 0 : length - longest - 1
  let at = length
  while (at > stop && load<u8>(text + at - 1) != 0x2e) at--
  const bytes = length - at
  if (at > stop && bytes > 0 && bytes <= 8) {
    // As one number, zero-filled: a name holds no NUL, so different extensions are different numbers.
    const packed = load<u64>(text + at) & (~(<u64>0) >>> ((8 - bytes) << 3))
    const mask = slots - 1
    let slot = extensionSlot(<u32>packed, <u32>(packed >>> 32)) & mask
    for (let tries: u32 = 0; tries < slots; tries++) {
      const entry = load<u64>(data + (<usize>slot << 3))
      if (entry == packed) return true
      if (entry == 0) break
      slot = (slot + 1) & mask
    }
  }
  let entry = data + (<usize>slots << 3)
  for (let n = load<u32>(leaf, C); n > 0; n--) {
    const entryBytes = <u32>load<u16>(entry)
    if (entryBytes <= length && sameBytes(text + (length - entryBytes), entry + 2, entryBytes)) return true
    entry += 2 + entryBytes
  }
  return false
}
