import { monotonicMicros } from './clock.js'
import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { type EventJournal, READ_BYTES, RESUMABLE_STREAM } from './event-journal.js'
import { Inotify, parseInotifyEvents } from './inotify.js'
import { errno, libc } from './libc.js'
import { type Arena, createArena } from './memory.js'
import type { PumpControl, PumpedFd } from './pump-control.js'

/** After these the place of a watch is not what it was: listing its directory says too little. */
const BEYOND_LISTING = Inotify.overflow | Inotify.unmount | Inotify.deleteSelf | Inotify.moveSelf

/** Reads kernel queues into the journal, in the thread of a pump or in that of its owner. Needs the lock of the control. */
export class EventReader {
  /** Watches that were kept, by stream, since they were taken last. */
  readonly #kept = new Map<number, Set<number>>()
  #keptTaken = 0
  #scratch: Arena | undefined

  constructor(
    private readonly journal: EventJournal,
    private readonly control: PumpControl,
  ) {}

  /**
   * Reads every queue until it is empty or the ring is full (`isFull` of the control). Of limited queues whatever does not fit is
   * read anyway if `keepsWatches`: which watches it was about. Returns whether there was anything. Throws SystemCallError.
   */
  read(keepsWatches: boolean): boolean {
    const { journal, control } = this
    const before = journal.head
    let isFull = false
    let hasKept = false
    for (const queue of control.queues()) {
      if (this.#readToRing(queue)) continue
      isFull = true
      if (queue.isLimited && keepsWatches) hasKept = this.#readToKeep(queue) || hasKept
    }
    control.isFull = isFull
    return hasKept || journal.head !== before
  }

  /** False if the ring is full. */
  #readToRing({ fd, stream, emptyAt }: PumpedFd): boolean {
    const { journal, control } = this
    const isResumable = stream === RESUMABLE_STREAM
    for (;;) {
      const address = journal.prepare(stream, monotonicMicros(), isResumable ? journal.emptyAt : emptyAt)
      if (address === undefined) return false
      const askedAt = Date.now() / 1000
      const got = readQueue(fd, address)
      if (got > 0) {
        journal.commit(got)
        continue
      }
      if (isResumable) journal.emptyAt = askedAt
      else control.noteEmpty(stream, askedAt)
      return true
    }
  }

  /** Reads a queue of inotify and keeps the watches; true if there was something. */
  #readToKeep({ fd, stream }: PumpedFd): boolean {
    const { control } = this
    if (this.#keptTaken !== control.keptTaken) {
      this.#keptTaken = control.keptTaken
      this.#kept.clear()
    }
    let watches = this.#kept.get(stream)
    if (watches === undefined) {
      watches = new Set()
      this.#kept.set(stream, watches)
    }
    this.#scratch ??= createArena(READ_BYTES)
    let some = false
    for (let got = readQueue(fd, this.#scratch.address); got > 0; got = readQueue(fd, this.#scratch.address)) {
      some = true
      for (const { watch, mask } of parseInotifyEvents(this.#scratch.bytes.subarray(0, got))) {
        if ((mask & BEYOND_LISTING) !== 0) control.noteLost(stream)
        else if (!watches.has(watch)) {
          watches.add(watch)
          if (!control.keep(stream, watch)) control.noteLost(stream)
        }
      }
    }
    return some
  }
}

/** Bytes that were read, 0 if nothing is queued. */
function readQueue(fd: number, address: number): number {
  for (;;) {
    const got = libc().read(fd, address, READ_BYTES)
    if (got >= 0) return got
    const reason = errno()
    if (reason === Errno.EAGAIN) return 0
    if (reason !== Errno.EINTR) throw new SystemCallError('read', reason)
  }
}
