import { forbidCoreDumps } from '@hotpath/platform'
import {
  type Bodies,
  type Body,
  DealerPeer,
  type DealerPeerOptions,
  formatCursor,
  MAX_FOUND_ROWS,
  ROWS_MESSAGE_BYTES,
  type RowCursor,
  type RowSearchReply,
  type RowSearchRequest,
  type SearchError,
} from '@hotpath/protocol'
import type { Config, Logger } from '@hotpath/service'
import type { FromRowWorker, RowCounts } from './row-messages.js'
import { RowPool } from './row-pool.js'
import { RowSettings } from './row-settings.js'

export interface RowKeeperOptions extends Pick<DealerPeerOptions, 'endpoint' | 'identity' | 'tap'> {
  readonly config: Pick<Config, 'databases' | 'dataDir'>
  readonly log: Logger
  /** What the row worker runs: compiled code (default: the module beside this one). */
  readonly script?: URL
  /** Rows changed: searches that begin now see it. */
  onChange(): void
  /** The row worker died. */
  onFailure(error: unknown): void
}

/** Bytes of changes that may be on their way to the worker. */
const CREDIT_BYTES = 8 << 20
/** Before a subscription that ended is tried again. */
const RETRY_MS = 2_000
/** How often it is asked which databases there are, where a setting means any number of files. */
const LOOK_MS = 60_000
const SUBSCRIPTION = 1

/**
 * Keeps the texts of rows of followed databases up to date: reads their changes from the watcher, each from where its index ends, and hands
 * them to the row worker. Does nothing, and starts nothing, where no column is to be indexed.
 */
export class RowKeeper {
  private readonly settings: RowSettings
  private readonly pool: RowPool
  private peer: DealerPeer | undefined
  /** Databases as the watcher told of them last. */
  private known = ''
  private opened: ((cursors: readonly { database: string; cursor: RowCursor }[]) => void) | undefined
  private timer: NodeJS.Timeout | undefined
  private isStopping = false
  /** Changes of which subscription are taken: those of an earlier one are void. */
  private isSubscribed = false
  /** What the indexes hold, as the row worker said last. */
  counts: readonly RowCounts[] = []

  constructor(private readonly options: RowKeeperOptions) {
    this.settings = new RowSettings(options.config.databases, options.config.dataDir)
    this.pool = new RowPool({
      ...(options.script && { script: options.script }),
      onMessage: message => this.fromWorker(message),
      onFailure: options.onFailure,
    })
  }

  start(): void {
    if (this.settings.isEmpty) return
    const { endpoint, identity, tap, log } = this.options
    this.peer = new DealerPeer({
      endpoint,
      identity,
      expects: 'watcher',
      ...(tap && { tap }),
      log,
      onWelcome: () => this.look(true),
      onMessage: body => this.receive(body),
      onPeerLost: () => {
        this.isSubscribed = false
      },
    })
    this.peer.start()
  }

  async stop(): Promise<void> {
    this.isStopping = true
    clearTimeout(this.timer)
    await this.peer?.stop()
    await this.pool.stop()
  }

  /** Asks which databases there are, and subscribes if that is due. @param isNew nothing is subscribed in this session */
  private look(isNew: boolean): void {
    clearTimeout(this.timer)
    this.subscribe(isNew).catch(error => {
      if (this.isStopping) return
      this.options.log.debug('rows of databases cannot be followed yet', { error })
      this.timer = setTimeout(() => this.look(true), RETRY_MS)
    })
  }

  private async subscribe(isNew: boolean): Promise<void> {
    const { peer } = this
    if (peer === undefined || this.isStopping) return
    const { databases } = await peer.request('databasesRequest', {})
    const searched = databases.flatMap(({ name, path }) => {
      const shelf = this.settings.shelfOf(name, path)
      return shelf === undefined ? [] : [shelf]
    })
    this.timer = setTimeout(() => this.look(false), LOOK_MS)
    this.timer.unref()
    const names = JSON.stringify(searched)
    if (!isNew && names === this.known) return
    this.known = names
    // Texts of an encrypted database are in memory from here on.
    if (searched.some(({ directory }) => directory === undefined)) forbidCoreDumps()
    this.isSubscribed = false
    if (searched.length === 0 && !this.pool.isRunning) return
    const cursors = await new Promise<readonly { database: string; cursor: RowCursor }[]>(resolve => {
      this.opened = resolve
      this.pool.post({ type: 'open', databases: searched })
    })
    if (searched.length === 0) return
    this.isSubscribed = true
    await peer.request('rowsSubscribe', {
      subscription: SUBSCRIPTION,
      databases: searched.map(({ database }) => database),
      tables: [...new Set(searched.flatMap(({ text }) => text.map(column => column.slice(0, column.indexOf('.')))))],
      cursors: cursors.map(({ cursor }) => cursor),
      rows: true,
      credit: CREDIT_BYTES,
    })
    for (const { database, cursor } of cursors) {
      this.options.log.debug('rows are followed', { database, from: formatCursor(cursor) })
    }
  }

  private receive(body: Body): void {
    if (!this.isSubscribed) return
    switch (body.type) {
      case 'rowsReset':
        this.options.log.info('rows are read anew', { database: body.value.database, reason: body.value.reason })
        this.pool.post({ type: 'reset', database: body.value.database, cursor: body.value.cursor })
        return
      case 'rowsPage':
        this.take(body.value, body.value.cursor)
        return
      case 'rowsPart':
        this.take(body.value, body.value.last ? body.value.cursor : undefined)
        return
      case 'rowsState': {
        const { database, cursor } = body.value
        if (cursor !== undefined) this.pool.post({ type: 'cursor', database, cursor })
        return
      }
      case 'rowsEnded':
        this.options.log.warn('rows are not followed', { reason: body.value.error.message })
        this.isSubscribed = false
        clearTimeout(this.timer)
        this.timer = setTimeout(() => this.look(true), RETRY_MS)
        return
    }
  }

  private take(
    { database, tables, changes }: Bodies['rowsPart'] | Bodies['rowsPage'],
    cursor: RowCursor | undefined,
  ): void {
    this.pool.post({ type: 'changes', database, tables, changes, cursor })
  }

  private fromWorker(message: Exclude<FromRowWorker, { type: 'result' | 'ready' }>): void {
    switch (message.type) {
      case 'opened':
        this.opened?.(message.cursors)
        return
      case 'taken':
        if (!this.isSubscribed) return
        // Lost with the session, as the subscription is.
        this.peer
          ?.send('rowsCredit', { subscription: SUBSCRIPTION, bytes: message.bytes + ROWS_MESSAGE_BYTES })
          .catch(() => {})
        return
      case 'changed':
        this.options.onChange()
        return
      case 'counts':
        this.counts = message.databases
        return
      case 'problem':
        this.options.log.error('rows of a database', { database: message.database, error: message.error })
        return
    }
  }

  /** Rejects with CancelledError or UnavailableError. What is wrong with the query is in the reply. */
  async search(request: RowSearchRequest, deadlineMs: number, signal: AbortSignal): Promise<RowSearchReply> {
    const text = Buffer.from(request.text.buffer, request.text.byteOffset, request.text.byteLength).toString('utf8')
    const { offset, caseMode } = request
    const limit = Math.min(request.limit, MAX_FOUND_ROWS)
    const answer = await this.pool.search({ text, offset, limit, caseMode, nowMs: Date.now(), deadlineMs }, signal)
    switch (answer.kind) {
      case 'page':
        return { total: answer.total, tookMs: answer.tookMs, rows: answer.rows }
      case 'syntax': {
        const position = Buffer.byteLength(text.slice(0, answer.position))
        return refusal({ code: 'SYNTAX', message: answer.message, position, expected: answer.expected })
      }
      case 'failed':
        return refusal({ code: answer.code, message: answer.message, position: Number.NaN, expected: '' })
    }
  }
}

function refusal(error: SearchError): RowSearchReply {
  return { total: 0, tookMs: 0, rows: [], error }
}
