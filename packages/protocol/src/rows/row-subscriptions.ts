import { CancelledError, HotpathError, UnavailableError } from '@hotpath/model'
import type { Bodies, Body, BodyOf, BodyType } from '../envelope.js'
import { errorToReply } from '../errors.js'
import { ROWS_MESSAGE_BYTES } from '../limits.js'
import type { DatabaseInfo, RowsPart, RowsSubscribe } from '../messages/rows.js'
import type { RowCursor } from './cursor.js'

/** A subscription as its consumer wants it; `credit`: bytes that may be under way and not yet taken. */
export type RowsRequest = Omit<RowsSubscribe, 'subscription'>

export type RowsMessageType = 'rowsPart' | 'rowsReset' | 'rowsPage' | 'rowsState' | 'rowsEnded'
/** What a consumer is told; the number in it means nothing to it. */
export type RowsMessage = BodyOf<RowsMessageType>

/** How the server is spoken to; a DealerPeer fits. */
export interface RowsPeer {
  readonly isReady: boolean
  request(
    type: 'rowsSubscribe',
    value: RowsSubscribe,
    options?: { signal?: AbortSignal | undefined; timeoutMs?: number },
  ): Promise<Bodies['rowsSubscribed']>
  send<Type extends BodyType>(type: Type, value: Bodies[Type]): Promise<void>
}

const RETRY_MS = 200
/** Credit goes back when this part of it is owed: a message for each change takes everybody on its way about as long as the change. */
const OWED_SHARE = 1 / 8
/** At most so much is owed: who passes the changes on may grant less credit than was asked for. */
const MOST_OWED_BYTES = 1024 * 1024

/** What a message costs of the credit. */
export function rowsCost(message: RowsMessage): number {
  if (message.type !== 'rowsPart' && message.type !== 'rowsPage') return 0
  return message.value.changes.byteLength + ROWS_MESSAGE_BYTES
}

/**
 * The subscriptions of one connection to changes of rows. They outlive its sessions: each goes on behind what its consumer has, and what comes
 * twice is left out. To be told of every message, Welcome and loss of the connection.
 */
export class RowSubscriptions {
  readonly #feeds = new Set<RowFeed>()
  readonly #byNumber = new Map<number, RowFeed>()
  #nextNumber = 1

  constructor(private readonly peer: RowsPeer) {}

  get count(): number {
    return this.#feeds.size
  }

  /**
   * Subscribes; `receive` gets what comes, perhaps before this resolves. Rejects with what the server says (InvalidInputError for a database that
   * is not followed), UnavailableError, CancelledError.
   */
  async open(
    request: RowsRequest,
    receive: (message: RowsMessage, feed: RowFeed) => void,
    signal?: AbortSignal,
  ): Promise<RowFeed> {
    const feed = new RowFeed(request, receive, {
      credit: (number, bytes) => {
        if (this.peer.isReady) this.peer.send('rowsCredit', { subscription: number, bytes }).catch(() => {})
      },
      end: ended => {
        this.#forget(ended)
        if (this.peer.isReady) this.peer.send('rowsUnsubscribe', { subscription: ended.number }).catch(() => {})
      },
    })
    const { databases } = await this.#subscribe(feed, signal)
    feed.databases = databases
    this.#feeds.add(feed)
    return feed
  }

  /** False if the message is for somebody else. */
  receive(body: Body): boolean {
    switch (body.type) {
      case 'rowsPart':
      case 'rowsReset':
      case 'rowsPage':
      case 'rowsState':
        // Without a feed: of a subscription that has ended.
        this.#byNumber.get(body.value.subscription)?.receive(body)
        return true
      case 'rowsEnded': {
        const feed = this.#byNumber.get(body.value.subscription)
        if (feed !== undefined) this.#forget(feed)
        feed?.receive(body)
        return true
      }
      default:
        return false
    }
  }

  /** A session has begun. */
  connected(): void {
    for (const feed of this.#feeds) void this.#resume(feed)
  }

  /** The session has ended. */
  lost(reason: string): void {
    for (const feed of this.#feeds) {
      this.#byNumber.delete(feed.number)
      feed.away(reason)
    }
  }

  async #resume(feed: RowFeed): Promise<void> {
    const subscribed = this.#subscribe(feed)
    const { number } = feed
    try {
      await subscribed
    } catch (error) {
      // A newer session does it, or it is over.
      if (!this.#feeds.has(feed) || feed.number !== number) return
      // Nobody cancels it here: it was not answered in time.
      if (error instanceof UnavailableError || error instanceof CancelledError) {
        setTimeout(() => {
          if (this.#feeds.has(feed) && feed.number === number && this.peer.isReady) void this.#resume(feed)
        }, RETRY_MS).unref()
        return
      }
      this.#forget(feed)
      if (!(error instanceof HotpathError)) throw error
      feed.receive({ type: 'rowsEnded', value: { subscription: feed.number, error: errorToReply(error) } })
    }
  }

  async #subscribe(feed: RowFeed, signal?: AbortSignal): Promise<Bodies['rowsSubscribed']> {
    const number = this.#nextNumber++
    this.#byNumber.delete(feed.number)
    feed.number = number
    this.#byNumber.set(number, feed)
    try {
      return await this.peer.request('rowsSubscribe', { subscription: number, ...feed.request() }, { signal })
    } catch (error) {
      this.#byNumber.delete(number)
      throw error
    }
  }

  #forget(feed: RowFeed): void {
    this.#feeds.delete(feed)
    this.#byNumber.delete(feed.number)
  }
}

/** What a consumer has of one database. */
interface Known {
  cursor: RowCursor | undefined
  /** The part of the transaction behind it that came last. */
  part: { readonly sequence: number; readonly index: number } | undefined
}

interface FeedActions {
  credit(number: number, bytes: number): void
  end(feed: RowFeed): void
}

/** One subscription. */
export class RowFeed {
  /** Of the current session. */
  number = 0
  databases: readonly DatabaseInfo[] = []
  readonly #known = new Map<string, Known>()
  /** Bytes of what the consumer has not taken. */
  #outstanding = 0
  /** Bytes of what it has taken, that the server has not been told of. */
  #owed = 0

  constructor(
    private readonly wanted: RowsRequest,
    private readonly forward: (message: RowsMessage, feed: RowFeed) => void,
    private readonly actions: FeedActions,
  ) {}

  /** The consumer has taken messages that cost so much. */
  taken(bytes: number): void {
    const given = Math.min(bytes, this.#outstanding)
    if (given === 0) return
    this.#outstanding -= given
    this.#giveBack(given)
  }

  /** While so little is owed the server has most of the credit, and waits for nothing. */
  #giveBack(bytes: number): void {
    this.#owed += bytes
    if (this.#owed < Math.min(this.wanted.credit * OWED_SHARE, MOST_OWED_BYTES)) return
    this.actions.credit(this.number, this.#owed)
    this.#owed = 0
  }

  end(): void {
    this.actions.end(this)
  }

  /** What is to be asked for now. */
  request(): RowsRequest {
    const cursors = new Map(this.wanted.cursors.map(cursor => [cursor.epoch.slice(0, 8), cursor]))
    for (const { cursor } of this.#known.values()) if (cursor) cursors.set(cursor.epoch.slice(0, 8), cursor)
    const credit = Math.max(0, this.wanted.credit - this.#outstanding)
    this.#owed = 0
    return { ...this.wanted, cursors: [...cursors.values()], credit }
  }

  receive(message: RowsMessage): void {
    if (message.type !== 'rowsEnded' && !this.#note(message)) {
      // It was there before the session was lost.
      this.#giveBack(rowsCost(message))
      return
    }
    this.#outstanding += rowsCost(message)
    this.forward(message, this)
  }

  /** The server does not answer. */
  away(reason: string): void {
    for (const [database, { cursor }] of this.#known)
      this.forward(
        {
          type: 'rowsState',
          value: { subscription: this.number, database, state: 'unavailable', reason, ...(cursor && { cursor }) },
        },
        this,
      )
  }

  /** Whether it is new. */
  #note(message: Exclude<RowsMessage, BodyOf<'rowsEnded'>>): boolean {
    const { database, cursor } = message.value
    const known = this.#knownOf(database)
    switch (message.type) {
      case 'rowsPart':
        return notePart(known, message.value)
      case 'rowsReset':
        known.cursor = cursor
        known.part = undefined
        return true
      default:
        if (cursor !== undefined) known.cursor = cursor
        return true
    }
  }

  #knownOf(database: string): Known {
    let known = this.#known.get(database)
    if (known === undefined) {
      known = { cursor: undefined, part: undefined }
      this.#known.set(database, known)
    }
    return known
  }
}

function notePart(known: Known, { cursor, part, last }: RowsPart): boolean {
  const { epoch, sequence } = cursor
  const isKnown =
    known.cursor?.epoch === epoch &&
    (sequence <= known.cursor.sequence || (known.part?.sequence === sequence && part <= known.part.index))
  if (isKnown) return false
  known.part = last ? undefined : { sequence, index: part }
  if (last) known.cursor = cursor
  return true
}
