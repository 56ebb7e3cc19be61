import { BLOCK_NAMES, type DictionaryBytes, type MergedDictionaries } from '@hotpath/index-format'
import type { BuildMemory } from './build-memory.js'

/** Names of one call (see PIECE in build-names.ts). */
const PIECE = 1 << 15
/** Cursors and the record of what was written: assembly/build/merge-names.ts has the same numbers. */
const CURSOR_BYTES = 8448
const OUT_BYTES = 16 + 4096 + 64
const BEFORE_FIRST = 0xffffffff
const OUT_NAMES = 1
const OUT_AT = 2
const DONE = 1
/** Bytes by which the room for names grows, at least what one name can take. */
const ROOM_STEP = 1 << 20

/** See BuildKernels.mergeNames. */
export function mergeNames(
  memory: BuildMemory,
  dictionaries: readonly DictionaryBytes[],
  used: readonly Uint8Array[],
): MergedDictionaries | undefined {
  const { functions } = memory
  const mark = memory.used
  let total = 0
  for (const { count } of dictionaries) total += count
  const idsAt = memory.takeZeroed(total * 4)
  const cursors = memory.takeZeroed(dictionaries.length * CURSOR_BYTES)
  let ids = idsAt
  dictionaries.forEach(({ bytes, blockOffsets, count }, i) => {
    const fields = [memory.place(bytes), bytes.length, memory.place(blockOffsets), count, memory.place(used[i]), ids]
    memory.u32(cursors + i * CURSOR_BYTES, 7).set([...fields, BEFORE_FIRST])
    ids += count * 4
  })
  const heap = memory.take(dictionaries.length * 4)
  const out = memory.takeZeroed(OUT_BYTES)
  const offsets = memory.take((Math.ceil(total / BLOCK_NAMES) + 1) * 4)
  const keyBytes = memory.takeZeroed(256)
  // The last thing handed out: it grows in place.
  const base = memory.take(0)
  const state = memory.u32(out, 4)
  state[OUT_AT] = base
  const size = functions.startMerge(cursors, dictionaries.length, heap)
  let result = size < 0 ? size : size === 0 ? DONE : 0
  state[0] = Math.max(0, size)
  for (let capacity = base; result === 0; ) {
    if (capacity - state[OUT_AT] < ROOM_STEP) capacity = memory.growInPlace(base, state[OUT_AT] - base + 2 * ROOM_STEP)
    result = functions.mergeNames(heap, PIECE, out, base, capacity, offsets, keyBytes)
  }
  if (result < 0) {
    functions.release(mark)
    return undefined
  }
  const newIds = memory.u32(idsAt, total).slice()
  const count = state[OUT_NAMES]
  const blocks = Math.ceil(count / BLOCK_NAMES)
  const length = state[OUT_AT] - base
  memory.u32(offsets, blocks + 1)[blocks] = length
  const kept = memory.keep(mark, [
    [offsets, (blocks + 1) * 4],
    [keyBytes, 256],
    [base, length],
  ])
  const names = {
    count,
    blockOffsets: memory.u32(kept[0], blocks + 1),
    keyBytes: memory.u8(kept[1], 256),
    bytes: memory.u8(kept[2], length),
  }
  let end = 0
  return {
    names,
    newIds: dictionaries.map(dictionary => {
      end += dictionary.count
      return newIds.subarray(end - dictionary.count, end)
    }),
  }
}
