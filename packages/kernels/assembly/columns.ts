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

/** Values of a bit-packed array at `ids` (u32) to `out`, as u32; `out` may be `ids`. Ids are the caller's to check. */
export function gatherBits(packed: usize, width: u32, ids: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (<usize>i << 2), packedAt(packed, load<u32>(ids + (<usize>i << 2)), width))
  }
}

/** Values of a u32 column at `ids` to `out`; `out` may be `ids`. Ids are the caller's to check. */
export function gatherU32(column: usize, ids: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (<usize>i << 2), load<u32>(column + (<usize>load<u32>(ids + (<usize>i << 2)) << 2)))
  }
}
