import { Kind } from '@hotpath/model'
import { putFileTime } from './file-time.js'
import { undoFixUps } from './fix-up.js'
import {
  Attribute,
  AttributeType,
  FILE_MAGIC,
  FileName,
  NAMESPACE_DOS,
  Record,
  RecordFlag,
  ReparseTag,
  StandardInformation,
} from './layout.js'
import type { MftRows } from './mft-rows.js'
import type { StreamRows } from './stream-rows.js'
import { writeWtf8 } from './wtf8.js'

const ALIGNMENT = 8
/** Stands where no value is. */
const NONE = -1
const NO_INFORMATION = new Uint32Array(StandardInformation.bytes >> 2)
/** `parent` of a row whose directory cannot be: its record number has more than 32 bits. */
export const NO_RECORD = 0xffffffff

/** What was seen, summed up over all calls. */
export interface MftStats {
  /** In use, base records. */
  records: number
  unused: number
  /** Continuations of base records. */
  extensions: number
  /** Torn writes and records without their mark: nothing of them is used. */
  torn: number
  /** Records in which an attribute cannot be: what stands before it is used. */
  damaged: number
}

/**
 * Reads records of the master file table: bytes in, rows out, without an allocation for a record. Fix-ups are undone in
 * the bytes that are given. Nothing throws: a record that cannot be read is counted. Cost: some 0.2 µs a record.
 */
export class MftParser {
  readonly stats: MftStats = { records: 0, unused: 0, extensions: 0, torn: 0, damaged: 0 }
  readonly #recordBytes: number
  #bytes: Uint8Array = new Uint8Array(0)
  #words: Uint16Array = new Uint16Array(0)
  #quads: Uint32Array = new Uint32Array(0)
  // Of the record that is being read.
  /** Where the value of its $STANDARD_INFORMATION lies, in `#quads`; NONE if it has none. */
  #information = NONE
  #size = 0
  #tag = 0
  #isScattered = false
  #isTagElsewhere = false
  #isDamaged = false

  constructor(recordBytes: number) {
    this.#recordBytes = recordBytes
  }

  /** Whether the node that `parseScattered` has read last is a reparse point whose tag is not in its records. */
  get isTagElsewhere(): boolean {
    return this.#isTagElsewhere
  }

  /**
   * Reads whole records and adds their rows. Records with an attribute list, and files that may be links by a tag that is not in the record,
   * are only noted (`scattered`). Alternate streams are added where the rows have room for them.
   *
   * @param piece begins on a multiple of 8 bytes of its buffer; is changed
   * @param first number of the first record in it
   */
  parse(piece: Uint8Array, first: number, rows: MftRows): void {
    this.#view(piece)
    const count = Math.floor(piece.length / this.#recordBytes)
    for (let i = 0, at = 0; i < count; i++, at += this.#recordBytes) {
      const flags = this.#open(at)
      if (flags === 0) continue
      if (this.#quads[(at + Record.base) >> 2] !== 0 || this.#quads[(at + Record.base + 4) >> 2] !== 0) {
        this.stats.extensions++
        continue
      }
      this.stats.records++
      const firstRow = rows.count
      const firstByte = rows.nameOffsets[firstRow]!
      const firstStream = rows.streams?.count ?? 0
      this.#begin()
      this.#walk(at, rows)
      const isDirectory = (flags & RecordFlag.directory) !== 0
      // Of what is damaged no more is looked for.
      if (this.#isScattered || (this.#isTagElsewhere && !isDirectory && !this.#isDamaged)) {
        rows.count = firstRow
        rows.nameOffsets[firstRow] = firstByte
        if (rows.streams !== undefined) rows.streams.count = firstStream
        rows.scattered[rows.scatteredCount++] = first + i
      } else this.#finish(first + i, this.#words[(at + Record.sequence) >> 1]!, flags, firstRow, firstStream, rows)
      if (this.#isDamaged) this.stats.damaged++
    }
  }

  /**
   * Reads one node whose attributes lie in several records, and adds its rows.
   *
   * @param records the base record, then those that its attribute list names; as `piece` above, one after the other
   * @param numbers of the records
   * @returns false: the base record cannot be used
   */
  parseScattered(records: Uint8Array, numbers: readonly number[], rows: MftRows): boolean {
    this.#view(records)
    const flags = this.#open(0)
    if (flags === 0) return false
    const sequence = this.#words[Record.sequence >> 1]!
    const firstRow = rows.count
    const firstStream = rows.streams?.count ?? 0
    this.#begin()
    this.#walk(0, rows)
    for (let i = 1; i < numbers.length; i++) {
      const at = i * this.#recordBytes
      if (this.#open(at) === 0) continue
      // A record that was given to another file meanwhile is not this one's.
      const baseAt = (at + Record.base) >> 2
      const isOurs = this.#quads[baseAt] === numbers[0] && this.#quads[baseAt + 1] === (sequence << 16) >>> 0
      if (isOurs) this.#walk(at, rows)
    }
    this.#finish(numbers[0]!, sequence, flags, firstRow, firstStream, rows)
    if (this.#isDamaged) this.stats.damaged++
    return true
  }

  #view(piece: Uint8Array): void {
    if (piece.byteOffset % ALIGNMENT !== 0) throw new RangeError(`a piece at byte ${piece.byteOffset} of its buffer`)
    this.#bytes = piece
    this.#words = new Uint16Array(piece.buffer, piece.byteOffset, piece.length >> 1)
    this.#quads = new Uint32Array(piece.buffer, piece.byteOffset, piece.length >> 2)
  }

  /** Checks a record and undoes its fix-ups; its flags, or 0 where there is nothing in it. */
  #open(at: number): number {
    if (this.#quads[at >> 2] !== FILE_MAGIC) {
      // Never used, or marked as bad by a check of the disk.
      if (this.#quads[at >> 2] === 0) this.stats.unused++
      else this.stats.torn++
      return 0
    }
    const flags = this.#words[(at + Record.flags) >> 1]!
    if ((flags & RecordFlag.inUse) === 0) {
      this.stats.unused++
      return 0
    }
    if (undoFixUps(this.#words, at, this.#recordBytes)) return flags
    this.stats.torn++
    return 0
  }

  #begin(): void {
    this.#information = NONE
    this.#size = 0
    this.#tag = 0
    this.#isScattered = false
    this.#isTagElsewhere = false
    this.#isDamaged = false
  }

  /** Reads the attributes of a record; adds a row for each name. */
  #walk(record: number, rows: MftRows): void {
    const quads = this.#quads
    const end = record + Math.min(this.#recordBytes, quads[(record + Record.usedBytes) >> 2]!)
    let at = record + this.#words[(record + Record.firstAttribute) >> 1]!
    if ((at & 7) !== 0 || at < record + Record.headerBytes - 8) {
      this.#isDamaged = true
      return
    }
    while (at + 4 <= end) {
      const type = quads[at >> 2]!
      if (type === AttributeType.end) return
      if (at + Attribute.residentBytes > end) break
      const length = quads[(at + Attribute.length) >> 2]!
      if (length < Attribute.residentBytes || (length & 7) !== 0 || length > end - at) break
      if (type === AttributeType.fileName) this.#readName(at, length, rows)
      else if (type === AttributeType.standardInformation) this.#readStandardInformation(at, length)
      else if (type === AttributeType.data) this.#readData(at, length, rows)
      else if (type === AttributeType.attributeList) this.#isScattered = true
      else if (type === AttributeType.reparsePoint) this.#readReparsePoint(at, length)
      at += length
    }
    // No end mark, or an attribute that cannot be.
    this.#isDamaged = true
  }

  /** Where the value of a resident attribute begins; -1 if it has not `bytes` bytes. */
  #valueOf(at: number, length: number, bytes: number): number {
    if (this.#bytes[at + Attribute.nonResident] !== 0) return -1
    const offset = this.#words[(at + Attribute.valueOffset) >> 1]!
    const size = this.#quads[(at + Attribute.valueLength) >> 2]!
    // All writers of NTFS put values on multiples of eight.
    const isInside = offset >= Attribute.residentBytes && offset + size <= length
    return size >= bytes && isInside && (offset & 7) === 0 ? at + offset : -1
  }

  #readStandardInformation(at: number, length: number): void {
    const value = this.#valueOf(at, length, StandardInformation.bytes)
    if (value < 0) {
      this.#isDamaged = true
      return
    }
    this.#information = value >> 2
  }

  #readData(at: number, length: number, rows: MftRows): void {
    const isNamed = this.#bytes[at + Attribute.nameUnits] !== 0
    if (isNamed && rows.streams === undefined) return
    const size = this.#sizeOf(at, length)
    if (Number.isNaN(size)) return
    if (isNamed) this.#addStream(at, length, size, rows.streams!)
    else this.#size = size
  }

  /** Bytes of a stream; NaN where that is not to be had here. */
  #sizeOf(at: number, length: number): number {
    const quad = at >> 2
    if (this.#bytes[at + Attribute.nonResident] === 0) {
      const size = this.#quads[quad + (Attribute.valueLength >> 2)]!
      if (size <= length - Attribute.residentBytes) return size
      this.#isDamaged = true
      return Number.NaN
    }
    if (length < Attribute.nonResidentBytes) {
      this.#isDamaged = true
      return Number.NaN
    }
    // Later parts of the same stream say nothing of its size.
    if (this.#quads[quad + (Attribute.lowestVcn >> 2)] !== 0) return Number.NaN
    if (this.#quads[quad + (Attribute.lowestVcn >> 2) + 1] !== 0) return Number.NaN
    const size = quad + (Attribute.dataBytes >> 2)
    return this.#quads[size + 1]! * 2 ** 32 + this.#quads[size]!
  }

  #addStream(at: number, length: number, size: number, streams: StreamRows): void {
    const units = this.#bytes[at + Attribute.nameUnits]!
    const offset = this.#words[(at + Attribute.nameOffset) >> 1]!
    if ((offset & 1) !== 0 || offset < Attribute.residentBytes || offset + 2 * units > length) {
      this.#isDamaged = true
      return
    }
    const start = streams.nameOffsets[streams.count]!
    const end = writeWtf8(this.#words, (at + offset) >> 1, units, streams.names, start)
    streams.size[streams.count++] = size
    streams.nameOffsets[streams.count] = end
  }

  #readReparsePoint(at: number, length: number): void {
    if (this.#bytes[at + Attribute.nonResident] !== 0) {
      this.#isTagElsewhere = true
      return
    }
    const value = this.#valueOf(at, length, 4)
    if (value >= 0) this.#tag = this.#quads[value >> 2]!
  }

  #readName(at: number, length: number, rows: MftRows): void {
    const value = this.#valueOf(at, length, FileName.name)
    const units = value < 0 ? 0 : this.#bytes[value + FileName.nameUnits]!
    const size = this.#quads[(at + Attribute.valueLength) >> 2]!
    if (value < 0 || units === 0 || FileName.name + 2 * units > size) {
      this.#isDamaged = true
      return
    }
    if (this.#bytes[value + FileName.namespace] === NAMESPACE_DOS) return
    const row = rows.count++
    const high = this.#quads[(value + FileName.parent + 4) >> 2]!
    rows.parent[row] = (high & 0xffff) === 0 ? this.#quads[(value + FileName.parent) >> 2]! : NO_RECORD
    rows.parentSequence[row] = high >>> 16
    const start = rows.nameOffsets[row]!
    rows.nameOffsets[row + 1] = writeWtf8(this.#words, (value + FileName.name) >> 1, units, rows.names, start)
  }

  /** Fills in what all names of a node have in common. */
  #finish(record: number, sequence: number, flags: number, firstRow: number, firstStream: number, rows: MftRows): void {
    rows.streams?.record.fill(record, firstStream, rows.streams.count)
    const isDirectory = (flags & RecordFlag.directory) !== 0
    const kind = isDirectory ? Kind.directory : isSymlink(this.#tag) ? Kind.symlink : Kind.file
    for (let row = firstRow; row < rows.count; row++) {
      rows.record[row] = record
      rows.sequence[row] = sequence
      rows.kind[row] = kind
      rows.size[row] = isDirectory ? 0 : this.#size
    }
    this.#putInformation(this.#information, firstRow, rows)
  }

  /** Times and flags of the rows from `first` on; those of FILETIME 0 where the node has none. */
  #putInformation(quad: number, first: number, rows: MftRows): void {
    const quads = quad === NONE ? NO_INFORMATION : this.#quads
    const at = quad === NONE ? 0 : quad
    const attributes = quads[at + (StandardInformation.attributes >> 2)]!
    for (let row = first; row < rows.count; row++) {
      putFileTime(rows.created, row, quads[at]!, quads[at + 1]!)
      putFileTime(rows.modified, row, quads[at + 2]!, quads[at + 3]!)
      putFileTime(rows.changed, row, quads[at + 4]!, quads[at + 5]!)
      putFileTime(rows.accessed, row, quads[at + 6]!, quads[at + 7]!)
      rows.attributes[row] = attributes
    }
  }
}

/** Whether a file with a tag of a reparse point is a symbolic link. */
export function isSymlink(tag: number): boolean {
  return tag === ReparseTag.symlink || tag === ReparseTag.linuxSymlink
}
