import { type HitRank, HotpathError, type Instant, type Kind } from '@hotpath/model'
import type { FoundRow } from '@hotpath/protocol'

export const SORT_KEYS = ['hot', 'name', 'path', 'size', 'modified', 'created', 'accessed', 'opened', 'ext'] as const
export type SortKey = (typeof SORT_KEYS)[number]

export const MATCH_MODES = ['name', 'auto'] as const
/** `name`: a term matches the name. `auto`: any component of the path, and at least one term the name itself. */
export type MatchMode = (typeof MATCH_MODES)[number]

export const CASE_MODES = ['ignore', 'smart', 'match'] as const
/** `smart`: capital and small letters differ for texts that have a capital letter. */
export type CaseMode = (typeof CASE_MODES)[number]

export interface SearchRequest {
  readonly query: string
  readonly offset: number
  readonly limit: number
  readonly sort: SortKey
  readonly descending: boolean
  readonly match: MatchMode
  readonly caseMode: CaseMode
  /** Absolute path of the directory whose descendants are searched; bytes, because names need not be UTF-8. */
  readonly under: Uint8Array | undefined
  /** Opaque clock that the answer must cover. */
  readonly minClock: string | undefined
  readonly explain: boolean
  /** Only the total is wanted: no rows are returned. */
  readonly countOnly: boolean
  /** As if `fuzzy:` stood before the query. */
  readonly fuzzy: boolean
  /** An answer that is computed now is wanted. */
  readonly noCache?: boolean
}

export interface SearchRow {
  /** Opaque, stable over restarts and rebuilds. */
  readonly id: string
  /** The whole path in bytes; its last `nameSizeBytes` bytes are the name. */
  readonly path: Uint8Array
  readonly nameSizeBytes: number
  readonly kind: Kind
  /** NaN where unknown. */
  readonly sizeBytes: number
  readonly modified: Instant | undefined
  readonly created: Instant | undefined
  readonly accessed: Instant | undefined
  /** How hot its node is now; 0 where it was never opened. */
  readonly hot: number
  /** How often it was opened. */
  readonly opens: number
  /** When it was opened last; undefined where it never was. */
  readonly opened: Instant | undefined
  /** Why it stands where it stands: only where the search is explained. */
  readonly rank?: HitRank | undefined
}

/** An entry that a person opened: by the id of a hit, or by its path in bytes. */
export type OpenedEntry = { readonly id: string } | { readonly path: Uint8Array }

export const FRESH_STATES = ['live', 'catching-up', 'repairing', 'unwatched'] as const
export type FreshState = (typeof FRESH_STATES)[number]

export interface Freshness {
  readonly state: FreshState
  /** How far the index is behind the disk, as far as is known; undefined where nothing watches. */
  readonly lagMs: number | undefined
  /** Directories that are known to have changed and have not been read again. */
  readonly dirty: number
  /** Absolute paths of the first of them. */
  readonly dirtySubtrees: readonly Uint8Array[]
}

export interface SearchAnswer {
  readonly total: number
  /** Hits after those, which only tolerant terms find; undefined if nobody looked for them. */
  readonly fuzzyTotal: number | undefined
  /** Rows of this page that are no such hits; the rows after them are. */
  readonly exactRows: number
  readonly clock: string
  readonly fresh: Freshness
  readonly partial: boolean
  /** Time in the engine alone, when it was computed. */
  readonly engineMs: number
  /** Was computed for an earlier search, and nothing that it depends on has changed since. */
  readonly cached?: boolean
  readonly rows: readonly SearchRow[]
  /** Plain data that says how the query ran; only where it was asked for. */
  readonly explanation: unknown
}

export interface RootStatus {
  readonly id: string
  readonly kind: string
  readonly path: string
  readonly entries: number
  readonly directories: number
  readonly segments: number
  readonly indexBytes: number
  /** Changed entries that are in memory (and in the log) only. */
  readonly deltaRows: number
  readonly fresh: Freshness
  /** How changes are noticed: none, fanotify, inotify, polling, journal. */
  readonly mechanism: string
  /** How what is mounted in it is followed, where there is something to say. */
  readonly mounts: readonly FollowedMount[]
  readonly partial: boolean
  /** For people: why it is not live; empty otherwise. */
  readonly reason: string
  /** A scan that runs now. */
  readonly scan: ScanProgress | undefined
}

export interface FollowedMount {
  readonly path: string
  readonly mechanism: string
  /** For people: why nothing better follows it; may be empty. */
  readonly reason: string
}

/** A process of the system. */
export interface StageStatus {
  readonly stage: string
  readonly pid: number
  readonly state: string
  readonly uptimeMs: number
  /** Anonymous memory; NaN where unknown. */
  readonly memoryBytes: number
  readonly restarts: number
}

export interface ScanProgress {
  readonly entries: number
  readonly entriesPerSecond: number
  /** Directory (or row) that was read last; text for people. */
  readonly current: string
  /** How many entries are to be expected, where that can be known. */
  readonly expectedEntries: number | undefined
}

export const STORAGE_STATES = ['writable', 'full', 'failed'] as const

/** Whether the index can be written: else searches go on, but changes and scans wait. */
export interface StorageStatus {
  readonly state: (typeof STORAGE_STATES)[number]
  /** For people; empty while it is writable. */
  readonly reason: string
}

export interface IndexStatus {
  readonly clock: string
  readonly fresh: Freshness
  readonly partial: boolean
  readonly storage: StorageStatus
  readonly entries: number
  readonly roots: readonly RootStatus[]
  readonly stages: readonly StageStatus[]
  /** Figures of the engine by snake_case name with unit (`delta_rows`, `losses_total`, which only rises); shown in /api/status and /metrics. */
  readonly figures: Readonly<Record<string, number>>
  /** Caches of the query workers. */
  readonly caches: readonly CacheFigures[]
}

/** What a cache did since the store began, and what it holds now. */
export interface CacheFigures {
  readonly cache: string
  readonly hits: number
  readonly misses: number
  readonly entries: number
  readonly bytes: number
}

/** A section of segment files, of all of them together. */
export interface SectionStatistics {
  /** Its tag. */
  readonly section: string
  /** For people: what it holds, and what larger part of the index it belongs to. */
  readonly name: string
  readonly group: string
  readonly bytes: number
}

/** What is indexed, and how. Sizes in bytes. */
export interface IndexStatistics {
  readonly clock: string
  /** Every entry once, by the macros of the query language. */
  readonly types: readonly { readonly type: string; readonly count: number; readonly size: number }[]
  /** Of all segments together. */
  readonly sections: readonly SectionStatistics[]
  readonly segments: readonly { readonly root: string; readonly entries: number; readonly bytes: number }[]
  /** The oldest of the last sixty minutes first. */
  readonly changesPerMinute: readonly number[]
}

/** An entry in a directory; `count` and `size` of a directory are those of all below it. */
export interface FolderChild {
  readonly path: Uint8Array
  readonly nameSizeBytes: number
  readonly isDirectory: boolean
  readonly count: number
  readonly size: number
}

/** What lies below a directory, and what its largest children are. */
export interface FolderSizes {
  readonly clock: string
  readonly path: Uint8Array
  readonly count: number
  readonly size: number
  readonly children: readonly FolderChild[]
  /** What is not among the children, nor below them. */
  readonly rest: { readonly count: number; readonly size: number }
}

export interface Barrier {
  /** Covers every change whose system call returned before the request. */
  readonly clock: string
  /** Roots or sources for which that promise cannot be made (nothing watches them, or they are polled). */
  readonly notCovered: readonly string[]
}

export type IndexEvent =
  /** Entries of a root changed; answers given before may be out of date. */
  | { readonly type: 'changed'; readonly root: string; readonly clock: string }
  /** A root is answered from what a scan read anew: answers given before may be out of date in every row. */
  | { readonly type: 'generation'; readonly root: string; readonly clock: string }
  /**
   * Changes of a root may have a gap until it is fresh again: events of the file system were lost (`loss`), nobody
   * watched (`downtime`), or a part of the index was damaged (`damage`).
   */
  | {
      readonly type: 'fresh-instance'
      readonly root: string
      readonly reason: 'loss' | 'downtime' | 'damage'
      readonly clock: string
    }
  /** Rows of followed databases changed; only searches of rows find something else. */
  | { readonly type: 'rows' }
  /** Answers are as true as another word says now. */
  | { readonly type: 'fresh' }
  /** Progress, freshness or totals are no longer what `status` last said. */
  | { readonly type: 'status' }
  /** Events were lost: whoever keeps answers must ask again. */
  | { readonly type: 'resync'; readonly reason: string }

/**
 * What the HTTP side needs of an index. Every call rejects with a HotpathError: QueryError for a query that cannot be
 * understood, UnavailableError where the store cannot answer now, DeadlineError, CancelledError when `signal` aborts.
 */
/** A search of texts of rows of followed databases. */
export interface RowSearch {
  readonly query: string
  readonly limit: number
  readonly offset: number
  readonly caseMode: CaseMode
}

export interface RowAnswer {
  readonly total: number
  readonly engineMs: number
  readonly rows: readonly FoundRow[]
}

export interface SearchBackend {
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer>
  /** Where no database is followed, nothing is found. */
  searchRows(request: RowSearch, signal: AbortSignal): Promise<RowAnswer>
  status(signal: AbortSignal): Promise<IndexStatus>
  clock(signal: AbortSignal): Promise<Barrier>
  statistics(signal: AbortSignal): Promise<IndexStatistics>
  /** @param path of a directory in bytes; undefined: the roots. Resolves with undefined if there is no such directory */
  sizes(path: Uint8Array | undefined, signal: AbortSignal): Promise<FolderSizes | undefined>
  /** Counts an open, now. Returns false if nothing of that id or path is indexed. */
  open(entry: OpenedEntry, signal: AbortSignal): Promise<boolean>
  /**
   * Forgets the opens of an entry, or of all. Resolves with how many records are gone from memory and disk; undefined if nothing
   * of that id or path is indexed.
   */
  forget(what: OpenedEntry | 'all', signal: AbortSignal): Promise<number | undefined>
  /** Resolves when the scan is accepted, not when it is done. `root`: id, or undefined for all. Returns the ids of the roots. */
  rescan(root: string | undefined, signal: AbortSignal): Promise<readonly string[]>
  /** Returns a function that ends the subscription. */
  onEvent(listener: (event: IndexEvent) => void): () => void
}

/** The text of a query cannot be understood. */
export class QueryError extends HotpathError {
  constructor(
    /** SYNTAX, UNSUPPORTED … */
    readonly code: string,
    message: string,
    /** Index into the query text in UTF-16 units; undefined where it is not about a place. */
    readonly position: number | undefined,
    /** What could have stood there; may be empty. */
    readonly expected: string,
  ) {
    super(message)
  }
}

/** The answer did not come in time. */
export class DeadlineError extends HotpathError {
  readonly code = 'DEADLINE'
}
