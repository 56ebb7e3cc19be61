import { MalformedKernelDataError } from './errors.js'

/**
 * What getdents64(2) fills a buffer with, little-endian, records one after the other:
 *
 *   offset  size  field
 *        0     8  d_ino     inode (of the directory below, where a file system is mounted)
 *        8     8  d_off     not used
 *       16     2  d_reclen  bytes of this record, a multiple of 8
 *       18     1  d_type    DirentType
 *       19     …  d_name    ended by NUL, then padding
 */
const TYPE_AT = 18
const NAME_AT = 19
/** Fixed part, one byte of name and NUL, rounded up to 8. */
export const MIN_DIRENT_BYTES = 24
/** Fixed part, NAME_MAX (255) bytes and NUL, rounded up to 8. Some file systems (9p, FUSE) have no larger names either. */
export const MAX_DIRENT_BYTES = 280

/** `d_type`; a file system that does not know says `unknown`. */
export const DirentType = {
  unknown: 0,
  fifo: 1,
  characterDevice: 2,
  directory: 4,
  blockDevice: 6,
  file: 8,
  symlink: 10,
  socket: 12,
} as const

/** Entries of (a part of) a directory; the names lie in `bytes`, each followed by NUL. */
export interface DirectoryEntryColumns {
  readonly bytes: Uint8Array
  count: number
  /** Inode of the directory itself as its entry `.` has it; 0 where that was not among the entries or is not known. */
  selfLow: number
  selfHigh: number
  readonly nameStart: Uint32Array
  readonly nameEnd: Uint32Array
  /** DirentType. */
  readonly type: Uint8Array
  readonly inodeLow: Uint32Array
  readonly inodeHigh: Uint32Array
}

/** Empty columns for what fits in `bytes`. */
export function createDirectoryEntryColumns(bytes: Uint8Array, capacity: number): DirectoryEntryColumns {
  return {
    bytes,
    count: 0,
    selfLow: 0,
    selfHigh: 0,
    nameStart: new Uint32Array(capacity),
    nameEnd: new Uint32Array(capacity),
    type: new Uint8Array(capacity),
    inodeLow: new Uint32Array(capacity),
    inodeHigh: new Uint32Array(capacity),
  }
}

/**
 * Finds the records in the first `length` bytes of `columns.bytes` and sets the columns to them, without `.` and
 * `..`. Throws MalformedKernelDataError if a record leaves the buffer, has no name, or there are more than fit.
 */
export function parseDirectoryEntries(columns: DirectoryEntryColumns, length: number): void {
  const { bytes, nameStart, nameEnd, type, inodeLow, inodeHigh } = columns
  const fail = (at: number, detail: string) => new MalformedKernelDataError('directory entry', at, detail)
  if (length > bytes.length) throw fail(0, `${length} bytes in a buffer of ${bytes.length}`)
  let count = 0
  columns.selfLow = 0
  columns.selfHigh = 0
  for (let at = 0; at < length; ) {
    if (at + MIN_DIRENT_BYTES > length) throw fail(at, 'record is cut off')
    const recordLength = bytes[at + 16]! | (bytes[at + 17]! << 8)
    const end = at + recordLength
    if (recordLength < MIN_DIRENT_BYTES || end > length) throw fail(at, `record of ${recordLength} bytes`)
    const start = at + NAME_AT
    let stop = start
    while (stop < end && bytes[stop] !== 0) stop++
    if (stop === end || stop === start) throw fail(at, 'name is empty or not ended')
    const dots = dotsOf(bytes, start, stop)
    if (dots === 1) {
      columns.selfLow = u32(bytes, at)
      columns.selfHigh = u32(bytes, at + 4)
    } else if (dots === 0) {
      if (count === nameStart.length) throw fail(at, `more than ${count} records`)
      nameStart[count] = start
      nameEnd[count] = stop
      type[count] = bytes[at + TYPE_AT]!
      inodeLow[count] = u32(bytes, at)
      inodeHigh[count] = u32(bytes, at + 4)
      count++
    }
    at = end
  }
  columns.count = count
}

/** 1 for `.`, 2 for `..`, 0 for a name. */
function dotsOf(bytes: Uint8Array, start: number, stop: number): 0 | 1 | 2 {
  if (bytes[start] !== 0x2e) return 0
  if (stop === start + 1) return 1
  return stop === start + 2 && bytes[start + 1] === 0x2e ? 2 : 0
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
