import { constants } from 'node:fs'
import { ACL_NOT_READ, digestOfAcl } from './access-list.js'
import {
  createDirectoryEntryColumns,
  type DirectoryEntryColumns,
  MAX_DIRENT_BYTES,
  MIN_DIRENT_BYTES,
  parseDirectoryEntries,
} from './directory-entries.js'
import type { DirectoryReader } from './directory-reader.js'
import { Errno } from './errno.js'
import { MalformedKernelDataError, SystemCallError } from './errors.js'
import { checked, errno, type Libc, libc } from './libc.js'
import { type Arena, createArena } from './memory.js'
import {
  createStatColumns,
  decodeStatx,
  FileType,
  NOT_ASKED,
  STATX_BYTES,
  STATX_MASK,
  type StatColumns,
} from './stat-columns.js'

/** Most directories come whole in one call; the columns of as many rows take 1.3 MB. */
const DIRENT_ARENA_BYTES = 256 * 1024

const O_CLOEXEC = 0o2000000
const O_PATH = 0o10000000
const { O_RDONLY, O_DIRECTORY, O_NOATIME, O_NOFOLLOW, O_NONBLOCK } = constants
const AT_FDCWD = -100
const AT_EMPTY_PATH = 0x1000
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_NO_AUTOMOUNT = 0x800
const STAT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT

/** The same number on every architecture. */
const SYS_OPENAT2 = 437
/** RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH: a directory swapped for a symlink leads nowhere else. */
const RESOLVE = 0x02 | 0x04 | 0x08
const EXDEV = 18
/** `struct open_how`: flags (8), mode (8), resolve (8). */
const OPEN_HOW_BYTES = 24
/**
 * Only a directory's owner (or root) may read it without setting its access time. Where one is somebody else's, its
 * neighbours are, too: so many are opened without asking, which saves a failed call for each.
 */
const FOREIGN_RUN = 32
const RENAME_RACE_ATTEMPTS = 8

/** The kernel takes paths of 4,095 bytes; longer ones are opened in pieces. */
const MAX_PATH_BYTES = 4095
const EMPTY = new Uint8Array(0)
const DOT = new Uint8Array([0x2e])

/** DirectoryReader over getdents64 and statx: about 2 µs per entry with metadata, 0.6 µs without (warm, ext4). */
export class NativeDirectoryReader implements DirectoryReader {
  readonly entries: DirectoryEntryColumns
  readonly stats: StatColumns
  readonly node = createStatColumns(1)
  readonly #file = createStatColumns(1)
  readonly #libc: Libc = libc()
  readonly #dirents: Arena = createArena(DIRENT_ARENA_BYTES)
  readonly #statx: Arena = createArena(STATX_BYTES)
  readonly #statxWords: Uint32Array
  readonly #name: Arena = createArena(MAX_PATH_BYTES + 1)
  readonly #how: Arena = createArena(OPEN_HOW_BYTES)
  readonly #acls: AclReads | undefined
  readonly #hasOpenat2: boolean
  /** Directories to open before O_NOATIME is tried again. */
  #foreign = 0
  readonly #rootPath: Uint8Array
  #root: number
  #fd = -1
  #atEnd = false

  constructor(root: Uint8Array, accessLists = false) {
    if (accessLists) this.#acls = new AclReads(this.#libc)
    const capacity = DIRENT_ARENA_BYTES / MIN_DIRENT_BYTES
    this.entries = createDirectoryEntryColumns(this.#dirents.bytes, capacity)
    this.stats = createStatColumns(capacity)
    this.#statxWords = new Uint32Array(this.#statx.buffer)
    this.#rootPath = root.slice()
    this.#root = this.#openRoot(root)
    this.#how.bytes[16] = RESOLVE
    this.#hasOpenat2 = this.#canOpenat2()
  }

  open(path: Uint8Array): void {
    this.closeDirectory()
    if (this.#root === -1) this.#root = this.#openRoot(this.#rootPath)
    let at = this.#root
    try {
      for (const piece of pieces(path)) {
        const last = piece.end === path.length
        const fd = this.#openBeneath(at, path.subarray(piece.start, piece.end), last)
        if (at !== this.#root) this.#libc.close(at)
        at = fd
      }
    } catch (error) {
      if (at !== this.#root) this.#libc.close(at)
      throw error
    }
    this.#fd = at
    this.#atEnd = false
  }

  statSelf(): number {
    return this.#statInto(this.#fd, this.#emptyName(), STAT_FLAGS | AT_EMPTY_PATH, this.node, 0)
  }

  next(): number {
    const { address } = this.#dirents
    let filled = 0
    // A record never straddles two calls: the kernel stops where the next one does not fit.
    while (!this.#atEnd && filled + MAX_DIRENT_BYTES <= DIRENT_ARENA_BYTES) {
      const got = this.#libc.getdents64(this.#fd, address + filled, DIRENT_ARENA_BYTES - filled)
      if (got === -1) {
        const reason = errno()
        // The rest does not fit after what is there already: it comes with the next call.
        if (reason === Errno.EINVAL && filled > 0) break
        if (reason === Errno.EINTR) continue
        throw new SystemCallError('getdents64', reason)
      }
      if (got === 0) {
        this.#atEnd = true
        break
      }
      if (got > DIRENT_ARENA_BYTES - filled) throw new MalformedKernelDataError('directory', filled, `${got} bytes`)
      filled += got
    }
    parseDirectoryEntries(this.entries, filled)
    return this.entries.count
  }

  stat(skip?: Uint8Array): void {
    const { count, nameStart } = this.entries
    const { address } = this.#dirents
    const { stats } = this
    const fd = this.#fd
    for (let row = 0; row < count; row++) {
      if (skip !== undefined && skip[row] === 1) stats.error[row] = NOT_ASKED
      else this.#statInto(fd, address + nameStart[row]!, STAT_FLAGS, stats, row)
    }
  }

  statName(name: Uint8Array): number {
    if (name.length === 0) return Errno.ENOENT
    if (name.length > MAX_PATH_BYTES) return Errno.ENAMETOOLONG
    return this.#statInto(this.#fd, this.#nameOf(name), STAT_FLAGS, this.node, 0)
  }

  statDescriptor(fd: number): number {
    return this.#statInto(fd, this.#emptyName(), STAT_FLAGS | AT_EMPTY_PATH, this.node, 0)
  }

  readFile(name: string, limitBytes: number): Uint8Array | null {
    // O_NONBLOCK: opening a FIFO of that name must not wait for a writer.
    const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    const fd = this.#libc.openat(this.#fd, this.#nameOf(Buffer.from(name)), flags, 0)
    if (fd === -1) {
      const reason = errno()
      if (reason === Errno.ENOENT || reason === Errno.ELOOP) return null
      throw new SystemCallError('openat', reason, name)
    }
    try {
      if (this.#statInto(fd, this.#emptyName(), STAT_FLAGS | AT_EMPTY_PATH, this.#file, 0) !== 0) return null
      if ((this.#file.mode[0]! & FileType.mask) !== FileType.file) return null
      const arena = createArena(Math.max(1, Math.min(limitBytes, this.#file.size[0]!)))
      let filled = 0
      while (filled < arena.bytes.length) {
        const got = checked('read', this.#libc.read(fd, arena.address + filled, arena.bytes.length - filled), name)
        if (got === 0) break
        filled += got
      }
      return arena.bytes.subarray(0, filled)
    } finally {
      this.#libc.close(fd)
    }
  }

  closeDirectory(): void {
    // The root's own descriptor is a path without a read position: `open` never makes it the open directory.
    if (this.#fd !== -1) this.#libc.close(this.#fd)
    this.#fd = -1
  }

  close(): void {
    this.closeDirectory()
    if (this.#root !== -1) this.#libc.close(this.#root)
    this.#root = -1
  }

  #openRoot(root: Uint8Array): number {
    let at = AT_FDCWD
    for (const piece of pieces(root)) {
      const name = this.#nameOf(root.subarray(piece.start, piece.end))
      const fd = this.#libc.openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0)
      const reason = fd === -1 ? errno() : 0
      if (at !== AT_FDCWD) this.#libc.close(at)
      if (fd === -1) throw new SystemCallError('openat', reason, Buffer.from(root).toString())
      at = fd
    }
    return at
  }

  /** The newer call protects the whole path, not only its end; kernels before 5.6 and some sandboxes do not have it. */
  #canOpenat2(): boolean {
    const fd = this.#openat2(this.#root, this.#nameOf(DOT), O_PATH | O_DIRECTORY | O_CLOEXEC)
    if (fd !== -1) this.#libc.close(fd)
    return fd !== -1
  }

  #openat2(at: number, name: number, flags: number): number {
    this.#how.view.setUint32(0, flags, true)
    return this.#libc.syscall(SYS_OPENAT2, at, name, this.#how.address, OPEN_HOW_BYTES)
  }

  #openBeneath(at: number, path: Uint8Array, readable: boolean): number {
    const name = this.#nameOf(path.length === 0 ? DOT : path)
    const flags = (readable ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    if (readable && this.#foreign === 0) {
      const fd = this.#tryOpen(at, name, flags | O_NOATIME)
      if (fd >= 0) return fd
      if (fd !== -Errno.EPERM) throw new SystemCallError('openat', -fd)
      this.#foreign = FOREIGN_RUN
    } else if (readable) this.#foreign--
    const fd = this.#tryOpen(at, name, flags)
    if (fd < 0) throw new SystemCallError('openat', -fd)
    return fd
  }

  /** A descriptor, or the errno as a negative number. */
  #tryOpen(at: number, name: number, flags: number): number {
    if (!this.#hasOpenat2) {
      const fd = this.#libc.openat(at, name, flags, 0)
      return fd === -1 ? -errno() : fd
    }
    for (let attempt = 1; ; attempt++) {
      const fd = this.#openat2(at, name, flags)
      if (fd !== -1) return fd
      const reason = errno()
      // EAGAIN: something on the way was renamed while the kernel was looking.
      if (reason === Errno.EAGAIN && attempt < RENAME_RACE_ATTEMPTS) continue
      return reason === EXDEV || reason === Errno.EAGAIN ? -Errno.ENOENT : -reason
    }
  }

  /** Address of a copy of the path, ended by NUL; valid until the next call. */
  #nameOf(path: Uint8Array): number {
    if (path.length > MAX_PATH_BYTES) throw new SystemCallError('openat', Errno.ENAMETOOLONG)
    if (path.includes(0)) throw new SystemCallError('openat', Errno.EINVAL, 'path contains NUL')
    this.#name.bytes.set(path)
    this.#name.bytes[path.length] = 0
    return this.#name.address
  }

  #emptyName(): number {
    return this.#nameOf(EMPTY)
  }

  #statInto(fd: number, nameAddress: number, flags: number, columns: StatColumns, row: number): number {
    if (this.#libc.statx(fd, nameAddress, flags, STATX_MASK, this.#statx.address) === -1) {
      const reason = errno()
      columns.error[row] = reason
      return reason
    }
    decodeStatx(this.#statxWords, columns, row)
    if (this.#acls !== undefined && (columns.mode[row]! & FileType.mask) === FileType.directory) {
      columns.acl[row] = this.#acls.digestOf(fd, nameAddress)
    }
    return 0
  }
}

/** No list of an ordinary file system is longer; one that is counts as not read. */
const ACL_BYTES = 8192
const ACL_NAME = Buffer.from('system.posix_acl_access\0')

/**
 * Access lists by descriptor and name. There is no call for that before Linux 6.13, so the directory is named by its link in
 * /proc. About 1.5 µs a directory (warm, ext4).
 */
class AclReads {
  readonly #path = createArena(64 + MAX_PATH_BYTES + 1)
  readonly #text = Buffer.from(this.#path.buffer)
  readonly #name = createArena(ACL_NAME.length)
  readonly #value = createArena(ACL_BYTES)

  constructor(private readonly libc: Libc) {
    this.#name.bytes.set(ACL_NAME)
  }

  /** @param nameAddress of a name in the directory that `fd` is open on; an empty one: that directory */
  digestOf(fd: number, nameAddress: number): number {
    const { bytes, address } = this.#path
    const start = this.#text.write(`/proc/self/fd/${fd}/`, 'latin1')
    // No view leads to where the name is: the C library copies it.
    this.libc.strncpy(address + start, nameAddress, bytes.length - start)
    if (bytes[bytes.length - 1] !== 0) return ACL_NOT_READ
    const length = this.libc.lgetxattr(address, this.#name.address, this.#value.address, ACL_BYTES)
    if (length >= 0) return digestOfAcl(this.#value.bytes.subarray(0, length))
    const reason = errno()
    return reason === Errno.ENODATA || reason === Errno.EOPNOTSUPP ? 0 : ACL_NOT_READ
  }
}

/** Ranges of `path` between separators, each of at most MAX_PATH_BYTES; one empty range for an empty path. */
function pieces(path: Uint8Array): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  let start = 0
  while (path.length - start > MAX_PATH_BYTES) {
    const end = path.lastIndexOf(0x2f, start + MAX_PATH_BYTES)
    if (end <= start) throw new SystemCallError('openat', Errno.ENAMETOOLONG)
    found.push({ start, end })
    start = end + 1
  }
  found.push({ start, end: path.length })
  return found
}
