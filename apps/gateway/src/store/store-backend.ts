import { UnavailableError } from '@hotpath/model'
import { type Event, forgetRequest, openBatch, type Viewer, type SearchRequest as WireRequest } from '@hotpath/protocol'
import type { KeptSearches } from '../answers/kept-searches.js'
import type { StoreLink } from '../relay/store-link.js'
import {
  type Barrier,
  DeadlineError,
  type FolderSizes,
  type IndexEvent,
  type IndexStatistics,
  type IndexStatus,
  type OpenedEntry,
  type RowAnswer,
  type RowSearch,
  type SearchAnswer,
  type SearchBackend,
  type SearchRequest,
} from '../search-backend.js'
import { ScanRates } from './scan-rates.js'
import { fromWireReply, fromWireSizes, fromWireStatus, searchError, toWireRequest } from './wire-conversion.js'

/** The HTTP side limits every request itself (its signal); this is only what the store is told. */
const TIMEOUT_MS = 10_000

/** Children of a directory in one answer: more than anybody looks at. */
const CHILDREN = 200

/** All requests over HTTP take turns with the native clients as one of them. */
export const HTTP_CLIENT = 'http'

/** Each other user takes turns with all the others. */
export type UserClient = `user ${number}`

/** The index behind the store's sockets, as the HTTP side sees it. */
export class StoreBackend<Client> implements SearchBackend {
  readonly #listeners = new Set<(event: IndexEvent) => void>()
  readonly #rates = new ScanRates()

  constructor(
    readonly link: StoreLink<Client | typeof HTTP_CLIENT | UserClient>,
    readonly searches: KeptSearches<Client | typeof HTTP_CLIENT | UserClient>,
  ) {}

  async search(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
    return await this.#search(HTTP_CLIENT, toWireRequest(request), request, signal)
  }

  /** A search of another user. Never answered from what anybody else was answered, nor kept: what he may see can change. */
  async searchAs(viewer: Viewer, request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
    return await this.#search(`user ${viewer.user}`, { ...toWireRequest(request), viewer }, request, signal)
  }

  /** A search of a native client, as HTTP sees its answer. */
  async searchFor(client: Client, request: WireRequest, signal: AbortSignal): Promise<SearchAnswer> {
    const query = Buffer.from(request.text).toString('utf8')
    return await this.#search(client, request, { query, offset: request.offset }, signal)
  }

  async searchRows({ query, limit, offset, caseMode }: RowSearch, signal: AbortSignal): Promise<RowAnswer> {
    const request = { text: Buffer.from(query), limit, offset, caseMode, deadlineMs: 0 }
    const asked = this.link.request('rowSearchRequest', request, deadline(), signal)
    const { total, tookMs, rows, error } = await this.#within(signal, asked)
    if (error !== undefined) throw searchError(error, query)
    return { total, engineMs: tookMs, rows }
  }

  async status(signal: AbortSignal): Promise<IndexStatus> {
    const status = await this.#within(signal, this.link.status(deadline(), signal))
    return fromWireStatus(status, this.#rates)
  }

  async clock(signal: AbortSignal): Promise<Barrier> {
    const reply = await this.#within(signal, this.link.request('clockRequest', {}, deadline(), signal))
    return { clock: reply.clock, notCovered: reply.unwatchedRoots }
  }

  async statistics(signal: AbortSignal): Promise<IndexStatistics> {
    return await this.#within(signal, this.link.request('statisticsRequest', {}, deadline(), signal))
  }

  async sizes(path: Uint8Array | undefined, signal: AbortSignal): Promise<FolderSizes | undefined> {
    const request = { path: path ?? new Uint8Array(0), limit: CHILDREN }
    const reply = await this.#within(signal, this.link.request('sizesRequest', request, deadline(), signal))
    return reply.found ? fromWireSizes(reply) : undefined
  }

  async rescan(root: string | undefined, signal: AbortSignal): Promise<readonly string[]> {
    const request = this.link.request('rescanRequest', { root: root ?? '' }, deadline(), signal)
    return (await this.#within(signal, request)).roots
  }

  async open(entry: OpenedEntry, signal: AbortSignal): Promise<boolean> {
    const batch = openBatch('id' in entry ? { id: Buffer.from(entry.id, 'base64url') } : entry)
    const reply = await this.#within(signal, this.link.request('openBatch', batch, deadline(), signal))
    if (reply.dropped > 0) throw new UnavailableError('too many opens come at once')
    return reply.recorded > 0
  }

  async forget(what: OpenedEntry | 'all', signal: AbortSignal): Promise<number | undefined> {
    const request = forgetRequest(
      what === 'all' ? { all: true } : 'id' in what ? { id: Buffer.from(what.id, 'base64url') } : what,
    )
    const reply = await this.#within(signal, this.link.request('forgetRequest', request, deadline(), signal))
    return reply.known ? reply.forgotten : undefined
  }

  onEvent(listener: (event: IndexEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** An event of the store. */
  receive({ clock, detail }: Event): void {
    switch (detail.kind) {
      case 'changes':
        this.#emit({ type: 'changed', root: detail.changes.root, clock })
        break
      case 'generation':
        this.#rates.forget(detail.generation.root)
        this.#emit({ type: 'generation', root: detail.generation.root, clock })
        break
      case 'fresh':
        this.#emit({ type: 'fresh' })
        break
      case 'freshInstance':
        this.#emit({ type: 'fresh-instance', ...detail.freshInstance, clock })
        break
      case 'rowsChanged':
        // Nothing else of the index is another now.
        this.#emit({ type: 'rows' })
        return
      case 'progress':
        this.#rates.observe(detail.progress)
        break
    }
    // Each of them changes something that the status shows.
    if (detail.kind !== 'beat') this.#emit({ type: 'status' })
  }

  /** Events were missed, or the store was away. */
  lost(reason: string): void {
    this.#emit({ type: 'resync', reason })
  }

  async #search(
    client: Client | typeof HTTP_CLIENT | UserClient,
    wireRequest: WireRequest,
    request: Pick<SearchRequest, 'query' | 'offset'>,
    signal: AbortSignal,
  ): Promise<SearchAnswer> {
    const reply = await this.#within(signal, this.searches.one(client, wireRequest, deadline(), { signal }))
    return fromWireReply(reply, request)
  }

  #emit(event: IndexEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** A signal that is a time-out means that the answer is late, not that nobody wants it. */
  async #within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      const reason: unknown = signal.reason
      const late = signal.aborted && reason instanceof DOMException && reason.name === 'TimeoutError'
      throw late ? new DeadlineError('the index store did not answer in time', { cause: error }) : error
    }
  }
}

function deadline(): number {
  return performance.now() + TIMEOUT_MS
}
