import { CancelledError, UnavailableError } from '@hotpath/model'
import {
  type Bodies,
  DealerPeer,
  type DealerPeerOptions,
  PeerLostError,
  RefusedError,
  type Replies,
  type RequestType,
  type SearchReply,
  type SearchRequest,
  type StageStatus,
  type StatusReply,
} from '@hotpath/protocol'
import { DeadlineError } from '../search-backend.js'
import { anonymousBytes } from './process-memory.js'
import {
  type AskStore,
  type Keeping,
  LONG_PAGE_LIMITS,
  type RelayStats,
  SEARCH_LIMITS,
  SearchRelay,
  WAITING_LIMITS,
} from './search-relay.js'

/** Rows above which a page counts as long: about 1 MB of columns. */
const LONG_PAGE_ROWS = 10_000

/** How long a request waits for a store that is not there: a restart takes well under a second, a recovery a few. */
const AWAY_GRACE_MS = 5_000

/** Requests that change nothing, so that asking twice does no harm. */
const IDEMPOTENT: ReadonlySet<RequestType> = new Set<RequestType>([
  'clockRequest',
  'statusRequest',
  'statisticsRequest',
  'sizesRequest',
  'rowSearchRequest',
])

/**
 * The gateway's one connection to the store, shared by HTTP and native clients. Survives restarts of the store: what
 * waits is sent when it is back, what was under way is asked once more where that is safe.
 */
export class StoreLink<Client> {
  readonly #peer: DealerPeer
  readonly #searches: SearchRelay<Client>
  readonly #waitingSearches: SearchRelay<Client>
  readonly #longPages: SearchRelay<Client>
  readonly #startedAt = performance.now()

  constructor(
    readonly options: DealerPeerOptions,
    readonly awayGraceMs = AWAY_GRACE_MS,
  ) {
    this.#peer = new DealerPeer(options)
    const ask: AskStore = (requests, timeoutMs, signal, parts) => this.#ask(requests, timeoutMs, signal, parts)
    this.#searches = new SearchRelay(ask, SEARCH_LIMITS)
    this.#waitingSearches = new SearchRelay(ask, WAITING_LIMITS)
    this.#longPages = new SearchRelay(ask, LONG_PAGE_LIMITS)
  }

  start(): void {
    this.#peer.start()
  }

  async stop(): Promise<void> {
    await this.#peer.stop()
  }

  get isReady(): boolean {
    return this.#peer.isReady
  }

  /**
   * Answers in the order of `requests`; undefined if they are kept by now. Rejects with CancelledError (signal), DeadlineError,
   * UnavailableError, or what the store says of the message as a whole; a query that is wrong is an answer with an `error`.
   */
  async search(
    client: Client,
    requests: readonly SearchRequest[],
    deadlineAt: number,
    signal: AbortSignal,
    keeping?: Keeping,
  ): Promise<readonly SearchReply[] | undefined> {
    const relayOf = (request: SearchRequest) => {
      if (request.minClock !== '') return this.#waitingSearches
      return request.limit > LONG_PAGE_ROWS ? this.#longPages : this.#searches
    }
    if (requests.every(request => relayOf(request) === this.#searches)) {
      return await this.#searches.search(client, requests, deadlineAt, signal, keeping)
    }
    const alone = requests.map(request => relayOf(request).search(client, [request], deadlineAt, signal))
    return (await Promise.all(alone)).flatMap(replies => replies ?? [])
  }

  /** Any other request. Rejects as `search` does. */
  async request<Type extends RequestType>(
    type: Type,
    value: Bodies[Type],
    deadlineAt: number,
    signal: AbortSignal,
  ): Promise<Bodies[Replies[Type]]> {
    try {
      return await this.#request(type, value, deadlineAt, signal)
    } catch (error) {
      if (!(error instanceof PeerLostError) || !IDEMPOTENT.has(type)) throw error
      return await this.#request(type, value, deadlineAt, signal)
    }
  }

  /** The store's status with this process among the stages. Rejects as `search` does. */
  async status(deadlineAt: number, signal: AbortSignal): Promise<StatusReply> {
    const status = await this.request('statusRequest', {}, deadlineAt, signal)
    const { stage, instance, pid } = this.options.identity
    const own: StageStatus = {
      stage,
      instance,
      pid,
      state: 'ready',
      uptimeMs: performance.now() - this.#startedAt,
      memoryBytes: anonymousBytes(),
      restarts: 0,
    }
    return { ...status, stages: [...status.stages.filter(other => other.stage !== stage), own] }
  }

  /** Figures of all lanes together. */
  stats(): RelayStats {
    const lanes = [this.#searches, this.#waitingSearches, this.#longPages].map(lane => lane.stats())
    const sum = (of: (stats: RelayStats) => number) => lanes.reduce((total, stats) => total + of(stats), 0)
    return {
      waiting: sum(stats => stats.waiting),
      messages: sum(stats => stats.messages),
      searches: sum(stats => stats.searches),
      spared: sum(stats => stats.spared),
      sentMessages: sum(stats => stats.sentMessages),
      retries: sum(stats => stats.retries),
      rejected: sum(stats => stats.rejected),
    }
  }

  async #ask(
    requests: readonly SearchRequest[],
    timeoutMs: number,
    signal: AbortSignal,
    parts: readonly AbortSignal[] | undefined,
  ): Promise<readonly SearchReply[]> {
    const deadlineAt = performance.now() + timeoutMs
    const [only] = requests
    if (requests.length === 1 && only !== undefined) {
      return [await this.#request('searchRequest', only, deadlineAt, signal)]
    }
    const { replies } = await this.#request('searchBatch', { requests }, deadlineAt, signal, parts)
    if (replies.length !== requests.length) {
      throw new UnavailableError(`the store gave ${replies.length} answers to ${requests.length} searches`)
    }
    return replies
  }

  async #request<Type extends RequestType>(
    type: Type,
    value: Bodies[Type],
    deadlineAt: number,
    signal: AbortSignal,
    parts?: readonly AbortSignal[],
  ): Promise<Bodies[Replies[Type]]> {
    const timeoutMs = Math.max(1, deadlineAt - performance.now())
    try {
      if (!this.#peer.isReady) await this.#peer.ready({ timeoutMs: Math.min(timeoutMs, this.awayGraceMs), signal })
      const leftMs = Math.max(1, deadlineAt - performance.now())
      return await this.#peer.request(type, value, { timeoutMs: leftMs, signal, parts })
    } catch (error) {
      if (error instanceof RefusedError)
        throw new UnavailableError(`the index store: ${error.message}`, { cause: error })
      // Our own deadline comes as CancelledError too; only the signal is the asker's wish.
      if (!(error instanceof CancelledError) || signal.aborted) throw error
      if (!this.#peer.isReady) throw new UnavailableError('the index store is not there', { cause: error })
      throw new DeadlineError('the index store did not answer in time', { cause: error })
    }
  }
}
