import { copyRange } from './copy-range.js'
import { MAX_KEY_BYTES, MAX_NAME_BYTES, NAME_OVERHEAD_BYTES, writeNamesBlock } from './names-block.js'
import { BLOCK_NAMES } from './segment-layout.js'

/**
 * Distinct names in dictionary order (by key, then by original bytes) as blocks of the dictionary. Name id = position.
 * This is what is written, and what grams are taken from: a name takes about 11 bytes, key included.
 */
export interface EncodedNames {
  readonly count: number
  /** Names blocks, one after the other. */
  readonly bytes: Uint8Array
  /** Start of each block, and the end of the last. */
  readonly blockOffsets: Uint32Array
  /** 1 for each byte that occurs in a key. */
  readonly keyBytes: Uint8Array
}

/** The same in arrays of their own. */
export function copyOfNames({ count, bytes, blockOffsets, keyBytes }: EncodedNames): EncodedNames {
  return { count, bytes: copyRange(bytes), blockOffsets: new Uint32Array(blockOffsets), keyBytes: copyRange(keyBytes) }
}

/** Makes blocks of names that come in dictionary order. */
export class NamesEncoder {
  private bytes: Uint8Array
  private at = 0
  private blockOffsets: Uint32Array
  private blocks = 0
  private count = 0
  private readonly keyBytes = new Uint8Array(256)
  private readonly names = { bytes: new Uint8Array(BLOCK_NAMES * 64), offsets: new Uint32Array(BLOCK_NAMES + 1) }
  private readonly keys = { bytes: new Uint8Array(BLOCK_NAMES * 64), offsets: new Uint32Array(BLOCK_NAMES + 1) }
  private readonly order = Uint32Array.from({ length: BLOCK_NAMES }, (_, i) => i)
  private pending = 0

  /** @param expectedNames room that is made beforehand; more names may come */
  constructor(expectedNames: number) {
    this.bytes = new Uint8Array(1024 + expectedNames * 12)
    this.blockOffsets = new Uint32Array(Math.ceil(expectedNames / BLOCK_NAMES) + 2)
  }

  /** Adds the next name, at most MAX_NAME_BYTES, with its key, at most MAX_KEY_BYTES; both are copied. */
  add(
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
  ): void {
    if (nameLength > MAX_NAME_BYTES || keyLength > MAX_KEY_BYTES) {
      throw new RangeError(`a name of ${nameLength} bytes with a key of ${keyLength}`)
    }
    const { names, keys, keyBytes } = this
    const nameEnd = append(names, this.pending, name, nameStart, nameLength)
    const keyEnd = append(keys, this.pending, key, keyStart, keyLength)
    for (let i = keyEnd - keyLength; i < keyEnd; i++) keyBytes[keys.bytes[i]] = 1
    this.pending++
    names.offsets[this.pending] = nameEnd
    keys.offsets[this.pending] = keyEnd
    if (this.pending === BLOCK_NAMES) this.flush()
  }

  finish(): EncodedNames {
    if (this.pending > 0) this.flush()
    this.blockOffsets[this.blocks] = this.at
    return {
      count: this.count,
      bytes: this.bytes.subarray(0, this.at),
      blockOffsets: this.blockOffsets.subarray(0, this.blocks + 1),
      keyBytes: this.keyBytes,
    }
  }

  private flush(): void {
    const { names, keys, pending } = this
    const room = names.offsets[pending] + keys.offsets[pending] + pending * NAME_OVERHEAD_BYTES
    if (this.at + room > this.bytes.length) {
      const larger = new Uint8Array(Math.ceil((this.at + room) * 1.3))
      larger.set(this.bytes.subarray(0, this.at))
      this.bytes = larger
    }
    if (this.blocks + 2 > this.blockOffsets.length) {
      const larger = new Uint32Array(this.blockOffsets.length * 2)
      larger.set(this.blockOffsets)
      this.blockOffsets = larger
    }
    this.blockOffsets[this.blocks++] = this.at
    this.at = writeNamesBlock(this.bytes, this.at, names, keys, this.order, 0, pending)
    this.count += pending
    this.pending = 0
  }
}

/** Copies a string to the end of the strings of a block and returns its end. */
function append(
  strings: { bytes: Uint8Array; readonly offsets: Uint32Array },
  index: number,
  source: Uint8Array,
  start: number,
  length: number,
): number {
  let at = strings.offsets[index]
  if (at + length > strings.bytes.length) {
    const larger = new Uint8Array((at + length) * 2)
    larger.set(strings.bytes.subarray(0, at))
    strings.bytes = larger
  }
  const { bytes } = strings
  for (let i = start, end = start + length; i < end; i++) bytes[at++] = source[i]
  return at
}
