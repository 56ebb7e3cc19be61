import { Kind } from '@hotpath/model'
import { EXTEND_RECORD, FILE_MAGIC, FIRST_USER_RECORD, Record, RecordFlag, ROOT_RECORD } from './layout.js'
import { type ListOptions, rowsOfRecord } from './list-volume.js'
import type { MftParser } from './mft-parser.js'
import type { MftRows } from './mft-rows.js'
import type { Reading } from './stream.js'
import type { Volume } from './volume.js'

/** Places that are remembered, some 2 KiB each, 4 with streams; more are forgotten together. */
const MAX_PLACES = 16_384

/**
 * Where a directory is. `root`: it is the root. `inside`: in the directory `above`. `hidden`: it is not listed, nor what is in it
 * (`$Extend`). `lost`: no directory is under this record and sequence number.
 */
export interface DirectoryPlace {
  readonly kind: 'root' | 'inside' | 'hidden' | 'lost'
  readonly record: number
  readonly sequence: number
  /** Row 0 is its own; undefined: of `hidden` and `lost`. */
  readonly rows: MftRows | undefined
  /** Of `inside`. */
  readonly above: DirectoryPlace | undefined
}

/**
 * Nodes of a volume, looked at one by one as the master file table has them now, and the directories above them. Says of a node
 * what a listing of the whole table would.
 */
export class TableNodes {
  readonly #places = new Map<number, DirectoryPlace>()

  /**
   * @param parser counts what is damaged
   * @param options `streams`: those of a node are read with it
   */
  constructor(
    readonly volume: Volume,
    readonly parser: MftParser,
    private readonly options: ListOptions = {},
  ) {}

  /**
   * The names of a node, of a directory the one that counts first, and its alternate streams. `gone`: the record is not in use, or by
   * another node. Cost: three reads of a record, and one for each that continues it.
   */
  *node(record: number, sequence: number): Reading<MftRows | 'gone' | 'damaged'> {
    const { volume } = this
    const bytes = yield* volume.storedRecord(record)
    if (bytes.length < volume.geometry.recordBytes) return 'gone'
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const magic = view.getUint32(Record.magic, true)
    // Never used.
    if (magic === 0) return 'gone'
    if (magic !== FILE_MAGIC) return 'damaged'
    const isInUse = (view.getUint16(Record.flags, true) & RecordFlag.inUse) !== 0
    const isBase = view.getBigUint64(Record.base, true) === 0n
    if (!isInUse || !isBase || view.getUint16(Record.sequence, true) !== sequence) return 'gone'
    return (yield* rowsOfRecord(volume, record, this.parser, this.options)) ?? 'damaged'
  }

  /** Where a directory is. What was found is remembered: make another one of these when the table may have changed. */
  *placeOf(record: number, sequence: number): Reading<DirectoryPlace> {
    const below: { record: number; sequence: number; rows: MftRows }[] = []
    let at = { record, sequence }
    let place: DirectoryPlace | undefined
    while (place === undefined) {
      const known = this.#places.get(at.record)
      const isRing = below.some(({ record }) => record === at.record)
      if (known?.sequence === at.sequence) place = known
      else if (isRing) place = this.#know({ ...at, kind: 'lost', rows: undefined, above: undefined })
      else if (at.record < FIRST_USER_RECORD) place = this.#know(yield* this.#ownPlace(at.record, at.sequence))
      else {
        const rows = yield* this.node(at.record, at.sequence)
        if (typeof rows !== 'string' && rows.count > 0 && rows.kind[0] === Kind.directory) {
          below.push({ ...at, rows })
          at = { record: rows.parent[0]!, sequence: rows.parentSequence[0]! }
        } else place = this.#know({ ...at, kind: 'lost', rows: undefined, above: undefined })
      }
    }
    for (const { record, sequence, rows } of below.reverse()) {
      const isHidden = place.kind === 'hidden'
      const node = { record, sequence }
      place = this.#know(
        isHidden
          ? { ...node, kind: 'hidden', rows: undefined, above: undefined }
          : { ...node, kind: 'inside', rows, above: place },
      )
    }
    return place
  }

  *#ownPlace(record: number, sequence: number): Reading<DirectoryPlace> {
    const rows = yield* this.node(record, sequence)
    const isThere = typeof rows !== 'string' && rows.count > 0
    if (isThere && record === ROOT_RECORD) return { record, sequence, kind: 'root', rows, above: undefined }
    const kind = isThere && record === EXTEND_RECORD ? 'hidden' : 'lost'
    return { record, sequence, kind, rows: undefined, above: undefined }
  }

  #know(place: DirectoryPlace): DirectoryPlace {
    if (this.#places.size >= MAX_PLACES) this.#places.clear()
    this.#places.set(place.record, place)
    return place
  }
}
