/**
 * The door for browsers: over HTTP and a WebSocket instead of ZeroMQ, without anything of Node. It works in Node, too, with
 * a token, and with the WebSocket of `ws` where there is none.
 */
import type { RowSearchParams } from '../found-rows.js'
import type { CallOptions, SearchParams, WatchParams } from '../search-params.js'
import { BACK_OFF, type BackOff } from './back-off.js'
import { RequestError } from './failures.js'
import type { DatabaseReply, FoundRowsReply, GatewayStatus, SizesReply, StatisticsReply } from './gateway-replies.js'
import { authorization, type Fetch, HttpDoor } from './http-door.js'
import {
  type ConnectionState,
  LiveConnection,
  type LiveHandlers,
  type LiveWatch,
  type SocketLike,
} from './live-connection.js'
import { percentEncoded } from './percent.js'
import { type HitsReply, type MarkedResult, receivedResult } from './replies.js'
import {
  RowChangesConnection,
  type RowChangesHandlers,
  type RowChangesParams,
  type RowChangesWatch,
} from './row-changes.js'
import { rowSearchText, searchText } from './search-text.js'

export { CancelledError, UnavailableError } from '@hotpath/model/errors'
export type { RowSearchParams } from '../found-rows.js'
export type { Hit, HitKind, HitRank, Instant } from '../hit.js'
export { type PageChange, type PlacedHit, pageAfter } from '../page-change.js'
export { QueryError } from '../query-error.js'
export type { CallOptions, SearchParams, WatchParams } from '../search-params.js'
export type { BackOff } from './back-off.js'
export { RequestError } from './failures.js'
export * from './gateway-replies.js'
export type { ConnectionState, LiveHandlers, LiveWatch } from './live-connection.js'
export { percentEncoded } from './percent.js'
export type { FreshReply, MarkedChange, MarkedHit, MarkedResult } from './replies.js'
export type {
  JsonRow,
  JsonRowChange,
  JsonSqlValue,
  RowChangesHandlers,
  RowChangesMessage,
  RowChangesParams,
  RowChangesWatch,
} from './row-changes.js'

/** An entry by the id of a hit, or by its path. */
export type EntryName = { readonly id: string } | { readonly path: string | Uint8Array }

export interface BrowserConnectOptions {
  /** Where the gateway is; without it, where the page came from. */
  readonly url?: string
  /** Without it, the cookie of the page. */
  readonly token?: string
  readonly fetch?: Fetch
  /** `new WebSocket(url, options)`; with a token the options are `{ headers }`, which the browser's does not know. */
  readonly WebSocket?: new (
    url: string,
    // biome-ignore lint/suspicious/noExplicitAny: the second parameter is another in every implementation
    options?: any,
  ) => SocketLike
  readonly backOff?: BackOff
}

/** Nothing is asked yet: the gateway need not be there. */
export function connect(options: BrowserConnectOptions = {}): BrowserClient {
  return new BrowserClient(options)
}

interface Surroundings {
  readonly location?: { readonly origin: string }
  readonly WebSocket?: BrowserConnectOptions['WebSocket']
}

/** A gateway. Members that the client for Node also has take and give the same. */
export class BrowserClient {
  private readonly door: HttpDoor
  private readonly connection: LiveConnection
  private readonly openSocket: (path: string) => SocketLike
  private readonly backOff: BackOff
  private readonly rowChanges = new Set<RowChangesConnection>()
  private readonly origin: string
  /** Searches that a newer one for the same may replace. */
  private readonly running = new Map<string, AbortController>()

  constructor(options: BrowserConnectOptions) {
    const around = globalThis as Surroundings
    const { url = around.location?.origin, token, backOff = BACK_OFF } = options
    if (url === undefined) throw new TypeError('url: expected the address of a gateway, found nothing')
    this.origin = new URL(url).origin
    this.door = new HttpDoor(
      { origin: this.origin, token },
      options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      backOff,
    )
    this.backOff = backOff
    this.openSocket = path => {
      const Socket = options.WebSocket ?? around.WebSocket
      if (Socket === undefined) throw new TypeError('there is no WebSocket')
      const address = `${this.origin.replace(/^http/, 'ws')}${path}`
      return token === undefined ? new Socket(address) : new Socket(address, { headers: authorization(token) })
    }
    this.connection = new LiveConnection(() => this.openSocket('/api/live'), backOff)
  }

  /**
   * Searches. Rejects with QueryError (the query is wrong), CancelledError (the signal), UnavailableError (nobody answered in
   * time), RequestError (anything else that the gateway refuses).
   */
  async search(params: SearchParams): Promise<MarkedResult> {
    const { replaces } = params
    if (replaces === undefined) return await this.found(params)
    this.running.get(replaces)?.abort()
    const own = new AbortController()
    this.running.set(replaces, own)
    const signals = params.signal === undefined ? [own.signal] : [params.signal, own.signal]
    try {
      // The gateway stops working on a request whose connection ends.
      return await this.found({ ...params, signal: AbortSignal.any(signals) })
    } finally {
      if (this.running.get(replaces) === own) this.running.delete(replaces)
    }
  }

  private async found(params: SearchParams): Promise<MarkedResult> {
    const path = `/api/search?${searchText(params)}`
    return receivedResult(await this.door.get<HitsReply>(path, params, textOf(params.query)))
  }

  /** Rows of followed databases whose text matches; none where nothing is followed. Rejects as `search` does. */
  searchRows(params: RowSearchParams): Promise<FoundRowsReply> {
    return this.door.get(`/api/rows?${rowSearchText(params)}`, params, textOf(params.query))
  }

  /** Follows a search; `limit` is at most 1,000. The connection comes back by itself. */
  live(params: WatchParams, handlers: LiveHandlers): LiveWatch {
    return this.connection.watch(searchText(params), textOf(params.query), handlers)
  }

  /** Follows changes of rows of followed databases. The connection comes back by itself, and goes on where it ended. */
  changes(params: RowChangesParams, handlers: RowChangesHandlers): RowChangesWatch {
    const open = (text: string) => this.openSocket(`/api/changes${text === '' ? '' : `?${text}`}`)
    const changes = new RowChangesConnection(params, handlers, open, this.backOff)
    this.rowChanges.add(changes)
    const forget = () => void this.rowChanges.delete(changes)
    changes.ended.then(forget, forget)
    return changes
  }

  /** Followed databases, and how they are. */
  async databases(options?: CallOptions): Promise<readonly DatabaseReply[]> {
    return (await this.door.get<{ databases: DatabaseReply[] }>('/api/databases', options)).databases
  }

  status(options?: CallOptions): Promise<GatewayStatus> {
    return this.door.get('/api/status', options)
  }

  /** Counts an open. @returns false if nothing of that name is indexed */
  async recordOpen(entry: EntryName, options?: CallOptions): Promise<boolean> {
    try {
      await this.door.post('/api/open', entryBody(entry), options)
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  /**
   * Opens an entry on the machine of the gateway, or shows it in its folder; that counts as an open. RequestError with DISABLED: it
   * does not.
   */
  async launch(path: string | Uint8Array, action: 'open' | 'reveal', options?: CallOptions): Promise<void> {
    await this.door.post('/api/launch', { ...entryBody({ path }), action }, options)
  }

  /** Forgets that an entry, or any, was opened. @returns how many records went */
  async forget(entry: EntryName | { readonly all: true }, options?: CallOptions): Promise<number> {
    const body = 'all' in entry ? entry : entryBody(entry)
    return (await this.door.post<{ forgotten: number }>('/api/forget', body, options)).forgotten
  }

  statistics(options?: CallOptions): Promise<StatisticsReply> {
    return this.door.get('/api/statistics', options)
  }

  /** What lies in a directory, by size; without one, the roots. */
  sizes(under?: string | Uint8Array, options?: CallOptions): Promise<SizesReply> {
    return this.door.get(`/api/sizes${under === undefined ? '' : `?under=${percentEncoded(under)}`}`, options)
  }

  /** Address of what is in a file. Getting it counts as an open. */
  fileUrl(path: string | Uint8Array): string {
    return `${this.origin}/api/file?path=${percentEncoded(path)}`
  }

  /** State of the connection for subscriptions. */
  get connectionState(): ConnectionState {
    return this.connection.state
  }

  onConnectionState(listener: (state: ConnectionState) => void): () => void {
    return this.connection.onState(listener)
  }

  /** Connects now where it waits for its time. */
  reconnect(): void {
    this.connection.hurry()
  }

  /** Ends subscriptions with UnavailableError. */
  close(): void {
    this.connection.close()
    for (const changes of [...this.rowChanges]) changes.closed()
  }
}

function entryBody(entry: EntryName): object {
  if ('id' in entry) return { id: entry.id }
  if (typeof entry.path === 'string') return { path: entry.path }
  return { pathBytes: btoa(Array.from(entry.path, byte => String.fromCharCode(byte)).join('')) }
}

function isNotFound(error: unknown): boolean {
  return error instanceof RequestError && error.status === 404
}

function textOf(query: string | Uint8Array): string {
  return typeof query === 'string' ? query : new TextDecoder().decode(query)
}
