import type { DatabaseState, FollowedTable, RowChange, RowChangeMethod } from '@hotpath/model'
import type { ToldUpTo } from './shadow.js'

/** A transaction for the log of changes. */
export interface ToldTransaction {
  /** Milliseconds since 1970. */
  readonly committed: number
  readonly method: RowChangeMethod
  readonly merged: boolean
  readonly tables: readonly FollowedTable[]
}

/** One with few changes. */
export interface BriefTransaction {
  readonly transaction: ToldTransaction
  readonly changes: readonly RowChange[]
}

/** What a follower tells whoever runs it. Calls return when what they say is done. */
export interface FollowerHost {
  /** Opens the log of changes. @param encryptionKey 32 bytes where the database is encrypted */
  openLog(encryptionKey: Uint8Array | undefined): ToldUpTo
  /** Returns the number of the transaction, which is in the log from here on. Throws if it could not be written. */
  append(transaction: ToldTransaction, changes: Iterable<RowChange>): number
  /** At least one, in their order; all are in the log or none is, also if the process is killed. Returns the number of the last. */
  appendAll(transactions: readonly BriefTransaction[]): number
  /** Begins a new epoch: nothing of what was told before can be continued. @param reason for people */
  resetLog(tables: readonly FollowedTable[], reason: string): ToldUpTo
  condition(condition: FollowerCondition): void
  /** The follower is to stop. */
  readonly isStopping: boolean
  /** Commits seen, since when (milliseconds since 1970) one that was not told waits, 0 if none does, and the frame of the log up to which all is told. */
  progress(commits: number, waitingSince: number, frame: number): void
}

export interface FollowerCondition {
  readonly state: DatabaseState
  /** For people; no key and no row is in it. */
  readonly reason: string
  readonly method: string
}
