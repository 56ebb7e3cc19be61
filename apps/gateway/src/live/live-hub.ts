import type { Logger } from '@hotpath/service'
import type { IndexEvent, SearchBackend } from '../search-backend.js'
import type { LiveSink, LiveSource, ResyncReason } from './live-message.js'
import { LiveQuery, type LiveRunner } from './live-query.js'
import { type LiveTime, realTime } from './live-time.js'

/** Rows of a page, as of a page over HTTP. */
export const MAX_LIVE_ROWS = 1_000
/** Subscriptions of one consumer: one for each window and list that a program shows. */
export const MAX_QUERIES_PER_CONSUMER = 32
/** All together: 65 KB each at most, so 33 MB. */
export const MAX_QUERIES = 512
/** Searches for subscriptions at once: whoever types must find a free worker, however many subscriptions there are. */
const MAX_RUNNING = 2

export interface LiveStats {
  readonly queries: number
  readonly heldRows: number
}

/** After these events more may be another than any event said. */
const REASONS: Partial<Record<IndexEvent['type'], ResyncReason>> = {
  resync: 'gap',
  generation: 'generation',
  'fresh-instance': 'fresh-instance',
}

/** All subscriptions: passes on that the index has changed, and shares out the searches that follow. */
export class LiveHub implements LiveRunner {
  readonly #queries = new Set<LiveQuery>()
  readonly #waiting: LiveQuery[] = []
  #running = 0
  #unsubscribe: (() => void) | undefined

  constructor(
    readonly backend: Pick<SearchBackend, 'onEvent'>,
    readonly log: Logger,
    readonly time: LiveTime = realTime,
  ) {}

  start(): void {
    this.#unsubscribe = this.backend.onEvent(event => this.#pass(event))
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    for (const query of [...this.#queries]) query.end()
  }

  stats(): LiveStats {
    let heldRows = 0
    for (const query of this.#queries) heldRows += query.heldRows
    return { queries: this.#queries.size, heldRows }
  }

  /** A subscription, whose first search begins now; undefined if there are too many. */
  open(source: LiveSource, sink: LiveSink): LiveQuery | undefined {
    if (this.#queries.size >= MAX_QUERIES) return undefined
    const query = new LiveQuery(source, sink, this)
    this.#queries.add(query)
    // Somebody waits for it, perhaps for a clock: it takes no turn of the others.
    void query.run()
    return query
  }

  enqueue(query: LiveQuery): void {
    this.#waiting.push(query)
    this.#pump()
  }

  left(query: LiveQuery): void {
    this.#queries.delete(query)
    const at = this.#waiting.indexOf(query)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  failed(error: unknown): void {
    this.log.error('a subscription failed', { error })
  }

  #pump(): void {
    while (this.#running < MAX_RUNNING) {
      const query = this.#waiting.shift()
      if (query === undefined) return
      this.#running++
      void query.run().finally(() => {
        this.#running--
        this.#pump()
      })
    }
  }

  #pass(event: IndexEvent): void {
    if (event.type === 'status' || event.type === 'rows') return
    for (const query of this.#queries) query.touch(REASONS[event.type])
  }
}
