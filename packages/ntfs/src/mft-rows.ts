import type { TimeColumn } from '@hotpath/model'

/** Bytes of a piece that a FILE_NAME takes at least. */
const MIN_NAME_BYTES = 96
/** UTF-16 units become three bytes at most. */
const NAME_GROWTH = 1.5

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
  /** Bytes; NaN for directories. */
  readonly size: Float64Array
  readonly created: TimeColumn
  readonly modified: TimeColumn
  readonly changed: TimeColumn
  readonly accessed: TimeColumn
  /** FILE_ATTRIBUTE_ flags. */
  readonly attributes: Uint32Array
  /** Records with an `$ATTRIBUTE_LIST`, of which parts lie in other records: they have no rows yet. */
  readonly scattered: Uint32Array
  scatteredCount = 0

  /** @param pieceBytes of the largest piece. About three times as much memory is taken. */
  constructor(pieceBytes: number, recordBytes: number) {
    const rows = Math.ceil(pieceBytes / MIN_NAME_BYTES)
    this.record = new Uint32Array(rows)
    this.sequence = new Uint32Array(rows)
    this.parent = new Uint32Array(rows)
    this.parentSequence = new Uint32Array(rows)
    this.kind = new Uint8Array(rows)
    this.nameOffsets = new Uint32Array(rows + 1)
    this.names = new Uint8Array(Math.ceil(pieceBytes * NAME_GROWTH))
    this.size = new Float64Array(rows)
    this.created = timeColumn(rows)
    this.modified = timeColumn(rows)
    this.changed = timeColumn(rows)
    this.accessed = timeColumn(rows)
    this.attributes = new Uint32Array(rows)
    this.scattered = new Uint32Array(Math.ceil(pieceBytes / recordBytes))
  }

  clear(): void {
    this.count = 0
    this.scatteredCount = 0
  }
}

function timeColumn(rows: number): TimeColumn {
  return { seconds: new Float64Array(rows), ticks: new Uint32Array(rows) }
}
