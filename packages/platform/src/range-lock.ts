import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { errno, libc } from './libc.js'

/** Locks that belong to an open file and not to a process (fcntl(2), "Open file description locks"). */
const F_OFD_GETLK = 36
const F_OFD_SETLK = 37
const F_RDLCK = 0
const F_UNLCK = 2
/** l_type (2), l_whence (2), 4 of nothing, l_start (8), l_len (8), l_pid (4), 4 of nothing; SEEK_SET is 0. */
const FLOCK_BYTES = 32

/**
 * Takes a shared lock of some bytes of a file, if nobody has an exclusive one; does not wait. It conflicts with classic (POSIX) locks of
 * other processes, but unlike those it goes when this descriptor is closed, and only then. The descriptor may be one for reading.
 */
export function tryLockRange(fd: number, start: number, length: number): boolean {
  if (libc().fcntl(fd, F_OFD_SETLK, flock(F_RDLCK, start, length)) !== -1) return true
  const reason = errno()
  if (reason === Errno.EAGAIN || reason === Errno.EACCES) return false
  throw new SystemCallError('fcntl', reason, 'F_OFD_SETLK')
}

export function unlockRange(fd: number, start: number, length: number): void {
  if (libc().fcntl(fd, F_OFD_SETLK, flock(F_UNLCK, start, length)) === -1)
    throw new SystemCallError('fcntl', errno(), 'F_OFD_SETLK')
}

/** Whether anybody else has an exclusive lock of any of these bytes. Takes none. */
export function isRangeLocked(fd: number, start: number, length: number): boolean {
  const lock = flock(F_RDLCK, start, length)
  if (libc().fcntl(fd, F_OFD_GETLK, lock) === -1) throw new SystemCallError('fcntl', errno(), 'F_OFD_GETLK')
  return lock[0] !== F_UNLCK
}

function flock(type: number, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(FLOCK_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, type, true)
  view.setBigInt64(8, BigInt(start), true)
  view.setBigInt64(16, BigInt(length), true)
  return bytes
}
