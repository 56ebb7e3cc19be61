import {
  BLOCK_NAMES,
  COUNT_OVERFLOW,
  type EncodedSeconds,
  encodeExceptions,
  extremeLimit,
  GROUP_ENTRIES,
  groupedColumnParts,
  PAGE_SIZE,
  packedBytes,
  type RowsOfNames,
  SIZE_CODE_BYTES,
} from '@hotpath/index-format'
import type { BuildMemory } from './build-memory.js'

/** Bytes of the longest size. */
const LONGEST_SIZE = 7
/** Bytes past the last size that a store may touch. */
const STORE_PAST = 8
/** Pages that are copied and checked at once when they lie elsewhere. */
const PAGES_AT_ONCE = 64

/** See packed-array.ts. */
export function packArray(memory: BuildMemory, values: Uint32Array, count: number, width: number): Uint8Array {
  const bytes = packedBytes(count, width)
  if (width === 0) return memory.u8(memory.takeZeroed(bytes), bytes)
  const out = memory.take(bytes)
  memory.scope(() => memory.functions.packValues(memory.place(values), count, width, out))
  return memory.u8(out, bytes)
}

/** See grouped-column.ts. */
export function encodeGroupedColumn(memory: BuildMemory, values: Uint32Array, count: number): Uint8Array {
  const { functions } = memory
  const { starts, widths, words } = groupedColumnParts(count)
  // The differences take at most as much as the values; what is not used is taken back.
  const out = memory.take(words + (count + 1) * 4)
  memory.u8(out + widths, words - widths).fill(0)
  const bytes = memory.scope(() => {
    const at = memory.place(values)
    const used = functions.measureGroups(at, count, out, out + starts, out + widths)
    functions.packGroups(at, count, out, out + widths, out + words)
    return words + (used + 1) * 4
  })
  return memory.u8(out, bytes)
}

/** See size-column.ts. */
export function encodeSizeColumn(memory: BuildMemory, sizes: Float64Array, count: number): Uint8Array {
  const groups = Math.ceil(count / GROUP_ENTRIES)
  const out = memory.take(groups * (4 + SIZE_CODE_BYTES) + count * LONGEST_SIZE + STORE_PAST)
  const bytes = memory.scope(
    () => memory.functions.encodeSizes(memory.place(sizes), count, out, out + groups * 4) >>> 0,
  )
  return memory.u8(out, groups * 4 + bytes)
}

/** See seconds-column.ts. */
export function encodeSeconds(memory: BuildMemory, seconds: Float64Array): EncodedSeconds {
  const { functions } = memory
  const count = seconds.length
  const raw = memory.take(count * 4)
  const exceptions = memory.scope(() => {
    const at = memory.place(seconds)
    const found = functions.encodeSeconds(at, count, raw, 0) >>> 0
    if (found === 0) return new Uint8Array(0)
    const rows = memory.take(found * 4)
    functions.encodeSeconds(at, count, raw, rows)
    return encodeExceptions(seconds, memory.u32(rows, found))
  })
  return { raw: memory.u32(raw, count), exceptions }
}

/** See extreme-rows.ts. */
export function extremeRows(
  memory: BuildMemory,
  values: Float64Array,
  minor: Uint32Array | undefined,
  skip: Uint8Array | undefined,
  smallest: boolean,
): Uint32Array {
  const count = values.length
  const limit = Math.min(count, extremeLimit(count))
  const out = memory.take(limit * 4)
  const found = memory.scope(() => {
    const place = [memory.place(values), minor ? memory.place(minor) : 0, skip ? memory.place(skip) : 0] as const
    return memory.functions.extremeRows(place[0], count, place[1], place[2], smallest ? 1 : 0, extremeLimit(count), out)
  })
  return memory.u32(out, found)
}

/** See radix-order.ts. */
export function radixOrder(memory: BuildMemory, columns: Iterable<Uint32Array>, count: number): Uint32Array {
  const { functions } = memory
  const out = memory.take(count * 4)
  memory.scope(() => {
    let order = out
    let spare = memory.take(count * 4)
    const rows = memory.u32(order, count)
    for (let i = 0; i < count; i++) rows[i] = i
    for (const column of columns) {
      const swapped = memory.scope(() => functions.radixPass(memory.place(column), count, order, spare))
      if (swapped !== 0) [order, spare] = [spare, order]
    }
    if (order !== out) memory.bytes.copyWithin(out, order, order + count * 4)
  })
  return memory.u32(out, count)
}

/** See file-order.ts. */
export function orderFiles(
  memory: BuildMemory,
  dirs: Uint32Array,
  dirCount: number,
  names: Uint32Array,
  nameCount: number,
): Uint32Array {
  const out = memory.take(dirs.length * 4)
  const kept = memory.scope(() =>
    memory.functions.orderFiles(memory.place(dirs), dirCount, memory.place(names), nameCount, dirs.length, out),
  )
  return memory.u32(out, kept)
}

/** out[i] = source[order[i]]. */
export function gather(
  memory: BuildMemory,
  source: Uint8Array | Uint16Array | Uint32Array | Float64Array,
  order: Uint32Array,
  out: Float64Array | Uint32Array,
  mask: number,
): void {
  const { functions } = memory
  const count = order.length
  memory.scope(() => {
    const from = memory.place(source)
    const rows = memory.place(order)
    const to = memory.holds(out) ? out.byteOffset : memory.take(count * out.BYTES_PER_ELEMENT)
    if (source instanceof Float64Array && out instanceof Float64Array) functions.gatherF64(from, rows, count, to)
    else if (source instanceof Uint32Array && out instanceof Uint32Array) functions.gatherU32(from, rows, count, to)
    else if (source instanceof Uint8Array && out instanceof Uint32Array) functions.gatherU8(from, rows, count, mask, to)
    else {
      const bits = source instanceof Uint8Array ? mask : -1
      for (let i = 0; i < count; i++) out[i] = bits < 0 ? source[order[i]] : source[order[i]] & bits
      return
    }
    if (out instanceof Float64Array) {
      if (to !== out.byteOffset || !memory.holds(out)) out.set(memory.f64(to, count))
    } else if (to !== out.byteOffset || !memory.holds(out)) out.set(memory.u32(to, count))
  })
}

/** See rows-of-names.ts. */
export function rowsOfNames(memory: BuildMemory, nameIds: Uint32Array, nameCount: number): RowsOfNames {
  const count = nameIds.length
  const blocks = Math.ceil(nameCount / BLOCK_NAMES)
  const weights = memory.take(nameCount * 4)
  const counts = memory.take(nameCount)
  const blockStarts = memory.take((blocks + 1) * 4)
  const inverse = memory.take(count * 4)
  const many = memory.scope(() =>
    memory.functions.rowsOfNames(memory.place(nameIds), count, nameCount, weights, counts, blockStarts, inverse),
  )
  const rows = {
    weights: memory.u32(weights, nameCount),
    counts: memory.u8(counts, nameCount),
    overflow: new Uint32Array(many * 2),
    blockStarts: memory.u32(blockStarts, blocks + 1),
    inverse: memory.u32(inverse, count),
  }
  for (let name = rows.counts.indexOf(COUNT_OVERFLOW), i = 0; name >= 0; ) {
    rows.overflow[i++] = name
    rows.overflow[i++] = rows.weights[name]
    name = rows.counts.indexOf(COUNT_OVERFLOW, name + 1)
  }
  return rows
}

/** CRC-32C of each page of `bytes`, to `out` from `at` on. */
export function crcPages(memory: BuildMemory, bytes: Uint8Array, out: Uint32Array, at: number): void {
  const { functions } = memory
  const pages = bytes.length / PAGE_SIZE
  memory.scope(() => {
    const held = memory.holds(bytes)
    const most = held ? pages : Math.min(pages, PAGES_AT_ONCE)
    const sums = memory.take(most * 4)
    const copy = held ? 0 : memory.take(most * PAGE_SIZE)
    for (let page = 0; page < pages; page += most) {
      const count = Math.min(most, pages - page)
      const from = page * PAGE_SIZE
      if (!held) memory.bytes.set(bytes.subarray(from, from + count * PAGE_SIZE), copy)
      functions.crc32cPages(held ? bytes.byteOffset : copy, PAGE_SIZE, count, sums)
      out.set(memory.u32(sums, count), at + page)
    }
  })
}
