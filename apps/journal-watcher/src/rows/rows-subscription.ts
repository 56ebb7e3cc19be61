import type { Body, Peer, RowCursor, RowsSubscribe } from '@hotpath/protocol'
import { belongsTo, ROWS_MESSAGE_BYTES } from '@hotpath/protocol'
import { DatabaseFeed, type FeedConsumer } from './database-feed.js'
import type { FollowedDatabase } from './database-set.js'
import { wantedTables } from './wanted-tables.js'

export interface SubscriptionParts {
  send(peer: Peer, body: Body): void
  failed(database: FollowedDatabase, error: unknown): void
  /** It cannot go on: the peer is to be told, and it is to be ended. */
  broken(error: unknown): void
}

/** A subscription of a peer: one feed for each of its databases, which share its credit. */
export class RowsSubscription implements FeedConsumer {
  readonly subscription: number
  readonly wantsRows: boolean
  readonly isFiltered: boolean
  readonly wants: (table: string) => boolean
  readonly #feeds = new Map<string, DatabaseFeed>()
  #cursors: RowCursor[]
  #credit: number
  #waiting: (() => void)[] = []
  #isOver = false
  #hasBegun = false

  /** @param isInterest whether it is for certain databases, and not for all that are followed anyway */
  constructor(
    readonly peer: Peer,
    { subscription, tables, cursors, rows, credit }: RowsSubscribe,
    readonly isInterest: boolean,
    private readonly parts: SubscriptionParts,
  ) {
    this.subscription = subscription
    this.wantsRows = rows
    this.isFiltered = tables.length > 0
    this.wants = wantedTables(tables)
    this.#cursors = [...cursors]
    this.#credit = credit
  }

  get databases(): FollowedDatabase[] {
    return [...this.#feeds.values()].map(({ database }) => database)
  }

  has(id: string): boolean {
    return this.#feeds.has(id)
  }

  add(database: FollowedDatabase): void {
    if (this.#isOver || this.#feeds.has(database.id)) return
    const cursor = this.#cursors.find(one => belongsTo(one, database.id))
    this.#cursors = this.#cursors.filter(one => one !== cursor)
    const feed = new DatabaseFeed(database, this, cursor)
    this.#feeds.set(database.id, feed)
    if (this.#hasBegun) this.#run(feed)
  }

  /** From here on the peer is told; what it is told begins with what was when its databases were added. */
  begin(): void {
    this.#hasBegun = true
    for (const feed of this.#feeds.values()) this.#run(feed)
  }

  #run(feed: DatabaseFeed): void {
    if (this.#isOver) return
    feed.run().catch(error => {
      this.parts.failed(feed.database, error)
      this.parts.broken(error)
    })
  }

  remove(id: string): void {
    this.#feeds.get(id)?.end()
    this.#feeds.delete(id)
  }

  changed(): void {
    if (!this.#hasBegun) return
    for (const feed of this.#feeds.values()) feed.changed()
  }

  addCredit(bytes: number): void {
    this.#credit += bytes
    if (this.#credit > 0) this.#proceed()
  }

  end(): void {
    this.#isOver = true
    for (const feed of this.#feeds.values()) feed.end()
    this.#feeds.clear()
    this.#proceed()
  }

  async room(): Promise<boolean> {
    while (this.#credit <= 0 && !this.#isOver) await new Promise<void>(resolve => this.#waiting.push(resolve))
    return !this.#isOver
  }

  send(body: Body): void {
    if (this.#isOver) return
    if (body.type === 'rowsPart' || body.type === 'rowsPage')
      this.#credit -= body.value.changes.byteLength + ROWS_MESSAGE_BYTES
    this.parts.send(this.peer, body)
  }

  failed(database: FollowedDatabase, error: unknown): void {
    this.parts.failed(database, error)
  }

  #proceed(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
