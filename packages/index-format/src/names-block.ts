import { MalformedBytesError } from './malformed-bytes-error.js'
import { VarintReader, writeVarint } from './varint.js'

/**
 * A block of the name dictionary: up to BLOCK_NAMES names sorted by (key, original bytes), one after the other:
 *
 *   lcp        u8      leading bytes shared with the previous original of the block; 0 for the first, at most 255
 *   h          varint  suffixLength · 2 + hasKey
 *   suffix     bytes   the rest of the original
 *   keyLength  varint  only if hasKey
 *   key        bytes   only if hasKey
 *
 * Without a stored key, the key is the original with A–Z lower-cased; so whoever reads blocks needs no Unicode tables.
 * A block has no header: it ends where the next one starts.
 */

/** Bytes of the longest name; file systems stop at 255 UTF-16 units or 255 bytes, lists may hold longer ones. */
export const MAX_NAME_BYTES = 4096
/** Bytes of the longest key: NFC of a single composed code point can be three times as long as what it replaces. */
export const MAX_KEY_BYTES = 3 * MAX_NAME_BYTES
/** Largest value of `lcp`. */
export const MAX_SHARED_BYTES = 255
/** Bytes that a name of a block takes beside those of its original and its stored key: lcp, h, keyLength. */
export const NAME_OVERHEAD_BYTES = 5

/** Byte strings one after the other: number i is bytes[offsets[i] … offsets[i + 1]). */
export interface ByteStrings {
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
}

/**
 * Writes names order[from … to) as one block and returns the position after it.
 *
 * @param target must have room for the originals and keys plus NAME_OVERHEAD_BYTES a name (the true size is smaller)
 * @param names at most MAX_NAME_BYTES each
 * @param keys key of each name, same numbering; left out if all keys are the ASCII-lower-cased originals
 * @param order name numbers in dictionary order
 */
export function writeNamesBlock(
  target: Uint8Array,
  at: number,
  names: ByteStrings,
  keys: ByteStrings | undefined,
  order: Uint32Array,
  from: number,
  to: number,
): number {
  const { bytes, offsets } = names
  let previous = 0
  let previousLength = 0
  for (let i = from; i < to; i++) {
    const name = order[i]
    const start = offsets[name]
    const length = offsets[name + 1] - start
    if (length > MAX_NAME_BYTES) throw new RangeError(`a name of ${length} bytes, at most ${MAX_NAME_BYTES}`)
    const limit = Math.min(length, previousLength, MAX_SHARED_BYTES)
    let shared = 0
    while (shared < limit && bytes[previous + shared] === bytes[start + shared]) shared++
    target[at++] = shared
    const keyStart = keys === undefined ? 0 : keys.offsets[name]
    const keyLength = keys === undefined ? 0 : keys.offsets[name + 1] - keyStart
    const stored = keys !== undefined && !isAsciiKey(bytes, start, length, keys.bytes, keyStart, keyLength)
    const suffix = length - shared
    at = writeVarint(target, at, suffix * 2 + (stored ? 1 : 0))
    at = copyShort(bytes, start + shared, suffix, target, at)
    if (stored) {
      if (keyLength > MAX_KEY_BYTES) throw new RangeError(`a key of ${keyLength} bytes, at most ${MAX_KEY_BYTES}`)
      at = writeVarint(target, at, keyLength)
      at = copyShort(keys.bytes, keyStart, keyLength, target, at)
    }
    previous = start
    previousLength = length
  }
  return at
}

/** Most bytes that writeNamesBlock can take for order[from … to). */
export function maxNamesBlockBytes(
  names: ByteStrings,
  keys: ByteStrings | undefined,
  order: Uint32Array,
  from: number,
  to: number,
): number {
  let bytes = (to - from) * NAME_OVERHEAD_BYTES
  for (let i = from; i < to; i++) {
    const name = order[i]
    bytes += names.offsets[name + 1] - names.offsets[name]
    if (keys !== undefined) bytes += keys.offsets[name + 1] - keys.offsets[name]
  }
  return bytes
}

/** One block as bytes of its own. */
export function encodeNamesBlock(
  names: ByteStrings,
  keys: ByteStrings | undefined,
  order: Uint32Array,
  from: number,
  to: number,
): Uint8Array {
  const target = new Uint8Array(maxNamesBlockBytes(names, keys, order, from, to))
  return target.slice(0, writeNamesBlock(target, 0, names, keys, order, from, to))
}

/** True if the key is the original with A–Z lower-cased. */
function isAsciiKey(
  bytes: Uint8Array,
  start: number,
  length: number,
  keyBytes: Uint8Array,
  keyStart: number,
  keyLength: number,
): boolean {
  if (length !== keyLength) return false
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i]
    if ((byte - 0x41) >>> 0 < 26 ? keyBytes[keyStart + i] !== byte + 32 : keyBytes[keyStart + i] !== byte) return false
  }
  return true
}

/** Copies `length` bytes and returns the position after them. A loop beats subarray + set at the length of names. */
function copyShort(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): number {
  if (length > 64) {
    target.set(source.subarray(from, from + length), at)
    return at + length
  }
  for (const end = from + length; from < end; from++) target[at++] = source[from]
  return at
}

/**
 * Walks the names of a block without allocating per name. After `next()` returned true, the original is
 * `name[0 … nameLength)` and the key is `key[keyStart … keyStart + keyLength)`; all are overwritten by the next step.
 * One cursor can be opened on any number of blocks in turn.
 */
export class NamesBlockCursor {
  readonly name = new Uint8Array(MAX_NAME_BYTES)
  nameLength = 0
  key: Uint8Array
  keyStart = 0
  keyLength = 0
  /** Leading bytes of `name` that were left as they were by the last step. */
  sharedLength = 0
  /** True if the key is stored in the block, false if it is the ASCII-lower-cased original. */
  hasStoredKey = false
  private readonly lowered = new Uint8Array(MAX_NAME_BYTES)
  private reader = new VarintReader(this.name, 0, 0)
  private first = true

  constructor() {
    this.key = this.lowered
  }

  /** Goes before the first name of the block in bytes[start … end). */
  open(bytes: Uint8Array, start: number, end: number): this {
    this.reader = new VarintReader(bytes, start, end)
    this.nameLength = 0
    this.first = true
    return this
  }

  /** Decodes the next name; false at the end of the block. Throws MalformedBytesError. */
  next(): boolean {
    const { reader, name, lowered } = this
    const { bytes, end } = reader
    if (reader.at >= end) return false
    const shared = bytes[reader.at]
    if (shared > (this.first ? 0 : this.nameLength)) {
      throw new MalformedBytesError(reader.at, `a shared length of at most ${this.nameLength}`, `${shared}`)
    }
    this.first = false
    reader.at++
    const h = reader.next()
    const suffix = h >>> 1
    const from = reader.at
    if (suffix > end - from || shared + suffix > MAX_NAME_BYTES) {
      const limit = Math.min(end - from, MAX_NAME_BYTES - shared)
      throw new MalformedBytesError(from, `a suffix of at most ${limit} bytes`, `${suffix}`)
    }
    for (let i = 0; i < suffix; i++) {
      const byte = bytes[from + i]
      name[shared + i] = byte
      lowered[shared + i] = (byte - 0x41) >>> 0 < 26 ? byte + 32 : byte
    }
    reader.at = from + suffix
    this.sharedLength = shared
    this.nameLength = shared + suffix
    this.hasStoredKey = (h & 1) !== 0
    if (this.hasStoredKey) {
      const length = reader.next()
      if (length > end - reader.at || length > MAX_KEY_BYTES) {
        const limit = Math.min(end - reader.at, MAX_KEY_BYTES)
        throw new MalformedBytesError(reader.at, `a key of at most ${limit} bytes`, `${length}`)
      }
      this.key = bytes
      this.keyStart = reader.at
      this.keyLength = length
      reader.at += length
    } else {
      this.key = lowered
      this.keyStart = 0
      this.keyLength = this.nameLength
    }
    return true
  }
}

/**
 * Walks the keys of the names of a block, for who looks at nothing else of many names: half the time of NamesBlockCursor.
 * After `next()` returned true, the key is `key[keyStart … keyEnd)`, which the next step overwrites.
 */
export class KeysBlockCursor {
  key: Uint8Array
  keyStart = 0
  keyEnd = 0
  private readonly lowered = new Uint8Array(MAX_NAME_BYTES)
  private reader = new VarintReader(this.lowered, 0, 0)
  private nameLength = 0

  constructor() {
    this.key = this.lowered
  }

  /** Goes before the first name of the block in bytes[start … end). */
  open(bytes: Uint8Array, start: number, end: number): this {
    this.reader = new VarintReader(bytes, start, end)
    this.nameLength = 0
    return this
  }

  /** Goes to the next name; false at the end of the block. Throws MalformedBytesError. */
  next(): boolean {
    const { reader, lowered } = this
    const { bytes, end } = reader
    if (reader.at >= end) return false
    const shared = bytes[reader.at]
    if (shared > this.nameLength) {
      throw new MalformedBytesError(reader.at, `a shared length of at most ${this.nameLength}`, `${shared}`)
    }
    reader.at++
    const h = reader.next()
    const length = shared + (h >>> 1)
    let at = reader.at
    if (length - shared > end - at || length > MAX_NAME_BYTES) {
      const limit = Math.min(end - at, MAX_NAME_BYTES - shared)
      throw new MalformedBytesError(at, `a suffix of at most ${limit} bytes`, `${length - shared}`)
    }
    for (let i = shared; i < length; i++, at++) {
      const byte = bytes[at]
      lowered[i] = (byte - 0x41) >>> 0 < 26 ? byte + 32 : byte
    }
    reader.at = at
    this.nameLength = length
    if ((h & 1) === 0) {
      this.key = lowered
      this.keyStart = 0
      this.keyEnd = length
      return true
    }
    const keyLength = reader.next()
    if (keyLength > end - reader.at || keyLength > MAX_KEY_BYTES) {
      const limit = Math.min(end - reader.at, MAX_KEY_BYTES)
      throw new MalformedBytesError(reader.at, `a key of at most ${limit} bytes`, `${keyLength}`)
    }
    this.key = bytes
    this.keyStart = reader.at
    reader.at += keyLength
    this.keyEnd = reader.at
    return true
  }
}

/**
 * Calls `visit` for each name of the block in bytes[start … end), in order; returning false stops. The cursor's
 * contents are valid during the call only. Throws MalformedBytesError; never reads outside the block.
 *
 * @returns how many names were visited
 */
export function decodeNamesBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: a visitor that never stops returns nothing
  visit: (cursor: NamesBlockCursor, index: number) => boolean | void,
  cursor = new NamesBlockCursor(),
): number {
  let index = 0
  cursor.open(bytes, start, end)
  while (cursor.next()) if (visit(cursor, index++) === false) break
  return index
}

/**
 * A copy of the original of name `index` (0-based) of the block in bytes[start … end). Cost: decodes the names before
 * it, about 20 ns each. Throws MalformedBytesError if the block has no such name or is damaged up to it.
 */
export function nameAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  index: number,
  cursor = new NamesBlockCursor(),
): Uint8Array {
  cursor.open(bytes, start, end)
  for (let i = 0; i <= index; i++) {
    if (!cursor.next()) throw new MalformedBytesError(end, `a name ${index} in the block`, `${i} names`)
  }
  return cursor.name.slice(0, cursor.nameLength)
}
