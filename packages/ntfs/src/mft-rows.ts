import type { TimeColumn } from '@hotpath/model'
import { StreamRows } from './stream-rows.js'

/** Bytes of a piece that a FILE_NAME takes at least. */
const MIN_NAME_BYTES = 96
/** UTF-16 units become three bytes at most. */
const NAME_GROWTH = 1.5

export interface PieceMemory {
  /** Room for alternate streams, too. */
  readonly streams?: boolean
  /** Of `bytesForPiece` bytes; another thread may fill it. */
  readonly buffer?: ArrayBufferLike
}

/** Names that were found in a piece of the master file table: a row for each name that is no mere DOS name. */
export class MftRows {
  /** Rows that are filled. */
  count = 0
  readonly record: Uint32Array
  readonly sequence: Uint32Array
  /** Record number of the directory; NO_RECORD where its number cannot be. */
  readonly parent: Uint32Array
  readonly parentSequence: Uint32Array
  /** Kind of the model. */
  readonly kind: Uint8Array
  /** Row i's name is names[nameOffsets[i] … nameOffsets[i + 1]), WTF-8. */
  readonly nameOffsets: Uint32Array
  readonly names: Uint8Array
  /** Bytes; 0 for directories. */
  readonly size: Float64Array
  readonly created: TimeColumn
  readonly modified: TimeColumn
  readonly changed: TimeColumn
  readonly accessed: TimeColumn
  /** FILE_ATTRIBUTE_ flags. */
  readonly attributes: Uint32Array
  /** Records of which not all is in them, such as those with an `$ATTRIBUTE_LIST`: they have no rows yet. */
  readonly scattered: Uint32Array
  scatteredCount = 0

  /**
   * @param rows, nameBytes, scattered for how many there is room
   * @param buffer of at least `bytesFor` these; another thread may fill it
   */
  constructor(
    rows: number,
    nameBytes: number,
    scattered: number,
    buffer: ArrayBufferLike = new ArrayBuffer(bytesFor(rows, nameBytes, scattered)),
    /** Alternate streams, where they are wanted. */
    readonly streams?: StreamRows,
  ) {
    let at = 0
    const f64 = () => {
      at += rows * 8
      return new Float64Array(buffer, at - rows * 8, rows)
    }
    const u32 = (length: number) => {
      at += length * 4
      return new Uint32Array(buffer, at - length * 4, length)
    }
    this.size = f64()
    const seconds = [f64(), f64(), f64(), f64()] as const
    const time = (i: 0 | 1 | 2 | 3): TimeColumn => ({ seconds: seconds[i], ticks: u32(rows) })
    this.created = time(0)
    this.modified = time(1)
    this.changed = time(2)
    this.accessed = time(3)
    this.record = u32(rows)
    this.sequence = u32(rows)
    this.parent = u32(rows)
    this.parentSequence = u32(rows)
    this.attributes = u32(rows)
    this.nameOffsets = u32(rows + 1)
    this.scattered = u32(scattered)
    this.kind = new Uint8Array(buffer, at, rows)
    this.names = new Uint8Array(buffer, at + rows, nameBytes)
  }

  /** Rows with room for whatever a piece holds: about three times its bytes, and as much again with streams. */
  static forPiece(
    pieceBytes: number,
    recordBytes: number,
    {
      streams = false,
      buffer = new ArrayBuffer(MftRows.bytesForPiece(pieceBytes, recordBytes, streams)),
    }: PieceMemory = {},
  ): MftRows {
    const room = roomFor(pieceBytes, recordBytes)
    return new MftRows(
      ...room,
      buffer,
      streams ? new StreamRows(pieceBytes, buffer, aligned(bytesFor(...room))) : undefined,
    )
  }

  /** Bytes of the buffer of `forPiece`. */
  static bytesForPiece(pieceBytes: number, recordBytes: number, streams = false): number {
    const bytes = aligned(bytesFor(...roomFor(pieceBytes, recordBytes)))
    return streams ? bytes + StreamRows.bytesFor(pieceBytes) : bytes
  }

  /** Adds a row of another table; false: there is no room. */
  add(from: MftRows, row: number): boolean {
    const to = this.count
    const start = this.nameOffsets[to]!
    const name = from.names.subarray(from.nameOffsets[row]!, from.nameOffsets[row + 1]!)
    if (to === this.record.length || start + name.length > this.names.length) return false
    this.count++
    this.names.set(name, start)
    this.nameOffsets[to + 1] = start + name.length
    for (const column of ['record', 'sequence', 'parent', 'parentSequence', 'kind', 'size', 'attributes'] as const)
      this[column][to] = from[column][row]!
    for (const time of ['created', 'modified', 'changed', 'accessed'] as const) {
      this[time].seconds[to] = from[time].seconds[row]!
      this[time].ticks[to] = from[time].ticks[row]!
    }
    return true
  }

  clear(): void {
    this.count = 0
    this.scatteredCount = 0
    if (this.streams !== undefined) this.streams.count = 0
  }
}

function roomFor(pieceBytes: number, recordBytes: number): [rows: number, nameBytes: number, scattered: number] {
  return [
    Math.ceil(pieceBytes / MIN_NAME_BYTES),
    Math.ceil(pieceBytes * NAME_GROWTH),
    Math.ceil(pieceBytes / recordBytes),
  ]
}

function aligned(bytes: number): number {
  return (bytes + 7) & ~7
}

function bytesFor(rows: number, nameBytes: number, scattered: number): number {
  return rows * (5 * 8 + 10 * 4 + 1) + 4 + scattered * 4 + nameBytes
}
