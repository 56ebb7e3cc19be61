import { readFileSync, statSync } from 'node:fs'
import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { Fanotify, fanotifyMarkFileSystem } from './fanotify.js'
import { fileSystemInfo } from './file-system-info.js'
import { mountOf, readMounts } from './mount-table.js'
import { deviceOfStats } from './stat-columns.js'

/** Names that come and go, what is written, what changes besides. */
const COMMON = Fanotify.create | Fanotify.delete | Fanotify.modify | Fanotify.closeWrite | Fanotify.attrib
const WITH_RENAME = COMMON | Fanotify.rename | Fanotify.onDirectory
/** Kernels before 5.17 do not join the two halves of a rename. */
const WITHOUT_RENAME = COMMON | Fanotify.movedFrom | Fanotify.movedTo | Fanotify.onDirectory

/**
 * Marks the whole file system that `path` lies in for all that an index follows; returns the mask, for `fanotifyUnmarkFileSystem`.
 * Throws SystemCallError (EPERM without CAP_SYS_ADMIN; EOPNOTSUPP, ENODEV, EXDEV where it cannot be marked).
 */
export function fanotifyFollowFileSystem(fd: number, path: string | Uint8Array): number {
  try {
    fanotifyMarkFileSystem(fd, path, WITH_RENAME)
    return WITH_RENAME
  } catch (error) {
    if (!(error instanceof SystemCallError && error.errno === Errno.EINVAL)) throw error
  }
  fanotifyMarkFileSystem(fd, path, WITHOUT_RENAME)
  return WITHOUT_RENAME
}

/**
 * Whether a file system is marked so already, for who has no privilege to ask by marking it.
 *
 * @param path absolute, symlinks resolved
 */
export function isFanotifyFollowed(fd: number, path: Uint8Array): boolean {
  const device = deviceOfMarks(path)
  if (device === undefined) return false
  const mask = parseFanotifyMarks(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')).get(device) ?? 0
  return includes(mask, WITH_RENAME) || includes(mask, WITHOUT_RENAME)
}

/**
 * The device by which marks of a file system are listed. Undefined in a subvolume of btrfs, for which `statfs` tells another id than
 * events carry, which is that of the whole: the kernel refuses to mark it (EXDEV), but lists a mark that was made elsewhere.
 */
function deviceOfMarks(path: Uint8Array): number | undefined {
  const mount = mountOf(readMounts(), path)
  if (mount?.fileSystem !== 'btrfs') return deviceOfStats(statSync(Buffer.from(path)).dev)
  const isWhole = mount.root.length === 1
  const fsidAt = (place: Uint8Array) => fileSystemInfo(Buffer.from(place)).fsid
  return isWhole && fsidAt(path) === fsidAt(mount.mountPoint) ? mount.device : undefined
}

/**
 * Masks of the marked file systems by device (as in Mount), from the text of /proc/PID/fdinfo/FD: lines
 * `fanotify sdev:fe00000 mflags:0 mask:58000100 ignored_mask:0`, all hexadecimal. Other marks are left out.
 */
export function parseFanotifyMarks(text: string): Map<number, number> {
  const lines = text.matchAll(/^fanotify sdev:([0-9a-f]+) mflags:[0-9a-f]+ mask:([0-9a-f]+) /gm)
  return new Map(
    [...lines].map(([, device, mask]) => [Number.parseInt(device!, 16), Number.parseInt(mask!, 16)] as const),
  )
}

function includes(mask: number, wanted: number): boolean {
  return (mask & wanted) === wanted
}
