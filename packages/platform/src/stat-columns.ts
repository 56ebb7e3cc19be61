import type { TimeColumn } from '@hotpath/model'

/** `error` of a row that was not asked for. */
export const NOT_ASKED = 0xffff

/** File type bits of `mode` (they are the same everywhere). */
export const FileType = {
  mask: 0o170000,
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
} as const

/** What statx(2) tells of nodes, one row each. A row holds only if its `error` is 0. */
export interface StatColumns {
  /** 0, the errno of the failed call, or NOT_ASKED. */
  readonly error: Uint16Array
  readonly mode: Uint16Array
  readonly links: Uint32Array
  readonly user: Uint32Array
  readonly group: Uint32Array
  /** Of directories, for readers that were told to ask: a digest of the access list (`digestOfAcl`), 0 without one. */
  readonly acl: Uint32Array
  readonly inodeLow: Uint32Array
  readonly inodeHigh: Uint32Array
  /** See `deviceNumber`. */
  readonly device: Uint32Array
  /** 1: the root of a mounted file system or of a bind mount (0 also where the kernel is older than 5.8). */
  readonly mountRoot: Uint8Array
  readonly size: Float64Array
  readonly modified: TimeColumn
  /** Change of the inode. */
  readonly changed: TimeColumn
  /** Birth. */
  readonly created: TimeColumn
}

/** Columns of `capacity` rows, each NOT_ASKED. */
export function createStatColumns(capacity: number): StatColumns {
  const time = () => ({ seconds: new Float64Array(capacity), ticks: new Uint32Array(capacity) })
  return {
    error: new Uint16Array(capacity).fill(NOT_ASKED),
    mode: new Uint16Array(capacity),
    links: new Uint32Array(capacity),
    user: new Uint32Array(capacity),
    group: new Uint32Array(capacity),
    acl: new Uint32Array(capacity),
    inodeLow: new Uint32Array(capacity),
    inodeHigh: new Uint32Array(capacity),
    device: new Uint32Array(capacity),
    mountRoot: new Uint8Array(capacity),
    size: new Float64Array(capacity),
    modified: time(),
    changed: time(),
    created: time(),
  }
}

/** A device as the kernel keeps it: 12 bits of major above 20 bits of minor number. */
export function deviceNumber(major: number, minor: number): number {
  return ((major << 20) | (minor & 0xfffff)) >>> 0
}

/** `st_dev` or `st_rdev` of node:fs as StatColumns has it. The kernel keeps no more than 32 bits of it. */
export function deviceOfStats(dev: number): number {
  return deviceNumber((dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00))
}

/**
 * `struct statx` (linux/stat.h), little-endian, 256 bytes:
 *
 *   offset  size  field                offset  size  field
 *        0     4  stx_mask                 40     8  stx_size
 *        8     8  stx_attributes           64    16  stx_atime  (8 seconds, 4 nanoseconds, 4 unused)
 *       16     4  stx_nlink                80    16  stx_btime
 *       20     4  stx_uid                  96    16  stx_ctime
 *       24     4  stx_gid
 *       28     2  stx_mode                112    16  stx_mtime
 *       32     8  stx_ino                 136     4  stx_dev_major
 *                                         140     4  stx_dev_minor
 */
export const STATX_BYTES = 256
export const STATX_TYPE = 0x001
const STATX_SIZE = 0x200
const STATX_MTIME = 0x040
const STATX_CTIME = 0x080
const STATX_BTIME = 0x800
/** What the columns need: type, mode, nlink, uid, gid, mtime, ctime, ino, size, btime. */
export const STATX_MASK =
  0x001 | 0x002 | 0x004 | 0x008 | 0x010 | STATX_MTIME | STATX_CTIME | 0x100 | STATX_SIZE | STATX_BTIME
const STATX_ATTR_MOUNT_ROOT = 0x2000

/** Writes one `struct statx` (64 words at the start of `words`) to a row; what the kernel did not know is NaN. */
export function decodeStatx(words: Uint32Array, columns: StatColumns, row: number): void {
  const mask = words[0]!
  columns.error[row] = 0
  columns.mode[row] = words[7]! & 0xffff
  columns.links[row] = words[4]!
  columns.user[row] = words[5]!
  columns.group[row] = words[6]!
  columns.acl[row] = 0
  columns.inodeLow[row] = words[8]!
  columns.inodeHigh[row] = words[9]!
  columns.device[row] = deviceNumber(words[34]!, words[35]!)
  columns.mountRoot[row] = (words[2]! & STATX_ATTR_MOUNT_ROOT) === 0 ? 0 : 1
  columns.size[row] = (mask & STATX_SIZE) === 0 ? Number.NaN : words[11]! * 2 ** 32 + words[10]!
  decodeTime(words, 28, (mask & STATX_MTIME) !== 0, columns.modified, row)
  decodeTime(words, 24, (mask & STATX_CTIME) !== 0, columns.changed, row)
  // Images made by tools have birth times of 0, which says as little as none.
  const isBorn = (mask & STATX_BTIME) !== 0 && (words[20]! | words[21]! | words[22]!) !== 0
  decodeTime(words, 20, isBorn, columns.created, row)
}

function decodeTime(words: Uint32Array, at: number, known: boolean, column: TimeColumn, row: number): void {
  if (known) {
    column.seconds[row] = (words[at + 1]! | 0) * 2 ** 32 + words[at]!
    // A nanosecond field beyond one second would break the promise of the column.
    column.ticks[row] = Math.min(9_999_999, Math.floor(words[at + 2]! / 100))
  } else {
    column.seconds[row] = Number.NaN
    column.ticks[row] = 0
  }
}
