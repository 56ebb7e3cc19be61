import { setImmediate as turn } from 'node:timers/promises'
import { CorruptFileError, type FollowedTable } from '@hotpath/model'
import {
  type Body,
  encodeChanges,
  groupsOf,
  type RowCursor,
  type RowsResetReason,
  selectGroups,
} from '@hotpath/protocol'
import type { ChangeLog } from './change-log.js'
import type { FollowedDatabase } from './database-set.js'
import type { LogReader, TransactionPart } from './log-reader.js'

/** Whoever subscribed, as one of its databases sees it. */
export interface FeedConsumer {
  readonly subscription: number
  /** All rows are wanted where there is no cursor. */
  readonly wantsRows: boolean
  /** Whether only some tables are wanted. */
  readonly isFiltered: boolean
  wants(table: string): boolean
  /** Resolves when something that costs credit may be sent; false: the subscription is over. */
  room(): Promise<boolean>
  send(body: Body): void
  /** Something of this database went wrong that is nobody's fault. */
  failed(database: FollowedDatabase, error: unknown): void
}

/** Work in one turn of the event loop before others get theirs. */
const TURN_MS = 5
/** A consumer whose tables never change learns so often where it stands, so that its cursor does not leave the log. */
const POSITION_MS = 1_000
/** Rows that cannot be read now are tried again after so long, or when the condition of the database changes. */
const RETRY_MS = 1_000

/** Tells one consumer of one database: its state, then its rows if they are wanted, then transactions as fast as they are taken. */
export class DatabaseFeed {
  #cursor: RowCursor | undefined
  readonly #told = new Map<string, FollowedTable>()
  #toldState = ''
  #toldCursor: RowCursor | undefined
  #isOver = false
  #wake: (() => void) | undefined
  #unlisten = (): void => {}
  /** When it was last said where the consumer stands (performance.now). */
  #positionAt = 0

  constructor(
    readonly database: FollowedDatabase,
    private readonly consumer: FeedConsumer,
    cursor: RowCursor | undefined,
  ) {
    this.#cursor = cursor
    this.#beginNow()
  }

  /** Runs until `end`. */
  async run(): Promise<void> {
    let reason: RowsResetReason | undefined
    for (;;) {
      const log = await this.#log()
      if (log === undefined) return
      reason ??= this.#startReason(log)
      if (reason !== undefined) {
        const isStarted = await this.#restart(log, reason)
        if (this.#isOver) return
        if (!isStarted) continue
      }
      const from = this.#cursor ?? { epoch: log.epoch, sequence: log.sequence }
      this.#cursor = from
      this.tellState(true)
      reason = await this.#tell(log, log.reader(from.sequence))
      this.#told.clear()
      if (this.#isOver) return
    }
  }

  end(): void {
    this.#isOver = true
    this.#unlisten()
    this.#awake()
  }

  /** The condition of the database may be another. */
  changed(): void {
    if (this.#isOver) return
    this.#beginNow()
    this.tellState(false)
    this.#awake()
  }

  /** Whoever begins now begins with what is there in this moment, and not when this feed has its turn. */
  #beginNow(): void {
    const log = this.#usableLog
    if (log !== undefined && this.#cursor === undefined && !this.consumer.wantsRows)
      this.#cursor = { epoch: log.epoch, sequence: log.sequence }
  }

  /** Says the state where it is another than was said last, or, with `orCursor`, the cursor is. */
  tellState(orCursor: boolean): void {
    const { state, reason } = this.database.condition()
    const text = `${state} ${reason}`
    const isNews = text !== this.#toldState || (orCursor && this.#cursor !== this.#toldCursor)
    if (!isNews) return
    this.#toldState = text
    this.#toldCursor = this.#cursor
    this.#positionAt = performance.now()
    const { subscription } = this.consumer
    const cursor = this.#cursor && { cursor: this.#cursor }
    this.consumer.send({
      type: 'rowsState',
      value: { subscription, database: this.database.name, state, reason, ...cursor },
    })
  }

  /** The log, now or when there is one; undefined: the feed is over. */
  async #log(): Promise<ChangeLog | undefined> {
    for (;;) {
      if (this.#isOver) return undefined
      const log = this.#usableLog
      if (log !== undefined) {
        this.#unlisten()
        this.#unlisten = log.listen({ appended: () => this.#awake(), restarted: () => this.#awake() })
        return log
      }
      this.tellState(false)
      await this.#idle()
    }
  }

  /**
   * The log, if there is one from which this consumer can be told. While a database is read for the first time its log begins anew, and
   * there is no place in it that whoever begins now could have.
   */
  get #usableLog(): ChangeLog | undefined {
    const { log } = this.database
    if (log === undefined || log.isClosed) return undefined
    const isUnread = log.sequence === 0 && this.database.condition().state === 'catching-up'
    return isUnread && this.#cursor === undefined && !this.consumer.wantsRows ? undefined : log
  }

  #startReason(log: ChangeLog): RowsResetReason | undefined {
    if (this.#cursor === undefined) return this.consumer.wantsRows ? 'initial' : undefined
    if (log.covers(this.#cursor)) return undefined
    return this.#cursor.epoch === log.epoch && this.#cursor.sequence <= log.sequence ? 'behind' : 'epoch'
  }

  /** Tells that what is known is void, and all rows if they are wanted. False: something came between, and it must be done again. */
  async #restart(log: ChangeLog, reason: RowsResetReason): Promise<boolean> {
    const { subscription, wantsRows } = this.consumer
    const database = this.database.name
    if (!wantsRows) {
      // Whoever was too slow begins now; of an epoch that has just begun nothing need be missed.
      const sequence = reason === 'epoch' ? log.firstSequence - 1 : log.sequence
      this.#cursor = { epoch: log.epoch, sequence }
      this.consumer.send({ type: 'rowsReset', value: { subscription, database, reason, cursor: this.#cursor } })
      return true
    }
    this.#cursor = undefined
    this.tellState(false)
    const snapshot = this.database.snapshot(table => this.consumer.wants(table))
    if (snapshot === undefined) {
      await this.#idle(RETRY_MS)
      return false
    }
    this.consumer.send({ type: 'rowsReset', value: { subscription, database, reason } })
    const { epoch, sequence } = snapshot
    try {
      for await (const { table, rows } of snapshot.pages()) {
        if (!(await this.consumer.room())) return false
        if (log.epoch !== epoch || this.#isOver) return false
        const changes = encodeChanges(rows)
        const tables = this.#newTables([table])
        this.consumer.send({ type: 'rowsPage', value: { subscription, database, tables, changes } })
      }
    } catch (error) {
      this.consumer.failed(this.database, error)
      await this.#idle(RETRY_MS)
      return false
    }
    const cursor = { epoch, sequence }
    if (!(await this.consumer.room()) || !log.covers(cursor)) return false
    const value = { subscription, database, cursor, tables: [], changes: new Uint8Array(0) }
    this.consumer.send({ type: 'rowsPage', value })
    this.#cursor = cursor
    return true
  }

  /** Tells transactions until something ends that: the reason for a new beginning. */
  async #tell(log: ChangeLog, reader: LogReader): Promise<RowsResetReason | undefined> {
    let turnMs = performance.now()
    /** Whether a part of the transaction that is being read was sent. */
    let isBegun = false
    while (!this.#isOver) {
      if (!(await this.consumer.room())) return undefined
      let part: ReturnType<LogReader['next']>
      try {
        part = reader.next()
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
        this.consumer.failed(this.database, error)
        return 'damage'
      }
      if (part === 'behind') return 'behind'
      if (part === 'ended') return log.isClosed ? undefined : 'epoch'
      if (part === undefined) {
        if (this.#isOver) return undefined
        await this.#idle(this.#tellPosition())
        turnMs = performance.now()
        continue
      }
      isBegun = this.#tellPart(part, reader, isBegun)
      if (performance.now() - turnMs < TURN_MS) continue
      await turn()
      turnMs = performance.now()
    }
    return undefined
  }

  /** Whether the transaction has begun for the consumer, and goes on. */
  #tellPart(part: TransactionPart, reader: LogReader, isBegun: boolean): boolean {
    const { sequence, index, isLast, head } = part
    const { isFiltered, subscription } = this.consumer
    const changes = isFiltered ? selectGroups(part.changes, table => this.consumer.wants(table)) : part.changes
    const described = index === 0 ? head.tables.filter(({ name }) => this.consumer.wants(name)) : []
    const isWanted = !isFiltered || changes.byteLength > 0 || described.length > 0 || (isLast && isBegun)
    const cursor = { epoch: reader.epoch, sequence }
    if (isLast) this.#cursor = cursor
    if (!isWanted) return isBegun
    const named = groupsOf(changes).flatMap(({ table }) => reader.tables.get(table) ?? [])
    this.consumer.send({
      type: 'rowsPart',
      value: {
        subscription,
        database: this.database.name,
        cursor,
        part: index,
        last: isLast,
        committed: head.committed,
        method: head.method,
        merged: head.merged,
        tables: this.#newTables([...described, ...named]),
        changes,
      },
    })
    if (isLast) this.#positionAt = performance.now()
    return !isLast
  }

  #newTables(tables: readonly FollowedTable[]): FollowedTable[] {
    const fresh: FollowedTable[] = []
    for (const table of tables) {
      if (this.#told.get(table.name) === table) continue
      this.#told.set(table.name, table)
      fresh.push(table)
    }
    return fresh
  }

  /** Says now and then where a consumer stands that wants nothing of what happens. Milliseconds until that is due again. */
  #tellPosition(): number | undefined {
    if (!this.consumer.isFiltered || this.#cursor === undefined) return undefined
    if (this.#cursor.sequence === this.#toldSequence) return undefined
    const dueMs = this.#positionAt + POSITION_MS - performance.now()
    if (dueMs > 0) return dueMs
    this.#toldSequence = this.#cursor.sequence
    this.tellState(true)
    return undefined
  }
  #toldSequence = -1

  /** Waits until something happens, or for so long. */
  #idle(atMostMs?: number): Promise<void> {
    return new Promise(resolve => {
      const timer = atMostMs === undefined ? undefined : setTimeout(() => this.#awake(), Math.max(1, atMostMs))
      const former = this.#wake
      this.#wake = () => {
        clearTimeout(timer)
        former?.()
        resolve()
      }
    })
  }

  #awake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
