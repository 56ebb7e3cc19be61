import { InvalidInputError, UnavailableError } from '@hotpath/model'
import { type Body, type IncomingMessage, type LiveOpen, MAX_LIVE, MAX_LIVE_ROWS, type Peer } from '@hotpath/protocol'
import type { StoreBackend } from '../store/store-backend.js'
import { toWireFailure, toWireFresh, toWireHits, toWireReply } from '../store/wire-conversion.js'
import type { LiveHub } from './live-hub.js'
import type { LiveMessage, LiveSink } from './live-message.js'
import type { PlacedRow } from './live-page.js'
import type { LiveQuery } from './live-query.js'

/** A subscription of a native client. */
interface NativeQuery {
  readonly query: LiveQuery
  /** The client has taken the last message. */
  acknowledge(): void
}

/**
 * The subscriptions of native clients. libzmq would hold a hundred messages for a client that does not read before a send
 * says so; therefore the client acknowledges each message, and counts as full until it has.
 */
export class NativeLive {
  readonly #queries = new Map<Peer, Map<number, NativeQuery>>()

  constructor(
    readonly hub: LiveHub,
    readonly backend: Pick<StoreBackend<Peer>, 'searchFor'>,
    readonly push: (peer: Peer, body: Body) => void,
  ) {}

  /** Resolves with the reply when the first page is there. Rejects where a subscription cannot be made. */
  open({ live, search }: LiveOpen, { peer, signal }: Pick<IncomingMessage, 'peer' | 'signal'>): Promise<Body> {
    this.close(peer, live)
    const isCountOrPlan = search.countOnly || search.explain
    if (isCountOrPlan) throw new InvalidInputError('search', 'neither countOnly nor explain', 'one of them')
    if (search.limit > MAX_LIVE_ROWS)
      throw new InvalidInputError('limit', `at most ${MAX_LIVE_ROWS} rows`, `${search.limit}`)
    const own = this.#queries.get(peer) ?? new Map<number, NativeQuery>()
    if (own.size >= MAX_LIVE) throw new UnavailableError('too many subscriptions are open')
    // Only the first search waits for the clock: what follows is later by itself.
    let { minClock } = search
    const source = {
      limit: search.limit,
      search: async (signal: AbortSignal) => {
        const answer = await this.backend.searchFor(peer, { ...search, minClock }, signal)
        minClock = ''
        return answer
      },
    }
    return new Promise((resolve, reject) => {
      let isTaken = true
      let isOpen = false
      const sink: LiveSink = {
        get isReady() {
          return isTaken && peer.alive
        },
        send: message => {
          isTaken = false
          if (message.type === 'ended') this.#forget(peer, live, query)
          const body = isOpen ? pushed(live, message, search.text) : answered(live, message, search.text)
          if (isOpen) this.push(peer, body)
          else resolve(body)
          isOpen = true
        },
      }
      const query = this.hub.open(source, sink)
      if (query === undefined) {
        reject(new UnavailableError('too many subscriptions are open'))
        return
      }
      own.set(live, {
        query,
        acknowledge: () => {
          if (isTaken) return
          isTaken = true
          query.drained()
        },
      })
      this.#queries.set(peer, own)
      const give = () => {
        if (isOpen) return
        query.end()
        this.#forget(peer, live, query)
        reject(signal.reason)
      }
      signal.addEventListener('abort', give, { once: true })
    })
  }

  acknowledge(peer: Peer, live: number): void {
    this.#queries.get(peer)?.get(live)?.acknowledge()
  }

  close(peer: Peer, live: number): void {
    const open = this.#queries.get(peer)?.get(live)
    if (open === undefined) return
    open.query.end()
    this.#forget(peer, live, open.query)
  }

  /** The session of a client ended. */
  lost(peer: Peer): void {
    const own = [...(this.#queries.get(peer)?.values() ?? [])]
    this.#queries.delete(peer)
    for (const { query } of own) query.end()
  }

  #forget(peer: Peer, live: number, query: LiveQuery | undefined): void {
    const own = this.#queries.get(peer)
    if (own?.get(live)?.query !== query) return
    own?.delete(live)
    if (own?.size === 0) this.#queries.delete(peer)
  }
}

/** The reply to `liveOpen`. */
function answered(live: number, message: LiveMessage, query: Uint8Array): Body {
  switch (message.type) {
    case 'hits':
    case 'resync':
      return { type: 'liveReply', value: { live, reply: toWireReply(message.answer) } }
    case 'ended':
      return { type: 'liveReply', value: { live, reply: toWireFailure(message.error, query) } }
    default:
      throw new TypeError(`a subscription begins with ${message.type}`)
  }
}

function pushed(live: number, message: LiveMessage, query: Uint8Array): Body {
  switch (message.type) {
    case 'change': {
      const { head, difference } = message
      const { removed, changed, added } = difference
      const { total, clock, partial } = head
      return {
        type: 'liveChange',
        value: {
          live,
          total,
          fuzzyTotal: head.fuzzyTotal ?? Number.NaN,
          clock,
          fresh: toWireFresh(head.fresh),
          partial,
          removed: Buffer.concat(removed.map(id => Buffer.from(id, 'base64url'))),
          changed: toWireHits(changed.map(({ row }) => row)),
          changedAt: placesOf(changed),
          added: toWireHits(added.map(({ row }) => row)),
          addedAt: placesOf(added),
        },
      }
    }
    case 'hits':
      return { type: 'liveResync', value: { live, reason: 'many', reply: toWireReply(message.answer) } }
    case 'resync':
      return { type: 'liveResync', value: { live, reason: message.reason, reply: toWireReply(message.answer) } }
    case 'away': {
      const error = new UnavailableError('the index does not answer')
      return { type: 'liveResync', value: { live, reason: 'away', reply: toWireFailure(error, query) } }
    }
    case 'ended':
      return { type: 'liveResync', value: { live, reason: 'ended', reply: toWireFailure(message.error, query) } }
  }
}

function placesOf(rows: readonly PlacedRow[]): Uint32Array {
  return Uint32Array.from(rows, ({ at }) => at)
}
