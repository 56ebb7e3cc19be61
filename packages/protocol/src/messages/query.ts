import { ID_BYTES, type RankColumns, type RootSpec, type TimeColumn } from '@hotpath/model'
import type { FollowedMount, ScanProgress, WatchMechanism } from './ingest.js'

/** `default`: the server's choice. */
export type Sort =
  | 'default'
  | 'name'
  | 'path'
  | 'size'
  | 'modified'
  | 'created'
  | 'extension'
  | 'hot'
  | 'opened'
  | 'accessed'
/** `auto`: a term matches any component of the path, at least one term the name. */
export type MatchMode = 'name' | 'auto'
/** `smart`: case matters for terms that hold a capital letter. */
export type CaseMode = 'ignore' | 'smart' | 'match'

/** A process of another user, as the kernel knows it. */
export interface Viewer {
  readonly user: number
  /** All groups. */
  readonly groups: readonly number[]
}

export interface SearchRequest {
  /** The query, UTF-8. */
  readonly text: Uint8Array
  readonly limit: number
  readonly offset: number
  readonly sort: Sort
  readonly descending: boolean
  /** Only below this absolute path; empty: everywhere. */
  readonly under: Uint8Array
  /** Wait until the index covers this clock; empty: do not wait. */
  readonly minClock: string
  readonly match: MatchMode
  readonly caseMode: CaseMode
  readonly countOnly: boolean
  readonly explain: boolean
  /** As if `fuzzy:` stood before the query. */
  readonly fuzzy: boolean
  /** The answer is worked out anew, whatever is kept of earlier ones. */
  readonly noCache: boolean
  /** Milliseconds that are left when the request is sent; 0: those of the envelope. */
  readonly deadlineMs: number
  /** Another user, who gets what he may list himself; absent: the one whose index it is. */
  readonly viewer?: Viewer | undefined
  /** Number of an answer to the same request that the asker has: its rows need not be sent again. */
  readonly known?: number | undefined
}

/** Rows of followed databases whose text matches. */
export interface RowSearchRequest {
  /** The query, UTF-8. */
  readonly text: Uint8Array
  readonly limit: number
  readonly offset: number
  readonly caseMode: CaseMode
  /** Milliseconds that are left when the request is sent; 0: those of the envelope. */
  readonly deadlineMs: number
}

export interface FoundRow {
  readonly database: string
  readonly table: string
  /** For `decodeRowKey` of the model. */
  readonly key: Uint8Array
  /** The piece of its text around the first match. */
  readonly snippet: string
  /** Pairs of UTF-16 offsets into the snippet: what matched. */
  readonly matched: readonly number[]
  /** Text of the row stands before the snippet, after it. */
  readonly cutStart: boolean
  readonly cutEnd: boolean
}

export interface RowSearchReply {
  /** Exact number of rows, without limit and offset. */
  readonly total: number
  readonly tookMs: number
  /** By database; of each those first in which a word begins so, then by table, the largest key first. */
  readonly rows: readonly FoundRow[]
  /** The query was not run; everything else is empty. */
  readonly error?: SearchError | undefined
}

export type FreshState = 'live' | 'catching-up' | 'repairing' | 'unwatched'

export interface Fresh {
  readonly state: FreshState
  /** Age of the oldest change that is known of and not yet visible. */
  readonly lagMs: number
  /** Directories that must be read again. */
  readonly dirty: number
  /** Absolute paths of some of them, at most MAX_DIRTY_SUBTREES; all that lies below may differ. */
  readonly dirtySubtrees: readonly Uint8Array[]
}

export interface SearchError {
  readonly code: string
  readonly message: string
  /** Byte of the query where it went wrong; NaN if it is not about a place. */
  readonly position: number
  readonly expected: string
}

/** Rows of a page. */
export interface HitColumns {
  readonly count: number
  /** ID_BYTES for each row. */
  readonly ids: Uint8Array
  /** Path i is paths[pathOffsets[i] … pathOffsets[i + 1]). */
  readonly pathOffsets: Uint32Array
  readonly paths: Uint8Array
  /** Where in its path the name starts. */
  readonly nameStart: Uint32Array
  readonly kind: Uint8Array
  /** Bytes, NaN where unknown. */
  readonly size: Float64Array
  readonly modified?: TimeColumn | undefined
  readonly created?: TimeColumn | undefined
  readonly accessed?: TimeColumn | undefined
  /** How hot the nodes are now, 0 where never opened; missing if that is so of all rows. */
  readonly hot?: Float64Array | undefined
  /** How often they were opened; missing as `hot`. */
  readonly opens?: Uint32Array | undefined
  /** When they were opened last, seconds since 1970, NaN where never; missing as `hot`. */
  readonly opened?: Float64Array | undefined
  /** Only where the search is explained. */
  readonly rank?: RankColumns | undefined
}

/** Entries that a person opened: each by the id of a hit or by its path. */
export interface OpenBatch {
  readonly count: number
  /** ID_BYTES for each row; all zero where it has a path. */
  readonly ids: Uint8Array
  /** Path i is paths[pathOffsets[i] … pathOffsets[i + 1]), empty where it has an id. */
  readonly pathOffsets: Uint32Array
  readonly paths: Uint8Array
  /** Milliseconds since 1970, NaN: when the message is read. */
  readonly opened: Float64Array
}

/** What became of the rows of an OpenBatch. */
export interface OpenReply {
  readonly recorded: number
  /** Nothing of that id or path is indexed. */
  readonly unknown: number
  /** Too many came at once: they are lost. */
  readonly dropped: number
}

/** Whose opens are to be forgotten: the node of a hit (ID_BYTES), of an entry with this path, or all nodes. */
export type Forgotten = { readonly id: Uint8Array } | { readonly path: Uint8Array } | { readonly all: true }

/** Exactly one of the three is given; the others are empty. */
export interface ForgetRequest {
  readonly id: Uint8Array
  readonly path: Uint8Array
  readonly all: boolean
}

export interface ForgetReply {
  /** Records that are gone. */
  readonly forgotten: number
  /** Something of that id or path is indexed. */
  readonly known: boolean
}

export interface SearchReply {
  /** Exact number of hits, without limit and offset. */
  readonly total: number
  /** Hits after those, which only tolerant terms find; NaN if nobody looked for them. */
  readonly fuzzyTotal: number
  readonly clock: string
  readonly fresh: Fresh
  /** A part of the index is missing. */
  readonly partial: boolean
  /** Milliseconds of the engine alone. */
  readonly tookMs: number
  readonly rows: HitColumns
  /** The query was not run; everything else is empty. */
  readonly error?: SearchError | undefined
  /** JSON, if it was asked for; else empty. */
  readonly explain: string
  /** Was computed for an earlier search, and nothing that it depends on has changed since. */
  readonly cached?: true | undefined
  /** Under which this answer is kept; missing if it is not. Never given to another one. */
  readonly number?: number | undefined
  /** It is the answer that the request named as `known`, and still right: rows are left out. */
  readonly unchanged?: true | undefined
}

export interface SearchBatch {
  readonly requests: readonly SearchRequest[]
}

export interface SearchBatchReply {
  readonly replies: readonly SearchReply[]
}

/** Asks to follow a search; `live` is chosen by the asker. */
export interface LiveOpen {
  readonly live: number
  readonly search: SearchRequest
}

export interface LiveReply {
  readonly live: number
  readonly reply: SearchReply
}

/** Turns the page of the message before into the page as of `clock`. */
export interface LiveChange {
  readonly live: number
  readonly total: number
  /** NaN as in SearchReply. */
  readonly fuzzyTotal: number
  readonly clock: string
  readonly fresh: Fresh
  readonly partial: boolean
  /** ID_BYTES for each row. */
  readonly removed: Uint8Array
  readonly changed: HitColumns
  /** Places in the new page, ascending. */
  readonly changedAt: Uint32Array
  readonly added: HitColumns
  readonly addedAt: Uint32Array
}

/** `away`: the index does not answer now. `ended`: the subscription is over. Both have an error instead of rows. */
export type LiveReason = 'many' | 'slow' | 'gap' | 'generation' | 'away' | 'ended' | 'fresh-instance'

/** Replaces the page. */
export interface LiveResync {
  readonly live: number
  readonly reason: LiveReason
  readonly reply: SearchReply
}

export interface LiveName {
  readonly live: number
}

export interface ClockReply {
  readonly clock: string
  /** Roots for which the barrier cannot be promised. */
  readonly unwatchedRoots: readonly string[]
}

export interface StageStatus {
  readonly stage: string
  readonly instance: string
  readonly pid: number
  /** starting, ready, degraded, stopping, lost. */
  readonly state: string
  readonly uptimeMs: number
  /** Anonymous memory, NaN where unknown. */
  readonly memoryBytes: number
  readonly restarts: number
}

export interface RootStatus {
  readonly root: RootSpec
  readonly entries: number
  readonly directories: number
  readonly segments: number
  readonly indexBytes: number
  readonly deltaRows: number
  readonly fresh: Fresh
  readonly mechanism: WatchMechanism
  readonly partial: boolean
  /** Set while a scan runs. */
  readonly scan?: ScanProgress | undefined
  /** Why it is not live; empty otherwise. */
  readonly reason: string
  /** Entries that were compared with the disk since the store began, those that were wrong, and those that were mended. */
  readonly checked: number
  readonly wrong: number
  readonly repaired: number
  /** How often events were lost. */
  readonly losses: number
  /** How each file system that is mounted in the root is followed, if there is something to say. */
  readonly mounts?: readonly FollowedMount[] | undefined
}

/** Whether the index can be written. `full` ends by itself when there is room, `failed` when the store is started again. */
export type StorageState = 'writable' | 'full' | 'failed'

/** A cache of the query workers, all of them together: what it did, and what it holds now. */
export interface CacheStatus {
  readonly cache: string
  readonly hits: number
  readonly misses: number
  readonly entries: number
  readonly bytes: number
}

export interface StatusReply {
  readonly version: string
  readonly clock: string
  readonly fresh: Fresh
  readonly partial: boolean
  readonly stages: readonly StageStatus[]
  readonly roots: readonly RootStatus[]
  readonly entries: number
  readonly segments: number
  readonly indexBytes: number
  readonly walBytes: number
  readonly storage: StorageState
  /** For people: why it is not writable; empty if it is. */
  readonly storageReason: string
  readonly caches: readonly CacheStatus[]
}

/** Empty `root`: every root. */
export interface RootRequest {
  readonly root: string
}

export interface RescanReply {
  readonly roots: readonly string[]
}

export interface FlushReply {
  readonly segmentsWritten: number
}

export interface CompactReply {
  readonly segmentsBefore: number
  readonly segmentsAfter: number
}

/** Adds a root at run time. */
export interface ImportRequest {
  readonly kind: RootSpec['kind']
  readonly path: string
}

export interface ImportReply {
  readonly root: RootSpec
}

/** How many entries there are of a kind, and the bytes that they take. */
export interface TypeStatistics {
  readonly type: string
  readonly count: number
  readonly size: number
}

/** Bytes of a section in all segments together. */
export interface SectionStatistics {
  /** Its tag. */
  readonly section: string
  readonly bytes: number
  /** For people: what it holds, and what larger part of the index it belongs to. */
  readonly name: string
  readonly group: string
}

export interface SegmentStatistics {
  /** Id of the root. */
  readonly root: string
  /** Written; some may be gone. */
  readonly entries: number
  readonly bytes: number
}

export interface StatisticsReply {
  readonly clock: string
  readonly types: readonly TypeStatistics[]
  readonly sections: readonly SectionStatistics[]
  readonly segments: readonly SegmentStatistics[]
  /** Changes that sources told in each of the last minutes (STATISTICS_MINUTES at most), the oldest first. */
  readonly changesPerMinute: readonly number[]
}

/** What the children of a directory take. */
export interface SizesRequest {
  /** Empty: the roots. */
  readonly path: Uint8Array
  /** Children wanted. */
  readonly limit: number
}

export interface SizesChild {
  readonly path: Uint8Array
  /** Where in the path the name starts. */
  readonly nameStart: number
  readonly directory: boolean
  /** Of a directory: the entries below it; of anything else 0. */
  readonly count: number
  /** Bytes; of a directory those of all below it. */
  readonly size: number
}

export interface SizesReply {
  readonly clock: string
  /** False: there is no such directory, and everything else is empty. */
  readonly found: boolean
  readonly path: Uint8Array
  readonly count: number
  readonly size: number
  /** The largest first. */
  readonly children: readonly SizesChild[]
  /** What is not among the children, nor below them. */
  readonly restCount: number
  readonly restSize: number
}

/** A request for `text` with everything else at rest: the first 100 by the server's default order. */
export function searchRequest(
  query: string | Uint8Array,
  rest: Partial<Omit<SearchRequest, 'text'>> = {},
): SearchRequest {
  return {
    text: typeof query === 'string' ? Buffer.from(query) : query,
    limit: 100,
    offset: 0,
    sort: 'default',
    descending: false,
    under: new Uint8Array(0),
    minClock: '',
    match: 'name',
    caseMode: 'ignore',
    countOnly: false,
    fuzzy: false,
    noCache: false,
    explain: false,
    deadlineMs: 0,
    ...rest,
  }
}

/** A batch of one open, now, of the hit with this id or the entry with this path (in bytes, as hits have it). */
export function openBatch(entry: { readonly id: Uint8Array } | { readonly path: Uint8Array }): OpenBatch {
  const path = 'path' in entry ? entry.path : new Uint8Array(0)
  return {
    count: 1,
    ids: 'id' in entry ? entry.id : new Uint8Array(ID_BYTES),
    pathOffsets: Uint32Array.of(0, path.length),
    paths: path,
    opened: Float64Array.of(Number.NaN),
  }
}

export function forgetRequest(what: Forgotten): ForgetRequest {
  const nothing = new Uint8Array(0)
  return {
    id: 'id' in what ? what.id : nothing,
    path: 'path' in what ? what.path : nothing,
    all: 'all' in what,
  }
}

/** A page without rows. */
export function noHits(): HitColumns {
  return {
    count: 0,
    ids: new Uint8Array(0),
    pathOffsets: new Uint32Array(1),
    paths: new Uint8Array(0),
    nameStart: new Uint32Array(0),
    kind: new Uint8Array(0),
    size: new Float64Array(0),
  }
}
