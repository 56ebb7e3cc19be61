import { BLOCK_NAMES, type ByteStrings, type EncodedNames, keyOf } from '@hotpath/index-format'
import type { BuildMemory } from './build-memory.js'

/** Rows or names of one call: long loops run in pieces, so that the engine can replace the code between them by better one. */
const PIECE = 1 << 15
/** Buckets of the first two bytes of keys, of which a piece sorts some. */
const BUCKETS = 1 << 16
const RECORD_BYTES = 16
const ELEMENT_BYTES = 16
/** Bytes that a name takes in a block beside its own and its key's (see names-block.ts). */
const OVERHEAD_BYTES = 5
/** Vector stores may go past the end of a name. */
const STORE_PAST = 32

/** Distinct names of rows, numbered as they appear. */
export interface InternedNames {
  readonly count: number
  /** Address of their records (assembly/build/names.ts). */
  readonly records: number
  /** Bytes of all names together. */
  readonly bytes: number
}

/** Interns the strings `rows`, and writes the number of each to `out`. */
export function internRows(memory: BuildMemory, names: ByteStrings, rows: Uint32Array, out: number): InternedNames {
  const { functions } = memory
  const bytesAt = memory.place(names.bytes)
  const offsetsAt = memory.place(names.offsets)
  const rowsAt = memory.place(rows)
  const records = memory.take(rows.length * RECORD_BYTES)
  const done = memory.take(4)
  let slots = 1024
  while (slots < rows.length) slots *= 2
  let table = memory.takeZeroed(slots * 8)
  let count = 0
  for (let from = 0; from < rows.length; ) {
    const to = Math.min(rows.length, from + PIECE)
    count = functions.internNames(bytesAt, offsetsAt, rowsAt, from, to, table, slots, records, count, out, done)
    from = memory.u32(done, 1)[0]
    if (from < to) {
      const larger = memory.takeZeroed(slots * 16)
      functions.rehash(table, slots, larger, slots * 2)
      table = larger
      slots *= 2
    }
  }
  return { count, records, bytes: functions.nameBytes(records, count) >>> 0 }
}

/** Records of strings 0 … count - 1, which are all different. */
export function recordStrings(memory: BuildMemory, names: ByteStrings, count: number): InternedNames {
  const records = memory.take(count * RECORD_BYTES)
  memory.functions.recordNames(memory.place(names.bytes), memory.place(names.offsets), 0, count, records)
  return { count, records, bytes: names.offsets[count] - names.offsets[0] }
}

/**
 * Sorts and encodes names; takes back what was handed out since `mark`, the records included.
 * @param rank u32 for each name: its name id is written there
 * @param ranked called when that is done, before anything is taken back
 */
export function sortAndEncode(
  memory: BuildMemory,
  interned: InternedNames,
  rank: number,
  mark: number,
  ranked: () => void = () => {},
): EncodedNames {
  const { functions } = memory
  const { count, records } = interned
  const storedBytes = makeKeys(memory, interned)
  const elements = memory.take(count * ELEMENT_BYTES)
  sortElements(memory, records, elements, count)

  const blocks = Math.ceil(count / BLOCK_NAMES)
  const offsets = memory.take((blocks + 1) * 4)
  const keyBytes = memory.takeZeroed(256)
  const base = memory.take(interned.bytes + storedBytes + count * OVERHEAD_BYTES + STORE_PAST)
  let at = base
  for (let from = 0; from < count; from += PIECE) {
    const to = Math.min(count, from + PIECE)
    at = functions.encodeNames(records, elements, from, to, base, at, offsets, rank, keyBytes) >>> 0
  }
  memory.u32(offsets, blocks + 1)[blocks] = at - base
  ranked()
  const [keptOffsets, keptKeyBytes, kept] = memory.keep(mark, [
    [offsets, (blocks + 1) * 4],
    [keyBytes, 256],
    [base, at - base],
  ])
  return {
    count,
    bytes: memory.u8(kept, at - base),
    blockOffsets: memory.u32(keptOffsets, blocks + 1),
    keyBytes: memory.u8(keptKeyBytes, 256),
  }
}

/** Makes the key of each name. @returns bytes of the keys that are stored because they are no lower-cased names */
function makeKeys(memory: BuildMemory, { count, records, bytes }: InternedNames): number {
  const { functions } = memory
  const others = memory.take(PIECE * 4)
  const otherCount = memory.take(4)
  let keys = memory.take(bytes + STORE_PAST)
  let storedBytes = 0
  for (let from = 0; from < count; from += PIECE) {
    const to = Math.min(count, from + PIECE)
    keys = functions.makeKeys(records, from, to, keys, others, otherCount) >>> 0
    for (const name of memory.u32(others, memory.u32(otherCount, 1)[0])) {
      storedBytes += foldName(memory, records, name)
    }
  }
  return storedBytes
}

/** Gives a name that is not ASCII its key, if that is not the name lower-cased. @returns its bytes if so, else 0 */
function foldName(memory: BuildMemory, records: number, name: number): number {
  const record = memory.u32(records + name * RECORD_BYTES, 3)
  const length = record[2] & 0xffff
  const key = keyOf(memory.u8(record[0], length).slice())
  const lowered = memory.u8(record[1], length)
  if (key.length === length && key.every((byte, i) => byte === lowered[i])) return 0
  const at = memory.take(key.length)
  memory.bytes.set(key, at)
  memory.functions.setKey(records, name, at, key.length)
  return key.length
}

/** Elements of all names, in dictionary order. */
function sortElements(memory: BuildMemory, records: number, elements: number, count: number): void {
  const { functions } = memory
  const starts = memory.take((BUCKETS + 1) * 4)
  functions.spreadNames(records, count, elements, starts)
  const ends = memory.u32(starts, BUCKETS)
  for (let from = 0, first = 0; from < BUCKETS; ) {
    let to = from + 1
    while (to < BUCKETS && ends[to] - first < PIECE) to++
    functions.sortBuckets(records, elements, starts, from, to)
    first = ends[to - 1]
    from = to
  }
}
