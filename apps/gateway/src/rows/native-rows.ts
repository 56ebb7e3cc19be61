import { UnavailableError } from '@hotpath/model'
import {
  type Body,
  bodyOf,
  type IncomingMessage,
  MAX_ROW_SUBSCRIPTIONS,
  type Peer,
  type RowFeed,
  type RowsMessage,
  type RowsSubscribe,
} from '@hotpath/protocol'
import type { RowsLink } from './rows-link.js'

/** Of a native client that asks for more: what may wait for it here. */
const MAX_CREDIT_BYTES = 16 * 1024 * 1024

/** The subscriptions of native clients to changes of rows: each has one of its own upstream, with the client's credit. */
export class NativeRows {
  readonly #feeds = new Map<Peer, Map<number, RowFeed>>()

  constructor(
    readonly link: Pick<RowsLink, 'open'>,
    readonly push: (peer: Peer, body: Body) => void,
  ) {}

  async open(request: RowsSubscribe, { peer, signal }: Pick<IncomingMessage, 'peer' | 'signal'>): Promise<Body> {
    const { subscription, credit, ...wanted } = request
    this.close(peer, subscription)
    const own = this.#feeds.get(peer) ?? new Map<number, RowFeed>()
    if (own.size >= MAX_ROW_SUBSCRIPTIONS) throw new UnavailableError('too many subscriptions are open')
    /** What comes before the reply is sent. */
    let early: RowsMessage[] | undefined = []
    const push = (message: RowsMessage): void =>
      this.push(peer, bodyOf(message.type, { ...message.value, subscription } as never))
    const feed = await this.link.open(
      { ...wanted, credit: Math.min(credit, MAX_CREDIT_BYTES) },
      (message, own) => {
        if (early) early.push(message)
        else push(message)
        if (message.type === 'rowsEnded') this.#forget(peer, subscription, own)
      },
      signal,
    )
    if (!peer.alive) {
      feed.end()
      throw new UnavailableError('the asker is gone')
    }
    own.set(subscription, feed)
    this.#feeds.set(peer, own)
    setImmediate(() => {
      for (const message of early ?? []) push(message)
      early = undefined
    })
    return { type: 'rowsSubscribed', value: { subscription, databases: feed.databases } }
  }

  taken(peer: Peer, subscription: number, bytes: number): void {
    this.#feeds.get(peer)?.get(subscription)?.taken(bytes)
  }

  close(peer: Peer, subscription: number): void {
    const feed = this.#feeds.get(peer)?.get(subscription)
    if (feed === undefined) return
    feed.end()
    this.#forget(peer, subscription, feed)
  }

  /** The session of a client ended. */
  lost(peer: Peer): void {
    const own = this.#feeds.get(peer)
    this.#feeds.delete(peer)
    for (const feed of own?.values() ?? []) feed.end()
  }

  #forget(peer: Peer, subscription: number, feed: RowFeed): void {
    const own = this.#feeds.get(peer)
    if (own?.get(subscription) === feed) own.delete(subscription)
    if (own?.size === 0) this.#feeds.delete(peer)
  }
}
