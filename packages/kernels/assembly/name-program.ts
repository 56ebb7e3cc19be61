import { BAD_PROGRAM } from './layout'
import { findIn, sameBytes } from './byte-search'
import { codePointLength } from './code-point'
import { hasInitials, hasWordOf, hasWordStart } from './words'

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
export const ON_TRUE: usize = 8
export const ON_FALSE: usize = 12
export const DATA: usize = 16
export const DATA_BYTES: usize = 20
export const A: usize = 24
export const B: usize = 28
/** Extensions that are not in the table. */
export const DOTTED: usize = 32

export const CONTAINS: u32 = 1
export const PREFIX: u32 = 2
export const SUFFIX: u32 = 3
export const EXACT: u32 = 4
export const GLOB: u32 = 5
export const EXTENSION: u32 = 6
export const LENGTH: u32 = 7
export const CONSTANT: u32 = 8
export const NON_ASCII: u32 = 9
export const WORD_START: u32 = 10
export const WORDS: u32 = 11
export const INITIALS: u32 = 12

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
    if (kind <= EXACT) {
      const b = load<u32>(leaf, B)
      if (kind == 0 || (length == 0 ? a != 0 || b != 0 || kind != EXACT : a >= length || b >= length)) return BAD_PROGRAM
    } else if (kind == EXTENSION) {
      if (a == 0 || (a & (a - 1)) != 0 || a > 0x1000 || (a << 3) > length) return BAD_PROGRAM
      let at = <usize>data + (<usize>a << 3)
      const end = data + length
      for (let n = load<u32>(leaf, DOTTED); n > 0; n--) {
        if (at + 2 > end) return BAD_PROGRAM
        at += 2 + <usize>load<u16>(program + at)
        if (at > end) return BAD_PROGRAM
      }
    } else if (kind == WORD_START) {
      if (length == 0) return BAD_PROGRAM
    } else if (kind == WORDS) {
      if (a == 0 || (a & (a - 1)) != 0 || a > 0x1000 || a << 2 > length) return BAD_PROGRAM
      for (let slot: u32 = 0; slot < a; slot++) {
        const entry = load<u32>(program + data + (<usize>slot << 2))
        if (entry != 0 && (entry >= length || <u32>load<u8>(program + data + entry) > length - entry - 1)) return BAD_PROGRAM
      }
    } else if (kind == INITIALS) {
      if (length == 0 || length > 31) return BAD_PROGRAM
    } else if (kind > NON_ASCII) {
      return BAD_PROGRAM
    }
  }
  return 0
}

/** True if the name passes, beginning with test `next`. */
export function evaluate(
  program: usize,
  next: u32,
  key: usize,
  keyBytes: u32,
  original: usize,
  originalBytes: u32,
): bool {
  do {
    const leaf = program + HEADER_BYTES + <usize>next * LEAF_BYTES
    next = holds(program, leaf, key, keyBytes, original, originalBytes)
      ? load<u32>(leaf, ON_TRUE)
      : load<u32>(leaf, ON_FALSE)
  } while (next < REJECT)
  return next == ACCEPT
}

/** True if one test holds. */
export function holds(
  program: usize,
  leaf: usize,
  key: usize,
  keyBytes: u32,
  original: usize,
  originalBytes: u32,
): bool {
  const onOriginal = load<u32>(leaf, SUBJECT) != 0
  const text = onOriginal ? original : key
  const length = onOriginal ? originalBytes : keyBytes
  const data = program + <usize>load<u32>(leaf, DATA)
  const dataBytes = load<u32>(leaf, DATA_BYTES)
  switch (load<u32>(leaf, KIND)) {
    case CONTAINS:
      return findIn(text, length, data, dataBytes, load<u32>(leaf, A), load<u32>(leaf, B)) >= 0
    case PREFIX:
      return dataBytes <= length && sameBytes(text, data, dataBytes)
    case SUFFIX:
      return dataBytes <= length && sameBytes(text + (length - dataBytes), data, dataBytes)
    case EXACT:
      return dataBytes == length && sameBytes(text, data, dataBytes)
    case GLOB:
      return matchGlob(data, dataBytes >> 1, text, length)
    case EXTENSION:
      return hasExtension(leaf, data, text, length)
    case LENGTH:
      return hasCharacters(text, length, load<u32>(leaf, A), load<u32>(leaf, B))
    case NON_ASCII:
      return hasNonAscii(text, length)
    case WORD_START:
      // Where key and original are not as long as each other, places in one say nothing of the other.
      return keyBytes == originalBytes && hasWordStart(data, dataBytes, key, original, originalBytes)
    case WORDS:
      return keyBytes == originalBytes && hasWordOf(data, load<u32>(leaf, A), key, original, originalBytes)
    case INITIALS:
      return keyBytes == originalBytes && hasInitials(data, dataBytes, key, original, originalBytes)
    default:
      return load<u32>(leaf, A) != 0
  }
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
  // The last 16 bytes hold the dot of an extension of up to 8; what lies before the text is masked out.
  let dots = i8x16.bitmask(i8x16.eq(v128.load(text + length - 16), i8x16.splat(0x2e))) << 16
  if (length < 16) dots &= ~(0xffffffff >>> length)
  const bytes = clz<u32>(<u32>dots)
  if (bytes > 0 && bytes <= 8) {
    const packed = load<u64>(text + length - bytes) & (~(<u64>0) >>> ((8 - bytes) << 3))
    if (hasPackedExtension(leaf, data, packed)) return true
  }
  let entry = data + (<usize>load<u32>(leaf, A) << 3)
  for (let n = load<u32>(leaf, DOTTED); n > 0; n--) {
    const entryBytes = <u32>load<u16>(entry)
    if (entryBytes <= length && sameBytes(text + (length - entryBytes), entry + 2, entryBytes)) return true
    entry += 2 + entryBytes
  }
  return false
}

/**
 * The extension is in the table. It is given as one number, zero-filled: a name holds no NUL, so different extensions
 * are different numbers.
 */
export function hasPackedExtension(leaf: usize, data: usize, packed: u64): bool {
  const slots = load<u32>(leaf, A)
  let slot = extensionSlot(<u32>packed, <u32>(packed >>> 32)) & (slots - 1)
  for (let tries: u32 = 0; tries < slots; tries++) {
    const entry = load<u64>(data + (<usize>slot << 3))
    if (entry == packed) return true
    if (entry == 0) return false
    slot = (slot + 1) & (slots - 1)
  }
  return false
}
