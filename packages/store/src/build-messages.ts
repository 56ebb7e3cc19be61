import type { DirectoryPlace, SegmentStats } from '@hotpath/index-format'
import { type EntryColumns, TIME_COLUMNS } from '@hotpath/model'
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
  /** Of the system, where a call of it failed, and which call. */
  readonly code: string
  readonly call: string
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
  /** The columns of a build, back again. */
  readonly rows?: EntryColumns
  readonly mapping?: Uint32Array[]
  readonly failure?: BuildFailure
}

/** Every buffer once, to be moved instead of copied. */
export function buffersOf(rows: EntryColumns): ArrayBuffer[] {
  const views: (ArrayBufferView | undefined)[] = [
    rows.parent,
    rows.directory,
    rows.kind,
    rows.nameOffsets,
    rows.names,
    rows.size,
    rows.attributes,
    rows.ref?.low,
    rows.ref?.high,
    rows.ref?.birth,
  ]
  for (const column of TIME_COLUMNS) views.push(rows[column]?.seconds, rows[column]?.ticks)
  const buffers = new Set<ArrayBuffer>()
  for (const view of views) if (view?.buffer instanceof ArrayBuffer) buffers.add(view.buffer)
  return [...buffers]
}
