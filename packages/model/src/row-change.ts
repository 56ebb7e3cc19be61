/** Changes of rows of a followed database: what the watcher says, and all consumers see. */

/** Text whose bytes are not valid in the encoding of the database. */
export interface InvalidText {
  readonly invalidText: Uint8Array
}

/** A value of a column: integers are bigint, reals number, text string, blobs bytes. */
export type SqlValue = null | bigint | number | string | Uint8Array | InvalidText

/** What names a row: its rowid, or, without rowids, the values of the primary key in their order. */
export type RowKey = bigint | readonly SqlValue[]

export type RowOperation = 'insert' | 'update' | 'delete'

/** One row of one table; `old` and `new` have the values of all stored columns in their order. */
export interface RowChange {
  readonly table: string
  readonly operation: RowOperation
  readonly key: RowKey
  /** Absent for `insert`. */
  readonly old?: readonly SqlValue[]
  /** Absent for `delete`. */
  readonly new?: readonly SqlValue[]
}

/** A table of a followed database as it is stored. */
export interface FollowedTable {
  readonly name: string
  /** Names of the stored columns, in their order. */
  readonly columns: readonly string[]
  /** Names of the columns of the primary key of a table without rowids; absent where rows have rowids. */
  readonly primaryKey?: readonly string[]
}

/**
 * How changes were found: by the pages that a transaction wrote, by comparing all pages, or, of some tables at least, in what triggers of the owner
 * kept (`audit`), which has each step.
 */
export type RowChangeMethod = 'pages' | 'comparison' | 'audit'

/**
 * What changed between two committed states: one transaction of the writer, or, where the log was lost, the difference that several
 * left (`merged`).
 */
export interface RowTransaction {
  /** From 1 within the epoch of the database's log of changes, without gaps. */
  readonly sequence: number
  /** Milliseconds since 1970 when the commit was seen. */
  readonly committed: number
  readonly method: RowChangeMethod
  readonly merged: boolean
  /** Tables whose columns changed, or that appeared, before these changes. */
  readonly tables: readonly FollowedTable[]
  /** Within a table at most one for each key; with the method `audit` several, in the order in which they were made. */
  readonly changes: readonly RowChange[]
}

/** How a followed database is. */
export type DatabaseState =
  /** Told of up to now. */
  | 'live'
  /** Being read for the first time, or compared. */
  | 'catching-up'
  /** There is no such file; it is waited for. */
  | 'missing'
  /** The key does not open it, or it is encrypted and there is no key. */
  | 'locked'
  /** The file is not a database, or is damaged; it is looked at again when it changes. */
  | 'damaged'
  /** It cannot be read here: no permission, a system where nothing is followed, or a failure of ours that the reason names. */
  | 'unavailable'
