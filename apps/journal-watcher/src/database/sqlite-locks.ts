import { isRangeLocked, tryLockRange, unlockRange } from '@hotpath/platform'

/** Bytes that stand for locks in a database (sqlite.org, "File Locking And Concurrency"): nothing is ever written there. */
const PENDING = 0x4000_0000
const RESERVED = PENDING + 1
const SHARED = PENDING + 2
const SHARED_BYTES = 510

/** Takes SQLite's SHARED lock for `fd`, or says that a writer has or wants the database for itself. Does not wait. */
export function tryShare(fd: number): boolean {
  if (!tryLockRange(fd, PENDING, 1)) return false
  try {
    return tryLockRange(fd, SHARED, SHARED_BYTES)
  } finally {
    unlockRange(fd, PENDING, 1)
  }
}

export function unshare(fd: number): void {
  unlockRange(fd, SHARED, SHARED_BYTES)
}

/** Whether somebody is writing, or about to. */
export function isBeingWritten(fd: number): boolean {
  return isRangeLocked(fd, PENDING, 2 + SHARED_BYTES)
}

/** Whether somebody has said that he will write. */
export function isReserved(fd: number): boolean {
  return isRangeLocked(fd, RESERVED, 1)
}
