import type { MessagePort } from 'node:worker_threads'
import type { Scoring } from '@hotpath/hot-score'
import type { EngineOp } from '@hotpath/model'
import type { HitColumns } from '@hotpath/protocol'
import type { Sort } from '@hotpath/query'

/** What the ingesting thread tells a query worker. Messages are handled in order: a search sees all ops before it. */
export type ToWorker =
  | { readonly type: 'ops'; readonly ops: readonly EngineOp[] }
  | { readonly type: 'search'; readonly id: number; readonly query: WorkerQuery }
  | { readonly type: 'stop' }

export interface WorkerQuery {
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
  readonly explain: boolean
  /** Time (milliseconds since 1970) after which nobody waits for the answer. */
  readonly deadlineMs: number
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'dropped'; readonly segment: number }
  | {
      readonly type: 'missing'
      readonly view: number
      readonly segment: number
      /** Else nothing is wrong with the file, and the worker opens it again later. Classes of errors do not cross threads. */
      readonly isDamaged: boolean
      readonly error: Error
    }
  | { readonly type: 'result'; readonly id: number; readonly answer: WorkerAnswer }

export type WorkerAnswer =
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

/** What a worker is started with. */
export interface WorkerStart {
  /** Id of the search that is to be given up, for each worker; 0: none. */
  readonly cancelled: SharedArrayBuffer
  readonly index: number
  /** To each other worker: for help with one search (see VerifyCrew). */
  readonly peers: readonly MessagePort[]
  readonly scoring: Scoring
}
