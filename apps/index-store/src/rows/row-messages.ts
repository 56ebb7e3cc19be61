import type { FollowedTable } from '@hotpath/model'
import type { FoundRow, RowCursor } from '@hotpath/protocol/contract'
import type { ShelfSetting } from './row-shelf.js'

/** What the keeper tells the row worker. Messages are handled in order, but for what a reset or an opening waits for. */
export type ToRowWorker =
  /** These databases are searched from here on, and no others. */
  | { readonly type: 'open'; readonly databases: readonly ShelfSetting[] }
  | { readonly type: 'reset'; readonly database: string; readonly cursor: RowCursor | undefined }
  | {
      readonly type: 'changes'
      readonly database: string
      readonly tables: readonly FollowedTable[]
      /** For `decodeChanges`. */
      readonly changes: Uint8Array
      /** With these changes all up to there is known. */
      readonly cursor: RowCursor | undefined
    }
  /** Nothing was to be told up to there. */
  | { readonly type: 'cursor'; readonly database: string; readonly cursor: RowCursor }
  | { readonly type: 'search'; readonly id: number; readonly query: RowQuery }
  | { readonly type: 'stop' }

export type FromRowWorker =
  | { readonly type: 'ready' }
  /** What is known of the databases that were opened. */
  | { readonly type: 'opened'; readonly cursors: readonly { readonly database: string; readonly cursor: RowCursor }[] }
  /** The next message with changes may come. */
  | { readonly type: 'taken'; readonly bytes: number }
  /** Searches that are asked for after this find something else. */
  | { readonly type: 'changed' }
  | { readonly type: 'counts'; readonly databases: readonly RowCounts[] }
  | { readonly type: 'result'; readonly id: number; readonly answer: RowAnswer }
  | { readonly type: 'problem'; readonly database: string; readonly error: Error }

/** What the index of a database's rows holds. */
export interface RowCounts {
  readonly database: string
  readonly rows: number
  readonly segments: number
  /** Of the segments. */
  readonly bytes: number
}

export interface RowQuery {
  readonly text: string
  readonly offset: number
  readonly limit: number
  readonly caseMode: 'ignore' | 'smart' | 'match'
  /** What words such as `today` mean; no row has a date, but what is wrong with a date is said. */
  readonly nowMs: number
  /** Time (milliseconds since 1970) after which nobody waits for the answer. */
  readonly deadlineMs: number
}

export type RowAnswer =
  | { readonly kind: 'page'; readonly total: number; readonly rows: readonly FoundRow[]; readonly tookMs: number }
  | { readonly kind: 'syntax'; readonly message: string; readonly position: number; readonly expected: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

/** What the row worker is started with. */
export interface RowWorkerStart {
  /** Id of the search that is to be given up; 0: none. */
  readonly cancelled: SharedArrayBuffer
}
