import {
  encodeReplies,
  type Identity,
  type IncomingMessage,
  type Outcome,
  type Peer,
  REQUEST_TIMEOUT_MS,
  RouterServer,
  type RouterServerStats,
  type SearchRequest,
  type SocketLog,
  type Tap,
  unexpected,
} from '@hotpath/protocol'
import type { KeptSearches } from '../answers/kept-searches.js'
import { KEPT_COST, NATIVE_RATE, type Rate, RateLimiter } from '../limits/rate-limiter.js'
import type { LiveHub } from '../live/live-hub.js'
import { NativeLive } from '../live/native-live.js'
import { NativeRows } from '../rows/native-rows.js'
import type { RowsLink } from '../rows/rows-link.js'
import type { HTTP_CLIENT, StoreBackend, UserClient } from '../store/store-backend.js'
import type { StoreLink } from './store-link.js'

/** Searches are small; the largest batch of the longest queries is 17 MB. */
const MAX_REQUEST_BYTES = 20 * 1024 * 1024

/** A compaction of 10 million entries takes a minute or two; nobody holds a place here for longer than this. */
const MAX_DEADLINE_MS = 600_000

export interface NativeServerOptions {
  readonly endpoint: string
  readonly identity: Identity
  readonly link: StoreLink<Peer | typeof HTTP_CLIENT | UserClient>
  readonly searches: KeptSearches<Peer | typeof HTTP_CLIENT | UserClient>
  readonly backend: StoreBackend<Peer>
  readonly live: LiveHub
  /** Followed databases. */
  readonly rows: Pick<RowsLink, 'open' | 'databases'>
  /** How much each client may ask; NATIVE_RATE if missing. What is answered from memory alone is free. */
  readonly rate?: Rate
  readonly tap?: Tap
  readonly log?: SocketLog
}

/** The socket of native clients: the same conversation as with the store, shared out fairly among them. */
export class NativeServer {
  readonly #server: RouterServer
  readonly #live: NativeLive
  readonly #rows: NativeRows
  readonly #limiters = new WeakMap<Peer, RateLimiter>()

  constructor(readonly options: NativeServerOptions) {
    const { endpoint, identity, backend, live, tap, log } = options
    this.#rows = new NativeRows(options.rows, (peer, body) => this.#server.send(peer, body))
    this.#live = new NativeLive(live, backend, (peer, body) => this.#server.send(peer, body))
    this.#server = new RouterServer({
      endpoint,
      identity,
      accepts: ['client', 'supervisor'],
      maxMessageBytes: MAX_REQUEST_BYTES,
      onMessage: message => this.#answer(message),
      answerAtOnce: (_peer, bytes) => options.searches.answerAtOnce(bytes, identity.instance),
      onPeerLost: peer => {
        this.#live.lost(peer)
        this.#rows.lost(peer)
      },
      ...(tap === undefined ? {} : { tap }),
      ...(log === undefined ? {} : { log }),
    })
  }

  async start(): Promise<void> {
    await this.#server.start()
  }

  async stop(): Promise<void> {
    await this.#server.stop()
  }

  stats(): RouterServerStats {
    return this.#server.stats()
  }

  async #answer(message: IncomingMessage): Promise<Outcome> {
    const { body, peer, deadlineAt } = message
    const { link } = this.options
    switch (body.type) {
      case 'liveAck':
        this.#live.acknowledge(peer, body.value.live)
        return undefined
      case 'liveClose':
        this.#live.close(peer, body.value.live)
        return undefined
      case 'liveOpen':
        return await this.#live.open(body.value, message)
      case 'rowsCredit':
        this.#rows.taken(peer, body.value.subscription, body.value.bytes)
        return undefined
      case 'rowsUnsubscribe':
        this.#rows.close(peer, body.value.subscription)
        return undefined
      case 'rowsSubscribe':
        return await this.#rows.open(body.value, message)
    }
    const isSearch = body.type === 'searchRequest' || body.type === 'searchBatch'
    this.#limiterOf(peer).take(isSearch ? KEPT_COST : 1)
    const now = performance.now()
    const until = Number.isFinite(deadlineAt) ? Math.min(deadlineAt, now + MAX_DEADLINE_MS) : now + REQUEST_TIMEOUT_MS
    if (body.type === 'searchRequest') return await this.#search(message, [body.value], until, false)
    if (body.type === 'searchBatch') return await this.#search(message, body.value.requests, until, true)
    const { signal } = message
    switch (body.type) {
      case 'databasesRequest': {
        const databases = await this.options.rows.databases({ signal, timeoutMs: until - now })
        return { type: 'databasesReply', value: { databases } }
      }
      case 'clockRequest':
        return { type: 'clockReply', value: await link.request(body.type, body.value, until, signal) }
      case 'statusRequest':
        return {
          type: 'statusReply',
          value: await link.status(until, signal),
        }
      case 'statisticsRequest':
        return { type: 'statisticsReply', value: await link.request(body.type, body.value, until, signal) }
      case 'sizesRequest':
        return { type: 'sizesReply', value: await link.request(body.type, body.value, until, signal) }
      case 'rowSearchRequest':
        return { type: 'rowSearchReply', value: await link.request(body.type, body.value, until, signal) }
      case 'openBatch':
        return { type: 'openReply', value: await link.request(body.type, body.value, until, signal) }
      case 'forgetRequest':
        return { type: 'forgetReply', value: await link.request(body.type, body.value, until, signal) }
      case 'rescanRequest':
        return { type: 'rescanReply', value: await link.request(body.type, body.value, until, signal) }
      case 'flushRequest':
        return { type: 'flushReply', value: await link.request(body.type, body.value, until, signal) }
      case 'compactRequest':
        return { type: 'compactReply', value: await link.request(body.type, body.value, until, signal) }
      case 'importRequest':
        return { type: 'importReply', value: await link.request(body.type, body.value, until, signal) }
      default:
        throw unexpected(body.type)
    }
  }

  #limiterOf(peer: Peer): RateLimiter {
    let limiter = this.#limiters.get(peer)
    if (limiter === undefined) {
      limiter = new RateLimiter(this.options.rate ?? NATIVE_RATE)
      this.#limiters.set(peer, limiter)
    }
    return limiter
  }

  async #search(
    message: IncomingMessage,
    requests: readonly SearchRequest[],
    until: number,
    isBatch: boolean,
  ): Promise<Uint8Array> {
    const { searches, identity } = this.options
    const replies = await searches.encoded(message.peer, requests, until, message, missing => {
      // Before the store is asked: refused is the whole message, as its answers travel together.
      if (missing > 0) this.#limiterOf(message.peer).take(missing)
    })
    return encodeReplies(message.requestId, identity.instance, replies, isBatch)
  }
}
