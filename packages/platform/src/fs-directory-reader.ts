import { Buffer } from 'node:buffer'
import {
  type BigIntStats,
  closeSync,
  constants,
  type Dir,
  type Dirent,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
} from 'node:fs'
import type { TimeColumn } from '@hotpath/model'
import { ACL_NOT_READ } from './access-list.js'
import { createDirectoryEntryColumns, type DirectoryEntryColumns, DirentType } from './directory-entries.js'
import type { DirectoryReader } from './directory-reader.js'
import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { createStatColumns, deviceNumber, NOT_ASKED, type StatColumns } from './stat-columns.js'

/** As many as the native reader has in one go, so that callers meet the same sizes. */
const CHUNK_ROWS = 8192
const CHUNK_NAME_BYTES = CHUNK_ROWS * 256

/**
 * DirectoryReader over node:fs, for where native calls are not possible. Differences: no path of more than 4,095
 * bytes, reading a directory sets its access time, `mountRoot` is always 0, and a directory on the way to the open one
 * that is swapped for a symlink at just that moment is followed.
 */
export class FsDirectoryReader implements DirectoryReader {
  readonly entries: DirectoryEntryColumns
  readonly stats = createStatColumns(CHUNK_ROWS)
  readonly node = createStatColumns(1)
  readonly #root: Buffer
  #path: Buffer | undefined
  #dir: Dir | undefined

  constructor(root: Uint8Array) {
    this.entries = createDirectoryEntryColumns(new Uint8Array(CHUNK_NAME_BYTES), CHUNK_ROWS)
    this.#root = Buffer.from(root)
    this.open(new Uint8Array(0))
    this.closeDirectory()
  }

  open(path: Uint8Array): void {
    this.closeDirectory()
    const full = path.length === 0 ? this.#root : join(this.#root, path)
    call('opendir', () => {
      // The root may be named by a symlink; below it none is followed.
      const stats = lstatSync(path.length === 0 ? Buffer.concat([full, Buffer.from('/')]) : full, { bigint: true })
      if (!stats.isDirectory()) throw new SystemCallError('opendir', Errno.ENOTDIR)
      // The types say string; opendir takes a Buffer, and gives names as Buffers with this encoding.
      this.#dir = opendirSync(full as never, { encoding: 'buffer' as never, bufferSize: 1024 })
    })
    this.#path = full
  }

  statSelf(): number {
    return this.#statInto(DOT, this.node, 0)
  }

  next(): number {
    const { entries } = this
    let count = 0
    let at = 0
    while (count < CHUNK_ROWS) {
      const dirent = call('readdir', () => this.#opened().readSync()) as Dirent<Buffer> | Dirent | null
      if (dirent === null) break
      const name = Buffer.from(dirent.name)
      entries.bytes.set(name, at)
      entries.bytes[at + name.length] = 0
      entries.nameStart[count] = at
      entries.nameEnd[count] = at + name.length
      entries.type[count] = direntType(dirent)
      entries.inodeLow[count] = 0
      entries.inodeHigh[count] = 0
      at += name.length + 1
      count++
    }
    entries.count = count
    entries.selfLow = 0
    entries.selfHigh = 0
    return count
  }

  stat(skip?: Uint8Array): void {
    const { entries, stats } = this
    for (let row = 0; row < entries.count; row++) {
      if (skip !== undefined && skip[row] === 1) stats.error[row] = NOT_ASKED
      else this.#statInto(entries.bytes.subarray(entries.nameStart[row]!, entries.nameEnd[row]!), stats, row)
    }
  }

  statName(name: Uint8Array): number {
    return this.#statInto(name, this.node, 0)
  }

  statDescriptor(fd: number): number {
    return fill(this.node, 0, () => fstatSync(fd, { bigint: true }))
  }

  readFile(name: string, limitBytes: number): Uint8Array | null {
    const path = join(this.#openPath(), Buffer.from(name))
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    let fd: number
    try {
      fd = openSync(path, flags)
    } catch (error) {
      const converted = systemCallError('open', error)
      if (converted.errno === Errno.ENOENT || converted.errno === Errno.ELOOP) return null
      throw converted
    }
    try {
      const stats = fstatSync(fd)
      if (!stats.isFile()) return null
      const bytes = new Uint8Array(Math.min(limitBytes, stats.size))
      let filled = 0
      while (filled < bytes.length) {
        const got = call('read', () => readSync(fd, bytes, filled, bytes.length - filled, filled))
        if (got === 0) break
        filled += got
      }
      return bytes.subarray(0, filled)
    } finally {
      closeSync(fd)
    }
  }

  closeDirectory(): void {
    this.#dir?.closeSync()
    this.#dir = undefined
    this.#path = undefined
  }

  close(): void {
    this.closeDirectory()
  }

  #opened(): Dir {
    if (this.#dir === undefined) throw new SystemCallError('readdir', Errno.EINVAL, 'no directory is open')
    return this.#dir
  }

  #openPath(): Buffer {
    if (this.#path === undefined) throw new SystemCallError('openat', Errno.EINVAL, 'no directory is open')
    return this.#path
  }

  #statInto(name: Uint8Array, columns: StatColumns, row: number): number {
    return fill(columns, row, () => lstatSync(join(this.#openPath(), name), { bigint: true }))
  }
}

/** Fills a row, or its error; returns 0 or the errno. */
function fill(columns: StatColumns, row: number, stat: () => BigIntStats): number {
  try {
    fillRow(columns, row, stat())
    return 0
  } catch (error) {
    const { errno } = systemCallError('stat', error)
    columns.error[row] = errno
    return errno
  }
}

const DOT = Buffer.from('.')
const SLASH = Buffer.from('/')

function join(directory: Buffer, name: Uint8Array): Buffer {
  return directory.length > 0 && directory[directory.length - 1] === 0x2f
    ? Buffer.concat([directory, name])
    : Buffer.concat([directory, SLASH, name])
}

function direntType(dirent: Dirent | Dirent<Buffer>): number {
  if (dirent.isFile()) return DirentType.file
  if (dirent.isDirectory()) return DirentType.directory
  if (dirent.isSymbolicLink()) return DirentType.symlink
  if (dirent.isFIFO()) return DirentType.fifo
  if (dirent.isSocket()) return DirentType.socket
  if (dirent.isBlockDevice()) return DirentType.blockDevice
  if (dirent.isCharacterDevice()) return DirentType.characterDevice
  return DirentType.unknown
}

function fillRow(columns: StatColumns, row: number, stats: BigIntStats): void {
  columns.error[row] = 0
  columns.mode[row] = Number(stats.mode & 0xffffn)
  columns.links[row] = Number(stats.nlink)
  columns.user[row] = Number(stats.uid)
  columns.group[row] = Number(stats.gid)
  // Node reads no extended attributes.
  columns.acl[row] = ACL_NOT_READ
  columns.inodeLow[row] = Number(stats.ino & 0xffffffffn)
  columns.inodeHigh[row] = Number((stats.ino >> 32n) & 0xffffffffn)
  columns.device[row] = deviceOf(stats.dev)
  columns.mountRoot[row] = 0
  columns.size[row] = Number(stats.size)
  fillTime(columns.modified, row, stats.mtimeNs)
  fillTime(columns.changed, row, stats.ctimeNs)
  // node:fs gives 0 where the file system keeps no birth times.
  fillTime(columns.created, row, stats.birthtimeNs === 0n ? null : stats.birthtimeNs)
}

function fillTime(column: TimeColumn, row: number, nanoseconds: bigint | null): void {
  if (nanoseconds === null) {
    column.seconds[row] = Number.NaN
    column.ticks[row] = 0
    return
  }
  const within = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  column.seconds[row] = Number((nanoseconds - within) / 1_000_000_000n)
  column.ticks[row] = Number(within / 100n)
}

/** The C library spreads a device number over 64 bits (sys/sysmacros.h). */
function deviceOf(device: bigint): number {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n)
  return deviceNumber(Number(major), Number(minor))
}

/** Runs `work`; errors of node:fs come out as SystemCallError. */
function call<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw systemCallError(name, error)
  }
}

function systemCallError(name: string, error: unknown): SystemCallError {
  if (error instanceof SystemCallError) return error
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number')
    return new SystemCallError(name, Math.abs(error.errno))
  throw error
}
