import { InvalidInputError, UnavailableError } from '@hotpath/model'
import {
  type Body,
  type DatabaseInfo,
  errorToReply,
  type Identity,
  type IncomingMessage,
  MAX_ROW_SUBSCRIPTIONS,
  type Metric,
  type Outcome,
  type Peer,
  RouterServer,
  type RowsSubscribe,
  type Tap,
  unexpected,
  WATCHER_HEARTBEAT_MS,
  WATCHER_LOST_MS,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { AdHocInterest } from './ad-hoc-interest.js'
import type { DatabaseSet, FollowedDatabase } from './database-set.js'
import { RowsSubscription } from './rows-subscription.js'
import { wantedTables } from './wanted-tables.js'

/** Requests hold names and cursors. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024
/** How often logs let go of what is too old. */
const MAINTAIN_MS = 60_000

export interface RowsServerOptions {
  /** Address of `watcher-rows`. */
  readonly endpoint: string
  readonly identity: Identity
  readonly databases: DatabaseSet
  readonly tap?: Tap
  readonly log: Logger
  /** For how long a database is followed that nobody is subscribed to any more. */
  readonly lingerMs?: number
}

/** Tells the changes of followed databases to whoever subscribes: docs/formats/protocol.md. */
export class RowsServer {
  readonly #server: RouterServer
  readonly #subscriptions = new Map<Peer, Map<number, RowsSubscription>>()
  readonly #interest: AdHocInterest
  #unlisten = (): void => {}
  #maintenance: NodeJS.Timeout | undefined
  #parts = 0

  constructor(readonly options: RowsServerOptions) {
    const { endpoint, identity, databases, tap, log } = options
    this.#interest = new AdHocInterest(id => databases.release(id), options.lingerMs)
    this.#server = new RouterServer({
      endpoint,
      identity,
      accepts: ['gateway', 'store', 'client', 'supervisor'],
      maxMessageBytes: MAX_REQUEST_BYTES,
      heartbeatMs: WATCHER_HEARTBEAT_MS,
      lostMs: WATCHER_LOST_MS,
      onMessage: message => this.#answer(message),
      onPeerLost: peer => this.#lost(peer),
      log,
      ...(tap === undefined ? {} : { tap }),
    })
  }

  /** Throws UnavailableError if the address cannot be bound. */
  async start(): Promise<void> {
    await this.#server.start()
    const { databases } = this.options
    this.#unlisten = databases.onChange(() => this.#changed())
    // Of a process before: those who were subscribed there may come back.
    for (const { id, isAdHoc } of databases.databases()) if (isAdHoc) this.#interest.lapse(id)
    this.#maintenance = setInterval(() => this.#maintain(), MAINTAIN_MS).unref()
  }

  /** Ends all subscriptions. The databases are the business of whoever made them. */
  async stop(): Promise<void> {
    this.#unlisten()
    clearInterval(this.#maintenance)
    for (const peer of [...this.#subscriptions.keys()]) this.#lost(peer)
    this.#interest.stop()
    await this.#server.stop('the journal watcher stops')
  }

  stats(): Metric[] {
    const metric = (kind: Metric['kind'], name: string, value: number): Metric => ({ name, kind, value, labels: [] })
    return [
      metric('gauge', 'hotpath_rows_databases', this.options.databases.databases().length),
      metric('gauge', 'hotpath_rows_subscriptions', this.#all().length),
      metric('counter', 'hotpath_rows_parts_total', this.#parts),
    ]
  }

  async #answer({ body, peer }: IncomingMessage): Promise<Outcome> {
    switch (body.type) {
      case 'databasesRequest':
        return { type: 'databasesReply', value: { databases: this.#infoOf(this.options.databases.databases()) } }
      case 'rowsSubscribe':
        return await this.#subscribe(peer, body.value)
      case 'rowsCredit':
        this.#subscriptions.get(peer)?.get(body.value.subscription)?.addCredit(body.value.bytes)
        return undefined
      case 'rowsUnsubscribe':
        this.#end(peer, body.value.subscription)
        return undefined
      default:
        throw unexpected(body.type)
    }
  }

  async #subscribe(peer: Peer, request: RowsSubscribe): Promise<Body> {
    const { subscription, follow } = request
    this.#end(peer, subscription)
    const own = this.#subscriptions.get(peer) ?? new Map<number, RowsSubscription>()
    if (own.size >= MAX_ROW_SUBSCRIPTIONS) throw new UnavailableError('too many subscriptions are open')
    const databases = await this.#databasesOf(request)
    const isInterest = follow !== undefined || request.databases.length > 0
    const opened = new RowsSubscription(peer, request, isInterest, {
      send: (to, body) => {
        this.#parts++
        this.#server.send(to, body)
      },
      failed: (database, error) => this.options.log.warn('telling changes failed', { database: database.name, error }),
      broken: error => this.#break(opened, error),
    })
    for (const database of databases) if (database.isAdHoc && isInterest) this.#interest.begin(opened, database.id)
    if (!peer.alive) {
      this.#interest.end(opened)
      throw new UnavailableError('the asker is gone')
    }
    own.set(subscription, opened)
    this.#subscriptions.set(peer, own)
    // It begins now, and not when the reply is on its way; but the reply goes first, and everything else follows it.
    for (const database of databases) opened.add(database)
    setImmediate(() => opened.begin())
    return { type: 'rowsSubscribed', value: { subscription, databases: this.#infoOf(databases) } }
  }

  async #databasesOf({ databases: names, follow }: RowsSubscribe): Promise<readonly FollowedDatabase[]> {
    const { databases: set } = this.options
    if (follow !== undefined) {
      const { path, tables, keyFile, audit } = follow
      if (!path.startsWith('/') && !/^[A-Za-z]:[\\/]/.test(path))
        throw new InvalidInputError('database', 'an absolute path', JSON.stringify(path.slice(0, 80)))
      const database = await set.follow({ path, tables, audit, ...(keyFile !== '' && { keyFile }) })
      if (database.isAdHoc) this.#checkTables(database, tables)
      if (audit && !database.isAudited) {
        const name = JSON.stringify(database.name)
        throw new InvalidInputError('audit', `none: ${name} is followed without one already`, 'one')
      }
      return [database]
    }
    const all = set.databases()
    if (names.length === 0) return all
    return names.map(name => {
      const found = all.find(database => database.name === name)
      if (found !== undefined) return found
      const known = all.map(database => JSON.stringify(database.name)).join(', ')
      throw new InvalidInputError('database', known === '' ? 'none: no database is followed' : `one of ${known}`, name)
    })
  }

  /** Who asks first says for which tables a database is followed; what others would never be told of is refused. */
  #checkTables({ name, wantedTables: followed }: FollowedDatabase, tables: readonly string[]): void {
    const isFollowed = wantedTables(followed)
    if (tables.length === 0 ? followed.length === 0 : tables.every(isFollowed)) return
    const expected = `some of those for which ${JSON.stringify(name)} is followed now: ${followed.join(', ')}`
    throw new InvalidInputError('tables', expected, tables.length === 0 ? 'all' : tables.join(', '))
  }

  #infoOf(databases: readonly FollowedDatabase[]): DatabaseInfo[] {
    const subscriptions = this.#all()
    return databases.map(database => {
      const { name, path, isAdHoc: adHoc, log, id } = database
      return {
        name,
        path,
        ...database.condition(),
        ...(log && !log.isClosed && { cursor: { epoch: log.epoch, sequence: log.sequence } }),
        subscribers: subscriptions.filter(one => one.has(id)).length,
        adHoc,
        logBytes: log?.bytes ?? 0,
      }
    })
  }

  /** Databases came or went, or are in another state. */
  #changed(): void {
    const databases = this.options.databases.databases()
    for (const subscription of this.#all()) {
      for (const { id } of subscription.databases)
        if (!databases.some(database => database.id === id)) subscription.remove(id)
      if (subscription.isInterest && subscription.databases.length === 0) {
        this.#break(subscription, new UnavailableError('the database is not followed any more'))
        continue
      }
      if (!subscription.isInterest) for (const database of databases) subscription.add(database)
      subscription.changed()
    }
  }

  #maintain(): void {
    for (const { log, name } of this.options.databases.databases()) {
      try {
        log?.maintain()
      } catch (error) {
        this.options.log.warn('old changes could not be removed', { database: name, error })
      }
    }
  }

  #end(peer: Peer, subscription: number): void {
    const own = this.#subscriptions.get(peer)
    const open = own?.get(subscription)
    if (open === undefined) return
    open.end()
    this.#interest.end(open)
    own?.delete(subscription)
    if (own?.size === 0) this.#subscriptions.delete(peer)
  }

  /** Ends a subscription that the peer would go on with. */
  #break(broken: RowsSubscription, error: unknown): void {
    const { peer, subscription } = broken
    if (this.#subscriptions.get(peer)?.get(subscription) !== broken) return
    this.#end(peer, subscription)
    this.#server.send(peer, { type: 'rowsEnded', value: { subscription, error: errorToReply(error) } })
  }

  #lost(peer: Peer): void {
    for (const subscription of [...(this.#subscriptions.get(peer)?.keys() ?? [])]) this.#end(peer, subscription)
  }

  #all(): RowsSubscription[] {
    return [...this.#subscriptions.values()].flatMap(own => [...own.values()])
  }
}
