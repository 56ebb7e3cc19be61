import type { DatabaseState, FollowedTable, RowChangeMethod } from '@hotpath/model'
import type { RowCursor } from '../rows/cursor.js'
import type { ErrorReply } from './handshake.js'

export interface DatabaseInfo {
  /** Unique. */
  readonly name: string
  readonly path: string
  readonly state: DatabaseState
  /** For people: why it is not live; empty otherwise. */
  readonly reason: string
  /** For people: how changes are found now. */
  readonly method: string
  /** The last transaction; undefined for as long as the log of changes cannot be opened. */
  readonly cursor?: RowCursor | undefined
  /** How far what is told is behind the last commit that was noticed. */
  readonly lagMs: number
  readonly subscribers: number
  /** Followed because a client asked, not by the configuration. */
  readonly adHoc: boolean
  /** Bytes of the log of changes. */
  readonly logBytes: number
}

export interface DatabasesReply {
  readonly databases: readonly DatabaseInfo[]
}

/** A database to be followed beside those of the configuration, for as long as somebody is subscribed to it and a minute after. */
export interface FollowRequest {
  /** Absolute. */
  readonly path: string
  /** Tables to follow; none: all. */
  readonly tables: readonly string[]
  /** Absolute path of the file that holds the key; empty: it has none. A key is in no message. */
  readonly keyFile: string
  /** Changes are taken from the audit that triggers of the owner keep, where there is one. */
  readonly audit: boolean
}

export interface RowsSubscribe {
  /** Chosen by the asker; one that is open is ended first. */
  readonly subscription: number
  /** Names; none: all that are followed. Not together with `follow`. */
  readonly databases: readonly string[]
  readonly follow?: FollowRequest | undefined
  /** Tables to be told of, whatever their capitals (ASCII); none: all. */
  readonly tables: readonly string[]
  /** What is known, at most one for each database. A database without one begins now. */
  readonly cursors: readonly RowCursor[]
  /** All rows are told first where there is no cursor, and again after each reset. */
  readonly rows: boolean
  /** Bytes that may be sent before the first RowsCredit. */
  readonly credit: number
}

export interface RowsSubscribed {
  readonly subscription: number
  readonly databases: readonly DatabaseInfo[]
}

export interface RowsName {
  readonly subscription: number
}

/** Bytes that were taken: as many may be sent again. */
export interface RowsCredit extends RowsName {
  readonly bytes: number
}

/** A part of a transaction; parts in which nothing is wanted are left out, but not the last one of those that were begun. */
export interface RowsPart extends RowsName {
  readonly database: string
  /** Of this transaction. */
  readonly cursor: RowCursor
  /** From 0 within the transaction; the same whenever it is sent. */
  readonly part: number
  /** The transaction is complete. */
  readonly last: boolean
  /** Milliseconds since 1970 when the commit was seen. */
  readonly committed: number
  readonly method: RowChangeMethod
  readonly merged: boolean
  /** Tables of `changes` that were not described before in this subscription, or are different now. */
  readonly tables: readonly FollowedTable[]
  /** For `decodeChanges`. */
  readonly changes: Uint8Array
}

/**
 * Why what is known of a database is void. `initial`: nothing is known yet, and all rows follow. `behind`: what comes next was let go. `epoch`: the
 * log of changes began anew. `damage`: a part of it is damaged.
 */
export const ROWS_RESET_REASONS = ['initial', 'behind', 'epoch', 'damage'] as const
export type RowsResetReason = (typeof ROWS_RESET_REASONS)[number]

/** What is known of a database is void, also of a transaction or rows that have not ended. */
export interface RowsReset extends RowsName {
  readonly database: string
  readonly reason: RowsResetReason
  /** Where it goes on; undefined: all rows follow. */
  readonly cursor?: RowCursor | undefined
}

/** Rows as they are, after a RowsReset without cursor. */
export interface RowsPage extends RowsName {
  readonly database: string
  /** With the last page: where it goes on. Transactions behind it may be in the rows already. */
  readonly cursor?: RowCursor | undefined
  readonly tables: readonly FollowedTable[]
  /** For `decodeChanges`; all are inserts. */
  readonly changes: Uint8Array
}

/** How a database is: the first message of each, and when that or the cursor alone is another. */
export interface RowsState extends RowsName {
  readonly database: string
  readonly state: DatabaseState
  readonly reason: string
  /** What is known with this message. */
  readonly cursor?: RowCursor | undefined
}

/** The subscription is over. */
export interface RowsEnded extends RowsName {
  readonly error: ErrorReply
}
