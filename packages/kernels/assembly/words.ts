import { findIn, sameBytes } from './byte-search'

// Words of ASCII names, by the rules of words.ts of index-format.

const SEPARATOR: u32 = 0
const DIGIT: u32 = 1
const SMALL: u32 = 2
const CAPITAL: u32 = 3

@inline
function classOf(byte: u32): u32 {
  if (byte - 0x61 < 26 || byte >= 0x80) return SMALL
  if (byte - 0x41 < 26) return CAPITAL
  return byte - 0x30 < 10 ? DIGIT : SEPARATOR
}

/** True if there is a boundary before byte `at` of a name, or at its end. */
function isBoundary(name: usize, length: u32, at: u32): bool {
  if (at == 0 || at >= length) return true
  const before = classOf(<u32>load<u8>(name + at - 1))
  const after = classOf(<u32>load<u8>(name + at))
  if (before < SMALL || after < SMALL) return before != after || before == SEPARATOR
  if (after == SMALL) return false
  if (before == SMALL) return true
  return at + 1 < length && <u32>load<u8>(name + at + 1) - 0x61 < 26
}

/** True if the text begins at a boundary of the name. */
export function hasWordStart(text: usize, bytes: u32, key: usize, name: usize, length: u32): bool {
  for (let at: u32 = 0; at + bytes <= length; at++) {
    const found = findIn(key + at, length - at, text, bytes, 0, bytes - 1)
    if (found < 0) return false
    at += <u32>found
    if (isBoundary(name, length, at)) return true
  }
  return false
}

/** True if a word of the name, or one of its runs of digits, is in the table (layout: src/name-program.ts). */
export function hasWordOf(table: usize, slots: u32, key: usize, name: usize, length: u32): bool {
  let at: u32 = 0
  while (at < length) {
    let last = classOf(<u32>load<u8>(name + at))
    const start = at++
    if (last == SEPARATOR) continue
    if (last == DIGIT) {
      while (at < length && classOf(<u32>load<u8>(name + at)) == DIGIT) at++
      if (isListed(table, slots, key + start, at - start)) return true
      continue
    }
    let part = start
    for (; at < length; at++) {
      const here = classOf(<u32>load<u8>(name + at))
      if (here < SMALL) break
      if (here == CAPITAL && (last == SMALL || (at + 1 < length && <u32>load<u8>(name + at + 1) - 0x61 < 26))) {
        if (isListed(table, slots, key + part, at - part)) return true
        part = at
      }
      last = here
    }
    if (isListed(table, slots, key + part, at - part)) return true
    if (part != start && isListed(table, slots, key + start, at - start)) return true
  }
  return false
}

function isListed(table: usize, slots: u32, text: usize, bytes: u32): bool {
  let hash: u32 = 0x811c9dc5
  for (let i: u32 = 0; i < bytes; i++) hash = (hash ^ <u32>load<u8>(text + i)) * 0x01000193
  let slot = (hash ^ (hash >>> 15)) & (slots - 1)
  for (let tries: u32 = 0; tries < slots; tries++) {
    const entry = load<u32>(table + (<usize>slot << 2))
    if (entry == 0) return false
    if (<u32>load<u8>(table + entry) == bytes && sameBytes(text, table + entry + 1, bytes)) return true
    slot = (slot + 1) & (slots - 1)
  }
  return false
}

/** True if the letters (at most 31) are starts of parts of the name in order, the first of the first part. */
export function hasInitials(letters: usize, count: u32, key: usize, name: usize, length: u32): bool {
  let at: u32 = length > 0 && load<u8>(name) == 0x2e ? 1 : 0
  if (at >= length || classOf(<u32>load<u8>(name + at)) == SEPARATOR) return false
  // Bit i: the first i letters are found.
  let reached: u32 = 0
  let open: u32 = 1
  while (at < length) {
    const start = at
    do at++
    while (!isBoundary(name, length, at))
    if (classOf(<u32>load<u8>(name + start)) == SEPARATOR) continue
    for (let from = open; from != 0; from &= from - 1) {
      let i = ctz<u32>(from)
      let place = start
      while (place < at && i < count && load<u8>(key + place) == load<u8>(letters + i)) {
        place++
        i++
        reached |= (<u32>1) << i
      }
    }
    if ((reached >>> count) & 1) return true
    if (reached == 0) return false
    open = reached
  }
  return false
}
