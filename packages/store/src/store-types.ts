import type { FollowedSource, ListFileFacts, RootTrust, ScanFacts } from '@hotpath/index-format'
import type { JournalPosition, NodeRef, RootSpec } from '@hotpath/model'
import type { IgnoredCounts } from './batch-applier.js'
import type { CompactionLimits } from './compaction-policy.js'
import type { FileSystem } from './file-system.js'
import type { FollowedNodes } from './followed-nodes.js'
import type { DamagedFile } from './recovery.js'
import type { SectionSize, SegmentBackend } from './segment-access.js'
import type { SegmentOrigin } from './segment-state.js'

/** What the store says about its work; messages are for people. */
export interface StoreLog {
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
}

export interface StoreOptions {
  /** Data directory; made if it is not there. */
  readonly directory: string
  readonly fs: FileSystem
  readonly backend: SegmentBackend
  /** Takes the directory's lock; throws BusyError if another process has it. */
  readonly lock?: () => { release(): void }
  readonly log?: StoreLog
  /** Rows of the delta at which it is flushed: about 3 MB in each query worker. Default 32,768. */
  readonly flushRows?: number
  /** Bytes of log after which views are flushed so that old log files can go: bounds the time to open. Default 64 MiB. */
  readonly maxWalBytes?: number
  /** Rows of a scan's slice at most; the first ones have fewer (SliceLimits). Default 500,000: the store then needs some 360 MB while ten million rows arrive. */
  readonly sliceRows?: number
  /** Rows of the first slice of a first scan. Default an eighth of sliceRows. */
  readonly firstSliceRows?: number
  /** Rows of changes kept while a scan runs; beyond, it is given up and asked for again. Default 1,000,000: 120 MB. */
  readonly maxScanChanges?: number
  /** Rows of a change batch that are applied in one turn of the event loop. Default 128: a millisecond or two. */
  readonly stepRows?: number
  readonly compaction?: CompactionLimits
  /** Whoever keeps something about nodes of a volume, and wants it to stay with their names. */
  readonly followed?: (volume: string) => FollowedNodes
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Where the entries of a root are. */
export interface RootPlace {
  readonly volume: string
  /** What stands before the root's name in every path, may be empty. */
  readonly prefix: Uint8Array
  /** The root is no component of paths: it only holds the first components together (file lists). */
  readonly virtualRoot: boolean
}

/** A directory whose contents the store does not know. */
export interface ListRequest {
  readonly ref: NodeRef
  /** Absolute path as the store knows it. */
  readonly path: Uint8Array
}

export interface AppliedBatch {
  /** The state of the store that includes the batch. */
  readonly clock: number
  /** The batch was applied before; it is acknowledged again. */
  readonly duplicate: boolean
  /** Batches of this source between the last one and this one never came. */
  readonly gap: boolean
  readonly ignored: IgnoredCounts
  /** Directories that the source must list (`Op.listed`). */
  readonly listRequests: ListRequest[]
  /** Resolves when the batch survives a power loss. */
  readonly durable: Promise<void>
}

export interface BeginScanOptions {
  /** From allotEpoch, or allotted now. */
  readonly epoch?: number
  readonly bootId: string
  /** Microseconds of the monotonic clock before the scan observed anything. */
  readonly startedAt: number
  /** During a first scan, answer queries from what is there already. */
  readonly partial?: boolean
  /** Of a volume: where its change journal ended before the scan observed anything. */
  readonly journal?: JournalPosition | undefined
}

export interface EndScanOptions {
  /** Sequence of the last batch; 0: none. */
  readonly lastSequence: number
  readonly skipped?: number
  readonly listFile?: ListFileFacts
}

export interface FinishedScan {
  readonly clock: number
  readonly entries: number
  readonly listRequests: ListRequest[]
}

export interface RootStatus {
  readonly spec: RootSpec
  readonly entries: number
  readonly segments: number
  readonly deltaRows: number
  readonly partial: boolean
  /** Why the root must be scanned, empty if it need not. */
  readonly scanReason: string
  /** Epoch of the scan that is open, 0 if none. */
  readonly scanEpoch: number
  /** Entries received by the open scan. */
  readonly scanEntries: number
  readonly lastScan: ScanFacts | null
  readonly followed: FollowedSource | null
  readonly trust: RootTrust
  /** Milliseconds since 1970: changes before this are in the index, as far as `trust` says. 0: not known. */
  readonly wholeUntilMs: number
  /** Of a volume: up to where the index knows its change journal. */
  readonly journal: JournalPosition | null
}

/** How a root is followed, and how far its index is believed: what outlives the process. */
export interface Following {
  readonly followed: FollowedSource | null
  readonly trust: RootTrust
  /** Every change that happens from now on comes into the index. */
  readonly isWhole: boolean
}

export interface SegmentSizes {
  readonly root: string
  readonly segment: number
  readonly file: string
  readonly origin: SegmentOrigin
  readonly sizeBytes: number
  readonly directories: number
  readonly files: number
  readonly stubs: number
  readonly dead: number
  readonly sections: SectionSize[]
}

export interface OpenReport {
  readonly damaged: DamagedFile[]
  readonly replayedRecords: number
  readonly replayedRows: number
  readonly removedOrphans: string[]
}
