/** Queues that can be read at a time; the kernel lets a user have 128 of inotify. */
const MAX_QUEUES = 256
/** Watches of limited queues that are kept while the ring is full: 2 MB, which are not touched before. */
const MAX_KEPT = 262_144

const Word = {
  lock: 0,
  woken: 1,
  mounts: 2,
  stop: 3,
  full: 4,
  kept: 5,
  keptTaken: 6,
  used: 7,
  begun: 8,
  queues: 9,
} as const
const Queue = { fd: 0, stream: 1, isLimited: 2, isLost: 3, words: 4 } as const
const KEPT_AT = Word.queues + Queue.words * MAX_QUEUES
/** Behind all words: of each queue, a double. */
const EMPTY_AT_BYTES = 8 * Math.ceil((KEPT_AT + 2 * MAX_KEPT) / 2)
const NO_FD = -1

export interface PumpedFd {
  readonly fd: number
  readonly stream: number
  /** The kernel drops events beyond a number. */
  readonly isLimited: boolean
  /** Seconds since 1970 when it was last known to be empty; NaN: never. */
  readonly emptyAt: number
}

/** Memory for a PumpControl in each of two threads. */
export function createPumpControl(): SharedArrayBuffer {
  const control = new SharedArrayBuffer(EMPTY_AT_BYTES + 8 * MAX_QUEUES)
  const words = new Int32Array(control)
  for (let i = 0; i < MAX_QUEUES; i++) words[Word.queues + i * Queue.words] = NO_FD
  return control
}

/** What the thread of a pump and that of its owner tell each other without messages. */
export class PumpControl {
  readonly #words: Int32Array
  readonly #emptyAt: Float64Array

  constructor(readonly memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, KEPT_AT + 2 * MAX_KEPT)
    this.#emptyAt = new Float64Array(memory, EMPTY_AT_BYTES)
  }

  /** Runs `work` while the other thread does not. */
  locked<T>(work: () => T): T {
    const words = this.#words
    while (Atomics.compareExchange(words, Word.lock, 0, 1) !== 0) Atomics.wait(words, Word.lock, 1)
    try {
      return work()
    } finally {
      Atomics.store(words, Word.lock, 0)
      Atomics.notify(words, Word.lock, 1)
    }
  }

  /** False if a wake-up is under way already. */
  wake(): boolean {
    return Atomics.exchange(this.#words, Word.woken, 1) === 0
  }

  woken(): void {
    Atomics.store(this.#words, Word.woken, 0)
  }

  noteMounts(): void {
    Atomics.store(this.#words, Word.mounts, 1)
  }

  takeMounts(): boolean {
    return Atomics.exchange(this.#words, Word.mounts, 0) === 1
  }

  /** The thread has loaded all that it needs, or never will. */
  begin(): void {
    Atomics.store(this.#words, Word.begun, 1)
    Atomics.notify(this.#words, Word.begun)
  }

  /** Does nothing until the thread has begun, at most for so long. @returns whether it has */
  waitForBegin(timeoutMs: number): boolean {
    return Atomics.wait(this.#words, Word.begun, 0, timeoutMs) !== 'timed-out'
  }

  stop(): void {
    Atomics.store(this.#words, Word.stop, 1)
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, Word.stop) === 1
  }

  /** The ring was full when it was written last: queues without a limit wait. */
  get isFull(): boolean {
    return Atomics.load(this.#words, Word.full) === 1
  }

  set isFull(isFull: boolean) {
    Atomics.store(this.#words, Word.full, isFull ? 1 : 0)
  }

  // ---- Queues; changes need the lock

  /** False if there are too many. */
  addQueue({ fd, stream, isLimited, emptyAt }: PumpedFd): boolean {
    for (const [i, at] of this.#queuePlaces(MAX_QUEUES)) {
      if (this.#words[at] !== NO_FD) continue
      this.#words[Word.used] = Math.max(this.#words[Word.used]!, i + 1)
      this.#words[at + Queue.stream] = stream
      this.#words[at + Queue.isLimited] = isLimited ? 1 : 0
      this.#words[at + Queue.isLost] = 0
      this.#emptyAt[i] = emptyAt
      Atomics.store(this.#words, at, fd)
      return true
    }
    return false
  }

  removeQueue(stream: number): void {
    for (const [, at] of this.#queuePlaces())
      if (this.#words[at + Queue.stream] === stream) Atomics.store(this.#words, at, NO_FD)
  }

  queues(): PumpedFd[] {
    const found: PumpedFd[] = []
    for (const [i, at] of this.#queuePlaces()) {
      const fd = Atomics.load(this.#words, at)
      const [stream, isLimited] = [this.#words[at + Queue.stream]!, this.#words[at + Queue.isLimited] === 1]
      if (fd !== NO_FD) found.push({ fd, stream, isLimited, emptyAt: this.#emptyAt[i]! })
    }
    return found
  }

  /** The queue was empty, in seconds since 1970. */
  noteEmpty(stream: number, seconds: number): void {
    for (const [i, at] of this.#queuePlaces()) if (this.#words[at + Queue.stream] === stream) this.#emptyAt[i] = seconds
  }

  *#queuePlaces(count = Atomics.load(this.#words, Word.used)): Generator<[index: number, word: number]> {
    for (let i = 0; i < count; i++) yield [i, Word.queues + i * Queue.words]
  }

  // ---- What is kept of limited queues while the ring is full; with the lock

  /** Rises when what was kept is taken. */
  get keptTaken(): number {
    return this.#words[Word.keptTaken]!
  }

  /** False if there is no room. */
  keep(stream: number, watch: number): boolean {
    const count = this.#words[Word.kept]!
    if (count >= MAX_KEPT) return false
    this.#words[KEPT_AT + 2 * count] = stream
    this.#words[KEPT_AT + 2 * count + 1] = watch
    this.#words[Word.kept] = count + 1
    return true
  }

  /** Events of a stream are gone. */
  noteLost(stream: number): void {
    for (const [, at] of this.#queuePlaces())
      if (this.#words[at + Queue.stream] === stream) this.#words[at + Queue.isLost] = 1
  }

  /** Streams and watches that events were about, and streams of which more was lost. */
  takeKept(): { watches: [stream: number, watch: number][]; lost: number[] } {
    const watches: [number, number][] = []
    const end = KEPT_AT + 2 * this.#words[Word.kept]!
    for (let at = KEPT_AT; at < end; at += 2) watches.push([this.#words[at]!, this.#words[at + 1]!])
    const lost: number[] = []
    for (const [, at] of this.#queuePlaces()) {
      if (this.#words[at + Queue.isLost] === 1) lost.push(this.#words[at + Queue.stream]!)
      this.#words[at + Queue.isLost] = 0
    }
    if (watches.length > 0 || lost.length > 0) this.#words[Word.keptTaken]!++
    this.#words[Word.kept] = 0
    return { watches, lost }
  }
}
