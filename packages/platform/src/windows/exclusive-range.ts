import { handleOf } from './descriptor-handle.js'
import { WindowsCallError, WindowsCode } from './errors.js'
import { kernel32, lastError } from './kernel32.js'

const LOCKFILE_FAIL_IMMEDIATELY = 0x1
const LOCKFILE_EXCLUSIVE_LOCK = 0x2
/** struct OVERLAPPED: the offset is at byte 16, its upper half at byte 20. */
const OVERLAPPED_BYTES = 32
const OFFSET_HIGH = 20

/**
 * Locks one byte far beyond the end of a file, since locks of Windows keep others from reading what is locked. The lock ends with the
 * descriptor, and with the process. Throws WindowsCallError.
 * @returns false if somebody else has it
 */
export function lockExclusively(fd: number, path: string): boolean {
  const overlapped = new Uint8Array(OVERLAPPED_BYTES)
  new DataView(overlapped.buffer).setUint32(OFFSET_HIGH, 0x4000_0000, true)
  const flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY
  if (kernel32().LockFileEx(handleOf(fd), flags, 0, 1, 0, overlapped) !== 0) return true
  const error = lastError()
  if (error === WindowsCode.lockViolation || error === WindowsCode.ioPending) return false
  throw new WindowsCallError('LockFileEx', error, path)
}
