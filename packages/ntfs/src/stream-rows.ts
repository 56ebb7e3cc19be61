/** Bytes of a piece that a `$DATA` with a name takes at least. */
const MIN_STREAM_BYTES = 32
/** UTF-16 units become three bytes at most. */
const NAME_GROWTH = 1.5
/** Of a file of several names, streams stand beside each name if they are no more than that in all, else beside the first. */
const MAX_REPEATED_STREAMS = 1_024

/** Alternate streams that were found in a piece of the master file table, by rising record numbers. */
export class StreamRows {
  /** Streams that are filled. */
  count = 0
  /** Base record of the file. */
  readonly record: Uint32Array
  /** Bytes. */
  readonly size: Float64Array
  /** Stream i's name is names[nameOffsets[i] … nameOffsets[i + 1]), WTF-8. */
  readonly nameOffsets: Uint32Array
  readonly names: Uint8Array

  /** @param buffer from `at` on of at least `bytesFor` bytes */
  constructor(pieceBytes: number, buffer: ArrayBufferLike, at: number) {
    const rows = rowsFor(pieceBytes)
    this.size = new Float64Array(buffer, at, rows)
    this.record = new Uint32Array(buffer, at + 8 * rows, rows)
    this.nameOffsets = new Uint32Array(buffer, at + 12 * rows, rows + 1)
    this.names = new Uint8Array(buffer, at + 16 * rows + 4, Math.ceil(pieceBytes * NAME_GROWTH))
  }

  /** Bytes for all streams that a piece can hold. */
  static bytesFor(pieceBytes: number): number {
    return 16 * rowsFor(pieceBytes) + 4 + Math.ceil(pieceBytes * NAME_GROWTH)
  }
}

/** Beside how many of a node's names, from the first on, its streams stand. */
export function namesWithStreams(names: number, streams: number): number {
  return names * streams <= MAX_REPEATED_STREAMS ? names : 1
}

function rowsFor(pieceBytes: number): number {
  return Math.ceil(pieceBytes / MIN_STREAM_BYTES)
}
