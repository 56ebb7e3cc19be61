import { closeSync, openSync, writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import {
  createEventJournal,
  EventJournal,
  type EventSlot,
  FIRST_OTHER_STREAM,
  RESUMABLE_STREAM,
} from './event-journal.js'
import { EventReader } from './event-reader.js'
import { wholeFanotifyEvents } from './fanotify.js'
import { checked, libc } from './libc.js'
import { createPumpControl, PumpControl } from './pump-control.js'
import type { PumpThreadData } from './pump-thread.js'

const EFD_CLOEXEC = 0o2000000
const EFD_NONBLOCK = 0o4000
/** For a process that ends: the thread takes some 50 ms to load, on a busy machine more than 300. */
const MOST_LOADING_MS = 5_000

/** Tests run from the sources, but a thread needs a compiled file. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../dist/event-pump-worker.js' : './event-pump-worker.js',
  import.meta.url,
)

/** Takes what was read from one queue. Must not drain the pump. */
export interface QueueReader {
  /** Events of one read; returns how many there were. */
  take(slot: EventSlot): number
  /** Events were read without being kept: what they were about (the watches of a queue of inotify) must be looked at. */
  touched?(watches: readonly number[]): void
  /** Events are gone for good. */
  lost?(): void
}

export interface EventPumpOptions {
  /** A journal that was inherited, with the events that nobody has released. Default: one of its own. It stays its owner's. */
  readonly journalFd?: number | undefined
  /** Position from which on the slots of the resumable queue are still needed; infinite: none are. */
  keepFrom(): number
  /** There is no room, and all that was read has been taken: from here on `keepFrom` must be the position that was taken last, or later. */
  onFull(): void
  /** Events were taken. */
  onEvents(): void
  /** A file system was mounted or unmounted. */
  onMounts(): void
}

export interface PumpedQueue {
  /** Nothing is read or taken any more; call it before the descriptor is closed. Safe to call again. */
  close(): void
}

/**
 * Reads kernel queues of events in a thread of its own, so that they are read however long this thread is busy, into a journal that
 * outlives the process. What was read is handed out in this thread, in the order in which it was read.
 */
export class EventPump {
  /** Not to be used after `close`. */
  readonly journal: EventJournal
  readonly #options: EventPumpOptions
  readonly #control = new PumpControl(createPumpControl())
  readonly #reader: EventReader
  readonly #takers = new Map<number, QueueReader>()
  readonly #commandFd: number
  readonly #mountsFd: number
  readonly #journalFd: number
  readonly #worker: Worker
  readonly #exited: Promise<void>
  readonly #onProcessExit = () => {
    this.#stop()
    // A thread that is ended while a library of machine code is loaded takes the process with it, and its exit code.
    this.#control.waitForBegin(MOST_LOADING_MS)
  }
  #taken: number
  #nextStream = FIRST_OTHER_STREAM
  #isClosed = false

  /** Throws SystemCallError. The thread keeps the process alive until `close`. */
  constructor(options: EventPumpOptions) {
    this.#options = options
    this.#journalFd = options.journalFd ?? createEventJournal()
    this.journal = EventJournal.takeOver(this.#journalFd, wholeFanotifyEvents)
    this.#taken = this.journal.head
    this.#reader = new EventReader(this.journal, this.#control)
    this.#commandFd = checked('eventfd', libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    this.#mountsFd = openSync('/proc/self/mountinfo', 'r')
    const workerData: PumpThreadData = {
      control: this.#control.memory,
      journalFd: this.#journalFd,
      commandFd: this.#commandFd,
      mountsFd: this.#mountsFd,
    }
    this.#worker = new Worker(WORKER, { workerData, name: 'event-pump', execArgv: [] })
    this.#worker.on('message', () => this.#woken())
    // Without it events would only be read when something else wakes us: whoever runs this starts it again.
    this.#worker.on('error', error => {
      this.#control.begin()
      throw error
    })
    this.#exited = new Promise(resolve => this.#worker.once('exit', () => resolve()))
    // The thread must not be in a system call when the process ends it.
    process.on('exit', this.#onProcessExit)
  }

  /** Position up to which everything was taken. */
  get taken(): number {
    return this.#taken
  }

  /**
   * Has a queue read (a non-blocking descriptor, which stays its owner's).
   *
   * @param isResumable its events are kept until they are released, also for the next process; one queue at a time
   * @param isLimited a queue of inotify, whose events the kernel drops beyond a number
   */
  add(
    fd: number,
    kind: { readonly isResumable: boolean; readonly isLimited: boolean },
    taker: QueueReader,
  ): PumpedQueue {
    const { isResumable, isLimited } = kind
    const stream = isResumable ? RESUMABLE_STREAM : this.#nextStream++
    if (!this.#control.locked(() => this.#control.addQueue({ fd, stream, isLimited, emptyAt: Number.NaN })))
      throw new SystemCallError('watch', Errno.EMFILE, 'too many queues of events')
    this.#takers.set(stream, taker)
    this.#command()
    return {
      close: () => {
        if (this.#takers.get(stream) !== taker) return
        this.#takers.delete(stream)
        this.#control.locked(() => this.#control.removeQueue(stream))
        this.#command()
      },
    }
  }

  /** Reads all that the kernel has queued now, and hands it out; returns the number of events, 0 once it is closed. Throws SystemCallError. */
  drain(): number {
    let count = 0
    // Its memory may not be there any more.
    if (this.#isClosed) return count
    for (;;) {
      count += this.#take()
      const { isFull, kept } = this.#control.locked(() => {
        this.#reader.read(false)
        return { isFull: this.#control.isFull, kept: this.#control.takeKept() }
      })
      count += this.#takeKept(kept)
      // Also what the other thread has read in between.
      if (!isFull) return count + this.#take()
    }
  }

  /** What is in the journal of the resumable queue from a position on and was taken already. */
  *takenSince(position: number): Generator<EventSlot> {
    for (const slot of this.journal.slots(position)) {
      if (slot.position >= this.#taken) return
      if (slot.stream === RESUMABLE_STREAM) yield slot
    }
  }

  /** Gives room back, as far as `keepFrom` allows. */
  release(): void {
    if (!this.#isClosed) this.journal.release(Math.min(this.#taken, this.#options.keepFrom()))
  }

  /** Ends the thread; the promise resolves when it is gone. Safe to call again. */
  close(): Promise<void> {
    if (this.#isClosed) return this.#exited
    this.#isClosed = true
    this.#takers.clear()
    this.#control.locked(() => {
      for (const { stream } of this.#control.queues()) this.#control.removeQueue(stream)
    })
    this.#stop()
    return this.#exited.then(() => {
      process.off('exit', this.#onProcessExit)
      this.journal.unmap()
      closeSync(this.#commandFd)
      closeSync(this.#mountsFd)
      if (this.#options.journalFd === undefined) closeSync(this.#journalFd)
    })
  }

  #woken(): void {
    if (this.#isClosed) return
    this.#control.woken()
    if (this.#control.takeMounts()) this.#options.onMounts()
    if (this.drain() > 0) this.#options.onEvents()
  }

  /** Hands out what is in the ring, and makes room. */
  #take(): number {
    const wasFull = this.#control.isFull
    let count = 0
    for (const slot of this.journal.slots(this.#taken)) {
      // First, so that whoever asks sees that it was.
      this.#taken = slot.next
      count += this.#takers.get(slot.stream)?.take(slot) ?? 0
    }
    this.release()
    if (!wasFull) return count
    if (!this.journal.hasRoom) {
      this.#options.onFull()
      this.release()
    }
    this.#control.isFull = false
    this.#command()
    return count
  }

  #takeKept({ watches, lost }: { watches: [stream: number, watch: number][]; lost: number[] }): number {
    const byStream = new Map<number, number[]>()
    for (const [stream, watch] of watches) {
      const list = byStream.get(stream)
      if (list === undefined) byStream.set(stream, [watch])
      else list.push(watch)
    }
    for (const [stream, list] of byStream) this.#takers.get(stream)?.touched?.(list)
    for (const stream of lost) this.#takers.get(stream)?.lost?.()
    return watches.length + lost.length
  }

  #stop(): void {
    this.#control.stop()
    this.#command()
  }

  /** Has the thread look at what is new in the memory that it shares with us. */
  #command(): void {
    writeSync(this.#commandFd, new Uint8Array(new BigUint64Array([1n]).buffer))
  }
}
