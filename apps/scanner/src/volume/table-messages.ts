import type { Extent } from '@hotpath/ntfs'

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
  /** Memory of the queue that says what is to be parsed. */
  readonly queue: SharedArrayBuffer
  /** For the rows of each of its slots. */
  readonly memories: readonly SharedArrayBuffer[]
}

export type TableReply =
  /** The thread has started. It takes pieces until there are no more, and then ends. */
  | 'ready'
  /** The piece that was waited for. */
  | 'parsed'
  /** What of an idle priority was refused. */
  | { readonly refused: readonly string[] }
  | { readonly failure: unknown }
