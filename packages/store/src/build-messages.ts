import type { DirectoryPlace, SegmentStats } from '@hotpath/index-format'
import type { EntryColumns } from '@hotpath/model'
import type { MergeSource } from './segment-access.js'

/** What the store asks of its worker thread. */
export type BuildRequest =
  | { readonly id: number; readonly kind: 'build'; readonly rows: EntryColumns; readonly file: string }
  | {
      readonly id: number
      readonly kind: 'merge'
      readonly sources: readonly MergeSource[]
      readonly places: ReadonlyMap<number, DirectoryPlace>
      readonly file: string
    }
  | { readonly id: number; readonly kind: 'verify'; readonly file: string }
  | { readonly id: number; readonly kind: 'stop' }

/** An error as it crosses threads: classes do not. */
export interface BuildFailure {
  readonly message: string
  readonly code: string
  /** Of CorruptFileError. */
  readonly corrupt?: {
    readonly file: string
    readonly offset: number
    readonly expected: string
    readonly found: string
  }
}

export interface BuildReply {
  readonly id: number
  readonly stats?: SegmentStats
  readonly mapping?: Uint32Array[]
  readonly failure?: BuildFailure
}
