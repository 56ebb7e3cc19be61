import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Scoring } from '@hotpath/hot-score'
import { CancelledError, type EngineOp, UnavailableError } from '@hotpath/model'
import type { Logger } from '@hotpath/service'
import type { FromWorker, ToWorker, WorkerAnswer, WorkerQuery, WorkerStart } from './worker-messages.js'

export interface QueryPoolOptions {
  readonly threads: number
  /** How opens make a node hot. */
  readonly scoring: Scoring
  readonly log: Logger
  /** A worker has unmapped a segment. */
  onDropped(worker: number, segment: number): void
  /** A worker found a segment damaged. It comes again each time that the worker meets the damage. */
  onDamaged(view: number, segment: number, error: Error): void
  /** A worker died: the process cannot answer any more. */
  onFailure(error: unknown): void
}

/** Searches that may wait; more are refused, because their askers will have given up before their turn. */
const MAX_WAITING = 4096
/** Megabytes of young generation of a worker: pages are garbage at once, and a larger nursery is only more memory. */
const YOUNG_GENERATION_MB = 4

interface Job {
  readonly id: number
  readonly query: WorkerQuery
  readonly signal: AbortSignal | undefined
  settle(answer: WorkerAnswer | Error): void
}

/** The query workers: searches go to the next free one, operations to all of them. */
export class QueryPool {
  private readonly workers: Worker[] = []
  private readonly busy: (Job | undefined)[] = []
  private readonly waiting: Job[] = []
  private readonly cancelled: SharedArrayBuffer
  private nextId = 1
  private stopping = false
  private stopped: Promise<void> | undefined
  searches = 0

  constructor(private readonly options: QueryPoolOptions) {
    this.cancelled = new SharedArrayBuffer(4 * options.threads)
  }

  get waitingCount(): number {
    return this.waiting.length
  }

  /** Resolves when all workers can take operations. */
  async start(): Promise<void> {
    const peers = connectAll(this.options.threads)
    await Promise.all(peers.map((ports, index) => this.startWorker(index, ports)))
  }

  private startWorker(index: number, peers: MessagePort[]): Promise<void> {
    const workerData: WorkerStart = { cancelled: this.cancelled, index, peers, scoring: this.options.scoring }
    const worker = new Worker(new URL('./query-worker.js', import.meta.url), {
      workerData,
      transferList: peers,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    })
    this.workers.push(worker)
    this.busy.push(undefined)
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'ready') resolve()
        else this.receive(index, message)
      })
      worker.on('error', error => {
        reject(error)
        this.failed(error)
      })
      worker.on('exit', () => {
        if (!this.stopping) this.failed(new UnavailableError('a query worker ended'))
      })
    })
  }

  /** To all workers, in order with their searches. */
  apply(ops: readonly EngineOp[]): void {
    for (const worker of this.workers) this.post(worker, { type: 'ops', ops })
  }

  /** @throws UnavailableError if too many wait, CancelledError if the signal was aborted first */
  search(query: WorkerQuery, signal?: AbortSignal): Promise<WorkerAnswer> {
    if (this.waiting.length >= MAX_WAITING || this.stopping) {
      return Promise.reject(new UnavailableError('too many searches wait'))
    }
    if (signal?.aborted) return Promise.reject(new CancelledError())
    this.searches++
    return new Promise((resolve, reject) => {
      const id = this.nextId
      this.nextId = (this.nextId % 0x7ffffffe) + 1
      const job: Job = {
        id,
        query,
        signal,
        settle: answer => {
          signal?.removeEventListener('abort', onAbort)
          if (answer instanceof Error) reject(answer)
          else resolve(answer)
        },
      }
      const onAbort = (): void => this.cancel(job)
      signal?.addEventListener('abort', onAbort)
      this.waiting.push(job)
      this.dispatch()
    })
  }

  private cancel(job: Job): void {
    const at = this.waiting.indexOf(job)
    if (at >= 0) {
      this.waiting.splice(at, 1)
      job.settle(new CancelledError())
      return
    }
    const worker = this.busy.indexOf(job)
    if (worker >= 0) Atomics.store(new Int32Array(this.cancelled), worker, job.id)
  }

  private dispatch(): void {
    while (this.waiting.length > 0) {
      const free = this.busy.indexOf(undefined)
      if (free < 0) return
      const job = this.waiting.shift()
      if (job === undefined) return
      this.busy[free] = job
      this.post(this.workers[free], { type: 'search', id: job.id, query: job.query })
    }
  }

  private receive(index: number, message: FromWorker): void {
    switch (message.type) {
      case 'result': {
        const job = this.busy[index]
        this.busy[index] = undefined
        if (job?.id === message.id) job.settle(message.answer)
        this.dispatch()
        break
      }
      case 'dropped':
        this.options.onDropped(index, message.segment)
        break
      case 'missing': {
        const { view, segment, isDamaged, error } = message
        if (isDamaged) this.options.onDamaged(view, segment, error)
        else this.options.log.warn('segment cannot be opened now', { view, segment, error })
        break
      }
    }
  }

  private failed(error: unknown): void {
    for (const job of [...this.busy, ...this.waiting.splice(0)])
      job?.settle(new UnavailableError('a query worker failed'))
    this.busy.fill(undefined)
    this.options.onFailure(error)
  }

  private post(worker: Worker, message: ToWorker): void {
    worker.postMessage(message)
  }

  /** Refuses searches that wait, lets running ones end and unmaps everything. May be called again. */
  stop(): Promise<void> {
    this.stopped ??= this.end()
    return this.stopped
  }

  private async end(): Promise<void> {
    this.stopping = true
    for (const job of this.waiting.splice(0)) job.settle(new UnavailableError('the index store stops'))
    await Promise.all(
      this.workers.map(
        worker =>
          new Promise<void>(resolve => {
            worker.once('exit', () => resolve())
            this.post(worker, { type: 'stop' })
          }),
      ),
    )
  }
}

/** A channel between any two of some threads: the ends that each of them has. */
function connectAll(threads: number): MessagePort[][] {
  const ends = Array.from({ length: threads }, (): MessagePort[] => [])
  for (let a = 0; a < threads; a++) {
    for (let b = a + 1; b < threads; b++) {
      const { port1, port2 } = new MessageChannel()
      ends[a].push(port1)
      ends[b].push(port2)
    }
  }
  return ends
}
