import {
  BLOCK_NAMES,
  byteCodes,
  COMMON_GRAM_SHARE,
  type EncodedGrams,
  type EncodedNames,
  KEY_BOUNDARY,
} from '@hotpath/index-format'
import type { BuildMemory } from './build-memory.js'

/** Blocks of one call (see PIECE in build-names.ts). */
export const PIECE_BLOCKS = 512
const PIECE_GRAMS = 4096
/** Bytes of the record of a gram (assembly/build/grams.ts). */
const RECORD_BYTES = 32
/** Bytes by which the room for posting lists grows, at least what one list can take. */
const POSTINGS_STEP = 1 << 20
/** Blocks in one container of a posting list. */
const CONTAINER_BLOCKS = 65_536

/** A dictionary in the memory, with the codes of its bytes. */
export interface PlacedNames {
  readonly names: number
  readonly offsets: number
  readonly count: number
  readonly blocks: number
  readonly weights: number
  /** Code of each byte lower-cased, then code of each byte as it is: 256 bytes each. */
  readonly codes: number
  /** Byte of each code. */
  readonly byteOf: number
  readonly k: number
  /** Code of the boundary of keys. */
  readonly boundary: number
}

export function placeNames(memory: BuildMemory, names: EncodedNames, weights: Uint32Array): PlacedNames {
  const { count: k, codeOf, byteOf } = byteCodes(names.keyBytes)
  const codes = memory.take(512)
  const table = memory.u8(codes, 512)
  for (let byte = 0; byte < 256; byte++) {
    table[byte] = codeOf[byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte]
    table[256 + byte] = codeOf[byte]
  }
  return {
    names: memory.place(names.bytes),
    offsets: memory.place(names.blockOffsets),
    count: names.count,
    blocks: Math.ceil(names.count / BLOCK_NAMES),
    weights: memory.place(weights),
    codes,
    byteOf: memory.place(byteOf),
    k,
    boundary: codeOf[KEY_BOUNDARY],
  }
}

/** Calls `work` for one piece of the blocks after the other. */
export function inPieces(blocks: number, work: (from: number, to: number) => void): void {
  for (let from = 0; from < blocks; from += PIECE_BLOCKS) work(from, Math.min(blocks, from + PIECE_BLOCKS))
}

/** See encoded-grams.ts. */
export function encodeGrams(memory: BuildMemory, encoded: EncodedNames, entryWeights: Uint32Array): EncodedGrams {
  const { functions } = memory
  const mark = memory.used
  const placed = placeNames(memory, encoded, entryWeights)
  const { k, blocks } = placed
  const singles = memory.takeZeroed(k * RECORD_BYTES)
  const pairs = memory.takeZeroed(k * k * RECORD_BYTES)
  const { names, offsets: nameOffsets, count: nameCount, weights, codes, boundary } = placed
  functions.startGrams()
  inPieces(blocks, (from, to) =>
    functions.collectGrams(names, nameOffsets, from, to, nameCount, weights, codes, k, boundary, singles, pairs),
  )
  const count = functions.countGrams(k, singles, pairs)
  const [keys, blockCounts, totals, records] = [0, 0, 0, 0].map(() => memory.take(count * 4))
  functions.listGrams(k, placed.byteOf, singles, pairs, keys, blockCounts, totals, records)

  const offsets = memory.take((count + 1) * 4)
  const ids = memory.take(blocks * 4)
  const containers = memory.take((Math.ceil(blocks / CONTAINER_BLOCKS) + 1) * 16)
  const done = memory.take(4)
  // The last thing handed out: it grows in place.
  const base = memory.take(0)
  let capacity = base
  let at = base
  for (let from = 0; from < count; ) {
    if (capacity - at < POSTINGS_STEP) capacity = memory.growInPlace(base, at - base + 2 * POSTINGS_STEP + blocks)
    const to = Math.min(count, from + PIECE_GRAMS)
    at =
      functions.writePostings(
        from,
        to,
        blocks,
        COMMON_GRAM_SHARE,
        keys,
        blockCounts,
        records,
        offsets,
        base,
        at,
        capacity,
        ids,
        containers,
        done,
      ) >>> 0
    from = memory.u32(done, 1)[0]
  }
  memory.u32(offsets, count + 1)[count] = at - base
  const words = count * 4
  const kept = memory.keep(mark, [
    [keys, words],
    [blockCounts, words],
    [totals, words],
    [offsets, words + 4],
    [base, at - base],
  ])
  return {
    count,
    keys: memory.u32(kept[0], count),
    blockCounts: memory.u32(kept[1], count),
    totals: memory.u32(kept[2], count),
    offsets: memory.u32(kept[3], count + 1),
    postings: memory.u8(kept[4], at - base),
  }
}
