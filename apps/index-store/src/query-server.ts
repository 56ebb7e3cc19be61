import { HotpathError, type RootSpec } from '@hotpath/model'
import {
  type ClockReply,
  type IncomingMessage,
  noHits,
  type Outcome,
  RouterServer,
  type RouterServerOptions,
  type SearchReply,
  type SearchRequest,
  type StatusReply,
  unexpected,
} from '@hotpath/protocol'
import type { Sort, SortColumn } from '@hotpath/query'
import type { Logger } from '@hotpath/service'
import type { Store } from '@hotpath/store'
import type { HotKeeper } from './hot/hot-keeper.js'
import { forgetOpens } from './hot/open-forgetter.js'
import { recordOpens } from './hot/open-recorder.js'
import type { IndexClock } from './index-clock.js'
import type { IndexStatistics } from './index-statistics.js'
import type { QueryPool } from './query/query-pool.js'
import type { RootKeeper } from './roots/root-keeper.js'
import type { RowKeeper } from './rows/row-keeper.js'

export interface QueryServerOptions extends Pick<RouterServerOptions, 'endpoint' | 'identity' | 'tap'> {
  readonly store: Store
  readonly pool: QueryPool
  readonly keeper: RootKeeper
  readonly clock: IndexClock
  readonly hot: HotKeeper
  readonly statistics: IndexStatistics
  readonly rows: RowKeeper
  readonly log: Logger
  /** A search sees the index as it is now. */
  onSearch(): void
  /** Every change whose system call has returned is in the index when this resolves. */
  barrier(): Promise<ClockReply>
  status(): StatusReply
  /** Adds a root for good. */
  importRoot(kind: RootSpec['kind'], path: string): Promise<RootSpec>
}

const SORT_COLUMNS: Record<SearchRequest['sort'], SortColumn> = {
  default: 'hot',
  name: 'name',
  path: 'path',
  size: 'size',
  modified: 'modified',
  created: 'created',
  extension: 'ext',
  accessed: 'accessed',
  hot: 'hot',
  opened: 'opened',
}
/** Longest time for a search of an asker who gave no deadline. */
const DEFAULT_DEADLINE_MS = 60_000

/** The socket of those who ask: the gateway, tools. */
export class QueryServer {
  private readonly server: RouterServer

  constructor(private readonly options: QueryServerOptions) {
    const { endpoint, identity, tap, log } = options
    this.server = new RouterServer({ endpoint, identity, tap, log, onMessage: message => this.receive(message) })
  }

  async start(): Promise<void> {
    await this.server.start()
  }

  async stop(): Promise<void> {
    await this.server.stop()
  }

  private async receive(message: IncomingMessage): Promise<Outcome> {
    const { body } = message
    const { store, keeper } = this.options
    switch (body.type) {
      case 'searchRequest':
        return { type: 'searchReply', value: await this.search(body.value, message, message.signal) }
      case 'searchBatch': {
        const replies = await Promise.all(
          body.value.requests.map((request, at) => this.search(request, message, message.partSignal(at + 1))),
        )
        return { type: 'searchBatchReply', value: { replies } }
      }
      case 'rowSearchRequest': {
        const deadlineMs = Date.now() + this.leftMs(body.value.deadlineMs, message)
        return { type: 'rowSearchReply', value: await this.options.rows.search(body.value, deadlineMs, message.signal) }
      }
      case 'openBatch':
        return { type: 'openReply', value: recordOpens(body.value, store, this.options.hot, Date.now()) }
      case 'forgetRequest':
        return { type: 'forgetReply', value: await forgetOpens(body.value, store, this.options.hot) }
      case 'clockRequest':
        return { type: 'clockReply', value: await this.options.barrier() }
      case 'statusRequest':
        return { type: 'statusReply', value: this.options.status() }
      case 'statisticsRequest':
        return { type: 'statisticsReply', value: await this.options.statistics.statistics() }
      case 'sizesRequest':
        return { type: 'sizesReply', value: await this.options.statistics.sizes(body.value) }
      case 'rescanRequest':
        store.checkStorage()
        return { type: 'rescanReply', value: { roots: keeper.rescan(body.value.root) } }
      case 'flushRequest': {
        const before = segmentCount(store)
        await store.flush(body.value.root || undefined)
        return { type: 'flushReply', value: { segmentsWritten: Math.max(0, segmentCount(store) - before) } }
      }
      case 'compactRequest': {
        const segmentsBefore = segmentCount(store)
        await store.compact(body.value.root || undefined)
        return { type: 'compactReply', value: { segmentsBefore, segmentsAfter: segmentCount(store) } }
      }
      case 'importRequest':
        return { type: 'importReply', value: { root: await this.options.importRoot(body.value.kind, body.value.path) } }
      default:
        throw unexpected(body.type)
    }
  }

  /** A search that cannot be run says so in its own reply: it may have travelled with others. */
  private async search(request: SearchRequest, message: IncomingMessage, signal: AbortSignal): Promise<SearchReply> {
    try {
      return await this.run(request, message, signal)
    } catch (error) {
      if (!(error instanceof HotpathError)) throw error
      return this.refusal(request, error.code, error.message)
    }
  }

  /** Other users are not told which directories have changed. */
  private freshFor({ viewer }: SearchRequest): SearchReply['fresh'] {
    const fresh = this.options.keeper.fresh()
    return viewer === undefined ? fresh : { ...fresh, dirty: 0, dirtySubtrees: [] }
  }

  private refusal(
    request: SearchRequest,
    code: string,
    message: string,
    position = Number.NaN,
    expected = '',
  ): SearchReply {
    return {
      total: 0,
      fuzzyTotal: Number.NaN,
      clock: this.options.clock.now(),
      fresh: this.freshFor(request),
      partial: this.options.keeper.partial,
      tookMs: 0,
      rows: noHits(),
      explain: '',
      error: { code, message, position, expected },
    }
  }

  /** Milliseconds that a search may take. @param ownMs its own deadline; 0: none */
  private leftMs(ownMs: number, message: IncomingMessage): number {
    return Math.min(ownMs > 0 ? ownMs : DEFAULT_DEADLINE_MS, message.deadlineAt - performance.now())
  }

  private async run(request: SearchRequest, message: IncomingMessage, signal: AbortSignal): Promise<SearchReply> {
    const { viewer } = request
    const { store, pool, keeper, clock } = this.options
    const deadlineMs = Date.now() + this.leftMs(request.deadlineMs, message)
    if (request.minClock !== '') await store.waitForClock(clock.parse(request.minClock), signal)
    const sort: Sort = { column: SORT_COLUMNS[request.sort], descending: request.descending }
    const text = decode(request.text)
    const seen = clock.now()
    this.options.onSearch()
    const answer = await pool.search(
      {
        text,
        limit: request.limit,
        offset: request.offset,
        sort,
        match: request.match,
        caseMode: request.caseMode,
        under: request.under.length > 0 ? request.under : undefined,
        nowMs: Date.now(),
        countOnly: request.countOnly,
        fuzzy: request.fuzzy,
        noCache: request.noCache,
        explain: request.explain,
        viewer,
        deadlineMs,
      },
      signal,
    )
    switch (answer.kind) {
      case 'page': {
        const { total, fuzzyTotal, rows, explain } = answer
        // How long it took says something about what was not shown: other users learn it roughly.
        const tookMs = viewer === undefined ? answer.tookMs : Math.ceil(answer.tookMs)
        const partial = answer.partial || keeper.partial
        return { total, fuzzyTotal, clock: seen, fresh: this.freshFor(request), partial, tookMs, rows, explain }
      }
      case 'syntax': {
        const position = Buffer.byteLength(text.slice(0, answer.position))
        return this.refusal(request, 'SYNTAX', answer.message, position, answer.expected)
      }
      case 'failed':
        return this.refusal(request, answer.code, answer.message)
    }
  }
}

function segmentCount(store: Store): number {
  return store.rootStatus().reduce((sum, root) => sum + root.segments, 0)
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
