import { MalformedKernelDataError } from './errors.js'
import { checked, cPath, libc } from './libc.js'

const IN_CLOEXEC = 0o2000000
const IN_NONBLOCK = 0o4000

/** Bits of masks and events (inotify(7)). */
export const Inotify = {
  modify: 0x2,
  attrib: 0x4,
  closeWrite: 0x8,
  movedFrom: 0x40,
  movedTo: 0x80,
  create: 0x100,
  delete: 0x200,
  deleteSelf: 0x400,
  moveSelf: 0x800,
  unmount: 0x2000,
  overflow: 0x4000,
  /** The watch is gone, by request or with its directory. */
  ignored: 0x8000,
  onlyDirectory: 0x01000000,
  doNotFollow: 0x02000000,
  excludeUnlinked: 0x04000000,
  isDirectory: 0x40000000,
} as const

/** A new queue: a non-blocking descriptor, to be closed with closeSync. Throws SystemCallError (EMFILE: too many of this user). */
export function inotifyInit(): number {
  return checked('inotify_init1', libc().inotify_init1(IN_CLOEXEC | IN_NONBLOCK))
}

/** Watches a directory; returns the number its events carry. Throws SystemCallError (ENOSPC: too many watches of this user). */
export function inotifyAdd(fd: number, path: string | Uint8Array, mask: number): number {
  return checked('inotify_add_watch', libc().inotify_add_watch(fd, cPath(path), mask))
}

/** Ends a watch; an `ignored` event follows. Throws SystemCallError (EINVAL: it has ended already). */
export function inotifyRemove(fd: number, watch: number): void {
  checked('inotify_rm_watch', libc().inotify_rm_watch(fd, watch))
}

export interface InotifyEvent {
  /** -1 for an overflow. */
  readonly watch: number
  readonly mask: number
  /** Joins the two halves of a rename; 0 for others. */
  readonly cookie: number
  /** Empty if the event is about the watched directory itself. */
  readonly name: Uint8Array
}

const HEADER_BYTES = 16

/**
 * Events of one read, as in inotify(7): watch (4 bytes, signed), mask (4), cookie (4), length (4), then a name of
 * `length` bytes, padded with NUL. Names are copies. Throws MalformedKernelDataError.
 */
export function parseInotifyEvents(bytes: Uint8Array): InotifyEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const events: InotifyEvent[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) throw new MalformedKernelDataError('inotify event', at, 'header is cut off')
    const end = at + HEADER_BYTES + view.getUint32(at + 12, true)
    if (end > bytes.length) throw new MalformedKernelDataError('inotify event', at, 'name is cut off')
    const nul = bytes.indexOf(0, at + HEADER_BYTES)
    events.push({
      watch: view.getInt32(at, true),
      mask: view.getUint32(at + 4, true),
      cookie: view.getUint32(at + 8, true),
      name: bytes.slice(at + HEADER_BYTES, nul === -1 || nul > end ? end : nul),
    })
    at = end
  }
  return events
}
