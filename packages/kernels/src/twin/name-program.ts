import { Status } from '../memory-layout.js'
import { characterBytes, matchGlob } from '../name-condition.js'
import {
  ACCEPT,
  extensionSlot,
  HEADER_BYTES,
  LEAF_BYTES,
  LeafKind,
  MAX_INITIALS,
  MAX_TESTS,
  PROGRAM_MAGIC,
  REJECT,
} from '../name-program.js'
import type { MemoryView } from './memory-view.js'
import { hasInitials, hasWordOf, hasWordStart } from './words.js'

/** Bytes of a name: bytes[from … to). */
export interface Text {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

interface Leaf {
  readonly kind: number
  readonly onOriginal: boolean
  readonly onTrue: number
  readonly onFalse: number
  readonly data: Uint8Array
  readonly a: number
  readonly b: number
  readonly c: number
}

/** A program read out of memory; as assembly/name-program.ts. */
export class TwinProgram {
  private constructor(private readonly leaves: readonly Leaf[]) {}

  /** The program at `at`, or a status. */
  static read(memory: MemoryView, at: number, bytes: number): TwinProgram | number {
    if (bytes < HEADER_BYTES || memory.u32(at) !== PROGRAM_MAGIC) return Status.badProgram
    const count = memory.u32(at + 4)
    if (count === 0 || count > MAX_TESTS || HEADER_BYTES + count * LEAF_BYTES > bytes) return Status.badProgram
    const leaves: Leaf[] = []
    for (let i = 0; i < count; i++) {
      const field = (offset: number) => memory.u32(at + HEADER_BYTES + i * LEAF_BYTES + offset)
      const [kind, subject, onTrue, onFalse] = [field(0), field(4), field(8), field(12)]
      const [start, length, a, b, c] = [field(16), field(20), field(24), field(28), field(32)]
      const isTarget = (target: number) => target >= REJECT || (target > i && target < count)
      if (!isTarget(onTrue) || !isTarget(onFalse)) return Status.badProgram
      if (start > bytes || length > bytes - start || subject > 1) return Status.badProgram
      const data = memory.bytes.subarray(at + start, at + start + length)
      if (kind <= LeafKind.exact) {
        const isEmpty = length === 0
        if (kind === 0 || (isEmpty ? a !== 0 || b !== 0 || kind !== LeafKind.exact : a >= length || b >= length)) {
          return Status.badProgram
        }
      } else if (kind === LeafKind.extension) {
        if (!isExtensionTable(data, a, c)) return Status.badProgram
      } else if (kind === LeafKind.wordStart) {
        if (length === 0) return Status.badProgram
      } else if (kind === LeafKind.words) {
        if (!isWordTable(data, a)) return Status.badProgram
      } else if (kind === LeafKind.initials) {
        if (length === 0 || length > MAX_INITIALS) return Status.badProgram
      } else if (kind > LeafKind.nonAscii) return Status.badProgram
      leaves.push({ kind, onOriginal: subject === 1, onTrue, onFalse, data, a, b, c })
    }
    return new TwinProgram(leaves)
  }

  evaluate(key: Text, original: Text): boolean {
    let next = 0
    do {
      const leaf = this.leaves[next]
      next = holds(leaf, key, original) ? leaf.onTrue : leaf.onFalse
    } while (next < REJECT)
    return next === ACCEPT
  }
}

function isExtensionTable(data: Uint8Array, slots: number, c: number): boolean {
  if (slots === 0 || (slots & (slots - 1)) !== 0 || slots > 0x1000 || slots * 8 > data.length) return false
  let at = slots * 8
  for (let n = c; n > 0; n--) {
    if (at + 2 > data.length) return false
    at += 2 + (data[at] | (data[at + 1] << 8))
    if (at > data.length) return false
  }
  return true
}

function holds(leaf: Leaf, key: Text, original: Text): boolean {
  const text = leaf.onOriginal ? original : key
  const { data } = leaf
  const length = text.to - text.from
  switch (leaf.kind) {
    case LeafKind.contains:
      return contains(text, data)
    case LeafKind.prefix:
      return data.length <= length && sameAt(text.bytes, text.from, data)
    case LeafKind.suffix:
      return data.length <= length && sameAt(text.bytes, text.to - data.length, data)
    case LeafKind.exact:
      return data.length === length && sameAt(text.bytes, text.from, data)
    case LeafKind.glob:
      return matchGlob(globElements(data), text.bytes, text.from, text.to)
    case LeafKind.extension:
      return hasExtension(leaf, text)
    case LeafKind.length:
      return isBetween(characters(text), leaf.a, leaf.b)
    case LeafKind.nonAscii:
      return hasNonAscii(text)
    case LeafKind.wordStart:
      return hasWordStart(bytesOf(key), bytesOf(original), data)
    case LeafKind.words:
      return hasWordOf(bytesOf(key), bytesOf(original), listedWords(data, leaf.a))
    case LeafKind.initials:
      return hasInitials(bytesOf(key), bytesOf(original), data)
    default:
      return leaf.a !== 0
  }
}

function isWordTable(data: Uint8Array, slots: number): boolean {
  if (slots === 0 || (slots & (slots - 1)) !== 0 || slots > 0x1000 || slots * 4 > data.length) return false
  return wordOffsets(data, slots).every(at => at < data.length && data[at] <= data.length - at - 1)
}

/** Where the words of a table are. */
function wordOffsets(data: Uint8Array, slots: number): number[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  return Array.from({ length: slots }, (_, slot) => view.getUint32(slot * 4, true)).filter(at => at !== 0)
}

function listedWords(data: Uint8Array, slots: number): Uint8Array[] {
  return wordOffsets(data, slots).map(at => data.subarray(at + 1, at + 1 + data[at]))
}

function bytesOf({ bytes, from, to }: Text): Uint8Array {
  return bytes.subarray(from, to)
}

function globElements(data: Uint8Array): Uint16Array {
  return Uint16Array.from({ length: data.length >> 1 }, (_, i) => data[i * 2] | (data[i * 2 + 1] << 8))
}

function sameAt(bytes: Uint8Array, at: number, data: Uint8Array): boolean {
  for (let i = 0; i < data.length; i++) if (bytes[at + i] !== data[i]) return false
  return true
}

function contains(text: Text, needle: Uint8Array): boolean {
  const first = needle[0]
  for (let at = text.from, last = text.to - needle.length; at <= last; at++) {
    if (text.bytes[at] === first && sameAt(text.bytes, at, needle)) return true
  }
  return false
}

function characters({ bytes, from, to }: Text): number {
  let count = 0
  for (let at = from; at < to; count++) at += characterBytes(bytes, at, to)
  return count
}

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most
}

function hasNonAscii({ bytes, from, to }: Text): boolean {
  for (let at = from; at < to; at++) if (bytes[at] >= 0x80) return true
  return false
}

function hasExtension(leaf: Leaf, text: Text): boolean {
  const { bytes, from, to } = text
  const { data } = leaf
  let at = to
  while (at > from && bytes[at - 1] !== 0x2e) at--
  if (at > from && to > at && to - at <= 8) {
    let low = 0
    let high = 0
    for (let i = 0; i < to - at; i++) {
      if (i < 4) low |= bytes[at + i] << (i * 8)
      else high |= bytes[at + i] << (i * 8 - 32)
    }
    const mask = leaf.a - 1
    let slot = extensionSlot(low, high) & mask
    const word = (offset: number) =>
      data[offset] | (data[offset + 1] << 8) | (data[offset + 2] << 16) | (data[offset + 3] << 24)
    for (let tries = 0; tries <= mask; tries++) {
      const entryLow = word(slot * 8)
      const entryHigh = word(slot * 8 + 4)
      if (entryLow === low && entryHigh === high) return true
      if (entryLow === 0 && entryHigh === 0) break
      slot = (slot + 1) & mask
    }
  }
  let entry = leaf.a * 8
  for (let n = leaf.c; n > 0; n--) {
    const length = data[entry] | (data[entry + 1] << 8)
    const suffix = data.subarray(entry + 2, entry + 2 + length)
    if (length <= to - from && sameAt(bytes, to - length, suffix)) return true
    entry += 2 + length
  }
  return false
}
