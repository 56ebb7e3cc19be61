import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { platform } from 'node:os'
import { BusyError } from '@hotpath/model'
import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { errno, libc } from './libc.js'
import { lockExclusively } from './windows/exclusive-range.js'

const LOCK_EX = 2
const LOCK_NB = 4
const RELEASED_MEANWHILE_ATTEMPTS = 10

export interface FileLock {
  readonly path: string
  /** Gives the lock up and leaves an empty file. Safe to call again. */
  release(): void
}

/**
 * Takes the one exclusive lock of a path, or throws BusyError at once if another process (or another caller in this
 * one) has it. The file (made with mode 0600) holds the owner's process id for people to read. The kernel frees the
 * lock when its process ends, however it ends, so a file that is left over blocks nobody. On a disk that takes nothing
 * (it is full, or read-only) the file that is left over is locked as it is.
 *
 * Throws NativeUnavailableError, SystemCallError or WindowsCallError (a file system without locks), or the error of node:fs.
 */
export function acquireLock(path: string): FileLock {
  for (let attempt = 0; attempt < RELEASED_MEANWHILE_ATTEMPTS; attempt++) {
    const fd = openLockFile(path)
    let kept = false
    try {
      if (!tryLock(fd, path)) throw new BusyError(describeHolder(path))
      // Somebody may have removed the file after it was opened: then the lock that counts is that of the new file.
      if (!isSameFile(fd, path)) continue
      noteOwner(fd, `${process.pid}\n`)
      kept = true
      return new HeldLock(path, fd)
    } finally {
      if (!kept) closeSync(fd)
    }
  }
  throw new BusyError(JSON.stringify(path))
}

/** False if somebody else has it. */
function tryLock(fd: number, path: string): boolean {
  if (platform() === 'win32') return lockExclusively(fd, path)
  if (libc().flock(fd, LOCK_EX | LOCK_NB) !== -1) return true
  const reason = errno()
  if (reason === Errno.EWOULDBLOCK) return false
  throw new SystemCallError('flock', reason, path)
}

class HeldLock implements FileLock {
  #fd: number | undefined
  constructor(
    readonly path: string,
    fd: number,
  ) {
    this.#fd = fd
  }

  release(): void {
    if (this.#fd === undefined) return
    const fd = this.#fd
    this.#fd = undefined
    // The file stays: unlinking it would let two processes hold "the" lock on two files of one name.
    noteOwner(fd, '')
    closeSync(fd)
  }
}

function openLockFile(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EROFS')) throw error
    return openSync(path, constants.O_RDONLY)
  }
}

/** For people only: the lock is the kernel's, and holds where nothing can be written. */
function noteOwner(fd: number, text: string): void {
  try {
    ftruncateSync(fd, 0)
    writeSync(fd, text, 0)
  } catch (error) {
    // EINVAL: the descriptor is one for reading.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EINVAL') throw error
  }
}

function describeHolder(path: string): string {
  const pid = readFileSync(path, 'latin1').trim()
  return /^\d{1,10}$/.test(pid) ? `${JSON.stringify(path)} (process ${pid})` : JSON.stringify(path)
}

function isSameFile(fd: number, path: string): boolean {
  const opened = fstatSync(fd, { bigint: true })
  const named = statSync(path, { bigint: true, throwIfNoEntry: false })
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev
}
