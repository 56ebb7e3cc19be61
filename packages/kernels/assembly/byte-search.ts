// Byte comparison and search with vectors. All may read up to 32 bytes past the end of what they are given.

/** True if the bytes at x and y are the same. */
export function sameBytes(x: usize, y: usize, bytes: u32): bool {
  while (bytes > 16) {
    if (i8x16.bitmask(i8x16.eq(v128.load(x), v128.load(y))) != 0xffff) return false
    x += 16
    y += 16
    bytes -= 16
  }
  const wanted = (1 << bytes) - 1
  return (i8x16.bitmask(i8x16.eq(v128.load(x), v128.load(y))) & wanted) == wanted
}

/**
 * First position at which text[0 … length) has the needle, or -1. `a` and `b` are the positions in the needle of the two
 * bytes that are looked for, 32 places at a time (best the rarest ones).
 */
export function findIn(text: usize, length: u32, needle: usize, needleBytes: u32, a: u32, b: u32): i32 {
  const vectorA = v128.load8_splat(needle + a)
  const vectorB = v128.load8_splat(needle + b)
  const places: i32 = <i32>length - <i32>needleBytes + 1
  for (let s: i32 = 0; s < places; s += 32) {
    const at = text + <usize>s
    const low = v128.and(i8x16.eq(v128.load(at + a), vectorA), i8x16.eq(v128.load(at + b), vectorB))
    const high = v128.and(i8x16.eq(v128.load(at + a, 16), vectorA), i8x16.eq(v128.load(at + b, 16), vectorB))
    let hits = <u32>i8x16.bitmask(low) | (<u32>i8x16.bitmask(high) << 16)
    const room = places - s
    if (room < 32) hits &= (<u32>1 << room) - 1
    while (hits != 0) {
      const hit = ctz<u32>(hits)
      if (sameBytes(at + <usize>hit, needle, needleBytes)) return s + <i32>hit
      hits &= hits - 1
    }
  }
  return -1
}

/**
 * The 16 bytes with A–Z lower-cased. `bias`, `limit`, `bit`: from LOWER_CONSTANTS.
 */
@inline
export function lowered(bytes: v128, bias: v128, limit: v128, bit: v128): v128 {
  // A–Z moved to the lowest signed values: processors before AVX-512 compare signed bytes only.
  return v128.or(bytes, v128.and(i8x16.lt_s(i8x16.add(bytes, bias), limit), bit))
}
