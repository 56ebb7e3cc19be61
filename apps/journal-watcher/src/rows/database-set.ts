import type { DatabaseState, FollowedTable, RowChange } from '@hotpath/model'
import type { ChangeLog } from './change-log.js'

/** A database to be followed beside those of the configuration, for as long as somebody is interested. */
export interface FollowSpec {
  /** Absolute. */
  readonly path: string
  /** Empty: all. */
  readonly tables: readonly string[]
  /** Absolute path of the file that has the key; the key itself is in no message. */
  readonly keyFile?: string
  /** Changes are taken from the audit that triggers of the owner keep, where there is one. */
  readonly audit: boolean
}

/** All rows of some tables, read while changes go on. */
export interface RowSnapshot {
  /**
   * What is read is not older than this transaction of this epoch. Transactions behind it may be in it already: whoever applies
   * them by key (an insert replaces, a delete of what is not there does nothing) has the state of the database.
   */
  readonly epoch: string
  readonly sequence: number
  /**
   * Rows as changes with the operation `insert`, some hundred kilobytes a page at most (a single long row may be more). Each row that is
   * there all the time comes once. Pages are asked for as they are consumed, so between two of them any time may pass. Throws if the
   * rows can no longer be read as promised (another epoch began, the database went).
   */
  pages(): AsyncIterable<RowPage>
}

export interface RowPage {
  readonly table: FollowedTable
  readonly rows: readonly RowChange[]
}

/** How a database is, for people. */
export interface DatabaseCondition {
  readonly state: DatabaseState
  /** Why, where it is not `live`; no key and no content of a row is ever in it. */
  readonly reason: string
  /** How changes are found now, for people: `pages`, or several (`tail, pages`). */
  readonly method: string
  /** How far what was told is behind the last commit that was noticed, milliseconds. */
  readonly lagMs: number
}

export interface FollowedDatabase {
  /** Names the database in its cursors: the same over restarts, another for another path. */
  readonly id: string
  /** Unique among all that are followed. */
  readonly name: string
  readonly path: string
  /** Followed because somebody asked, not by the configuration. */
  readonly isAdHoc: boolean
  /** Names and globs of tables for which it is followed; none: all. */
  readonly wantedTables: readonly string[]
  /** Steps are told that triggers of the owner keep, where they do. */
  readonly isAudited: boolean
  /** Undefined for as long as it cannot be opened (a key is missing). Once there it stays the same object. */
  readonly log: ChangeLog | undefined
  condition(): DatabaseCondition
  /** `wanted` says which tables. Undefined where there is nothing to be read now: a change of the set's condition says when to ask again. */
  snapshot(wanted: (table: string) => boolean): RowSnapshot | undefined
}

/** What is followed. */
export interface DatabaseSet {
  databases(): readonly FollowedDatabase[]
  /**
   * Follows a database beside those of the configuration; one that is followed already by the same path is given again, whatever its tables.
   * Throws InvalidInputError, UnavailableError. Resolves as soon as it has a name, whatever its state.
   */
  follow(spec: FollowSpec): Promise<FollowedDatabase>
  /** Nobody is interested in a database that `follow` gave any more: its log and shadow may go. */
  release(id: string): void
  /** Called after a database came or went, its condition changed, or its log was opened. Returns what ends it. */
  onChange(listener: () => void): () => void
}
