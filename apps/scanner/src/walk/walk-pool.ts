import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { UnavailableError } from '@hotpath/model'
import type { FromWorker, JobEnd, ToThread, ToWorker, WalkJobData } from './walk-messages.js'

/** Idle threads end after so long: each holds some 6 MB, and a new one is there in 0.1 s. */
const IDLE_MS = 30_000

/** Tests run from the sources, but a thread needs a compiled file. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/walk/walk-worker.js' : './walk-worker.js',
  import.meta.url,
)

/** A thread's part in one walk. */
export interface WalkJob {
  send(message: ToWorker): void
  /** Resolves when the thread is free again, with the failure that ended the job, or undefined. Never rejects. */
  readonly ended: Promise<unknown>
}

/** A thread that does one job after the other. */
export class PooledThread {
  readonly #worker = new Worker(WORKER)
  readonly #exited: Promise<void>
  #failure: unknown
  #isAlive = true

  constructor() {
    this.#exited = new Promise(resolve => {
      this.#worker.once('exit', () => {
        this.#isAlive = false
        resolve()
      })
    })
    // A failure outside of a job: the thread exits, and whoever waits for it is told.
    this.#worker.once('error', error => {
      this.#failure = error
    })
    this.#worker.unref()
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** Starts a job on a thread that has none. `onMessage` is not called after the job has ended. */
  start(data: Omit<WalkJobData, 'port'>, onMessage: (message: FromWorker) => void): WalkJob {
    const { port1, port2 } = new MessageChannel()
    port1.on('message', onMessage)
    this.#worker.ref()
    this.#post({ type: 'job', data: { ...data, port: port2 } }, [port2])
    const done = new Promise<unknown>(resolve => {
      this.#worker.once('message', ({ failure }: JobEnd) => resolve(failure))
    })
    const lost = this.#exited.then(() => this.#failure ?? new UnavailableError('a thread of the walk has ended'))
    const ended = Promise.race([done, lost]).then(failure => {
      port1.close()
      this.#worker.unref()
      return failure
    })
    return { ended, send: message => port1.postMessage(message) }
  }

  async close(): Promise<void> {
    this.#worker.ref()
    this.#post({ type: 'close' })
    await this.#exited
  }

  #post(message: ToThread, transfer: MessagePort[] = []): void {
    this.#worker.postMessage(message, transfer)
  }
}

/**
 * Threads for walks, kept between them: starting one costs 0.1 s of processor time, and one that has walked before is
 * twice as fast from the start. Several walks may use a pool at a time; each has threads of its own.
 */
export class WalkPool {
  #idle: PooledThread[] = []
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** Starts threads ahead of the walk that will use them. */
  warm(threads: number): void {
    this.giveBack(this.take(threads))
  }

  /** Threads without a job: idle ones first, then new ones. */
  take(count: number): PooledThread[] {
    if (this.#isClosed) throw new UnavailableError('the threads of the scanner have ended')
    const taken = this.#idle.filter(({ isAlive }) => isAlive).slice(0, count)
    this.#idle = this.#idle.filter(thread => thread.isAlive && !taken.includes(thread))
    while (taken.length < count) taken.push(new PooledThread())
    return taken
  }

  /** Takes threads whose jobs have ended. */
  giveBack(threads: readonly PooledThread[]): void {
    if (this.#isClosed) {
      for (const thread of threads) void thread.close()
      return
    }
    this.#idle.push(...threads.filter(({ isAlive }) => isAlive))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#closeIdle(), IDLE_MS).unref()
  }

  /** Ends all threads; those with a job as soon as they are given back. Resolves when the idle ones have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#closeIdle()
  }

  async #closeIdle(): Promise<void> {
    const idle = this.#idle
    this.#idle = []
    await Promise.all(idle.map(thread => thread.close()))
  }
}
