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

  /** @param rows, nameBytes, scattered for how many there is room */
  constructor(rows: number, nameBytes: number, scattered: number) {
    this.record = new Uint32Array(rows)
    this.sequence = new Uint32Array(rows)
    this.parent = new Uint32Array(rows)
    this.parentSequence = new Uint32Array(rows)
    this.kind = new Uint8Array(rows)
    this.nameOffsets = new Uint32Array(rows + 1)
    this.names = new Uint8Array(nameBytes)
    this.size = new Float64Array(rows)
    this.created = timeColumn(rows)
    this.modified = timeColumn(rows)
    this.changed = timeColumn(rows)
    this.accessed = timeColumn(rows)
    this.attributes = new Uint32Array(rows)
    this.scattered = new Uint32Array(scattered)
  }

  /** Rows with room for whatever a piece holds: about three times its bytes. */
  static forPiece(pieceBytes: number, recordBytes: number): MftRows {
    return new MftRows(
      Math.ceil(pieceBytes / MIN_NAME_BYTES),
      Math.ceil(pieceBytes * NAME_GROWTH),
      Math.ceil(pieceBytes / recordBytes),
    )
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
  }
}

function timeColumn(rows: number): TimeColumn {
  return { seconds: new Float64Array(rows), ticks: new Uint32Array(rows) }
}
