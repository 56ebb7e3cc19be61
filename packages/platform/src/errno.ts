import { constants } from 'node:os'

const NAMES = new Map<number, string>(Object.entries(constants.errno).map(([name, value]) => [value, name]))

/** Numbers of the errors that callers of this package tell apart. */
export const Errno = {
  EPERM: constants.errno.EPERM,
  ENOENT: constants.errno.ENOENT,
  EINTR: constants.errno.EINTR,
  EAGAIN: constants.errno.EAGAIN,
  EACCES: constants.errno.EACCES,
  EEXIST: constants.errno.EEXIST,
  ENOTDIR: constants.errno.ENOTDIR,
  EINVAL: constants.errno.EINVAL,
  ENOSPC: constants.errno.ENOSPC,
  ERANGE: constants.errno.ERANGE,
  ENODATA: constants.errno.ENODATA,
  ELOOP: constants.errno.ELOOP,
  ENAMETOOLONG: constants.errno.ENAMETOOLONG,
  EOPNOTSUPP: constants.errno.EOPNOTSUPP,
  ESTALE: constants.errno.ESTALE,
  ENODEV: constants.errno.ENODEV,
  EMFILE: constants.errno.EMFILE,
  ENFILE: constants.errno.ENFILE,
  EWOULDBLOCK: constants.errno.EWOULDBLOCK,
  EOVERFLOW: constants.errno.EOVERFLOW,
} as const

/** `ENOENT` for 2; `errno 999` for a number without a name here. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`
}
