import { constants, readlinkSync } from 'node:fs'
import { Errno } from './errno.js'
import { MalformedKernelDataError, SystemCallError } from './errors.js'
import { checked, cPath, libc } from './libc.js'

/** Bits of masks and events (fanotify_mark(2)). */
export const Fanotify = {
  modify: 0x2,
  attrib: 0x4,
  closeWrite: 0x8,
  movedFrom: 0x40,
  movedTo: 0x80,
  create: 0x100,
  delete: 0x200,
  deleteSelf: 0x400,
  moveSelf: 0x800,
  overflow: 0x4000,
  fileSystemError: 0x8000,
  /** In a mask: also events of the entries of a marked directory. */
  onChild: 0x08000000,
  rename: 0x10000000,
  /** In a mask: also events of directories. In an event: it is about a directory. */
  onDirectory: 0x40000000,
} as const

const FAN_CLOEXEC = 0x1
const FAN_NONBLOCK = 0x2
const FAN_UNLIMITED_QUEUE = 0x10
const FAN_UNLIMITED_MARKS = 0x20
const FAN_REPORT_FID = 0x200
const FAN_REPORT_DIR_FID = 0x400
const FAN_REPORT_NAME = 0x800
const O_LARGEFILE = 0o100000

const FAN_MARK_ADD = 0x1
const FAN_MARK_REMOVE = 0x2
const FAN_MARK_DONT_FOLLOW = 0x4
const FAN_MARK_ONLYDIR = 0x8
const FAN_MARK_FILESYSTEM = 0x100
const FAN_ACCESS = 0x1
const AT_FDCWD = -100

export interface FanotifyOptions {
  /** Neither queue nor marks have a limit. Needs CAP_SYS_ADMIN, as do marks of whole file systems. */
  readonly unlimited: boolean
  /** The descriptor closes when another program is started. Off for a group that is handed to a child. Default: on. */
  readonly closeOnExec?: boolean
}

/**
 * A new notification group that names directories and nodes by handle and entries by name: a non-blocking descriptor, to be
 * closed with closeSync. The group and its queue last as long as any process holds it. Throws SystemCallError (EPERM
 * without the privilege, EMFILE: too many groups of this user).
 */
export function fanotifyInit(options: FanotifyOptions): number {
  const flags =
    FAN_NONBLOCK |
    FAN_REPORT_FID |
    FAN_REPORT_DIR_FID |
    FAN_REPORT_NAME |
    (options.closeOnExec === false ? 0 : FAN_CLOEXEC) |
    (options.unlimited ? FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS : 0)
  return checked('fanotify_init', libc().fanotify_init(flags, constants.O_RDONLY | O_LARGEFILE))
}

/** Marks the whole file system that `path` lies in. Throws SystemCallError (EOPNOTSUPP, ENODEV: overlay and FUSE cannot; EPERM). */
export function fanotifyMarkFileSystem(fd: number, path: string | Uint8Array, mask: number): void {
  mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, path)
}

/** Takes the mark of the file system that `path` lies in away. */
export function fanotifyUnmarkFileSystem(fd: number, path: string | Uint8Array, mask: number): void {
  mark(fd, FAN_MARK_REMOVE | FAN_MARK_FILESYSTEM, mask, path)
}

/** Whether the file system that `path` lies in is marked in this group. Throws SystemCallError. */
export function isFanotifyMarked(fd: number, path: string | Uint8Array): boolean {
  try {
    // Takes away what no mark of ours holds, so nothing changes; without a mark it is refused.
    mark(fd, FAN_MARK_REMOVE | FAN_MARK_FILESYSTEM, FAN_ACCESS, path)
    return true
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === Errno.ENOENT) return false
    throw error
  }
}

/** Marks one directory (include `onChild` in the mask for its entries); works without privileges. Throws SystemCallError. */
export function fanotifyMarkDirectory(fd: number, path: string | Uint8Array, mask: number): void {
  mark(fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR | FAN_MARK_DONT_FOLLOW, mask, path)
}

/** Takes the mark of one directory away. */
export function fanotifyUnmarkDirectory(fd: number, path: string | Uint8Array, mask: number): void {
  mark(fd, FAN_MARK_REMOVE | FAN_MARK_ONLYDIR | FAN_MARK_DONT_FOLLOW, mask, path)
}

function mark(fd: number, flags: number, mask: number, path: string | Uint8Array): void {
  checked('fanotify_mark', libc().fanotify_mark(fd, flags, mask, AT_FDCWD, cPath(path)), Buffer.from(path).toString())
}

/** What the kernel calls a node of a file system by; outlives renames, ends with the node. */
export interface FileHandle {
  /** As in FileSystemInfo. */
  readonly fsid: string
  readonly type: number
  readonly bytes: Uint8Array
  /** The same for handles of the same node: for maps. */
  readonly key: string
}

/** A name in a directory; `.` where the event is about the directory itself. */
export interface NamedHandle {
  readonly directory: FileHandle
  readonly name: Uint8Array
}

export interface FanotifyEvent {
  readonly mask: number
  /** Process that caused it; 0 if unknown, and for an overflow. */
  readonly pid: number
  /** Of every event but renames and overflows. */
  readonly entry?: NamedHandle
  /** The node that was written or changed, whatever its names are: of events that are not about names. */
  readonly node?: FileHandle
  /** Of a rename; one of them is missing if that directory is not marked. */
  readonly from?: NamedHandle
  readonly to?: NamedHandle
}

const METADATA_BYTES = 24
const METADATA_VERSION = 3
const INFO_FID = 1
const INFO_DFID_NAME = 2
const INFO_DFID = 3
const INFO_OLD_DFID_NAME = 10
const INFO_NEW_DFID_NAME = 12
/** Header (4), fsid (8), size (4) and type (4) of the handle. */
const INFO_FIXED_BYTES = 20
/** MAX_HANDLE_SZ of the kernel. */
const MAX_HANDLE_BYTES = 128

/**
 * Events of one read, as in fanotify(7), little-endian. Copies all it keeps. Throws MalformedKernelDataError.
 *
 *   metadata: event_len (4), version (1), reserved (1), metadata_len (2), mask (8), fd (4), pid (4)
 *   then records: type (1), pad (1), len (2); of a named handle: fsid (8), handle_bytes (4), handle_type (4, signed),
 *   the handle, and (not for types 1 and 3) a name ended by NUL
 */
export function parseFanotifyEvents(bytes: Uint8Array): FanotifyEvent[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const events: FanotifyEvent[] = []
  for (let at = 0; at < buffer.length; ) {
    if (at + METADATA_BYTES > buffer.length) throw malformed(at, 'metadata is cut off')
    const end = at + buffer.readUInt32LE(at)
    const recordsAt = at + buffer.readUInt16LE(at + 6)
    if (buffer[at + 4] !== METADATA_VERSION) throw malformed(at, `version ${buffer[at + 4]}`)
    if (recordsAt < at + METADATA_BYTES || recordsAt > end || end > buffer.length) throw malformed(at, 'wrong length')
    const event: { -readonly [K in keyof FanotifyEvent]: FanotifyEvent[K] } = {
      // The upper half of the mask is not used by any event.
      mask: buffer.readUInt32LE(at + 8),
      pid: buffer.readInt32LE(at + 20),
    }
    for (let record = recordsAt; record < end; ) {
      if (record + 4 > end) throw malformed(record, 'record is cut off')
      const stop = record + buffer.readUInt16LE(record + 2)
      if (stop < record + 4 || stop > end) throw malformed(record, 'record has a wrong length')
      const type = buffer[record]!
      if (type === INFO_DFID_NAME || type === INFO_DFID) event.entry = parseNamedHandle(buffer, record, stop)
      else if (type === INFO_FID) event.node = parseNamedHandle(buffer, record, stop).directory
      else if (type === INFO_OLD_DFID_NAME) event.from = parseNamedHandle(buffer, record, stop)
      else if (type === INFO_NEW_DFID_NAME) event.to = parseNamedHandle(buffer, record, stop)
      record = stop
    }
    events.push(event)
    at = end
  }
  return events
}

/** Bytes of the whole events at the beginning of bytes that are followed by zeros: what a read left that nobody saw end. */
export function wholeFanotifyEvents(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at + METADATA_BYTES <= bytes.length) {
    const length = view.getUint32(at, true)
    if (length < METADATA_BYTES || at + length > bytes.length || bytes[at + 4] !== METADATA_VERSION) break
    at += length
  }
  return at
}

function parseNamedHandle(buffer: Buffer, at: number, stop: number): NamedHandle {
  if (at + INFO_FIXED_BYTES > stop) throw malformed(at, 'handle is cut off')
  const handleAt = at + INFO_FIXED_BYTES
  const nameAt = handleAt + buffer.readUInt32LE(at + 12)
  if (nameAt > stop || nameAt - handleAt > MAX_HANDLE_BYTES) throw malformed(at, 'handle has a wrong length')
  const directory = fileHandle(
    buffer.toString('hex', at + 4, at + 12),
    buffer.readInt32LE(at + 16),
    buffer.subarray(handleAt, nameAt),
  )
  const nul = buffer.indexOf(0, nameAt)
  const name = buffer.subarray(nameAt, nul === -1 || nul > stop ? stop : nul)
  return { directory, name: name.length === 0 ? new Uint8Array([0x2e]) : new Uint8Array(name) }
}

function malformed(at: number, detail: string): MalformedKernelDataError {
  return new MalformedKernelDataError('fanotify event', at, detail)
}

function fileHandle(fsid: string, type: number, bytes: Uint8Array): FileHandle {
  const copy = new Uint8Array(bytes)
  return { fsid, type, bytes: copy, key: `${fsid}:${type}:${Buffer.from(copy).toString('hex')}` }
}

const AT_EMPTY_PATH = 0x1000
const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const HANDLE_HEADER_BYTES = 8

/**
 * The handle of the node that a descriptor is open on; `fsid` is that of its file system (fileSystemInfo). Throws
 * SystemCallError (EOPNOTSUPP where the file system has none).
 */
export function handleOf(fd: number, fsid: string): FileHandle {
  const struct = Buffer.alloc(HANDLE_HEADER_BYTES + MAX_HANDLE_BYTES)
  struct.writeUInt32LE(MAX_HANDLE_BYTES, 0)
  const empty = new Uint8Array(1)
  checked('name_to_handle_at', libc().name_to_handle_at(fd, empty, struct, new Uint8Array(4), AT_EMPTY_PATH))
  const length = Math.min(struct.readUInt32LE(0), MAX_HANDLE_BYTES)
  return fileHandle(fsid, struct.readInt32LE(4), struct.subarray(HANDLE_HEADER_BYTES, HANDLE_HEADER_BYTES + length))
}

/**
 * Opens the node of a handle; `mountFd` is any open descriptor in its file system (not opened with O_PATH). The
 * result can be examined and, for a directory, be looked up in, but not read. Throws SystemCallError: ESTALE if the
 * node is gone, EPERM without CAP_DAC_READ_SEARCH. Cost 3 to 7 µs.
 */
export function openByHandle(mountFd: number, handle: FileHandle): number {
  const struct = Buffer.alloc(HANDLE_HEADER_BYTES + handle.bytes.length)
  struct.writeUInt32LE(handle.bytes.length, 0)
  struct.writeInt32LE(handle.type, 4)
  struct.set(handle.bytes, HANDLE_HEADER_BYTES)
  return checked('open_by_handle_at', libc().open_by_handle_at(mountFd, struct, O_PATH | O_CLOEXEC))
}

const DELETED = Buffer.from(' (deleted)')

/**
 * Absolute path of what a descriptor is open on, now; null if it has been removed. (A name that itself ends in
 * ` (deleted)` looks removed: its caller lists the directory again, which is always right.)
 */
export function pathOfDescriptor(fd: number): Uint8Array | null {
  const path = readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' })
  if (path.length >= DELETED.length && path.subarray(-DELETED.length).equals(DELETED)) return null
  return path[0] === 0x2f ? new Uint8Array(path) : null
}
