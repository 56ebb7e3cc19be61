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

/** Every buffer once that is to be moved instead of copied; those that threads share stay where they are. */
export function buffersOf(rows: EntryColumns): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const { buffer } of viewsOf(rows)) if (buffer instanceof ArrayBuffer) buffers.add(buffer)
  return [...buffers]
}

/** What the rows take. */
export function bytesOfRows(rows: EntryColumns): number {
  return viewsOf(rows).reduce((sum, { byteLength }) => sum + byteLength, 0)
}

function viewsOf(rows: EntryColumns): ArrayBufferView[] {
  const views: (ArrayBufferView | undefined)[] = [
    rows.parent,
    rows.directory,
    rows.kind,
    rows.nameOffsets,
    rows.names,
    rows.size,
    rows.attributes,
    rows.access?.mode,
    rows.access?.user,
    rows.access?.group,
    rows.ref?.low,
    rows.ref?.high,
    rows.ref?.birth,
  ]
  for (const column of TIME_COLUMNS) views.push(rows[column]?.seconds, rows[column]?.ticks)
  return views.filter(view => view !== undefined)
}
