import { Worker } from 'node:worker_threads'
import { CancelledError, UnavailableError } from '@hotpath/model'
import type { FromRowWorker, RowAnswer, RowQuery, RowWorkerStart, ToRowWorker } from './row-messages.js'

export interface RowPoolOptions {
  /** What the worker runs: compiled code (default: the module beside this one). */
  readonly script?: URL
  onMessage(message: Exclude<FromRowWorker, { type: 'result' | 'ready' }>): void
  /** The worker died: rows are not searched any more. */
  onFailure(error: unknown): void
}

/** Searches that may wait; more are refused, because their askers will have given up before their turn. */
const MAX_WAITING = 1024
/** Megabytes of young generation: as query workers have. */
const YOUNG_GENERATION_MB = 4

interface Job {
  readonly id: number
  readonly query: RowQuery
  settle(answer: RowAnswer | Error): void
}

/** The row worker: it is started when there is something to be kept, and searches one query after the other. */
export class RowPool {
  private worker: Worker | undefined
  private readonly cancelled = new Int32Array(new SharedArrayBuffer(4))
  private readonly waiting: Job[] = []
  private running: Job | undefined
  private nextId = 1
  private isStopping = false

  constructor(private readonly options: RowPoolOptions) {}

  get isRunning(): boolean {
    return this.worker !== undefined
  }

  /** Starts the worker if it does not run. */
  post(message: Exclude<ToRowWorker, { type: 'search' | 'stop' }>): void {
    this.worker ??= this.start()
    this.worker.postMessage(message)
  }

  private start(): Worker {
    const { script = new URL('./row-worker.js', import.meta.url), onFailure } = this.options
    const worker = new Worker(script, {
      workerData: { cancelled: this.cancelled.buffer } satisfies RowWorkerStart,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    })
    const failed = (error: unknown): void => {
      if (this.isStopping) return
      for (const job of [this.running, ...this.waiting.splice(0)])
        job?.settle(new UnavailableError('the row worker ended'))
      this.running = undefined
      onFailure(error)
    }
    worker.on('message', (message: FromRowWorker) => this.receive(message))
    worker.on('error', failed)
    worker.on('exit', () => failed(new UnavailableError('the row worker ended')))
    return worker
  }

  /**
   * Throws CancelledError if the signal aborts first, UnavailableError if too many wait. Where nothing is followed, nothing is found.
   */
  search(query: RowQuery, signal?: AbortSignal): Promise<RowAnswer> {
    if (this.worker === undefined) return Promise.resolve({ kind: 'page', total: 0, rows: [], tookMs: 0 })
    if (signal?.aborted) return Promise.reject(new CancelledError())
    if (this.waiting.length >= MAX_WAITING)
      return Promise.reject(new UnavailableError('too many searches of rows wait'))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const at = this.waiting.indexOf(job)
        if (at >= 0) {
          this.waiting.splice(at, 1)
          job.settle(new CancelledError())
        } else Atomics.store(this.cancelled, 0, job.id)
      }
      const job: Job = {
        id: this.nextId++,
        query,
        settle: answer => {
          signal?.removeEventListener('abort', onAbort)
          if (answer instanceof Error) reject(answer)
          else resolve(answer)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.waiting.push(job)
      this.dispatch()
    })
  }

  private dispatch(): void {
    if (this.running !== undefined) return
    this.running = this.waiting.shift()
    if (this.running === undefined) return
    const { id, query } = this.running
    this.worker?.postMessage({ type: 'search', id, query } satisfies ToRowWorker)
  }

  private receive(message: FromRowWorker): void {
    if (message.type === 'ready') return
    if (message.type !== 'result') {
      this.options.onMessage(message)
      return
    }
    const job = this.running
    this.running = undefined
    if (job?.id === message.id) job.settle(message.answer)
    this.dispatch()
  }

  /** Lets go of all files. */
  async stop(): Promise<void> {
    this.isStopping = true
    for (const job of [this.running, ...this.waiting.splice(0)]) job?.settle(new CancelledError())
    this.running = undefined
    const { worker } = this
    if (worker === undefined) return
    const ended = new Promise(resolve => worker.once('exit', resolve))
    worker.postMessage({ type: 'stop' } satisfies ToRowWorker)
    await ended
    this.worker = undefined
  }
}
