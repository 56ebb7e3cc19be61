import type { FreshReply } from './replies.js'
import type { JsonSqlValue } from './row-changes.js'

/** Answers of the gateway beside searches, as it gives them (docs/http-api.md). */

export interface ScanReply {
  readonly entries: number
  readonly entriesPerSecond: number
  readonly current: string
  readonly expectedEntries: number | null
}

export interface RootReply {
  readonly id: string
  readonly kind: string
  readonly path: string
  readonly entries: number
  readonly directories: number
  readonly segments: number
  readonly indexBytes: number
  readonly deltaRows: number
  readonly mechanism: string
  readonly reason: string
  readonly fresh: FreshReply
  readonly partial: boolean
  readonly scan: ScanReply | null
}

export interface StageReply {
  readonly stage: string
  readonly pid: number
  readonly state: string
  readonly uptimeMs: number
  readonly memoryBytes: number | null
  readonly restarts: number
}

export interface GatewayStatus {
  readonly version: string
  readonly clock: string
  readonly fresh: FreshReply
  readonly partial: boolean
  readonly storage: { readonly state: 'writable' | 'full' | 'failed'; readonly reason: string }
  readonly entries: number
  readonly roots: readonly RootReply[]
  readonly stages: readonly StageReply[]
  readonly figures: Readonly<Record<string, number>>
  /** What this gateway does beside searching; absent: nothing. */
  readonly features?: { readonly launch?: boolean; readonly download?: boolean }
}

export const ENTRY_TYPES = [
  'audio',
  'video',
  'picture',
  'document',
  'code',
  'archive',
  'executable',
  'folder',
  'other',
] as const
export type EntryType = (typeof ENTRY_TYPES)[number]

/** A section of the segment files: its tag, what it holds, and what larger part of the index it belongs to. */
export interface SectionReply {
  readonly section: string
  readonly name: string
  readonly group: string
  readonly bytes: number
}

export interface StatisticsReply {
  readonly clock: string
  readonly types: readonly { readonly type: EntryType; readonly count: number; readonly size: number }[]
  readonly sections: readonly SectionReply[]
  readonly segments: readonly { readonly root: string; readonly entries: number; readonly bytes: number }[]
  /** `counts` has one more than there are bounds: what took longer than the last. */
  readonly latency: { readonly boundsMs: readonly number[]; readonly counts: readonly number[] }
  /** Oldest first. */
  readonly changesPerMinute: readonly number[]
}

export interface SizeReply {
  readonly path: string
  readonly pathBytes?: string
  readonly name: string
  readonly type: 'directory' | 'file'
  readonly count: number
  readonly size: number
}

export interface SizesReply {
  readonly path: string
  readonly count: number
  readonly size: number
  /** The largest, largest first. */
  readonly children: readonly SizeReply[]
  /** What is not among them. */
  readonly rest: { readonly count: number; readonly size: number }
}

/** A followed database. */
export interface DatabaseReply {
  readonly name: string
  readonly path: string
  readonly state: 'live' | 'catching-up' | 'missing' | 'locked' | 'damaged' | 'unavailable'
  /** For people; empty while it is live. */
  readonly reason: string
  /** How changes are found now. */
  readonly method: string
  /** Of the last transaction; null for as long as nothing is known of it. */
  readonly cursor: string | null
  readonly sequence: number | null
  readonly lagMs: number
  readonly subscribers: number
  /** Followed because a client asked, not by the configuration. */
  readonly adHoc: boolean
  /** Bytes of the log of changes. */
  readonly logBytes: number
}

/** A row of a followed database whose text was found. */
export interface FoundRowReply {
  readonly database: string
  readonly table: string
  /** Its rowid, or the values of its primary key in their order. */
  readonly key: JsonSqlValue | readonly JsonSqlValue[]
  /** The text around the first match; a line feed stands between columns. */
  readonly snippet: string
  /** [start, length] in `snippet`, UTF-16 units. */
  readonly matched: readonly (readonly [number, number])[]
  /** Text of the row stands before the snippet, after it. */
  readonly cut: readonly [boolean, boolean]
}

export interface FoundRowsReply {
  /** Exact number of rows, without limit and offset. */
  readonly total: number
  /** Milliseconds in the engine. */
  readonly tookMs: number
  /** By database; of each those first in which a word begins so, then by table, the largest key first. */
  readonly rows: readonly FoundRowReply[]
}
