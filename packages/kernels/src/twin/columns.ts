import { BLOCK_NAMES, COUNT_OVERFLOW, GROUP_ENTRIES, SIZE_CODE_BYTES, SIZE_CODE_LENGTHS } from '@hotpath/index-format'
import { Status } from '../memory-layout.js'
import type { MemoryView } from './memory-view.js'

export function filterU32Range(
  memory: MemoryView,
  column: number,
  count: number,
  low: number,
  high: number,
  bits: number,
): number {
  let matches = 0
  for (let i = 0; i < count; i++) {
    const value = memory.u32(column + i * 4)
    const inside = value >= low >>> 0 && value <= high >>> 0
    if (inside) matches++
    if (bits !== 0) {
      const byte = bits + (i >>> 3)
      if ((i & 7) === 0) memory.bytes[byte] = 0
      if (inside) memory.bytes[byte] |= 1 << (i & 7)
    }
  }
  return matches
}

function hasBit(memory: MemoryView, bits: number, at: number): boolean {
  return (memory.bytes[bits + (at >>> 3)] & (1 << (at & 7))) !== 0
}

export function popcountBits(memory: MemoryView, bits: number, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; at++) if (hasBit(memory, bits, at)) count++
  return count
}

export function listBits(
  memory: MemoryView,
  bits: number,
  from: number,
  to: number,
  out: number,
  capacity: number,
): number {
  let count = 0
  for (let at = from; at < to && count < capacity; at++)
    if (hasBit(memory, bits, at)) memory.setU32(out + count++ * 4, at)
  return count
}

/** Value `index` of a bit-packed array. The five bytes that can hold it may exceed 32 bits: hence no shifts. */
function packedAt(memory: MemoryView, packed: number, width: number, index: number): number {
  const bit = index * width
  const at = packed + Math.floor(bit / 8)
  const five = memory.u32(at) + memory.bytes[at + 4] * 2 ** 32
  return Math.floor(five / 2 ** (bit % 8)) % 2 ** width
}

export function unpackBits(
  memory: MemoryView,
  packed: number,
  width: number,
  first: number,
  count: number,
  out: number,
): void {
  for (let i = 0; i < count; i++) memory.setU32(out + i * 4, packedAt(memory, packed, width, first + i))
}

export function gatherBits(
  memory: MemoryView,
  packed: number,
  width: number,
  length: number,
  ids: number,
  count: number,
  out: number,
): number {
  for (let i = 0; i < count; i++) {
    const id = memory.u32(ids + i * 4)
    if (id >= length) return memory.malformed(ids + i * 4)
    memory.setU32(out + i * 4, packedAt(memory, packed, width, id))
  }
  return 0
}

export function gatherU32(
  memory: MemoryView,
  column: number,
  length: number,
  ids: number,
  count: number,
  out: number,
): number {
  for (let i = 0; i < count; i++) {
    const id = memory.u32(ids + i * 4)
    if (id >= length) return memory.malformed(ids + i * 4)
    memory.setU32(out + i * 4, memory.u32(column + id * 4))
  }
  return 0
}

export function selectPacked(
  memory: MemoryView,
  packed: number,
  width: number,
  count: number,
  bits: number,
  bitCount: number,
  out: number,
): number {
  let selected = 0
  for (let i = 0; i < count; i++) {
    const value = packedAt(memory, packed, width, i)
    if (value >= bitCount) return memory.malformed(packed + Math.floor((i * width) / 8))
    const byte = out + (i >>> 3)
    if ((i & 7) === 0) memory.bytes[byte] = 0
    if (!hasBit(memory, bits, value)) continue
    memory.bytes[byte] |= 1 << (i & 7)
    selected++
  }
  return selected
}

export function filterSizes(
  memory: MemoryView,
  column: number,
  bytes: number,
  count: number,
  from: number,
  to: number,
  low: number,
  high: number,
  out: number,
): number {
  const groups = Math.ceil(count / GROUP_ENTRIES)
  if (groups * (4 + SIZE_CODE_BYTES) > bytes) return memory.malformed(column)
  const data = column + groups * 4
  const end = column + bytes
  let selected = 0
  let at = data
  for (let i = from; i < to; i++) {
    const lane = i % GROUP_ENTRIES
    const group = column + Math.floor(i / GROUP_ENTRIES) * 4
    const codes = data + memory.u32(group)
    if (lane === 0) {
      if (codes + SIZE_CODE_BYTES > end) return memory.malformed(group)
      at = codes + SIZE_CODE_BYTES
    }
    const length = SIZE_CODE_LENGTHS[(memory.bytes[codes + (lane >> 2)] >> ((lane & 3) * 2)) & 3]
    if (at + length > end) return memory.malformed(at)
    let stored = 0
    for (let b = length - 1; b >= 0; b--) stored = stored * 256 + memory.bytes[at + b]
    at += length
    const byte = out + (i >>> 3)
    if ((i & 7) === 0) memory.bytes[byte] = 0
    if (stored === 0 || stored - 1 < low || stored - 1 > high) continue
    memory.bytes[byte] |= 1 << (i & 7)
    selected++
  }
  return selected
}

export function expandNames(
  memory: MemoryView,
  bits: number,
  from: number,
  to: number,
  nameCount: number,
  counts: number,
  overflow: number,
  overflowCount: number,
  starts: number,
  inverse: number,
  width: number,
  rowCount: number,
  out: number,
): number {
  const countOf = (name: number): number => {
    const count = memory.bytes[counts + name]
    if (count !== COUNT_OVERFLOW) return count
    for (let i = 0; i < overflowCount; i++)
      if (memory.u32(overflow + i * 8) === name) return memory.u32(overflow + i * 8 + 4)
    return 0
  }
  let sum = 0
  for (let block = from; block < to; block++) {
    let position = out === 0 ? 0 : memory.u32(starts + block * 4)
    for (let name = block * BLOCK_NAMES; name < (block + 1) * BLOCK_NAMES; name++) {
      const selected = hasBit(memory, bits, name)
      if (name >= nameCount) {
        if (selected) return Status.badArgument
        continue
      }
      const count = countOf(name)
      if (selected) sum += count
      if (selected && out !== 0) {
        if (position + count > rowCount) return memory.malformed(starts + block * 4)
        for (let i = position; i < position + count; i++) {
          const row = packedAt(memory, inverse, width, i)
          if (row >= rowCount) return memory.malformed(inverse)
          memory.bytes[out + (row >>> 3)] |= 1 << (row & 7)
        }
      }
      position += count
    }
  }
  return sum
}
