import { randomUUID } from 'node:crypto'
import { ID_BYTES, InvalidInputError, type RootSpec, UnavailableError } from '@hotpath/model'
import {
  type Bodies,
  type ClockReply,
  type CompactReply,
  type DatabaseInfo,
  DealerPeer,
  type Event,
  type EventGap,
  EventSubscriber,
  type FlushReply,
  forgetRequest,
  type Identity,
  keepKeysFor,
  openBatch,
  PeerLostError,
  REQUEST_TIMEOUT_MS,
  type Replies,
  type RequestType,
  RowSubscriptions,
  readEndpointsFile,
  type SearchRequest,
  type SocketLog,
  type StatusReply,
  searchRequest,
} from '@hotpath/protocol'
import { type FoundRows, foundRows, type RowSearchParams, rowSearchRequest } from './found-rows.js'
import { KnownAnswers, keyOf } from './known-answers.js'
import { LiveWatches, type Watch, type WatchHandlers } from './live-watches.js'
import { searchFailure } from './query-error.js'
import { type ChangesParams, RowChanges } from './row-changes.js'
import { SearchBatcher } from './search-batcher.js'
import type { CallOptions, SearchParams, WatchParams } from './search-params.js'
import { SearchResult } from './search-result.js'
import { connectStarting, type StartSystem, startByPath } from './start-system.js'

export type ConnectOptions = (
  | {
      /** Data directory of a running hotpath: its `endpoints.json` says where the gateway is. */
      readonly dataDir: string
      /**
       * What to do if none runs. `true`: run `hotpath start --data DIR` as found on the search path, apart from this process, and
       * wait until it answers (at most 30 s; its first scan goes on afterwards). Or a function that starts it. Default: reject.
       */
      readonly start?: boolean | StartSystem
    }
  | {
      /** Address of a gateway or of a store's query socket. */
      readonly endpoint: string
      /** Address of its events; without it there are none. */
      readonly eventsEndpoint?: string
    }
) & {
  /** Time for the first connection. */
  readonly timeoutMs?: number
  readonly log?: SocketLog
}

export interface EventHandlers {
  onEvent(event: Event): void
  /** Events were missed: whatever was derived from them must be read afresh. */
  onGap?(gap: EventGap): void
}

/**
 * Connects to a running hotpath. Rejects with UnavailableError if nothing answers in time, RefusedError if the other
 * side speaks another version, InvalidInputError if `endpoints.json` is damaged.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  if (!('dataDir' in options) || options.start === undefined || options.start === false) return connectRunning(options)
  const start = options.start === true ? startByPath : options.start
  return connectStarting(options.dataDir, timeoutMs => connectRunning({ ...options, timeoutMs }), start)
}

async function connectRunning(options: ConnectOptions): Promise<Client> {
  const client = new Client(options)
  try {
    await client.ready(options.timeoutMs ?? REQUEST_TIMEOUT_MS)
  } catch (error) {
    await client.close()
    throw error
  }
  return client
}

function addressesOf(options: ConnectOptions): { endpoint: string; eventsEndpoint: string | undefined } {
  if ('endpoint' in options) return { endpoint: options.endpoint, eventsEndpoint: options.eventsEndpoint }
  const file = readEndpointsFile(options.dataDir)
  keepKeysFor(options.dataDir, file)
  const { sockets } = file
  if (sockets.gateway === undefined)
    throw new UnavailableError(`no gateway runs for ${JSON.stringify(options.dataDir)}`)
  return { endpoint: sockets.gateway, eventsEndpoint: sockets['gateway-events'] }
}

function bytesOf(path: string | Uint8Array): Uint8Array {
  return typeof path === 'string' ? Buffer.from(path) : path
}

function idBytes(id: string): Uint8Array {
  const bytes = Buffer.from(id, 'base64url')
  if (bytes.length !== ID_BYTES) throw new InvalidInputError('id', 'the id of a hit', JSON.stringify(id.slice(0, 80)))
  return bytes
}

/** Field by field: this is done for every search, and copying objects with rest and spread took longer than the rest of it. */
function requestOf(params: Omit<SearchParams, keyof CallOptions>): Mutable<SearchRequest> {
  const request: Mutable<SearchRequest> = searchRequest(params.query)
  if (params.limit !== undefined) request.limit = params.limit
  if (params.offset !== undefined) request.offset = params.offset
  if (params.sort !== undefined) request.sort = params.sort
  if (params.descending !== undefined) request.descending = params.descending
  if (params.under !== undefined) request.under = bytesOf(params.under)
  if (params.minClock !== undefined) request.minClock = params.minClock
  if (params.match !== undefined) request.match = params.match
  if (params.caseMode !== undefined) request.caseMode = params.caseMode
  if (params.countOnly !== undefined) request.countOnly = params.countOnly
  if (params.fuzzy !== undefined) request.fuzzy = params.fuzzy
  if (params.explain !== undefined) request.explain = params.explain
  if (params.noCache !== undefined) request.noCache = params.noCache
  return request
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/**
 * A connection to hotpath, made by `connect`. It comes back by itself when the gateway is restarted; what only reads is
 * asked again then, within its time.
 */
export class Client {
  private readonly peer: DealerPeer
  private readonly batcher: SearchBatcher
  private readonly known = new KnownAnswers()
  private readonly watches: LiveWatches
  private readonly rows: RowSubscriptions
  private readonly openChanges = new Set<RowChanges>()
  private readonly eventsEndpoint: string | undefined
  private readonly handlers = new Set<EventHandlers>()
  private readonly log: SocketLog | undefined
  private subscriber: EventSubscriber | undefined
  private isClosed = false

  constructor(options: ConnectOptions) {
    const { endpoint, eventsEndpoint } = addressesOf(options)
    const identity: Identity = { stage: 'client', instance: randomUUID(), pid: process.pid }
    this.eventsEndpoint = eventsEndpoint
    this.log = options.log
    this.peer = new DealerPeer({
      endpoint,
      identity,
      onMessage: body => {
        if (!this.rows.receive(body)) this.watches.receive(body)
      },
      onWelcome: () => {
        this.watches.welcomed()
        this.rows.connected()
      },
      onPeerLost: () => this.rows.lost('the gateway does not answer'),
      ...(options.log ? { log: options.log } : {}),
    })
    this.watches = new LiveWatches(this.peer)
    this.rows = new RowSubscriptions(this.peer)
    this.batcher = new SearchBatcher({
      search: async (requests, timeoutMs, signal) => {
        const [first] = requests
        if (requests.length === 1 && first) return [await this.ask('searchRequest', first, { timeoutMs, signal })]
        return (await this.ask('searchBatch', { requests }, { timeoutMs, signal })).replies
      },
    })
    this.peer.start()
  }

  /** Resolves when the connection is up. */
  async ready(timeoutMs = REQUEST_TIMEOUT_MS): Promise<void> {
    await this.peer.ready({ timeoutMs })
  }

  /**
   * Searches. Searches that are asked for at the same time travel in one message. Rejects with QueryError (the query is
   * wrong), CancelledError (signal or time), UnavailableError, InvalidInputError (a parameter is out of bounds).
   */
  async search(params: SearchParams): Promise<SearchResult> {
    const { timeoutMs = REQUEST_TIMEOUT_MS, signal } = params
    const request = requestOf(params)
    const isKept = !request.noCache && !request.explain
    const key = isKept ? keyOf(request) : ''
    const known = isKept ? this.known.find(key) : undefined
    if (known !== undefined) request.known = known.number
    const reply = await this.batcher.search(request, timeoutMs, signal, params.replaces)
    if (reply.error) throw searchFailure(reply.error)
    if (reply.unchanged && known !== undefined) return new SearchResult(known, request.offset)
    if (isKept) this.known.keep(key, reply)
    return new SearchResult(reply, request.offset)
  }

  /**
   * Follows a search: first its hits, then what becomes of them, also after the gateway or the index was restarted. Resolves
   * when the first hits were handed over; `limit` is at most 1,000. Rejects as `search` does.
   */
  async live(params: WatchParams, handlers: WatchHandlers): Promise<Watch> {
    if (this.isClosed) throw new UnavailableError('closed')
    return await this.watches.watch(requestOf(params), handlers, params.timeoutMs)
  }

  /**
   * Changes of rows of followed databases, as they are committed; also after the gateway or the watcher was restarted. Resolves when the subscription works.
   */
  async changes(params: ChangesParams = {}): Promise<RowChanges> {
    if (this.isClosed) throw new UnavailableError('closed')
    for (const open of this.openChanges) if (open.isOver) this.openChanges.delete(open)
    const changes = await RowChanges.open(this.rows, params)
    this.openChanges.add(changes)
    return changes
  }

  /**
   * Rows of followed databases whose text matches (docs/query.md); none where nothing is followed. Rejects as `search` does.
   */
  async searchRows(params: RowSearchParams): Promise<FoundRows> {
    const reply = await this.ask('rowSearchRequest', rowSearchRequest(params), params)
    if (reply.error) throw searchFailure(reply.error)
    return foundRows(reply)
  }

  /** Followed databases, and how they are. */
  async databases(options?: CallOptions): Promise<readonly DatabaseInfo[]> {
    return (await this.ask('databasesRequest', {}, options)).databases
  }

  /** What runs, what is indexed and how fresh it is. */
  status(options?: CallOptions): Promise<StatusReply> {
    return this.ask('statusRequest', {}, options)
  }

  /** A clock that covers every change whose system call returned before this call; give it to `search` as `minClock`. */
  clock(options?: CallOptions): Promise<ClockReply> {
    return this.ask('clockRequest', {}, options)
  }

  /**
   * Counts an open, now: of a hit, by its id, or of the entry with this path. Resolves when the index has taken it; ranking
   * knows it within a second. @returns false if nothing of that name is indexed
   */
  async recordOpen(
    entry: { readonly id: string } | { readonly path: string | Uint8Array },
    options?: CallOptions,
  ): Promise<boolean> {
    const batch = openBatch('id' in entry ? { id: idBytes(entry.id) } : { path: bytesOf(entry.path) })
    const reply = await this.peer.request('openBatch', batch, options)
    if (reply.dropped > 0) throw new UnavailableError('too many opens come at once')
    return reply.recorded > 0
  }

  /**
   * Forgets that a hit, the entry with this path, or anything at all was opened. Resolves when that is on disk.
   * @returns how many records of opens are gone; undefined if nothing of that name is indexed
   */
  async forgetOpens(
    what: { readonly id: string } | { readonly path: string | Uint8Array } | 'all',
    options?: CallOptions,
  ): Promise<number | undefined> {
    const request = forgetRequest(
      what === 'all' ? { all: true } : 'id' in what ? { id: idBytes(what.id) } : { path: bytesOf(what.path) },
    )
    const { forgotten, known } = await this.peer.request('forgetRequest', request, options)
    return known ? forgotten : undefined
  }

  /** Asks for a new scan of one root (its id), or of all; resolves when it was asked for, with the ids. */
  async rescan(root = '', options?: CallOptions): Promise<readonly string[]> {
    return (await this.peer.request('rescanRequest', { root }, options)).roots
  }

  /** Adds a file list (EFU or plain text) to the index; resolves when its import was asked for. */
  async importList(path: string, options?: CallOptions): Promise<RootSpec> {
    return (await this.peer.request('importRequest', { kind: 'list', path }, options)).root
  }

  /** Adds a directory tree to the index; resolves when its scan was asked for. */
  async addTree(path: string, options?: CallOptions): Promise<RootSpec> {
    return (await this.peer.request('importRequest', { kind: 'tree', path }, options)).root
  }

  /** Writes what is in memory to segments; resolves when that is durable. */
  flush(root = '', options?: CallOptions): Promise<FlushReply> {
    return this.peer.request('flushRequest', { root }, options)
  }

  /** Merges segments; resolves when that is done. */
  compact(root = '', options?: CallOptions): Promise<CompactReply> {
    return this.peer.request('compactRequest', { root }, options)
  }

  /**
   * Calls back for every event until the returned function is called. Resolves when the subscription works: every event
   * from then on is reported, or a gap is. Rejects with UnavailableError if this endpoint publishes nothing.
   */
  async onEvent(handlers: EventHandlers | EventHandlers['onEvent']): Promise<() => void> {
    if (this.isClosed) throw new UnavailableError('closed')
    if (this.eventsEndpoint === undefined) throw new UnavailableError('no address of events is known')
    const added: EventHandlers = typeof handlers === 'function' ? { onEvent: handlers } : handlers
    this.handlers.add(added)
    this.subscriber ??= this.subscribe(this.eventsEndpoint)
    try {
      await this.subscriber.ready()
    } catch (error) {
      this.handlers.delete(added)
      throw error
    }
    return () => void this.handlers.delete(added)
  }

  /** Ends everything that is open with UnavailableError. */
  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.batcher.close(new UnavailableError('closed'))
    this.watches.close(new UnavailableError('closed'))
    for (const changes of this.openChanges) changes.closed()
    this.handlers.clear()
    this.known.clear()
    await Promise.all([this.peer.stop('closed'), this.subscriber?.stop()])
  }

  private subscribe(endpoint: string): EventSubscriber {
    const subscriber = new EventSubscriber({
      endpoint,
      onEvent: event => {
        for (const { onEvent } of this.handlers) onEvent(event)
      },
      onGap: gap => {
        for (const { onGap } of this.handlers) onGap?.(gap)
      },
      ...(this.log ? { log: this.log } : {}),
    })
    subscriber.start()
    return subscriber
  }

  /** Asks again if the connection broke: for requests that change nothing. */
  private async ask<Type extends RequestType>(
    type: Type,
    value: Bodies[Type],
    options: CallOptions = {},
  ): Promise<Bodies[Replies[Type]]> {
    const deadlineAt = performance.now() + (options.timeoutMs ?? REQUEST_TIMEOUT_MS)
    for (;;) {
      const timeoutMs = deadlineAt - performance.now()
      if (timeoutMs <= 0) throw new UnavailableError('the connection was lost too often')
      try {
        return await this.peer.request(type, value, { timeoutMs, signal: options.signal })
      } catch (error) {
        if (!(error instanceof PeerLostError)) throw error
      }
    }
  }
}
