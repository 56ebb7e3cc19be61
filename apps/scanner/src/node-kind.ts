import { Kind } from '@hotpath/model'
import { DirentType, Errno, FileType } from '@hotpath/platform'

/** Kind of a node by the mode that statx gives. */
export function kindOfMode(mode: number): Kind {
  const type = mode & FileType.mask
  if (type === FileType.file) return Kind.file
  if (type === FileType.directory) return Kind.directory
  return type === FileType.symlink ? Kind.symlink : Kind.other
}

/** Kind of an entry by its DirentType. */
export function kindOfType(type: number): Kind {
  if (type === DirentType.file) return Kind.file
  if (type === DirentType.directory) return Kind.directory
  return type === DirentType.symlink ? Kind.symlink : Kind.other
}

/** Gone, or something else by now: not an error, only a change. */
export function hasVanished(errno: number): boolean {
  return errno === Errno.ENOENT || errno === Errno.ENOTDIR || errno === Errno.ELOOP || errno === Errno.ESTALE
}
