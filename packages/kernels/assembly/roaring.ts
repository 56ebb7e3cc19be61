import { CONTAINER_BITS, CONTAINER_VALUES, MALFORMED, malformed, MAX_SETS, BAD_ARGUMENT, NO_ROOM, SET_CURSORS } from './layout'

// Sets in the portable Roaring format, read where they lie (layout: index-format, roaring-portable.ts).

/** A cursor over the containers of one set: its end, the containers left, the next descriptor, the run bits and the next payload. */
const CURSOR_BYTES: usize = 32
const END: usize = 0
const LEFT: usize = 4
const DESCRIPTOR: usize = 8
const RUN_BITS: usize = 12
const INDEX: usize = 16
const PAYLOAD: usize = 20

const BITMAP_BYTES: u32 = 8192
const MAX_ARRAY: u32 = 4096

@inline
function cursorOf(set: u32): usize {
  return SET_CURSORS + <usize>set * CURSOR_BYTES
}

/** Opens a set and checks its header; 0 or MALFORMED. */
function open(cursor: usize, at: usize, length: u32): i32 {
  const end = at + length
  if (length < 4 || end < at) return malformed(at)
  const cookie = load<u32>(at)
  let count: u32
  let runBits: usize = 0
  let next = at + 4
  if ((cookie & 0xffff) == 12347) {
    count = (cookie >>> 16) + 1
    runBits = next
    next += (count + 7) >> 3
  } else {
    if (cookie != 12346 || length < 8) return malformed(at)
    count = load<u32>(next)
    if (count > 0x10000) return malformed(next)
    next += 4
  }
  const hasOffsets = runBits == 0 || count >= 4
  const headerBytes = <u32>(next - at) + count * (hasOffsets ? 8 : 4)
  if (headerBytes > length) return malformed(next)
  let previous: i32 = -1
  for (let i: u32 = 0; i < count; i++) {
    const key = <i32>load<u16>(next + (i << 2))
    if (key <= previous) return malformed(next + (i << 2))
    previous = key
  }
  store<u32>(cursor, <u32>end, END)
  store<u32>(cursor, count, LEFT)
  store<u32>(cursor, <u32>next, DESCRIPTOR)
  store<u32>(cursor, <u32>runBits, RUN_BITS)
  store<u32>(cursor, 0, INDEX)
  store<u32>(cursor, <u32>(at + headerBytes), PAYLOAD)
  return 0
}

@inline
function left(cursor: usize): u32 {
  return load<u32>(cursor, LEFT)
}

@inline
function keyAt(cursor: usize): u32 {
  return load<u16>(<usize>load<u32>(cursor, DESCRIPTOR))
}

@inline
function cardinalityAt(cursor: usize): u32 {
  return <u32>load<u16>(<usize>load<u32>(cursor, DESCRIPTOR), 2) + 1
}

@inline
function isRun(cursor: usize): bool {
  const bits = <usize>load<u32>(cursor, RUN_BITS)
  const index = load<u32>(cursor, INDEX)
  return bits != 0 && ((load<u8>(bits + (index >> 3)) >> (index & 7)) & 1) != 0
}

/** Bytes of the container under the cursor, 0 if it does not fit in the set. */
function payloadBytes(cursor: usize): u32 {
  const payload = <usize>load<u32>(cursor, PAYLOAD)
  const room = load<u32>(cursor, END) - <u32>payload
  let bytes: u32
  if (isRun(cursor)) {
    if (room < 2) return 0
    bytes = 2 + 4 * <u32>load<u16>(payload)
  } else {
    const cardinality = cardinalityAt(cursor)
    bytes = cardinality <= MAX_ARRAY ? cardinality * 2 : BITMAP_BYTES
  }
  return bytes <= room ? bytes : 0
}

/** Goes to the next container; 0 or MALFORMED. */
function advance(cursor: usize): i32 {
  const bytes = payloadBytes(cursor)
  if (bytes == 0) return malformed(<usize>load<u32>(cursor, PAYLOAD))
  store<u32>(cursor, load<u32>(cursor, PAYLOAD) + bytes, PAYLOAD)
  store<u32>(cursor, load<u32>(cursor, DESCRIPTOR) + 4, DESCRIPTOR)
  store<u32>(cursor, load<u32>(cursor, INDEX) + 1, INDEX)
  store<u32>(cursor, load<u32>(cursor, LEFT) - 1, LEFT)
  return 0
}

/** Number of ids as the header has it, or MALFORMED. Cost: one step a container. */
export function roaringCardinality(at: usize, length: u32): f64 {
  const cursor = cursorOf(0)
  if (open(cursor, at, length) < 0) return <f64>MALFORMED
  let sum: f64 = 0
  for (let i: u32 = left(cursor), descriptor = <usize>load<u32>(cursor, DESCRIPTOR); i > 0; i--) {
    sum += <f64>(<u32>load<u16>(descriptor, 2) + 1)
    descriptor += 4
  }
  return sum
}

function openAll(sets: usize, count: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const status = open(cursorOf(i), <usize>load<u32>(sets + (i << 3)), load<u32>(sets + (i << 3), 4))
    if (status < 0) return status
  }
  return 0
}

function clearBits(): void {
  memory.fill(CONTAINER_BITS, 0, BITMAP_BYTES)
}

/** Sets the bits first … last of CONTAINER_BITS. */
function setBits(first: u32, last: u32): void {
  const firstWord = first >> 6
  const lastWord = last >> 6
  const head: u64 = ~(<u64>0) << (first & 63)
  const tail: u64 = ~(<u64>0) >>> (63 - (last & 63))
  let at = CONTAINER_BITS + (<usize>firstWord << 3)
  if (firstWord == lastWord) {
    store<u64>(at, load<u64>(at) | (head & tail))
    return
  }
  store<u64>(at, load<u64>(at) | head)
  for (let word = firstWord + 1; word < lastWord; word++) {
    at += 8
    store<u64>(at, ~(<u64>0))
  }
  at += 8
  store<u64>(at, load<u64>(at) | tail)
}

/** Clears the bits first … last of CONTAINER_BITS. */
function clearRange(first: u32, last: u32): void {
  const firstWord = first >> 6
  const lastWord = last >> 6
  const head: u64 = ~(<u64>0) << (first & 63)
  const tail: u64 = ~(<u64>0) >>> (63 - (last & 63))
  let at = CONTAINER_BITS + (<usize>firstWord << 3)
  if (firstWord == lastWord) {
    store<u64>(at, load<u64>(at) & ~(head & tail))
    return
  }
  store<u64>(at, load<u64>(at) & ~head)
  for (let word = firstWord + 1; word < lastWord; word++) {
    at += 8
    store<u64>(at, 0)
  }
  at += 8
  store<u64>(at, load<u64>(at) & ~tail)
}

@inline
function hasBit(bits: usize, low: u32): u32 {
  return (<u32>load<u8>(bits + (low >> 3)) >> (low & 7)) & 1
}

/** Adds the container under the cursor to CONTAINER_BITS; 0 or MALFORMED. */
function orContainer(cursor: usize): i32 {
  const payload = <usize>load<u32>(cursor, PAYLOAD)
  if (payloadBytes(cursor) == 0) return malformed(payload)
  if (isRun(cursor)) {
    let next: u32 = 0
    const runs = <u32>load<u16>(payload)
    for (let r: u32 = 0; r < runs; r++) {
      const at = payload + 2 + (r << 2)
      const first = <u32>load<u16>(at)
      const last = first + <u32>load<u16>(at, 2)
      if (first < next || last > 0xffff) return malformed(at)
      setBits(first, last)
      next = last + 1
    }
    return 0
  }
  const cardinality = cardinalityAt(cursor)
  if (cardinality <= MAX_ARRAY) {
    for (let i: u32 = 0; i < cardinality; i++) {
      const low = <u32>load<u16>(payload + (i << 1))
      const at = CONTAINER_BITS + (low >> 3)
      store<u8>(at, <u8>(<u32>load<u8>(at) | ((<u32>1) << (low & 7))))
    }
    return 0
  }
  for (let i: usize = 0; i < BITMAP_BYTES; i += 16) {
    v128.store(CONTAINER_BITS + i, v128.or(v128.load(CONTAINER_BITS + i), v128.load(payload + i)))
  }
  return 0
}

/** Writes the ids of CONTAINER_BITS under `high`; returns the end of what was written, 0 if `limit` is too near. */
function emitBits(high: u32, out: usize, limit: usize): usize {
  let count: u32 = 0
  for (let i: usize = 0; i < BITMAP_BYTES; i += 8) count += <u32>popcnt<u64>(load<u64>(CONTAINER_BITS + i))
  if (count > <u32>(limit - out) >> 2) return 0
  for (let i: u32 = 0; i < BITMAP_BYTES; i += 8) {
    let word = load<u64>(CONTAINER_BITS + i)
    while (word != 0) {
      store<u32>(out, high | ((i << 3) + <u32>ctz<u64>(word)))
      out += 4
      word &= word - 1
    }
  }
  return out
}

function emitValues(high: u32, values: usize, count: u32, out: usize, limit: usize): usize {
  if (count > <u32>(limit - out) >> 2) return 0
  for (let i: u32 = 0; i < count; i++) store<u32>(out + (i << 2), high | <u32>load<u16>(values + (i << 1)))
  return out + (count << 2)
}

/** First index from `from` on whose value is at least `low`, or `count`: doubling steps, then bisection. */
function gallop(values: usize, from: u32, count: u32, low: u32): u32 {
  let stride: u32 = 1
  let below = from
  let above = from
  while (above < count && <u32>load<u16>(values + (above << 1)) < low) {
    below = above + 1
    above += stride
    stride <<= 1
  }
  if (above > count) above = count
  while (below < above) {
    const middle = (below + above) >> 1
    if (<u32>load<u16>(values + (middle << 1)) < low) below = middle + 1
    else above = middle
  }
  return below
}

/** How much longer one array must be than the other for galloping to beat a merge. A guess between 16 and 64. */
const GALLOP_RATIO: u32 = 32

/** Common values of two arrays to CONTAINER_VALUES (which may be `a`); returns how many. */
function andArrays(a: usize, aCount: u32, b: usize, bCount: u32): u32 {
  let kept: u32 = 0
  let j: u32 = 0
  if (bCount / GALLOP_RATIO >= aCount) {
    for (let i: u32 = 0; i < aCount && j < bCount; i++) {
      const low = <u32>load<u16>(a + (i << 1))
      j = gallop(b, j, bCount, low)
      if (j < bCount && <u32>load<u16>(b + (j << 1)) == low) store<u16>(CONTAINER_VALUES + (kept++ << 1), <u16>low)
    }
    return kept
  }
  let i: u32 = 0
  while (i < aCount && j < bCount) {
    const x = <u32>load<u16>(a + (i << 1))
    const y = <u32>load<u16>(b + (j << 1))
    // Written always and kept only if equal: no branch that depends on the data.
    store<u16>(CONTAINER_VALUES + (kept << 1), <u16>x)
    kept += <u32>(x == y)
    i += <u32>(x <= y)
    j += <u32>(y <= x)
  }
  return kept
}

/** Values of the array that are in the run container to CONTAINER_VALUES; returns how many. */
function andArrayRuns(values: usize, count: u32, payload: usize): u32 {
  const runs = <u32>load<u16>(payload)
  let kept: u32 = 0
  let r: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const low = <u32>load<u16>(values + (i << 1))
    while (r < runs && <u32>load<u16>(payload + 2 + (r << 2)) + <u32>load<u16>(payload + 4 + (r << 2)) < low) r++
    if (r == runs) break
    if (<u32>load<u16>(payload + 2 + (r << 2)) <= low) store<u16>(CONTAINER_VALUES + (kept++ << 1), <u16>low)
  }
  return kept
}

/** Ids of the run container as an array in CONTAINER_VALUES; their number or MALFORMED. */
function expandRuns(payload: usize): i32 {
  const runs = <u32>load<u16>(payload)
  let count: u32 = 0
  let next: u32 = 0
  for (let r: u32 = 0; r < runs; r++) {
    const at = payload + 2 + (r << 2)
    const first = <u32>load<u16>(at)
    const last = first + <u32>load<u16>(at, 2)
    if (first < next || last > 0xffff) return malformed(at)
    for (let low = first; low <= last; low++) store<u16>(CONTAINER_VALUES + (count++ << 1), <u16>low)
    next = last + 1
  }
  return <i32>count
}

/** Clears what lies between the runs; 0 or MALFORMED. */
function andBitsRuns(payload: usize): i32 {
  const runs = <u32>load<u16>(payload)
  let next: u32 = 0
  for (let r: u32 = 0; r < runs; r++) {
    const at = payload + 2 + (r << 2)
    const first = <u32>load<u16>(at)
    const last = first + <u32>load<u16>(at, 2)
    if (first < next || last > 0xffff) return malformed(at)
    if (first > next) clearRange(next, first - 1)
    next = last + 1
  }
  if (next <= 0xffff) clearRange(next, 0xffff)
  return 0
}

/** Why andContainers returned 0. */
let status: i32 = 0

function fail(code: i32): usize {
  status = code
  return 0
}

/** Ids common to the containers under all cursors, under `high`; the end of what was written, 0 with `status` set. */
function andContainers(sets: u32, high: u32, out: usize, limit: usize): usize {
  const first = cursorOf(0)
  let payload = <usize>load<u32>(first, PAYLOAD)
  if (payloadBytes(first) == 0) return fail(malformed(payload))
  let values: usize = payload
  let count: i32 = <i32>cardinalityAt(first)
  let asBits = false
  if (isRun(first)) {
    count = expandRuns(payload)
    if (count < 0) return fail(MALFORMED)
    values = CONTAINER_VALUES
  } else if (<u32>count > MAX_ARRAY) {
    memory.copy(CONTAINER_BITS, payload, BITMAP_BYTES)
    asBits = true
  }
  for (let i: u32 = 1; i < sets && (asBits || count > 0); i++) {
    const cursor = cursorOf(i)
    payload = <usize>load<u32>(cursor, PAYLOAD)
    if (payloadBytes(cursor) == 0) return fail(malformed(payload))
    const cardinality = cardinalityAt(cursor)
    if (isRun(cursor)) {
      if (asBits) {
        if (andBitsRuns(payload) < 0) return fail(MALFORMED)
      } else {
        count = <i32>andArrayRuns(values, <u32>count, payload)
        values = CONTAINER_VALUES
      }
    } else if (cardinality > MAX_ARRAY) {
      if (asBits) {
        for (let b: usize = 0; b < BITMAP_BYTES; b += 16) {
          v128.store(CONTAINER_BITS + b, v128.and(v128.load(CONTAINER_BITS + b), v128.load(payload + b)))
        }
      } else {
        count = <i32>keepBits(values, <u32>count, payload)
        values = CONTAINER_VALUES
      }
    } else if (asBits) {
      count = <i32>keepBits(payload, cardinality, CONTAINER_BITS)
      values = CONTAINER_VALUES
      asBits = false
    } else {
      // The longer one is galloped over; both orders read `a` no faster than CONTAINER_VALUES is written.
      count =
        <u32>count <= cardinality || values == CONTAINER_VALUES
          ? <i32>andArrays(values, <u32>count, payload, cardinality)
          : <i32>andArrays(payload, cardinality, values, <u32>count)
      values = CONTAINER_VALUES
    }
  }
  const end = asBits ? emitBits(high, out, limit) : emitValues(high, values, <u32>count, out, limit)
  return end == 0 ? fail(NO_ROOM) : end
}

/** Values of the array whose bit is set, to CONTAINER_VALUES; returns how many. */
function keepBits(values: usize, count: u32, bits: usize): u32 {
  let kept: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const low = <u32>load<u16>(values + (i << 1))
    store<u16>(CONTAINER_VALUES + (kept << 1), <u16>low)
    kept += hasBit(bits, low)
  }
  return kept
}

/**
 * Ids that are in all of `count` sets, ascending, as u32 to `out`. `sets`: pairs (address, length), smallest first.
 * Returns how many, or NO_ROOM, MALFORMED, BAD_ARGUMENT.
 */
export function intersect(sets: usize, count: u32, out: usize, capacity: u32): i32 {
  if (count == 0 || count > MAX_SETS) return BAD_ARGUMENT
  const opened = openAll(sets, count)
  if (opened < 0) return opened
  const limit = out + (<usize>capacity << 2)
  const first = cursorOf(0)
  let end = out
  while (left(first) > 0) {
    const key = keyAt(first)
    let inAll = true
    for (let i: u32 = 1; i < count && inAll; i++) {
      const cursor = cursorOf(i)
      while (left(cursor) > 0 && keyAt(cursor) < key) if (advance(cursor) < 0) return MALFORMED
      if (left(cursor) == 0) return <i32>((end - out) >> 2)
      inAll = keyAt(cursor) == key
    }
    if (inAll) {
      end = andContainers(count, key << 16, end, limit)
      if (end == 0) return status
    }
    if (advance(first) < 0) return MALFORMED
  }
  return <i32>((end - out) >> 2)
}

/** Ids that are in any of `count` sets, ascending, as u32 to `out`; otherwise as `intersect`. */
export function unite(sets: usize, count: u32, out: usize, capacity: u32): i32 {
  if (count == 0 || count > MAX_SETS) return BAD_ARGUMENT
  const opened = openAll(sets, count)
  if (opened < 0) return opened
  const limit = out + (<usize>capacity << 2)
  let end = out
  while (true) {
    let key: u32 = 0xffffffff
    for (let i: u32 = 0; i < count; i++) {
      const cursor = cursorOf(i)
      if (left(cursor) > 0 && keyAt(cursor) < key) key = keyAt(cursor)
    }
    if (key == 0xffffffff) return <i32>((end - out) >> 2)
    clearBits()
    for (let i: u32 = 0; i < count; i++) {
      const cursor = cursorOf(i)
      if (left(cursor) == 0 || keyAt(cursor) != key) continue
      if (orContainer(cursor) < 0 || advance(cursor) < 0) return MALFORMED
    }
    end = emitBits(key << 16, end, limit)
    if (end == 0) return NO_ROOM
  }
}
