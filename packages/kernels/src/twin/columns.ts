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
  ids: number,
  count: number,
  out: number,
): void {
  for (let i = 0; i < count; i++) memory.setU32(out + i * 4, packedAt(memory, packed, width, memory.u32(ids + i * 4)))
}

export function gatherU32(memory: MemoryView, column: number, ids: number, count: number, out: number): void {
  for (let i = 0; i < count; i++) memory.setU32(out + i * 4, memory.u32(column + memory.u32(ids + i * 4) * 4))
}
