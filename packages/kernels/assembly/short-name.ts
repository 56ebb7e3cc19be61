import { LOWER_CONSTANTS, NAME_LOWERED, NAME_ORIGINAL } from './layout'
import { lowered } from './byte-search'
import {
  A,
  B,
  CONSTANT,
  CONTAINS,
  DATA,
  DATA_BYTES,
  DOTTED,
  EXACT,
  EXTENSION,
  hasPackedExtension,
  HEADER_BYTES,
  holds,
  KIND,
  LEAF_BYTES,
  LENGTH,
  NON_ASCII,
  ON_FALSE,
  ON_TRUE,
  PREFIX,
  SUFFIX,
  REJECT,
  ACCEPT,
  SUBJECT,
} from './name-program'

// Names of up to 64 bytes are kept in four vectors and never touch memory: a load from bytes that were just stored with
// other boundaries waits until the stores have left the core, which took more than half of the time.

/** Bytes that the vectors hold. */
export const SHORT_NAME: u32 = 64

/** Length up to which the last two vectors are not looked at. Nine of ten names are shorter, so this saves time. */
export const HALF_NAME: u32 = 32

/** Bit i: byte i of the name, which has `length` bytes, equals that of `wanted`. */
@inline
export function placesOf(w: v128, x: v128, y: v128, z: v128, length: u32, wanted: v128): u64 {
  let places = <u64>(<u32>i8x16.bitmask(i8x16.eq(w, wanted)) | (<u32>i8x16.bitmask(i8x16.eq(x, wanted)) << 16))
  if (length > HALF_NAME) {
    const high = <u32>i8x16.bitmask(i8x16.eq(y, wanted)) | (<u32>i8x16.bitmask(i8x16.eq(z, wanted)) << 16)
    places |= <u64>high << 32
  }
  return places
}

/** Bits of the places at which a text of `bytes` may start in a name of `length` (1 to 64) bytes. */
@inline
export function placesAllowed(kind: u32, length: u32, bytes: u32): u64 {
  const last = <i32>length - <i32>bytes
  if (last < 0) return 0
  if (kind == CONTAINS) return ~(<u64>0) >>> (63 - last)
  if (kind == SUFFIX) return (<u64>1) << last
  return kind == PREFIX || last == 0 ? 1 : 0
}

/** Those of `places` at which all bytes of the text are found. */
@inline
export function confirmed(places: u64, w: v128, x: v128, y: v128, z: v128, length: u32, text: usize, bytes: u32): u64 {
  for (let i: u32 = 0; i < bytes && places != 0; i++) places &= placesOf(w, x, y, z, length, v128.load8_splat(text + i)) >>> i
  return places
}

/** True if a name that is in vectors passes, beginning with test `next`. `end`: where its stored suffix ends. */
@inline
export function evaluateShort(
  program: usize,
  next: u32,
  k0: v128,
  k1: v128,
  k2: v128,
  k3: v128,
  length: u32,
  end: usize,
  suffix: u32,
): bool {
  let inMemory = false
  do {
    const leaf = program + HEADER_BYTES + <usize>next * LEAF_BYTES
    const kind = load<u32>(leaf, KIND)
    const onOriginal = load<u32>(leaf, SUBJECT) != 0
    const data = program + <usize>load<u32>(leaf, DATA)
    let result = false
    let decided = true
    if (!onOriginal && kind >= CONTAINS && kind <= EXACT) {
      const bytes = load<u32>(leaf, DATA_BYTES)
      let places = placesAllowed(kind, length, bytes)
      if (places != 0) {
        const a = load<u32>(leaf, A)
        const b = load<u32>(leaf, B)
        if (bytes > 0) places &= placesOf(k0, k1, k2, k3, length, v128.load8_splat(data + a)) >>> a
        if (b != a) places &= placesOf(k0, k1, k2, k3, length, v128.load8_splat(data + b)) >>> b
        if (places != 0 && bytes > 1) places = confirmed(places, k0, k1, k2, k3, length, data, bytes)
      }
      result = places != 0
    } else if (kind == NON_ASCII) {
      result = hasHighByte(k0, k1, k2, k3, length)
    } else if (kind == CONSTANT) {
      result = load<u32>(leaf, A) != 0
    } else if (kind == LENGTH && !hasHighByte(k0, k1, k2, k3, length)) {
      result = length >= load<u32>(leaf, A) && length <= load<u32>(leaf, B)
    } else if (kind == EXTENSION && !onOriginal && load<u32>(leaf, DOTTED) == 0) {
      let dots = placesOf(k0, k1, k2, k3, length, i8x16.splat(0x2e))
      // What lies behind a name is of the one before.
      dots = length == 0 ? 0 : dots << (64 - length)
      const bytes = <u32>clz<u64>(dots)
      if (bytes > 8 || bytes == 0) {
        result = false
      } else if (bytes <= suffix) {
        // The extension is in the suffix as it is stored: no need to put the name together.
        const raw = v128.load64_zero(end - bytes)
        const packed = i64x2.extract_lane(lowered(raw, v128.load(LOWER_CONSTANTS), v128.load(LOWER_CONSTANTS, 16), v128.load(LOWER_CONSTANTS, 32)), 0) & (~(<u64>0) >>> ((8 - bytes) << 3))
        result = hasPackedExtension(leaf, data, packed)
      } else decided = false
    } else decided = false
    if (!decided) {
      if (!inMemory) {
        store4(NAME_LOWERED, k0, k1, k2, k3)
        inMemory = true
      }
      result = holds(program, leaf, NAME_LOWERED, length, NAME_ORIGINAL, length)
    }
    next = result ? load<u32>(leaf, ON_TRUE) : load<u32>(leaf, ON_FALSE)
  } while (next < REJECT)
  return next == ACCEPT
}

@inline
export function store4(at: usize, w: v128, x: v128, y: v128, z: v128): void {
  v128.store(at, w)
  v128.store(at, x, 16)
  v128.store(at, y, 32)
  v128.store(at, z, 48)
}

@inline
function hasHighByte(w: v128, x: v128, y: v128, z: v128, length: u32): bool {
  let places = <u64>(<u32>i8x16.bitmask(w) | (<u32>i8x16.bitmask(x) << 16))
  if (length > HALF_NAME) places |= <u64>(<u32>i8x16.bitmask(y) | (<u32>i8x16.bitmask(z) << 16)) << 32
  return length != 0 && places << (64 - length) != 0
}
