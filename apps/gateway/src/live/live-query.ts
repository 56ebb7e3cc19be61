import { HotpathError, InvalidInputError } from '@hotpath/model'
import { QueryError, type SearchAnswer } from '../search-backend.js'
import type { LiveHead, LiveMessage, LiveSink, LiveSource, ResyncReason } from './live-message.js'
import { difference, type LivePage, NO_DIFFERENCE, pageOf, samePages } from './live-page.js'
import type { LiveTime } from './live-time.js'

/** A person sees no more than ten states a second; what falls between is merged. */
export const MIN_PAUSE_MS = 100
/** A search of cost c is run again after 20 c: however much changes, a subscription takes a twentieth of a worker. */
export const PAUSE_PER_COST = 20
/** How often a consumer whose page stays the same is told a newer clock. */
export const CLOCK_INTERVAL_MS = 1_000
/** As of any request over HTTP. */
export const SEARCH_DEADLINE_MS = 10_000
/** A search waits by itself for a store that is away; this is only between two such waits. */
export const RETRY_MS = 1_000

/** What a subscription needs of the hub. */
export interface LiveRunner {
  readonly time: LiveTime
  /** Calls `run` of the query, now or when it is its turn. */
  enqueue(query: LiveQuery): void
  /** The query has ended; called once. */
  left(query: LiveQuery): void
  /** A search or a message failed as none should: a mistake of the program. */
  failed(error: unknown): void
}

/**
 * One subscription. What it holds is bounded by the rows of its page: there is no queue. It knows what the consumer has;
 * when the index has changed it searches again, and what is told is the difference. While the consumer takes nothing,
 * nothing is searched and nothing kept but that something has changed; so a slow consumer costs what a fast one costs, and
 * gets one difference when it comes back.
 */
export class LiveQuery {
  #known: LivePage | undefined
  #told: LiveHead | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  /** A head with a newer clock that waits to be told. */
  #untold: LiveHead | undefined
  #dirty = true
  /** Why the next difference may be large. */
  #reason: ResyncReason | undefined
  #state: 'idle' | 'queued' | 'running' | 'ended' = 'idle'
  #isAway = false
  #startedAt = Number.NEGATIVE_INFINITY
  #notBefore = Number.NEGATIVE_INFINITY
  #cancelRun: (() => void) | undefined
  #cancelClock: (() => void) | undefined
  #controller: AbortController | undefined

  constructor(
    readonly source: LiveSource,
    readonly sink: LiveSink,
    readonly runner: LiveRunner,
  ) {}

  /** Rows that are remembered. */
  get heldRows(): number {
    return this.#known?.ids.length ?? 0
  }

  get isEnded(): boolean {
    return this.#state === 'ended'
  }

  /** The index may give another answer now. With a reason the search does not wait for its share of time. */
  touch(reason?: ResyncReason): void {
    this.#dirty = true
    if (reason !== undefined) {
      this.#because(reason)
      this.#notBefore = Math.min(this.#notBefore, this.#startedAt + MIN_PAUSE_MS)
      this.#cancelRun?.()
      this.#cancelRun = undefined
    }
    this.#schedule()
  }

  /** The consumer takes messages again. */
  drained(): void {
    this.#tellClock()
    this.#schedule()
  }

  /** No message follows. */
  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#cancelRun?.()
    this.#cancelClock?.()
    this.#controller?.abort()
    this.runner.left(this)
  }

  /** Searches and tells what is new. Never rejects. */
  async run(): Promise<void> {
    if (this.#state === 'ended') return
    this.#state = 'idle'
    if (!this.sink.isReady) {
      this.#schedule()
      return
    }
    const { time } = this.runner
    const reason = this.#reason
    this.#reason = undefined
    this.#dirty = false
    this.#state = 'running'
    this.#startedAt = time.now()
    let pauseMs = MIN_PAUSE_MS
    try {
      const answer = await this.#search()
      const cameAt = time.now()
      this.#settle(answer, reason)
      const costMs = answer.engineMs + time.now() - cameAt
      if (this.#reason === undefined) pauseMs = Math.max(MIN_PAUSE_MS, PAUSE_PER_COST * costMs)
    } catch (error) {
      this.#fail(error, reason)
      pauseMs = RETRY_MS
    }
    if (this.isEnded) return
    this.#state = 'idle'
    this.#notBefore = time.now() + pauseMs
    this.#schedule()
  }

  async #search(): Promise<SearchAnswer> {
    const controller = new AbortController()
    this.#controller = controller
    const late = () => controller.abort(new DOMException('the index did not answer in time', 'TimeoutError'))
    const cancel = this.runner.time.after(SEARCH_DEADLINE_MS, late)
    try {
      return await this.source.search(controller.signal)
    } finally {
      cancel()
      this.#controller = undefined
    }
  }

  #schedule(): void {
    if (!this.#dirty || this.#state !== 'idle' || this.#cancelRun !== undefined) return
    const waitMs = this.#notBefore - this.runner.time.now()
    if (waitMs > 0) {
      this.#cancelRun = this.runner.time.after(waitMs, () => {
        this.#cancelRun = undefined
        this.#schedule()
      })
    } else if (this.sink.isReady) {
      this.#state = 'queued'
      this.runner.enqueue(this)
    } else this.#reason ??= 'slow'
  }

  /** The reason of a search that told nothing is one of the next. */
  #again(reason: ResyncReason): void {
    if (this.#reason === undefined || reason === 'fresh-instance') this.#reason = reason
  }

  /** Of several reasons the last one counts, but for the one that must be told. */
  #because(reason: ResyncReason): void {
    if (this.#reason !== 'fresh-instance') this.#reason = reason
  }

  #settle(answer: SearchAnswer, reason: ResyncReason | undefined): void {
    if (this.isEnded) return
    if (!this.sink.isReady) {
      // It became full meanwhile: what it knows is still what it was told.
      this.#dirty = true
      this.#again(reason ?? 'slow')
      return
    }
    const page = pageOf(answer)
    const known = this.#known
    if (known === undefined) {
      this.#tell({ type: 'hits', answer }, answer, page)
      return
    }
    const found = difference(known, page, answer)
    const size = found === undefined ? 0 : found.removed.length + found.changed.length + found.added.length
    const isLarge = found === undefined ? !samePages(known, page) : size > this.source.limit / 2
    if (isLarge || reason === 'fresh-instance') {
      this.#tell({ type: 'resync', reason: reason ?? 'many', answer }, answer, page)
    } else if (size > 0 || this.#isAway || !sameHead(this.#told, answer)) {
      this.#tell({ type: 'change', head: headOf(answer), difference: found ?? NO_DIFFERENCE }, answer, page)
    } else {
      this.#untold = answer.clock === this.#told?.clock ? undefined : headOf(answer)
      this.#tellClock()
    }
  }

  #fail(error: unknown, reason: ResyncReason | undefined): void {
    if (this.isEnded) return
    if (!(error instanceof HotpathError)) this.runner.failed(error)
    const isOver = this.#known === undefined || error instanceof QueryError || error instanceof InvalidInputError
    if (isOver) {
      this.#hand({ type: 'ended', error })
      this.end()
      return
    }
    this.#dirty = true
    if (reason !== undefined) this.#again(reason)
    if (this.#isAway || !this.sink.isReady) return
    this.#isAway = true
    this.#hand({ type: 'away' })
  }

  #tellClock(): void {
    if (this.#untold === undefined || this.#known === undefined || !this.sink.isReady) return
    const waitMs = this.#toldAt + CLOCK_INTERVAL_MS - this.runner.time.now()
    if (waitMs > 0) {
      this.#cancelClock ??= this.runner.time.after(waitMs, () => {
        this.#cancelClock = undefined
        this.#tellClock()
      })
      return
    }
    const head = this.#untold
    this.#tell({ type: 'change', head, difference: NO_DIFFERENCE }, head, this.#known)
  }

  #tell(message: LiveMessage, head: LiveHead, page: LivePage): void {
    this.#known = page
    this.#told = headOf(head)
    this.#toldAt = this.runner.time.now()
    this.#untold = undefined
    this.#isAway = false
    this.#hand(message)
  }

  #hand(message: LiveMessage): void {
    try {
      this.sink.send(message)
    } catch (error) {
      this.runner.failed(error)
      this.end()
    }
  }
}

/** A copy without the rows. */
function headOf({ total, fuzzyTotal, clock, fresh, partial }: LiveHead): LiveHead {
  return { total, fuzzyTotal, clock, fresh, partial }
}

/** Whether there is nothing to tell but the clock. How far a lagging index lags is no news. */
function sameHead(told: LiveHead | undefined, { total, fuzzyTotal, fresh, partial }: LiveHead): boolean {
  return (
    told?.total === total &&
    told.fuzzyTotal === fuzzyTotal &&
    told.fresh.state === fresh.state &&
    told.partial === partial
  )
}
