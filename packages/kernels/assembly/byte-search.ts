// Byte comparison and search with 16-byte vectors. All may read up to 16 bytes past the end of what they are given.

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
 * First position from `from` on at which text[0 … length) has the needle, or -1. `a` and `b` are the positions in the
 * needle of the two bytes that are looked for, 16 places at a time (best the rarest ones).
 */
@inline
export function findIn(text: usize, from: u32, length: u32, needle: usize, needleBytes: u32, a: u32, b: u32): i32 {
  const vectorA = i8x16.splat(load<i8>(needle + a))
  const vectorB = i8x16.splat(load<i8>(needle + b))
  return findWith(text, from, length, needle, needleBytes, a, b, vectorA, vectorB)
}

/** As findIn, with the two bytes already in all lanes. */
@inline
export function findWith(
  text: usize,
  from: u32,
  length: u32,
  needle: usize,
  needleBytes: u32,
  a: u32,
  b: u32,
  vectorA: v128,
  vectorB: v128,
): i32 {
  const places: i32 = <i32>length - <i32>needleBytes + 1
  for (let s: i32 = <i32>from; s < places; s += 16) {
    const at = text + <usize>s
    let hits = i8x16.bitmask(v128.and(i8x16.eq(v128.load(at + a), vectorA), i8x16.eq(v128.load(at + b), vectorB)))
    const room = places - s
    if (room < 16) hits &= (1 << room) - 1
    while (hits != 0) {
      const hit = ctz<i32>(hits)
      if (needleBytes <= 2 || sameBytes(at + <usize>hit, needle, needleBytes)) return s + hit
      hits &= hits - 1
    }
  }
  return -1
}

/** The 16 bytes with A–Z lower-cased. */
@inline
export function lowered(bytes: v128): v128 {
  const upper = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x41)), i8x16.splat(26))
  return v128.or(bytes, v128.and(upper, i8x16.splat(0x20)))
}
