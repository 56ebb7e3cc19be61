import type { DatabaseState, FollowedTable, RowChangeMethod } from '@hotpath/model'
import type { ErrorReply } from '../messages/handshake.js'
import type { RowsResetReason } from '../messages/rows.js'
import { formatCursor } from './cursor.js'
import { decodeChanges } from './row-part.js'
import type { RowsMessage } from './row-subscriptions.js'
import type { DeliveredChange } from './row-values.js'

interface OfDatabase {
  /** Its name. */
  readonly database: string
  /**
   * What is known with this event: subscribe with it, and what follows comes. Undefined where nothing is complete yet (while all rows are told). Of a
   * transaction of which more follows, the one before.
   */
  readonly cursor: string | undefined
}

/** How a database is. */
export interface RowsStateEvent extends OfDatabase {
  readonly type: 'state'
  readonly state: DatabaseState
  /** For people: why it is not `live`. */
  readonly reason: string
}

/** What is known of this database is void, also of a transaction of which more was to follow. Without cursor all rows follow. */
export interface RowsResetEvent extends OfDatabase {
  readonly type: 'reset'
  readonly reason: RowsResetReason
}

/** Rows as they are. */
export interface RowsRowsEvent extends OfDatabase {
  readonly type: 'rows'
  /** All with the operation `insert`. */
  readonly rows: readonly DeliveredChange[]
  /** As they are described now, by name. */
  readonly tables: ReadonlyMap<string, FollowedTable>
  readonly more: boolean
}

/** A transaction, or the next part of one. */
export interface RowsTransactionEvent extends OfDatabase {
  readonly type: 'transaction'
  readonly sequence: number
  /** Milliseconds since 1970 when the commit was seen. */
  readonly committed: number
  readonly method: RowChangeMethod
  readonly merged: boolean
  readonly changes: readonly DeliveredChange[]
  /** As they are described now, by name. */
  readonly tables: ReadonlyMap<string, FollowedTable>
  /** More of this transaction follows. */
  readonly more: boolean
}

/** The subscription is over. */
export interface RowsErrorEvent {
  readonly type: 'error'
  readonly error: ErrorReply
}

export type RowsEvent = RowsStateEvent | RowsResetEvent | RowsRowsEvent | RowsTransactionEvent | RowsErrorEvent

/** Makes events of the messages of one subscription, in their order. */
export class RowsDecoder {
  readonly #tables = new Map<string, Map<string, FollowedTable>>()
  readonly #cursors = new Map<string, string>()

  /** Throws InvalidInputError for changes that are none. Blobs are views of the message. */
  event(message: RowsMessage): RowsEvent {
    if (message.type === 'rowsEnded') return { type: 'error', error: message.value.error }
    const { database } = message.value
    this.#note(message)
    const cursor = this.#cursors.get(database)
    switch (message.type) {
      case 'rowsState': {
        const { state, reason } = message.value
        return { type: 'state', database, cursor, state, reason }
      }
      case 'rowsReset':
        return { type: 'reset', database, cursor, reason: message.value.reason }
      case 'rowsPage': {
        const tables = this.#describe(database, message.value.tables)
        const rows = decodeChanges(message.value.changes)
        return { type: 'rows', database, cursor, rows, tables, more: message.value.cursor === undefined }
      }
      case 'rowsPart': {
        const { committed, method, merged, last } = message.value
        const tables = this.#describe(database, message.value.tables)
        const changes = decodeChanges(message.value.changes)
        const { sequence } = message.value.cursor
        return {
          type: 'transaction',
          database,
          cursor,
          sequence,
          committed,
          method,
          merged,
          changes,
          tables,
          more: !last,
        }
      }
    }
  }

  /** What is known with a message. */
  #note({ type, value }: Exclude<RowsMessage, { type: 'rowsEnded' }>): void {
    const { database, cursor } = value
    if (type === 'rowsPart' && !value.last) return
    if (cursor !== undefined) this.#cursors.set(database, formatCursor(cursor))
    else if (type !== 'rowsState') this.#cursors.delete(database)
  }

  #describe(database: string, tables: readonly FollowedTable[]): ReadonlyMap<string, FollowedTable> {
    let known = this.#tables.get(database) ?? new Map<string, FollowedTable>()
    // Events keep the map that they were given.
    if (tables.length > 0) known = new Map([...known, ...tables.map(table => [table.name, table] as const)])
    this.#tables.set(database, known)
    return known
  }
}
