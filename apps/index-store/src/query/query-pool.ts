import type { Worker } from 'node:worker_threads'
import type { Scoring } from '@hotpath/hot-score'
import { CancelledError, type EngineOp, UnavailableError } from '@hotpath/model'
import type { Logger } from '@hotpath/service'
import { CacheSums } from './cache-sums.js'
import { startQueryThreads } from './query-threads.js'
import { Searcher } from './searcher.js'
import type {
  FromSearcher,
  Measured,
  Measurement,
  SearchAnswer,
  SearcherQuery,
  ToSearcher,
} from './searcher-messages.js'

export interface QueryPoolOptions {
  readonly threads: number
  /**
   * Whether searches are answered in the calling thread until the query workers have started, which costs as much processor
   * time as the first answer.
   */
  readonly answersAtOnce: boolean
  /** How opens make a node hot. */
  readonly scoring: Scoring
  /** What a query worker runs: compiled code (default: the module of this package). */
  readonly script?: URL
  readonly log: Logger
  /** A searcher has unmapped a segment. */
  onDropped(searcher: number, segment: number): void
  /** A searcher ended, and everything that it had mapped is unmapped. */
  onEnded(searcher: number): void
  /** A searcher ranks by all opens that it was told of. */
  onSettled(): void
  /** A searcher found a segment damaged. It comes again each time that it meets the damage. */
  onDamaged(view: number, segment: number, error: Error): void
  /** A searcher died: the process cannot answer any more. */
  onFailure(error: unknown): void
}

/** Searches that may wait; more are refused, because their askers will have given up before their turn. */
const MAX_WAITING = 4096
/** Time for a first search before the query workers start anyway. */
const FIRST_SEARCH_MS = 500
/** Time for the first answer to leave. */
const AFTER_ANSWER_MS = 20

interface Job {
  readonly id: number
  readonly query: SearcherQuery
  readonly signal: AbortSignal | undefined
  settle(answer: SearchAnswer | Error): void
}

/** A searcher as the pool knows it. */
interface Seat {
  readonly index: number
  job: Job | undefined
  post(message: ToSearcher): void
  /** Lets a running search end and unmaps everything. */
  end(): Promise<void>
}

/**
 * The searchers: searches go to the next free one, operations to all of them. Each query worker is one; before these have started,
 * one in the calling thread answers, if that was asked for.
 */
export class QueryPool {
  private seats: Seat[] = []
  private readonly waiting: Job[] = []
  /** Id of the search that is to be given up, for each searcher. */
  private readonly cancelled: SharedArrayBuffer
  private readonly jobs = new Map<number, Job>()
  /** Operations that the query workers have not got; undefined when they have all. */
  private unsent: (readonly EngineOp[])[] | undefined = []
  private threadsStarted: Promise<void> | undefined
  private threadTimer: NodeJS.Timeout | undefined
  private readonly measurements = new Map<number, (result: Measured[keyof Measured] | Error) => void>()
  private nextMeasurement = 1
  private nextId = 1
  private stopping = false
  private stopped: Promise<void> | undefined
  searches = 0
  readonly caches = new CacheSums()

  constructor(private readonly options: QueryPoolOptions) {
    this.cancelled = new SharedArrayBuffer(4 * this.searcherCount)
  }

  /** Searchers are numbered from 0 to this. */
  get searcherCount(): number {
    return this.options.threads + Number(this.options.answersAtOnce)
  }

  get waitingCount(): number {
    return this.waiting.length
  }

  /** Resolves when searches and operations are taken. */
  async start(): Promise<void> {
    if (!this.options.answersAtOnce) return await this.startThreads()
    this.seats = [this.localSeat()]
    this.startThreadsSoon(FIRST_SEARCH_MS)
  }

  private startThreadsSoon(delayMs: number): void {
    if (this.threadsStarted || this.stopping) return
    clearTimeout(this.threadTimer)
    this.threadTimer = setTimeout(() => void this.startThreads(), delayMs)
  }

  /** Starts the query workers, once. They take over when all of them can. */
  private startThreads(): Promise<void> {
    clearTimeout(this.threadTimer)
    this.threadsStarted ??= this.takeOver().catch(error => this.failed(error))
    return this.threadsStarted
  }

  private async takeOver(): Promise<void> {
    const { threads, scoring, script } = this.options
    const workers = await startQueryThreads({
      threads,
      startOf: (index, peers) => ({ cancelled: this.cancelled, index, peers, scoring }),
      script,
      onMessage: (index, message) => this.receive(index, message),
      onEnd: error => {
        if (!this.stopping) this.failed(error ?? new UnavailableError('a query worker ended'))
      },
    })
    const former = this.seats
    this.seats = workers.map((worker, index) => threadSeat(worker, index))
    for (const ops of this.unsent?.splice(0) ?? []) this.toAll(ops)
    this.unsent = undefined
    this.dispatch()
    await Promise.all(former.map(seat => seat.end()))
  }

  private localSeat(): Seat {
    const index = this.options.threads
    const { cancelled, options } = this
    const searcher = new Searcher({ cancelled, index, peers: [], scoring: options.scoring }, message =>
      this.receive(index, message),
    )
    const receive = (message: ToSearcher): void => {
      try {
        searcher.receive(message)
      } catch (error) {
        this.failed(error)
      }
    }
    return {
      index,
      job: undefined,
      // Who asked goes on first.
      post: message => (message.type === 'search' ? void setImmediate(receive, message) : receive(message)),
      end: () =>
        new Promise(resolve => {
          // After a search that was posted.
          setImmediate(() => {
            receive({ type: 'stop' })
            this.caches.ended(index)
            options.onEnded(index)
            resolve()
          })
        }),
    }
  }

  /** To all searchers, in order with their searches. */
  apply(ops: readonly EngineOp[]): void {
    this.unsent?.push(ops)
    this.toAll(ops)
  }

  private toAll(ops: readonly EngineOp[]): void {
    for (const seat of this.seats) seat.post({ type: 'ops', ops })
  }

  /** @throws UnavailableError if too many wait, CancelledError if the signal was aborted first */
  search(query: SearcherQuery, signal?: AbortSignal): Promise<SearchAnswer> {
    if (this.waiting.length >= MAX_WAITING || this.stopping) {
      return Promise.reject(new UnavailableError('too many searches wait'))
    }
    if (signal?.aborted) return Promise.reject(new CancelledError())
    this.searches++
    return this.enqueue(query, signal)
  }

  /** The same search in every searcher, for nobody's sake and counted nowhere: nothing is done while somebody else's runs or waits. */
  searchWhileIdle(query: SearcherQuery): Promise<readonly SearchAnswer[]> | undefined {
    const isIdle = this.waiting.length === 0 && this.seats.every(seat => seat.job === undefined)
    if (this.stopping || this.unsent !== undefined || !isIdle) return undefined
    return Promise.all(this.seats.map(() => this.enqueue(query)))
  }

  private enqueue(query: SearcherQuery, signal?: AbortSignal): Promise<SearchAnswer> {
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

  /** Answers a question about all of the index, by the first query worker, between its searches. @throws UnavailableError if it ends */
  async measure<Kind extends Measurement['kind']>(ask: Measurement & { readonly kind: Kind }): Promise<Measured[Kind]> {
    if (!this.stopping) await this.startThreads()
    const [seat] = this.seats
    if (seat === undefined || this.stopping) throw new UnavailableError('the index store stops')
    return await new Promise((resolve, reject) => {
      const id = this.nextMeasurement++
      const settle = (result: Measured[keyof Measured] | Error): void => {
        if (result instanceof Error) reject(result)
        else resolve(result as Measured[Kind])
      }
      this.measurements.set(id, settle)
      seat.post({ type: 'measure', id, ask })
    })
  }

  private cancel(job: Job): void {
    const at = this.waiting.indexOf(job)
    if (at >= 0) {
      this.waiting.splice(at, 1)
      job.settle(new CancelledError())
      return
    }
    const seat = this.seats.find(candidate => candidate.job === job)
    if (seat) Atomics.store(new Int32Array(this.cancelled), seat.index, job.id)
  }

  private dispatch(): void {
    while (this.waiting.length > 0) {
      const free = this.seats.find(seat => seat.job === undefined)
      if (free === undefined) return
      const job = this.waiting.shift()
      if (job === undefined) return
      free.job = job
      this.jobs.set(job.id, job)
      free.post({ type: 'search', id: job.id, query: job.query })
    }
  }

  private receive(index: number, message: FromSearcher): void {
    switch (message.type) {
      case 'result': {
        const seat = this.seats.find(candidate => candidate.index === index)
        if (seat) seat.job = undefined
        const job = this.jobs.get(message.id)
        this.jobs.delete(message.id)
        job?.settle(message.answer)
        this.dispatch()
        this.startThreadsSoon(AFTER_ANSWER_MS)
        break
      }
      case 'settled':
        this.options.onSettled()
        break
      case 'measured':
        this.measurements.get(message.id)?.(message.result)
        this.measurements.delete(message.id)
        break
      case 'caches':
        this.caches.told(index, message.counts)
        break
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
    for (const job of [...this.jobs.values(), ...this.waiting.splice(0)]) {
      job.settle(new UnavailableError('a searcher failed'))
    }
    this.jobs.clear()
    this.endMeasurements()
    for (const seat of this.seats) seat.job = undefined
    this.options.onFailure(error)
  }

  private endMeasurements(): void {
    for (const settle of this.measurements.values()) settle(new UnavailableError('the index store stops'))
    this.measurements.clear()
  }

  /** Refuses searches that wait, lets running ones end and unmaps everything. May be called again. */
  stop(): Promise<void> {
    this.stopped ??= this.end()
    return this.stopped
  }

  private async end(): Promise<void> {
    this.stopping = true
    clearTimeout(this.threadTimer)
    for (const job of this.waiting.splice(0)) job.settle(new UnavailableError('the index store stops'))
    await this.threadsStarted
    this.endMeasurements()
    await Promise.all(this.seats.map(seat => seat.end()))
  }
}

function threadSeat(worker: Worker, index: number): Seat {
  return {
    index,
    job: undefined,
    post: message => worker.postMessage(message),
    end: () =>
      new Promise(resolve => {
        worker.once('exit', () => resolve())
        worker.postMessage({ type: 'stop' } satisfies ToSearcher)
      }),
  }
}
