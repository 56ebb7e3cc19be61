import { BLOCK_NAMES, COUNT_OVERFLOW, MalformedBytesError, NamesBlockCursor } from '@hotpath/index-format'
import { ARENA_FIELDS, VERIFY_FIELDS } from '../kernel-functions.js'
import { RESULT_FIELDS, Status } from '../memory-layout.js'
import type { MemoryView } from './memory-view.js'
import { TwinProgram } from './name-program.js'

export function verifyBlocks(memory: MemoryView, args: number): number {
  const arg = (name: keyof typeof VERIFY_FIELDS) => memory.u32(args + VERIFY_FIELDS[name])
  const program = TwinProgram.read(memory, arg('program'), arg('programBytes'))
  if (typeof program === 'number') return program
  const [names, namesBytes, offsets, blocks] = [arg('names'), arg('namesBytes'), arg('offsets'), arg('blocks')]
  const [nameCount, list, to, out] = [arg('nameCount'), arg('list'), arg('to'), arg('out')]
  const [capacity, bits, counts] = [arg('capacity'), arg('bits'), arg('counts')]
  if (nameCount > blocks * BLOCK_NAMES || (blocks > 0 && nameCount <= (blocks - 1) * BLOCK_NAMES)) {
    return Status.badArgument
  }
  if (list === 0 && to > blocks) return Status.badArgument
  if (out !== 0 && capacity < BLOCK_NAMES) return Status.noRoom

  const cursor = new NamesBlockCursor()
  let sum = 0
  let matches = 0
  let position = arg('from')
  for (; position < to; position++) {
    if (out !== 0 && capacity - matches < BLOCK_NAMES) break
    const block = list === 0 ? position : memory.u32(list + position * 4)
    if (block >= blocks) return memory.malformed(list + position * 4)
    const start = memory.u32(offsets + block * 4)
    const end = memory.u32(offsets + block * 4 + 4)
    if (start > end || end > namesBytes) return memory.malformed(offsets + block * 4)
    const nameEnd = Math.min((block + 1) * BLOCK_NAMES, nameCount)
    try {
      let name = block * BLOCK_NAMES
      cursor.open(memory.bytes, names + start, names + end)
      for (; cursor.next(); name++) {
        if (name === nameEnd) return memory.malformed(names + end)
        const key = { bytes: cursor.key, from: cursor.keyStart, to: cursor.keyStart + cursor.keyLength }
        if (!program.evaluate(key, { bytes: cursor.name, from: 0, to: cursor.nameLength })) continue
        if (out !== 0) memory.setU32(out + matches * 4, name)
        matches++
        if (bits !== 0) memory.bytes[bits + (name >>> 3)] |= 1 << (name & 7)
        if (counts !== 0) sum += countOf(memory, args, name)
      }
      if (name !== nameEnd) return memory.malformed(names + end)
    } catch (error) {
      if (error instanceof MalformedBytesError) return memory.malformed(error.offset)
      throw error
    }
  }
  memory.setU32(RESULT_FIELDS.matches, matches)
  memory.setU32(RESULT_FIELDS.next, position)
  memory.setF64(RESULT_FIELDS.sum, sum)
  return 0
}

function countOf(memory: MemoryView, args: number, name: number): number {
  const counts = memory.u32(args + VERIFY_FIELDS.counts)
  const count = memory.bytes[counts + name]
  if (count !== COUNT_OVERFLOW) return count
  const table = memory.u32(args + VERIFY_FIELDS.overflow)
  let below = 0
  let above = memory.u32(args + VERIFY_FIELDS.overflowCount)
  const entries = above
  while (below < above) {
    const middle = (below + above) >>> 1
    if (memory.u32(table + middle * 8) < name) below = middle + 1
    else above = middle
  }
  return below < entries && memory.u32(table + below * 8) === name ? memory.u32(table + below * 8 + 4) : 0
}

export function scanArena(memory: MemoryView, args: number): number {
  const arg = (name: keyof typeof ARENA_FIELDS) => memory.u32(args + ARENA_FIELDS[name])
  const program = TwinProgram.read(memory, arg('program'), arg('programBytes'))
  if (typeof program === 'number') return program
  const [keys, keyOffsets, keysBytes] = [arg('keys'), arg('keyOffsets'), arg('keysBytes')]
  const [originals, originalOffsets, originalsBytes] = [arg('originals'), arg('originalOffsets'), arg('originalsBytes')]
  const [to, out, capacity] = [arg('to'), arg('out'), arg('capacity')]
  let name = arg('from')
  if (name > to || (out !== 0 && capacity === 0)) return Status.badArgument
  let matches = 0
  for (; name < to; name++) {
    const key = memory.u32(keyOffsets + name * 4)
    const keyEnd = memory.u32(keyOffsets + name * 4 + 4)
    const original = memory.u32(originalOffsets + name * 4)
    const originalEnd = memory.u32(originalOffsets + name * 4 + 4)
    if (key > keyEnd || keyEnd > keysBytes) return memory.malformed(keyOffsets + name * 4)
    if (original > originalEnd || originalEnd > originalsBytes) return memory.malformed(originalOffsets + name * 4)
    const { bytes } = memory
    if (
      program.evaluate(
        { bytes, from: keys + key, to: keys + keyEnd },
        { bytes, from: originals + original, to: originals + originalEnd },
      )
    ) {
      if (out !== 0) {
        if (matches === capacity) break
        memory.setU32(out + matches * 4, name)
      }
      matches++
    }
  }
  memory.setU32(RESULT_FIELDS.matches, matches)
  memory.setU32(RESULT_FIELDS.next, name)
  memory.setF64(RESULT_FIELDS.sum, 0)
  return 0
}
