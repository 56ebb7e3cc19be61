import type { Kind } from './entry-columns.js'

/** A moment: whole seconds since 1970 (NaN = unknown) and ticks of 100 ns. */
export interface Time {
  readonly seconds: number
  readonly ticks: number
}

/** A node within its volume: inode (or MFT record number) in two halves and 32 bits of birth time (or sequence number). */
export interface NodeRef {
  readonly low: number
  readonly high: number
  readonly birth: number
}

/** Who may list a directory (AccessColumn). */
export interface Access {
  readonly mode: number
  readonly user: number
  readonly group: number
}

/** One entry's metadata. Columns that the source does not have are absent; a size of NaN is unknown. */
export interface EntryRow {
  readonly kind: Kind
  readonly size: number
  readonly modified?: Time
  readonly changed?: Time
  readonly created?: Time
  readonly accessed?: Time
  readonly attributes?: number
  readonly access?: Access
  readonly ref?: NodeRef
}
