import { writeSync } from 'node:fs'
import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { type InotifyEvent, inotifyInit, parseInotifyEvents } from './inotify.js'
import { checked, errno, libc } from './libc.js'
import { type Arena, createArena } from './memory.js'

const EFD_CLOEXEC = 0o2000000
const EFD_NONBLOCK = 0o4000
const POLLIN = 0x1
/** fd (4), events (2), revents (2). */
const POLL_BYTES = 8
/** Of events in one read: some hundred of them. */
const READ_BYTES = 16_384

/** A bell between two threads of a process: a descriptor that can be read once it was rung. */
export function createBell(): number {
  return checked('eventfd', libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
}

export function ringBell(fd: number): void {
  writeSync(fd, new Uint8Array(new BigUint64Array([1n]).buffer))
}

/** A queue of inotify of its own, and a bell: a thread that has nothing else to do waits for both. */
export class InputWait {
  readonly inotify: number
  readonly #bell: number
  readonly #polled: Arena = createArena(2 * POLL_BYTES)
  readonly #buffer: Arena = createArena(READ_BYTES)

  /** @param bell stays its owner's */
  constructor(bell: number) {
    this.#bell = bell
    this.inotify = inotifyInit()
    for (const [index, fd] of [this.inotify, bell].entries()) {
      this.#polled.view.setInt32(index * POLL_BYTES, fd, true)
      this.#polled.view.setUint32(index * POLL_BYTES + 4, POLLIN, true)
    }
  }

  /** Blocks the thread until there are events or the bell was rung, at most so many whole milliseconds. */
  wait(timeoutMs: number): void {
    this.#poll(0, timeoutMs)
  }

  /** Leaves events where they are: whatever raises them wakes nobody. */
  waitForBell(timeoutMs: number): void {
    this.#poll(1, timeoutMs)
  }

  #poll(first: 0 | 1, timeoutMs: number): void {
    const address = this.#polled.address + first * POLL_BYTES
    if (libc().poll(address, 2 - first, timeoutMs) === -1 && errno() !== Errno.EINTR)
      throw new SystemCallError('poll', errno())
  }

  /** Whether the bell was rung since it was asked last. */
  takeBell(): boolean {
    return this.#read(this.#bell, 8) > 0
  }

  /** What has happened since the last call; does not wait. */
  events(): InotifyEvent[] {
    const events: InotifyEvent[] = []
    for (;;) {
      const got = this.#read(this.inotify, READ_BYTES)
      if (got === 0) return events
      for (const event of parseInotifyEvents(this.#buffer.bytes.subarray(0, got))) events.push(event)
    }
  }

  close(): void {
    // Not by node:fs, which minds files that it did not open itself where this is a worker thread.
    libc().close(this.inotify)
  }

  #read(fd: number, length: number): number {
    for (;;) {
      const got = libc().read(fd, this.#buffer.address, length)
      if (got >= 0) return got
      const reason = errno()
      if (reason === Errno.EAGAIN) return 0
      if (reason !== Errno.EINTR) throw new SystemCallError('read', reason)
    }
  }
}
