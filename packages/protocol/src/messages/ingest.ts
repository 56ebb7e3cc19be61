import type { ChangeBatch, EntryColumns, RefColumn, RootSpec } from '@hotpath/model'

/** Opens a scan; answered by ScanAccepted. */
export interface ScanBegin {
  readonly root: RootSpec
  readonly volume: string
  /** What stands before the root's own name in every path (`/home/`); may be empty. */
  readonly prefix: Uint8Array
  /** Epoch of the ScanCommand that this scan answers; 0: the store allots one. */
  readonly epoch: number
  readonly bootId: string
  /** Who observes: fresh for each start of a scanner. */
  readonly source: string
}

export interface ScanAccepted {
  readonly epoch: number
  /** How many batches may be sent and not yet be acknowledged as received. */
  readonly credit: number
}

export interface EntryBatch {
  readonly epoch: number
  /** 1, 2, 3 … within the epoch. */
  readonly sequence: number
  /** Directory numbers are the scan's own; a directory's row comes before the rows of its children. */
  readonly entries: EntryColumns
  /** Directory numbers whose listing began; once for each directory, not after its first child. */
  readonly listedDirectory: Uint32Array
  /** For each of them: microseconds of the host's monotonic clock before its listing began. */
  readonly listedObserved: Float64Array
}

export interface ScanProgress {
  readonly root: string
  readonly epoch: number
  readonly entries: number
  readonly directories: number
  readonly errors: number
  readonly currentDirectory: Uint8Array
  /** NaN where it cannot be known. */
  readonly knownTotal: number
}

export interface ScanProblem {
  /** Line of a list (1 …), 0 for a tree. */
  readonly line: number
  readonly path: Uint8Array
  readonly message: string
}

/** Closes a scan; answered by the Ack that says that its generation is durable and answers queries. */
export interface ScanEnd {
  readonly root: string
  readonly epoch: number
  readonly entries: number
  /** Rows and directories that could not be read. */
  readonly skipped: number
  readonly state: 'complete' | 'aborted'
  /** Sequence of the last batch; 0: none. */
  readonly lastSequence: number
  /** The first 100. */
  readonly problems: readonly ScanProblem[]
}

/** Store to source, unsolicited or as the answer to ScanEnd. */
export interface Ack {
  /** Of scan batches; 0 where `source` is set. */
  readonly epoch: number
  /** Of change batches; empty where `epoch` is set. */
  readonly source: string
  readonly receivedSequence: number
  readonly durableSequence: number
  /** Batches that may be on their way beyond receivedSequence. */
  readonly credit: number
  /** The epoch's generation answers queries. */
  readonly active: boolean
  /** Root of listRequests. */
  readonly root: string
  /** Directories whose contents the store does not know and wants listed. */
  readonly listRequests?: RefColumn | undefined
}

export interface ScanOptions {
  /** Globs of paths that are left out. */
  readonly excludes: readonly string[]
  readonly crossFileSystems: boolean
  /** Worker threads; 0: the scanner decides. */
  readonly threads: number
  readonly namesOnly: boolean
}

export interface ScanCommand {
  readonly root: RootSpec
  readonly epoch: number
  readonly options: ScanOptions
}

export interface CancelScan {
  readonly root: string
  readonly epoch: number
}

/** Store to watcher: read the kernel queue until it is empty, then answer with BarrierDone. */
export interface Barrier {
  readonly id: number
}

export interface BarrierDone {
  readonly id: number
  readonly source: string
  /** Last batch that holds what the kernel had queued when the Barrier came; sent before this message. 0: none. */
  readonly sequence: number
  /** Roots for which this cannot be promised. */
  readonly unwatchedRoots: readonly string[]
}

export interface WatchCommand {
  readonly root: RootSpec
  readonly options: ScanOptions
}

export interface UnwatchCommand {
  readonly root: string
}

export type WatchMechanism = 'none' | 'fanotify' | 'inotify' | 'polling'

export interface WatchState {
  readonly root: string
  readonly source: string
  /** `armed`: every change from now on is reported. `lost`: events were lost, the root must be scanned again. */
  readonly state: 'armed' | 'unwatched' | 'lost'
  readonly mechanism: WatchMechanism
  readonly reason: string
}

/** Store to source: list these directories again and send `Op.listed` batches. */
export interface ListCommand {
  readonly root: string
  /** Path i is paths[pathOffsets[i] … pathOffsets[i + 1]). */
  readonly pathOffsets: Uint32Array
  readonly paths: Uint8Array
  readonly refs: RefColumn
}

export type { ChangeBatch }
