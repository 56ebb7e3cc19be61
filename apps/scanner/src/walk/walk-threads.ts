import { CancelledError } from '@hotpath/model'
import type { PackedBatch } from './packed-batch.js'
import type { DonatedGroup } from './pending-directories.js'
import type { DeferredMount, WalkProblem } from './walk-host.js'
import { CELLS_PER_THREAD, Cell, type FromWorker, type ToWorker, type WalkSettings } from './walk-messages.js'
import { inOrderOfPaths } from './walk-order.js'
import type { PooledThread, WalkJob, WalkPool } from './walk-pool.js'
import { ROOT_NUMBER } from './walk-root.js'

const MAX_THREADS = 64

export interface WalkThreadsOptions {
  readonly pool: WalkPool
  readonly threads: number
  readonly data: WalkSettings
  readonly signal: AbortSignal | undefined
  onProblem(problem: WalkProblem): void
}

interface Thread {
  readonly pooled: PooledThread
  readonly job: WalkJob
  busy: boolean
}

/**
 * The threads of a walk and what is on its way between them. All messages of a thread come in their order, and what a
 * thread gives away goes through here after the batches that hold its rows: so parents always come before children.
 */
export class WalkThreads {
  readonly #cells: Int32Array
  readonly #threads: Thread[] = []
  readonly #batches: { batch: PackedBatch; thread: number }[] = []
  readonly #donations: DonatedGroup[] = []
  readonly #mounts: DeferredMount[] = []
  readonly #visited: Uint32Array[] = []
  #phase: 'tree' | 'collect' | 'mounts' | 'done' = 'tree'
  #failure: unknown
  #wake: (() => void) | undefined

  constructor(private readonly options: WalkThreadsOptions) {
    this.#cells = new Int32Array(new SharedArrayBuffer(4 * (Cell.perThread + MAX_THREADS * CELLS_PER_THREAD)))
    this.#cells[Cell.nextNumber] = ROOT_NUMBER + 1
  }

  start(root: DonatedGroup): void {
    const { signal, threads, pool } = this.options
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#onAbort()
    const count = Math.max(1, Math.min(MAX_THREADS, Math.floor(threads)))
    for (const [thread, pooled] of pool.take(count).entries()) this.#threads.push(this.#startJob(thread, pooled))
    this.#donations.push(root)
    this.#feed()
  }

  /** The next batch, or null when all is done. */
  async next(): Promise<PackedBatch | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const first = this.#batches.shift()
      if (first !== undefined) {
        const cell = Cell.perThread + first.thread * CELLS_PER_THREAD
        Atomics.sub(this.#cells, cell, 1)
        Atomics.notify(this.#cells, cell)
        return first.batch
      }
      if (this.#phase === 'done') return null
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async stop(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.#onAbort)
    Atomics.store(this.#cells, Cell.stop, 1)
    for (let i = Cell.perThread; i < this.#cells.length; i++) {
      // A thread that is just about to wait finds another value; one that waits is woken.
      Atomics.add(this.#cells, i, 1)
      Atomics.notify(this.#cells, i)
    }
    await Promise.all(this.#threads.map(({ job }) => job.ended))
    this.options.pool.giveBack(this.#threads.map(({ pooled }) => pooled))
  }

  readonly #onAbort = () => this.#fail(new CancelledError('the scan was cancelled'))

  #startJob(thread: number, pooled: PooledThread): Thread {
    const shared = this.#cells.buffer as SharedArrayBuffer
    const job = pooled.start({ ...this.options.data, shared, thread }, message => this.#receive(thread, message))
    job.ended.then(error => {
      if (error !== undefined) this.#fail(error)
    })
    return { pooled, job, busy: false }
  }

  #receive(thread: number, message: FromWorker): void {
    switch (message.type) {
      case 'batch':
        this.#batches.push({ batch: message.batch, thread })
        break
      case 'problem':
        this.options.onProblem(message.problem)
        break
      case 'donation':
        this.#donations.push(message.group)
        break
      case 'mount':
        this.#mounts.push(message.mount)
        break
      case 'visited':
        this.#visited.push(message.triples)
        break
      case 'idle':
        this.#threads[thread]!.busy = false
        break
    }
    this.#feed()
    this.#wakeUp()
  }

  /** Gives work to who has none, and goes on to the next phase when all have none. */
  #feed(): void {
    for (const [thread, state] of this.#threads.entries()) {
      if (state.busy || this.#donations.length === 0) continue
      state.busy = true
      this.#send(thread, { type: 'groups', groups: [this.#donations.shift()!] })
    }
    const idle = this.#threads.filter(({ busy }) => !busy).length
    Atomics.store(this.#cells, Cell.hungry, this.#phase === 'tree' && idle < this.#threads.length ? idle : 0)
    if (idle === this.#threads.length) this.#nextPhase()
  }

  #nextPhase(): void {
    if (this.#phase === 'tree' && this.#mounts.length > 0) {
      this.#phase = 'collect'
      for (const thread of this.#threads.keys()) this.#send(thread, { type: 'visited?' })
    } else if (this.#phase === 'collect') {
      if (this.#visited.length < this.#threads.length) return
      this.#phase = 'mounts'
      this.#threads[0]!.busy = true
      this.#send(0, { type: 'mounts', mounts: inOrderOfPaths(this.#mounts), visited: this.#visited })
    } else this.#phase = 'done'
  }

  #send(thread: number, message: ToWorker): void {
    this.#threads[thread]!.job.send(message)
    const cell = Cell.perThread + thread * CELLS_PER_THREAD + 1
    Atomics.add(this.#cells, cell, 1)
    Atomics.notify(this.#cells, cell)
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    Atomics.store(this.#cells, Cell.stop, 1)
    this.#wakeUp()
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
