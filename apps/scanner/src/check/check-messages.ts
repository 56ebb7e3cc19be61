import type { WalkSettings } from '../walk/walk-messages.js'
import type { CheckedDirectories } from './checked-directories.js'

/** What the thread of a check is started with. */
export interface CheckJobData extends Omit<WalkSettings, 'realRoot' | 'rootDevice' | 'rootVolume'> {
  readonly isFull: boolean
  readonly isBackground: boolean
  readonly entriesPerSecond: number
  /** Relative to the root. */
  readonly after: Uint8Array | undefined
  /** Int32 cells, see `CheckCell`. */
  readonly shared: SharedArrayBuffer
}

export const CheckCell = {
  /** Not 0: end at once. */
  stop: 0,
  /** Not 0: read nothing. */
  paused: 1,
  /** Batches that were sent and not yet taken. */
  onTheWay: 2,
  count: 3,
} as const

/** Enough to keep the thread busy while the consumer works. */
export const MAX_CHECK_BATCHES_ON_THE_WAY = 4

export interface CheckCounters {
  readonly directories: number
  /** Entries in them; 0 where they were not looked at. */
  readonly entries: number
  /** Directories that could not be read. */
  readonly skipped: number
}

export type FromCheckWorker =
  | { readonly type: 'batch'; readonly batch: CheckedDirectories }
  /** What of a low priority the system did not grant. */
  | { readonly type: 'refused'; readonly parts: readonly string[] }
  | { readonly type: 'end'; readonly counters: CheckCounters }
  | { readonly type: 'failure'; readonly failure: unknown }
