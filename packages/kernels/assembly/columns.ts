import { malformed } from './layout'

// Fixed-width columns: raw u32, bits, and bit-packed values (bit 0 is the lowest bit of the first byte).

/**
 * Counts the values low … high (both included) of a u32 column. With `bits`, bit i of it says if value i is among them;
 * whole bytes are written. Reads 16 values at a time, up to 60 bytes past the end.
 */
export function filterU32Range(column: usize, count: u32, low: u32, high: u32, bits: usize): u32 {
  const lows = i32x4.splat(low)
  const highs = i32x4.splat(high)
  let matches: u32 = 0
  for (let i: u32 = 0; i < count; i += 16) {
    const at = column + (<usize>i << 2)
    const w = v128.load(at)
    const x = v128.load(at, 16)
    const y = v128.load(at, 32)
    const z = v128.load(at, 48)
    const wIn = v128.and(i32x4.ge_u(w, lows), i32x4.le_u(w, highs))
    const xIn = v128.and(i32x4.ge_u(x, lows), i32x4.le_u(x, highs))
    const yIn = v128.and(i32x4.ge_u(y, lows), i32x4.le_u(y, highs))
    const zIn = v128.and(i32x4.ge_u(z, lows), i32x4.le_u(z, highs))
    // Lanes are all ones or zeros, so narrowing with saturation keeps them.
    let mask = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(wIn, xIn), i16x8.narrow_i32x4_s(yIn, zIn)))
    const room = count - i
    if (room < 16) mask &= (1 << room) - 1
    matches += <u32>popcnt<i32>(mask)
    if (bits != 0) {
      store<u8>(bits + (i >> 3), <u8>mask)
      if (room > 8) store<u8>(bits + (i >> 3), <u8>(mask >>> 8), 1)
    }
  }
  return matches
}

/** Bits set among the bits from … to (not included) of a bitmap. */
export function popcountBits(bits: usize, from: u32, to: u32): u32 {
  if (from >= to) return 0
  let byte = from >> 3
  const lastByte = (to - 1) >> 3
  const head: u32 = 0xff << (from & 7)
  const tail: u32 = 0xff >>> (7 - ((to - 1) & 7))
  if (byte == lastByte) return <u32>popcnt<u32>(<u32>load<u8>(bits + byte) & head & tail)
  let count = <u32>popcnt<u32>(<u32>load<u8>(bits + byte) & head & 0xff)
  byte++
  for (; byte + 8 <= lastByte; byte += 8) count += <u32>popcnt<u64>(load<u64>(bits + byte))
  for (; byte < lastByte; byte++) count += <u32>popcnt<u32>(load<u8>(bits + byte))
  return count + <u32>popcnt<u32>(<u32>load<u8>(bits + lastByte) & tail)
}

/** Numbers of the set bits among from … to, ascending, to `out`; stops when `capacity` are written. Returns how many. */
export function listBits(bits: usize, from: u32, to: u32, out: usize, capacity: u32): u32 {
  let count: u32 = 0
  let at = from
  while (at < to && count < capacity) {
    // The 8 bytes of which `at` is in the first.
    let word = load<u64>(bits + (at >> 3)) >>> (at & 7)
    const room = to - at
    const width: u32 = 64 - (at & 7)
    if (room < width) word &= (<u64>1 << room) - 1
    while (word != 0 && count < capacity) {
      store<u32>(out + (<usize>(count++) << 2), at + <u32>ctz<u64>(word))
      word &= word - 1
    }
    at += width
  }
  return count
}

/** Value `index` of a bit-packed array; reads the 8 bytes in which it starts. */
@inline
export function packedAt(packed: usize, index: u32, width: u32): u32 {
  const bit = <u64>index * width
  const word = load<u64>(packed + <usize>(bit >>> 3))
  return <u32>(word >>> (bit & 7)) & <u32>((<u64>1 << width) - 1)
}

/** Values first … first + count of a bit-packed array (width 0 to 32) to `out`, as u32. */
export function unpackBits(packed: usize, width: u32, first: u32, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) store<u32>(out + (<usize>i << 2), packedAt(packed, first + i, width))
}

/**
 * Values of a bit-packed array at `ids` (u32) to `out`, as u32; `out` may be `ids`. 0, or MALFORMED for an id that is not
 * below `length`.
 */
export function gatherBits(packed: usize, width: u32, length: u32, ids: usize, count: u32, out: usize): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (<usize>i << 2))
    if (id >= length) return malformed(ids + (<usize>i << 2))
    store<u32>(out + (<usize>i << 2), packedAt(packed, id, width))
  }
  return 0
}

/** Values of a u32 column of `length` at `ids`, otherwise as gatherBits. */
export function gatherU32(column: usize, length: u32, ids: usize, count: u32, out: usize): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (<usize>i << 2))
    if (id >= length) return malformed(ids + (<usize>i << 2))
    store<u32>(out + (<usize>i << 2), load<u32>(column + (<usize>id << 2)))
  }
  return 0
}

/**
 * Says of `count` values of a bit-packed array, from its start, whether bit number value of `bits` is set: bit i of
 * `out`, whole bytes written. Returns how many are, or MALFORMED if a value is not below `bitCount`.
 */
export function selectPacked(packed: usize, width: u32, count: u32, bits: usize, bitCount: u32, out: usize): i32 {
  const mask = (<u64>1 << width) - 1
  let selected: u32 = 0
  for (let i: u32 = 0; i < count; i += 8) {
    const values = min<u32>(8, count - i)
    let byte: u32 = 0
    let bit: u32 = 0
    for (let j: u32 = 0; j < values; j++) {
      const value = <u32>((load<u64>(packed + (bit >> 3)) >>> (bit & 7)) & mask)
      if (value >= bitCount) return malformed(packed + (bit >> 3))
      byte |= (((<u32>load<u8>(bits + (value >> 3)) >> (value & 7)) & 1) << j)
      bit += width
    }
    store<u8>(out + (i >> 3), <u8>byte)
    selected += popcnt<u32>(byte)
    // Eight values take as many bytes as each has bits.
    packed += width
  }
  return <i32>selected
}

/** Entries in a group of a size column, and bytes of the length codes at its head. */
const GROUP: u32 = 64
const CODE_BYTES: u32 = 16

/**
 * Says of the sizes from … to (not included; `from` a multiple of 64) of a size column of `count` (layout: index-format,
 * size-column.ts) whether they are low … high, both included and whole; an unknown size is not. Bit i of `out` for size
 * i, whole bytes written. Returns how many are, or MALFORMED.
 */
export function filterSizes(
  column: usize,
  bytes: u32,
  count: u32,
  from: u32,
  to: u32,
  low: f64,
  high: f64,
  out: usize,
): i32 {
  const groups = (count + GROUP - 1) / GROUP
  if (<u64>groups * (4 + CODE_BYTES) > bytes) return malformed(column)
  const data = column + (<usize>groups << 2)
  const dataBytes = bytes - (groups << 2)
  // Stored values are sizes plus one, 0 being unknown.
  const least = <u64>low + 1
  const most = <u64>high + 1
  let selected: u32 = 0
  for (let first = from; first < to; first += GROUP) {
    const group = first / GROUP
    const start = load<u32>(column + (<usize>group << 2))
    if (start > dataBytes || dataBytes - start < CODE_BYTES) return malformed(column + (<usize>group << 2))
    const codes = data + start
    let at = codes + CODE_BYTES
    const end = data + dataBytes
    const values = min<u32>(GROUP, to - first)
    let word: u64 = 0
    for (let half: u32 = 0; half < values; half += 32) {
      let code = load<u64>(codes + (half >> 2))
      const stop = min<u32>(values, half + 32)
      for (let i = half; i < stop; i++) {
        // 1, 2, 3 or 7 bytes.
        const length = (<u32>code & 3) + 1 + (<u32>((code & 3) == 3)) * 3
        code >>>= 2
        if (<u32>(end - at) < length || at > end) return malformed(at)
        const value = load<u64>(at) & (~(<u64>0) >>> (64 - (length << 3)))
        word |= <u64>(value - least <= most - least) << i
        at += length
      }
    }
    selected += <u32>popcnt<u64>(word)
    const place = out + (<usize>group << 3)
    if (values == GROUP) store<u64>(place, word)
    else for (let i: u32 = 0; i < (values + 7) >> 3; i++) store<u8>(place + i, <u8>(word >>> (i << 3)))
  }
  return <i32>selected
}
