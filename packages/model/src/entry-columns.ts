/**
 * Rows of directory entries as columns: what a scanner sends, a delta holds and a segment is built from.
 *
 * Times are split in whole seconds since 1970 (may be negative; NaN = unknown) and ticks of 100 ns (0 … 9,999,999),
 * because a 64-bit count of ticks does not fit in a double. Sizes are bytes (NaN = unknown; exact up to 2^53).
 */

/** What an entry is. The low bits of the `kind` column. Stored on disk and sent on the wire: never renumber. */
export const Kind = { file: 0, directory: 1, symlink: 2, other: 3 } as const
export type Kind = (typeof Kind)[keyof typeof Kind]
export const KIND_MASK = 0x0f

/**
 * Bit of `kind`: a directory that is only here because something below it is (an ancestor that a list implies, or
 * one whose entry lives in another segment). A stub anchors ranges and shows in paths; it is not an entry and is
 * neither counted nor returned.
 */
export const KIND_STUB = 0x80

/** Directory number 0 means "no directory": the parent of a view's root. */
export const NO_DIRECTORY = 0

export interface TimeColumn {
  /** Seconds since 1970, NaN where unknown. */
  readonly seconds: Float64Array
  /** 100 ns ticks within the second. */
  readonly ticks: Uint32Array
}

/** The node behind an entry within its volume: inode (or MFT record) and 32 bits of birth time (or sequence number). */
export interface RefColumn {
  readonly low: Uint32Array
  readonly high: Uint32Array
  readonly birth: Uint32Array
}

/** Who may list each directory; all 0 (nobody but root) where that is not known, and for what is no directory. */
export interface AccessColumn {
  /** Permission bits (12) below a digest of the access list (20 bits, 0: there is none). */
  readonly mode: Uint32Array
  readonly user: Uint32Array
  readonly group: Uint32Array
}

/** Names of the optional time columns; `changed` is the inode change time, `created` the birth time. */
export const TIME_COLUMNS = ['modified', 'changed', 'created', 'accessed'] as const
export type TimeColumnName = (typeof TIME_COLUMNS)[number]

export interface EntryColumns {
  readonly count: number
  /** Directory number of the parent, NO_DIRECTORY for the root. */
  readonly parent: Uint32Array
  /** Own directory number if the row is a directory, else 0. */
  readonly directory: Uint32Array
  /** Kind, with KIND_STUB. */
  readonly kind: Uint8Array
  /** Row i's name is names[nameOffsets[i] … nameOffsets[i + 1]). Bytes: need not be UTF-8; never contains `/` or NUL. */
  readonly nameOffsets: Uint32Array
  readonly names: Uint8Array
  readonly size: Float64Array
  readonly modified?: TimeColumn
  readonly changed?: TimeColumn
  readonly created?: TimeColumn
  readonly accessed?: TimeColumn
  readonly attributes?: Uint32Array
  readonly access?: AccessColumn
  /** Absent for file lists, whose nodes are named by their path. */
  readonly ref?: RefColumn
}
