import type { ChangeBatch, EntryColumns, JournalPosition, RefColumn, RootSpec, TimeColumn } from '@hotpath/model'

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
  /** Where the change journal of the volume ended before anything else was read. */
  readonly journal?: JournalPosition | undefined
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
  /** Of volumes: alternate streams, too, as `name:stream`. Absent: not. */
  readonly streams?: boolean | undefined
  /** Volumes are read at idle priority of processor and disk. Absent: not. */
  readonly idle?: boolean | undefined
  /** Of trees: who may list each directory, too. Absent: not. */
  readonly access?: boolean | undefined
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
  /** Of a volume: up to where the index knows its change journal. */
  readonly journal?: JournalPosition | undefined
}

export interface UnwatchCommand {
  readonly root: string
}

export type WatchMechanism = 'none' | 'fanotify' | 'inotify' | 'polling' | 'journal'

export interface WatchState {
  readonly root: string
  readonly source: string
  /** `armed`: every change from now on is reported. `lost`: events were lost, the root must be scanned again. */
  readonly state: 'armed' | 'unwatched' | 'lost'
  readonly mechanism: WatchMechanism
  readonly reason: string
  /** 1, 2, 3 … within the source: rises with each loss. Where the store has it already, nothing was lost since. */
  readonly term: number
  /** An earlier source whose unacknowledged events are all told again, and its term; empty and 0: none. */
  readonly continuesSource: string
  readonly continuesTerm: number
  /** Seconds since 1970: every event before this was told. NaN: not known. */
  readonly wholeUntil: number
  /** Armed by a change journal: all that is in it from here on is told. */
  readonly journal?: JournalPosition | undefined
  /** How each file system that is mounted in the root is followed, if there is something to say; at most MAX_FOLLOWED_MOUNTS. */
  readonly mounts?: readonly FollowedMount[] | undefined
}

/** A file system that is mounted in a root. */
export interface FollowedMount {
  /** Absolute. */
  readonly path: Uint8Array
  readonly mechanism: WatchMechanism
  /** For people: why nothing better follows it; may be empty. */
  readonly reason: string
}

/** All batches that say what the journal of a volume has from `from` on and before `journal` are durable. */
export interface JournalReached {
  readonly root: string
  readonly from: number
  readonly journal: JournalPosition
}

/** What waits in a watcher. */
export interface WatchReport {
  readonly root: string
  /** When the oldest event that is not in a batch was read, monotonic µs. NaN: none waits. */
  readonly oldest: number
  /** Names and directories that are to be looked at. */
  readonly waiting: number
  /** Absolute paths of directories that are to be listed, at most MAX_DIRTY_SUBTREES. */
  readonly directories: readonly Uint8Array[]
}

/** `directories`: with their own times alone. `full`: with a digest of all entries. */
export type CheckMode = 'directories' | 'full'

/** Store to scanner: read a root and tell what it is like; answered by CheckBatches and CheckEnd. */
export interface CheckCommand {
  readonly root: RootSpec
  /** From the numbers of epochs, so that an Ack can name either. */
  readonly check: number
  readonly mode: CheckMode
  readonly options: ScanOptions
  /** At idle priority of CPU and disk. */
  readonly background: boolean
  /** 0: no bound. */
  readonly entriesPerSecond: number
  /** Absolute path of the directory after which to begin, in the order of the walk; empty: at the root. */
  readonly after: Uint8Array
}

/** Directories as a scanner found them. */
export interface CheckBatch {
  readonly check: number
  /** 1, 2, 3 … within the check. */
  readonly sequence: number
  readonly refs: RefColumn
  readonly modified: TimeColumn
  readonly changed: TimeColumn
  /** Monotonic µs before each directory was read. */
  readonly observed: Float64Array
  /** Number of entries, and the two halves of the sum of their digests; absent in mode `directories`. */
  readonly children?: Uint32Array | undefined
  readonly digestLow?: Uint32Array | undefined
  readonly digestHigh?: Uint32Array | undefined
  /** Path i is paths[pathOffsets[i] … pathOffsets[i + 1]); absolute. */
  readonly pathOffsets: Uint32Array
  readonly paths: Uint8Array
}

export interface CheckEnd {
  readonly root: string
  readonly check: number
  readonly state: 'complete' | 'aborted'
  readonly directories: number
  readonly entries: number
  /** Directories that could not be read. */
  readonly skipped: number
  /** Sequence of the last batch; 0: none. */
  readonly lastSequence: number
}

export interface CancelCheck {
  readonly root: string
  readonly check: number
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
