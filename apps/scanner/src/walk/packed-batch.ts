import type { EntryColumns, TimeColumn } from '@hotpath/model'

/** Entries of a scan in the order in which they were found. */
export interface ScanBatch {
  /** Directory numbers are the scan's own, the root is 1. A directory's row stands before every row that names it as parent. */
  readonly entries: EntryColumns
  /** Directories whose listing began; each once in a scan, before or together with its first child. */
  readonly listedDirectory: Uint32Array
  /** For each of them: microseconds of the monotonic clock before its listing began. */
  readonly listedObserved: Float64Array
  /** Absolute path of a directory that was read for this batch. */
  readonly currentDirectory: Uint8Array
}

/** A batch as one block of memory, which can be handed to another thread without a copy. */
export interface PackedBatch {
  readonly buffer: ArrayBuffer
  readonly rows: number
  readonly nameBytes: number
  readonly listed: number
  readonly namesOnly: boolean
  /** Rows say who may list directories. */
  readonly access: boolean
  readonly currentDirectory: Uint8Array
}

/** Bytes of a row without its name, with all columns. */
export const ROW_BYTES = 4 + 4 + 1 + 4 + 8 + 3 * 12 + 12

const ACCESS_BYTES = 3 * 4

const TIMES = ['modified', 'changed', 'created'] as const

/** Takes the columns of a packed batch as views, largest elements first so that each is aligned. Names only: no times, sizes unknown. */
export function unpackBatch(packed: PackedBatch): ScanBatch {
  const { rows, nameBytes, listed, namesOnly } = packed
  const { f64, u32, u8 } = carve(packed.buffer)
  const size = f64(rows)
  const seconds = namesOnly ? [] : TIMES.map(() => f64(rows))
  const listedObserved = f64(listed)
  const parent = u32(rows)
  const directory = u32(rows)
  const nameOffsets = u32(rows + 1)
  const ref = { low: u32(rows), high: u32(rows), birth: u32(rows) }
  const times = seconds.map((column, i): [string, TimeColumn] => [TIMES[i]!, { seconds: column, ticks: u32(rows) }])
  const access = packed.access ? { mode: u32(rows), user: u32(rows), group: u32(rows) } : undefined
  const listedDirectory = u32(listed)
  const kind = u8(rows)
  const names = u8(nameBytes)
  return {
    entries: {
      count: rows,
      parent,
      directory,
      kind,
      nameOffsets,
      names,
      size,
      ref,
      ...Object.fromEntries(times),
      ...(access && { access }),
    },
    listedDirectory,
    listedObserved,
    currentDirectory: packed.currentDirectory,
  }
}

/** Bytes of the block that holds a batch of this size. */
export function packedBytes(batch: Omit<PackedBatch, 'buffer' | 'currentDirectory'>): number {
  const { rows, nameBytes, listed, namesOnly, access } = batch
  const rowBytes = (namesOnly ? ROW_BYTES - TIMES.length * 12 : ROW_BYTES) + (access ? ACCESS_BYTES : 0)
  return rows * rowBytes + 4 + nameBytes + listed * 12
}

function carve(buffer: ArrayBuffer) {
  let at = 0
  const take = (bytes: number) => {
    const start = at
    at += bytes
    return start
  }
  return {
    f64: (length: number) => new Float64Array(buffer, take(8 * length), length),
    u32: (length: number) => new Uint32Array(buffer, take(4 * length), length),
    u8: (length: number) => new Uint8Array(buffer, take(length), length),
  }
}
