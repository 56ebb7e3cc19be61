import type { EntryColumns, RefColumn } from './entry-columns.js'

/** What was observed. On the wire and in the WAL: never renumber. */
export const Op = {
  /** (parent, name) does not exist. Only parentRef, name and observed are meaningful. */
  absent: 0,
  /** (parent, name) exists with this kind, ref and metadata. */
  present: 1,
  /**
   * The directory named by parentRef was listed completely: its `present` rows in this batch are all it holds, and
   * every other child observed before `observed` is absent. The row has an empty name.
   */
  listed: 2,
} as const
export type Op = (typeof Op)[keyof typeof Op]

/**
 * Observations of directory entries, in the order in which they were made. `entries.parent` and
 * `entries.directory` are not used (zero): a watcher names directories by ref, which survives moves.
 * A rename is sent as `present` at the new place before `absent` at the old one.
 */
export interface ChangeColumns {
  readonly op: Uint8Array
  /** Directory that holds the entry; all zero for the root of the tree itself, of which only `present` is sent. */
  readonly parentRef: RefColumn
  readonly entries: EntryColumns
  /** Microseconds of the host's monotonic clock, taken before the system call that made the observation. */
  readonly observed: Float64Array
}

export interface ChangeBatch {
  /** Stable root id (see RootSpec). */
  readonly root: string
  /** Who observed: unique for each start of a watcher. */
  readonly source: string
  /** 1, 2, 3 … within `source`; a batch already applied is acknowledged and otherwise ignored. */
  readonly sequence: number
  /** Boot id of the host; observation times of different boots are not comparable (the later boot wins). */
  readonly bootId: string
  readonly changes: ChangeColumns
}
