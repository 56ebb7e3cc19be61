import type { MessagePort } from 'node:worker_threads'
import type { PackedBatch } from './packed-batch.js'
import type { DonatedGroup } from './pending-directories.js'
import type { DeferredMount, WalkProblem } from './walk-host.js'

/** What all threads of a walk must know. */
export interface WalkSettings {
  readonly root: Uint8Array
  readonly realRoot: Uint8Array
  readonly rootDevice: number
  readonly rootVolume: string
  readonly excludes: readonly string[]
  readonly excludedDirectories: readonly string[]
  readonly crossDevices: boolean
  readonly namesOnly: boolean
  /** Who may list each directory, too. */
  readonly access: boolean
  readonly readerMode: 'auto' | 'native' | 'fs'
}

/** The part of one thread in a walk. */
export interface WalkJobData extends WalkSettings {
  /** Int32 cells, see `Cell`. */
  readonly shared: SharedArrayBuffer
  /** Number of this thread, 0, 1, 2 … */
  readonly thread: number
  readonly port: MessagePort
}

/** Cells of the memory that the threads of a walk share. */
export const Cell = {
  /** Next free directory number. */
  nextNumber: 0,
  /** Not 0: end at once. */
  stop: 1,
  /** Threads that have nothing to do and for which nothing is on its way. */
  hungry: 2,
  /** From here for each thread: batches that were sent and not yet taken. */
  perThread: 3,
} as const
/** For each thread: batches on their way, and a count of what was sent to it (to wait on). */
export const CELLS_PER_THREAD = 2

/** Batches of one thread on their way: enough to keep it busy while the consumer works, at most 4 MiB. */
export const MAX_BATCHES_ON_THE_WAY = 4

export type ToWorker =
  | { readonly type: 'groups'; readonly groups: readonly DonatedGroup[] }
  /** Answer with `visited`. */
  | { readonly type: 'visited?' }
  | { readonly type: 'mounts'; readonly mounts: readonly DeferredMount[]; readonly visited: readonly Uint32Array[] }
  | { readonly type: 'end' }

export type FromWorker =
  | { readonly type: 'batch'; readonly batch: PackedBatch }
  | { readonly type: 'problem'; readonly problem: WalkProblem }
  | { readonly type: 'donation'; readonly group: DonatedGroup }
  | { readonly type: 'mount'; readonly mount: DeferredMount }
  | { readonly type: 'visited'; readonly triples: Uint32Array }
  /** Everything that was given to it is done, and all its rows were sent. */
  | { readonly type: 'idle' }

/** To a thread of a pool. */
export type ToThread = { readonly type: 'job'; readonly data: WalkJobData } | { readonly type: 'close' }

/** From a thread of a pool: the job is over; with the failure that ended it, if one did. */
export interface JobEnd {
  readonly failure?: unknown
}
