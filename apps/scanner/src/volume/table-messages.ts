import type { Extent, MftStats, TablePiece } from '@hotpath/ntfs'

/** What a thread that reads a master file table is started with. */
export interface TableJob {
  readonly path: string
  readonly recordBytes: number
  readonly clusterBytes: number
  readonly tableBytes: number
  readonly extents: readonly Extent[]
  /** Of the largest piece. */
  readonly pieceBytes: number
  /** Rows have room for alternate streams. */
  readonly streams: boolean
  /** Take idle priority of processor and disk. */
  readonly idle: boolean
}

/** A piece to be read, and the memory for its rows. */
export interface PieceRequest {
  readonly slot: number
  readonly piece: TablePiece
  readonly rows: SharedArrayBuffer
}

export type PieceReply =
  /** The thread has started. */
  | 'ready'
  | {
      readonly slot: number
      readonly rows: number
      readonly scattered: number
      readonly streams: number
      /** Of all pieces of this thread. */
      readonly stats: MftStats
    }
  /** What of an idle priority was refused. */
  | { readonly refused: readonly string[] }
  | { readonly failure: unknown }
