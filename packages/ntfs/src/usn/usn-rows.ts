import type { TimeColumn } from '@hotpath/model'

/** A record takes this many bytes at least. */
const MIN_RECORD_BYTES = 64
/** UTF-16 units become three bytes at most. */
const NAME_GROWTH = 1.5
/** Of the longest name, 255 units. */
const MAX_NAME_BYTES = 765

/** Records of a change journal: a row for each that has a name (V2 and V3), in the order of the journal. */
export class UsnRows {
  /** Rows that are filled. */
  count = 0
  /** Position of the record in the journal, in bytes; exact. */
  readonly usn: Float64Array
  /** Record number of the file; NO_RECORD where its reference is none of a master file table. */
  readonly record: Uint32Array
  readonly sequence: Uint32Array
  /** The same of the directory. */
  readonly parent: Uint32Array
  readonly parentSequence: Uint32Array
  /** USN_REASON_ flags (`Reason`). */
  readonly reasons: Uint32Array
  /** USN_SOURCE_ flags: what says that it only moved data or kept copies of them. */
  readonly sourceInfo: Uint32Array
  /** FILE_ATTRIBUTE_ flags. */
  readonly attributes: Uint32Array
  readonly time: TimeColumn
  /** Row i's name is names[nameOffsets[i] … nameOffsets[i + 1]), WTF-8. */
  readonly nameOffsets: Uint32Array
  readonly names: Uint8Array

  /** @param rows, nameBytes for how many there is room */
  constructor(rows: number, nameBytes: number) {
    this.usn = new Float64Array(rows)
    this.record = new Uint32Array(rows)
    this.sequence = new Uint32Array(rows)
    this.parent = new Uint32Array(rows)
    this.parentSequence = new Uint32Array(rows)
    this.reasons = new Uint32Array(rows)
    this.sourceInfo = new Uint32Array(rows)
    this.attributes = new Uint32Array(rows)
    this.time = { seconds: new Float64Array(rows), ticks: new Uint32Array(rows) }
    this.nameOffsets = new Uint32Array(rows + 1)
    this.names = new Uint8Array(nameBytes)
  }

  /** Rows with room for whatever a piece holds: about three times its bytes. */
  static forPiece(pieceBytes: number): UsnRows {
    return new UsnRows(
      Math.ceil(pieceBytes / MIN_RECORD_BYTES) + 1,
      Math.ceil(pieceBytes * NAME_GROWTH) + MAX_NAME_BYTES,
    )
  }

  /** Whether there may be no room for another row. */
  get isFull(): boolean {
    return this.count === this.record.length || this.names.length - this.nameOffsets[this.count]! < MAX_NAME_BYTES
  }

  clear(): void {
    this.count = 0
  }
}
