import { Worker } from 'node:worker_threads'
import { CancelledError, UnavailableError } from '@hotpath/model'
import { CheckCell, type CheckCounters, type CheckJobData, type FromCheckWorker } from './check-messages.js'
import type { CheckedDirectories } from './checked-directories.js'

export interface CheckWalkOptions {
  /** Absolute path of the root. */
  readonly root: string
  /** Directories alone, or with digests of their entries. */
  readonly mode: 'directories' | 'full'
  /** As for the scan of the root (WalkOptions). */
  readonly excludes: readonly string[]
  readonly excludedDirectories: readonly string[]
  readonly crossDevices: boolean
  readonly namesOnly: boolean
  readonly readerMode?: 'auto' | 'native' | 'fs'
  /** At idle priority of processor and disk. */
  readonly background: boolean
  /** 0: no bound. */
  readonly entriesPerSecond: number
  /** Absolute path of a directory, see WalkOrder; empty, or not below the root: from the beginning. */
  readonly after: Uint8Array
  readonly signal: AbortSignal
  /** What of an idle priority was refused. */
  onRefused?(parts: readonly string[]): void
}

/** Tests run from the sources, but a thread needs a compiled file. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/check/check-worker.js' : './check-worker.js',
  import.meta.url,
)

/**
 * Reads a tree by the rules of a scan, in a thread of its own, and tells its directories in the order of WalkOrder.
 * Iterate over it once; it ends when all is read, with CancelledError when the signal is aborted, or with the failure
 * of the thread. Nothing is left running.
 *
 * Below a mount that shows a directory of the same file system (a bind mount), and for the directory that holds it,
 * the order is another: they come last. With `after` they are skipped, because only who has read all can know them.
 */
export class CheckWalk implements AsyncIterable<CheckedDirectories> {
  readonly #options: CheckWalkOptions
  readonly #cells = new Int32Array(new SharedArrayBuffer(4 * CheckCell.count))
  readonly #batches: CheckedDirectories[] = []
  #counters: CheckCounters = { directories: 0, entries: 0, skipped: 0 }
  #isDone = false
  #failure: unknown
  #wake: (() => void) | undefined

  constructor(options: CheckWalkOptions) {
    this.#options = options
  }

  /** Of the whole walk, when it has ended. */
  get counters(): CheckCounters {
    return this.#counters
  }

  /** While it is paused nothing more is read, but for the directory that is being read. */
  pause(paused: boolean): void {
    this.#set(CheckCell.paused, paused ? 1 : 0)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CheckedDirectories, void, undefined> {
    const { signal } = this.#options
    const cancel = () => this.#end(new CancelledError('the check was cancelled'))
    if (signal.aborted) throw new CancelledError('the check was cancelled')
    const worker = new Worker(WORKER, { workerData: this.#jobData() })
    worker.on('message', (message: FromCheckWorker) => this.#receive(message))
    worker.once('error', error => this.#end(error))
    const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    void exited.then(() => this.#end(new UnavailableError('the thread of the check has ended')))
    signal.addEventListener('abort', cancel)
    try {
      for (let batch = await this.#next(); batch !== undefined; batch = await this.#next()) yield batch
    } finally {
      signal.removeEventListener('abort', cancel)
      this.#set(CheckCell.stop, 1)
      this.#set(CheckCell.paused, 0)
      Atomics.notify(this.#cells, CheckCell.onTheWay)
      await exited
    }
  }

  async #next(): Promise<CheckedDirectories | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const batch = this.#batches.shift()
      if (batch !== undefined) {
        Atomics.sub(this.#cells, CheckCell.onTheWay, 1)
        Atomics.notify(this.#cells, CheckCell.onTheWay)
        return batch
      }
      if (this.#isDone) return undefined
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #receive(message: FromCheckWorker): void {
    switch (message.type) {
      case 'batch':
        this.#batches.push(message.batch)
        break
      case 'refused':
        this.#options.onRefused?.(message.parts)
        return
      case 'end':
        this.#counters = message.counters
        this.#isDone = true
        break
      case 'failure':
        this.#end(message.failure)
        break
    }
    this.#wakeUp()
  }

  /** Unless it has ended already. */
  #end(failure: unknown): void {
    if (!this.#isDone) this.#failure ??= failure
    this.#wakeUp()
  }

  #set(cell: number, value: number): void {
    Atomics.store(this.#cells, cell, value)
    Atomics.notify(this.#cells, cell)
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  #jobData(): CheckJobData {
    const { root, mode, background, entriesPerSecond, excludes, excludedDirectories, crossDevices, namesOnly } =
      this.#options
    const rootBytes = new Uint8Array(Buffer.from(root))
    return {
      root: rootBytes,
      excludes,
      excludedDirectories,
      crossDevices,
      namesOnly,
      access: false,
      readerMode: this.#options.readerMode ?? 'auto',
      isFull: mode === 'full',
      isBackground: background,
      entriesPerSecond,
      after: inside(rootBytes, this.#options.after),
      shared: this.#cells.buffer as SharedArrayBuffer,
    }
  }
}

/** Path relative to the root; undefined if it is not at or below it. */
function inside(root: Uint8Array, path: Uint8Array): Uint8Array | undefined {
  if (path.length < root.length || root.some((byte, i) => path[i] !== byte)) return undefined
  if (path.length === root.length) return new Uint8Array(0)
  if (root.at(-1) === 0x2f) return path.slice(root.length)
  return path[root.length] === 0x2f ? path.slice(root.length + 1) : undefined
}
