import { fstatSync, ftruncateSync } from 'node:fs'
import { InvalidInputError } from '@hotpath/model'
import { SystemCallError } from './errors.js'
import { koffi } from './foreign.js'
import { checked, cPath, errno, libc } from './libc.js'

const MFD_CLOEXEC = 0x1
const PROT_READ = 1
const PROT_WRITE = 2
const MAP_SHARED = 0x01

/**
 * Memory that has a descriptor instead of a name: zeroed, `sizeBytes` long, closed with closeSync. It lasts as long as any
 * process has it open or mapped; pages that nobody has touched cost nothing. Throws SystemCallError.
 */
export function createSharedMemory(name: string, sizeBytes: number): number {
  const fd = checked('memfd_create', libc().memfd_create(cPath(name), MFD_CLOEXEC))
  ftruncateSync(fd, sizeBytes)
  return fd
}

/** Shared memory that is mapped, to be read and written. After `unmap` every access kills the process. */
export interface SharedMemory {
  readonly address: number
  readonly buffer: ArrayBuffer
  unmap(): void
}

/** Maps all of a descriptor, which may be closed then. Each thread maps it for itself. Throws SystemCallError. */
export function mapSharedMemory(fd: number): SharedMemory {
  const { size } = fstatSync(fd)
  if (size === 0)
    throw new InvalidInputError('mapSharedMemory', 'a descriptor of shared memory', `an empty one (${fd})`)
  const address = libc().mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
  // MAP_FAILED is (void *) -1: too large for a number, so the library hands over a bigint.
  if (typeof address !== 'number') throw new SystemCallError('mmap', errno(), `descriptor ${fd}`)
  return {
    address,
    buffer: koffi().view(BigInt(address), size),
    unmap: () => void checked('munmap', libc().munmap(address, size)),
  }
}
