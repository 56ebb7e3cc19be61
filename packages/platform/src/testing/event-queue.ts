import { Errno } from '../errno.js'
import { SystemCallError } from '../errors.js'
import { errno, libc } from '../libc.js'
import { type Arena, createArena } from '../memory.js'

/** Some 3,000 events of fanotify; the kernel copies as many as fit in one call. */
const READ_BYTES = 256 * 1024

/** Reads a non-blocking descriptor of a kernel queue (inotify, fanotify). The descriptor stays its owner's. */
export class EventQueue {
  readonly #arena: Arena = createArena(READ_BYTES)
  constructor(readonly fd: number) {}

  /** What is queued, as one view that the next call overwrites, or null if nothing is. Throws SystemCallError. */
  read(): Uint8Array | null {
    for (;;) {
      const got = libc().read(this.fd, this.#arena.address, this.#arena.bytes.length)
      if (got > 0) return this.#arena.bytes.subarray(0, got)
      if (got === 0) return null
      const reason = errno()
      if (reason === Errno.EAGAIN) return null
      if (reason !== Errno.EINTR) throw new SystemCallError('read', reason)
    }
  }
}
