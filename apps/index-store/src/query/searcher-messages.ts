import type { MessagePort } from 'node:worker_threads'
import type { EngineCacheCounts, FolderSizes, TypeSums } from '@hotpath/engine'
import type { Scoring } from '@hotpath/hot-score'
import type { EngineOp } from '@hotpath/model'
import type { HitColumns, Viewer } from '@hotpath/protocol'
import type { Sort } from '@hotpath/query'

/** What the pool tells a searcher. Messages are handled in order: a search sees all ops before it. */
export type ToSearcher =
  | { readonly type: 'ops'; readonly ops: readonly EngineOp[] }
  | { readonly type: 'search'; readonly id: number; readonly query: SearcherQuery }
  | { readonly type: 'measure'; readonly id: number; readonly ask: Measurement }
  | { readonly type: 'stop' }

/** A question about all of the index. It is answered in steps, between searches. */
export type Measurement =
  /** Entries by type. */
  | { readonly kind: 'types' }
  /** What the children of a directory take; undefined: of the roots. */
  | { readonly kind: 'sizes'; readonly path: Uint8Array | undefined; readonly limit: number }

export interface Measured {
  types: readonly TypeSums[]
  sizes: FolderSizes | undefined
}

export interface SearcherQuery {
  readonly text: string
  readonly limit: number
  readonly offset: number
  readonly sort: Sort
  readonly match: 'name' | 'auto'
  readonly caseMode: 'ignore' | 'smart' | 'match'
  readonly under: Uint8Array | undefined
  readonly nowMs: number
  readonly countOnly: boolean
  readonly fuzzy: boolean
  readonly noCache: boolean
  readonly explain: boolean
  /** Another user than the one whose index it is. */
  readonly viewer?: Viewer | undefined
  /** Time (milliseconds since 1970) after which nobody waits for the answer. */
  readonly deadlineMs: number
}

export type FromSearcher =
  | { readonly type: 'dropped'; readonly segment: number }
  | {
      readonly type: 'missing'
      readonly view: number
      readonly segment: number
      /** Else nothing is wrong with the file, and the searcher opens it again later. Classes of errors do not cross threads. */
      readonly isDamaged: boolean
      readonly error: Error
    }
  /** What opens have made hot is found in all segments: until then some hits may rank as if they were not opened. */
  | { readonly type: 'settled' }
  | { readonly type: 'result'; readonly id: number; readonly answer: SearchAnswer }
  | { readonly type: 'measured'; readonly id: number; readonly result: Measured[keyof Measured] }
  /** After a search, and when something was let go. */
  | { readonly type: 'caches'; readonly counts: EngineCacheCounts }

export type SearchAnswer =
  | {
      readonly kind: 'page'
      readonly total: number
      /** NaN if nobody looked for fuzzy hits. */
      readonly fuzzyTotal: number
      readonly rows: HitColumns
      readonly partial: boolean
      readonly tookMs: number
      /** JSON, empty if it was not asked for. */
      readonly explain: string
    }
  | {
      readonly kind: 'syntax'
      readonly message: string
      readonly position: number
      readonly expected: string
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

/** What a searcher is started with. */
export interface SearcherStart {
  /** Id of the search that is to be given up, for each searcher; 0: none. */
  readonly cancelled: SharedArrayBuffer
  readonly index: number
  /** To each other query worker: for help with one search (see VerifyCrew). */
  readonly peers: readonly MessagePort[]
  readonly scoring: Scoring
}
