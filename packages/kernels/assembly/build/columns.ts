import { mark, need, release } from './arena'

/** Packs `count` u32 of `width` (1 … 32) bits; `out`: zeroed words, one more than the bits need. */
export function packValues(values: usize, count: u32, width: u32, out: usize): void {
  let word: u64 = 0
  let filled: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    word |= <u64>load<u32>(values + (<usize>i << 2)) << filled
    filled += width
    if (filled >= 32) {
      store<u32>(out, <u32>word)
      out += 4
      word >>>= 32
      filled -= 32
    }
  }
  if (filled > 0) {
    store<u32>(out, <u32>word)
    out += 4
  }
  store<u32>(out, 0)
}

const GROUP: u32 = 64

/** First pass over a grouped column: bases, starts (u32) and widths (u8) of its groups. @returns words of the differences */
export function measureGroups(values: usize, count: u32, bases: usize, starts: usize, widths: usize): u32 {
  let words: u32 = 0
  for (let from: u32 = 0, g: u32 = 0; from < count; from += GROUP, g++) {
    const size = min<u32>(GROUP, count - from)
    const at = values + (<usize>from << 2)
    let least = load<u32>(at)
    let most = least
    for (let i: u32 = 1; i < size; i++) {
      const value = load<u32>(at + (<usize>i << 2))
      least = min<u32>(least, value)
      most = max<u32>(most, value)
    }
    const width: u32 = 32 - clz<u32>(most - least)
    store<u32>(bases + (<usize>g << 2), least)
    store<u32>(starts + (<usize>g << 2), words)
    store<u8>(widths + g, <u8>width)
    words += (size * width + 31) >>> 5
  }
  return words
}

/** Second pass: the differences. */
export function packGroups(values: usize, count: u32, bases: usize, widths: usize, out: usize): void {
  for (let from: u32 = 0, g: u32 = 0; from < count; from += GROUP, g++) {
    const width = <u32>load<u8>(widths + g)
    if (width == 0) continue
    const size = min<u32>(GROUP, count - from)
    const at = values + (<usize>from << 2)
    const base = load<u32>(bases + (<usize>g << 2))
    let word: u64 = 0
    let filled: u32 = 0
    for (let i: u32 = 0; i < size; i++) {
      word |= <u64>(load<u32>(at + (<usize>i << 2)) - base) << filled
      filled += width
      if (filled >= 32) {
        store<u32>(out, <u32>word)
        out += 4
        word >>>= 32
        filled -= 32
      }
    }
    if (filled > 0) {
      store<u32>(out, <u32>word)
      out += 4
    }
  }
  store<u32>(out, 0)
}

/** True if any of the u32 is not zero. */
export function anySet(values: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (load<u32>(values + (<usize>i << 2)) != 0) return true
  return false
}

/** Bytes of length codes of a group of sizes. */
const CODE_BYTES: usize = 16

/**
 * Writes sizes (f64; NaN: unknown) as `starts` (u32 a group) and groups at `out`, which has room for 7 bytes a size and 16 a group.
 * @returns the bytes of the groups
 */
export function encodeSizes(sizes: usize, count: u32, starts: usize, out: usize): u32 {
  let at = out
  for (let from: u32 = 0; from < count; from += GROUP) {
    store<u32>(starts, <u32>(at - out))
    starts += 4
    const codes = at
    v128.store(codes, i64x2.splat(0))
    at += CODE_BYTES
    const size = min<u32>(GROUP, count - from)
    for (let i: u32 = 0; i < size; i++) {
      const value = load<f64>(sizes + (<usize>(from + i) << 3))
      const stored: u64 = value == value ? <u64>(value + 1) : 0
      store<u64>(at, stored)
      const code: u32 = stored < 0x100 ? 0 : stored < 0x10000 ? 1 : stored < 0x1000000 ? 2 : 3
      at += code == 3 ? 7 : code + 1
      const byte = codes + (i >>> 2)
      store<u8>(byte, load<u8>(byte) | <u8>(code << ((i & 3) << 1)))
    }
  }
  return <u32>(at - out)
}

/** Makes sizes storable: at most `largest`, NaN for what is no size. */
export function limitSizes(sizes: usize, count: u32, largest: f64): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = sizes + (<usize>i << 3)
    const value = load<f64>(at)
    store<f64>(at, value >= 0 ? min<f64>(value, largest) : NaN)
  }
}

/** Zeros become NaN. */
export function dropZeros(values: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = values + (<usize>i << 3)
    if (load<f64>(at) == 0) store<f64>(at, NaN)
  }
}

/** How many are NaN. */
export function countUnknown(values: usize, count: u32): u32 {
  let unknown: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const value = load<f64>(values + (<usize>i << 3))
    if (value != value) unknown++
  }
  return unknown
}

const EXCEPTION: u32 = 0xffffffff

/** Seconds (f64) as u32; rows of known values that do not fit go to `rows` (unless that is 0). @returns how many these are */
export function encodeSeconds(seconds: usize, count: u32, raw: usize, rows: usize): u32 {
  let exceptions: u32 = 0
  for (let row: u32 = 0; row < count; row++) {
    const value = load<f64>(seconds + (<usize>row << 3))
    if (value >= 0 && value < <f64>EXCEPTION) store<u32>(raw + (<usize>row << 2), <u32>value)
    else {
      store<u32>(raw + (<usize>row << 2), EXCEPTION)
      if (value != value) continue
      if (rows != 0) store<u32>(rows + (<usize>exceptions << 2), row)
      exceptions++
    }
  }
  return exceptions
}

/** out[i] = source[order[i]]. */
export function gatherF64(source: usize, order: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<f64>(out + (<usize>i << 3), load<f64>(source + (<usize>load<u32>(order + (<usize>i << 2)) << 3)))
  }
}

export function gatherU32(source: usize, order: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (<usize>i << 2), load<u32>(source + (<usize>load<u32>(order + (<usize>i << 2)) << 2)))
  }
}

/** Bytes, of which the bits of `mask` are taken. */
export function gatherU8(source: usize, order: usize, count: u32, mask: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (<usize>i << 2), <u32>load<u8>(source + load<u32>(order + (<usize>i << 2))) & mask)
  }
}

/**
 * Orders positions by one more u32 column, stable: digits of 16 bits, or of 8 for few. `order`, `spare`: u32 each. Passes in which all
 * digits are equal are left out. @returns true if the result is in `spare`
 */
export function radixPass(column: usize, count: u32, order: usize, spare: usize): bool {
  const bits: u32 = count < 16384 ? 8 : 16
  const mask: u32 = (1 << bits) - 1
  const before = mark()
  const counts = need(<usize>(mask + 1) << 2)
  let swapped = false
  for (let shift: u32 = 0; shift < 32; shift += bits) {
    memory.fill(counts, 0, <usize>(mask + 1) << 2)
    for (let i: u32 = 0; i < count; i++) {
      const at = counts + (<usize>((load<u32>(column + (<usize>i << 2)) >>> shift) & mask) << 2)
      store<u32>(at, load<u32>(at) + 1)
    }
    if (count > 0 && load<u32>(counts + (<usize>((load<u32>(column) >>> shift) & mask) << 2)) == count) continue
    let sum: u32 = 0
    for (let digit: u32 = 0; digit <= mask; digit++) {
      const at = counts + (<usize>digit << 2)
      const n = load<u32>(at)
      store<u32>(at, sum)
      sum += n
    }
    for (let i: u32 = 0; i < count; i++) {
      const position = load<u32>(order + (<usize>i << 2))
      const at = counts + (<usize>((load<u32>(column + (<usize>position << 2)) >>> shift) & mask) << 2)
      const to = load<u32>(at)
      store<u32>(at, to + 1)
      store<u32>(spare + (<usize>to << 2), position)
    }
    const swap = order
    order = spare
    spare = swap
    swapped = !swapped
  }
  release(before)
  return swapped
}

/** Doubles as u64 that ascend as the doubles do (or descend, flipped); -0 is 0. */
@inline
function sortable(at: usize, flip: u64): u64 {
  const bits = load<u64>(at)
  if (bits < 0x8000000000000000) return bits ^ 0x8000000000000000 ^ flip
  if (bits == 0x8000000000000000) return bits ^ flip
  return ~bits ^ flip
}

@inline
function passes(value: f64, skip: usize, row: u32): bool {
  return value == value && (skip == 0 || load<u8>(skip + row) != 1)
}

/**
 * Lists the rows with the largest values (with `flip`, the smallest), at most `limit`, without those that tie with the first one left
 * out, to `rows`: u32, `limit` of them. Unknown values and rows with skip[row] = 1 are passed over. @returns how many, largest first
 */
export function extremeRows(
  values: usize,
  count: u32,
  minor: usize,
  skip: usize,
  flipped: bool,
  limit: u32,
  rows: usize,
): u32 {
  const before = mark()
  const flip: u64 = flipped ? -1 : 0
  const counts = need(65536 * 4)
  let position = limit
  let bound: u64 = 0
  let bounded = true
  // Rows that share the digits of the bound found so far: all, then a list.
  let candidates: usize = 0
  let candidateCount: u32 = 0
  for (let digit: i32 = 3; digit >= 0; digit--) {
    const shift = <u64>(digit << 4)
    memory.fill(counts, 0, 65536 * 4)
    let total: u32 = 0
    if (digit == 3) {
      for (let row: u32 = 0; row < count; row++) {
        const at = values + (<usize>row << 3)
        if (!passes(load<f64>(at), skip, row)) continue
        const slot = counts + (<usize>(sortable(at, flip) >>> 48) << 2)
        store<u32>(slot, load<u32>(slot) + 1)
        total++
      }
      if (total <= limit) {
        bounded = false
        break
      }
    } else {
      for (let i: u32 = 0; i < candidateCount; i++) {
        const slot = counts + (<usize>((load<u64>(candidates + (<usize>i << 3)) >>> shift) & 0xffff) << 2)
        store<u32>(slot, load<u32>(slot) + 1)
      }
    }
    let value: u32 = 0xffff
    for (;;) {
      const n = load<u32>(counts + (<usize>value << 2))
      if (position < n) break
      position -= n
      value--
    }
    bound |= <u64>value << shift
    const expected = load<u32>(counts + (<usize>value << 2))
    if (digit == 3) {
      candidates = need(<usize>expected << 3)
      for (let row: u32 = 0; row < count; row++) {
        const at = values + (<usize>row << 3)
        if (!passes(load<f64>(at), skip, row)) continue
        const word = sortable(at, flip)
        if (<u32>(word >>> 48) != value) continue
        store<u64>(candidates + (<usize>(candidateCount++) << 3), word)
      }
    } else {
      let kept: u32 = 0
      for (let i: u32 = 0; i < candidateCount; i++) {
        const word = load<u64>(candidates + (<usize>i << 3))
        if (((word >>> shift) & 0xffff) == value) store<u64>(candidates + (<usize>(kept++) << 3), word)
      }
      candidateCount = kept
    }
  }
  release(before)

  let found: u32 = 0
  for (let row: u32 = 0; row < count; row++) {
    const at = values + (<usize>row << 3)
    if (!passes(load<f64>(at), skip, row)) continue
    if (!bounded || sortable(at, flip) > bound) store<u32>(rows + (<usize>(found++) << 2), row)
  }
  const column = need(<usize>found << 2)
  let order = need(<usize>found << 2)
  let spare = need(<usize>found << 2)
  for (let i: u32 = 0; i < found; i++) store<u32>(order + (<usize>i << 2), i)
  for (let part = 0; part < 3; part++) {
    if (part == 0 && minor == 0) continue
    for (let i: u32 = 0; i < found; i++) {
      const row = load<u32>(rows + (<usize>i << 2))
      let word: u32
      if (part == 0) word = ~(load<u32>(minor + (<usize>row << 2)) ^ <u32>flip)
      else {
        const whole = ~sortable(values + (<usize>row << 3), flip)
        word = part == 1 ? <u32>whole : <u32>(whole >>> 32)
      }
      store<u32>(column + (<usize>i << 2), word)
    }
    if (radixPass(column, found, order, spare)) {
      const swap = order
      order = spare
      spare = swap
    }
  }
  for (let i: u32 = 0; i < found; i++) {
    store<u32>(column + (<usize>i << 2), load<u32>(rows + (<usize>load<u32>(order + (<usize>i << 2)) << 2)))
  }
  memory.copy(rows, column, <usize>found << 2)
  release(before)
  return found
}
