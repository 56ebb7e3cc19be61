import type { CorruptFileError } from '@hotpath/model'
import { damage, type VolumeBytes } from '../damage.js'
import { nameOf, putNamed } from './named-record.js'
import {
  ALIGNMENT,
  MAX_RECORD_BYTES,
  type NamedLayout,
  PAGE,
  RecordHead,
  RecordV2,
  RecordV3,
  RecordV4,
} from './usn-layout.js'
import type { UsnRows } from './usn-rows.js'

/** What was seen, summed up over all calls. */
export interface UsnStats {
  /** Of V2 and V3: those that have rows. */
  records: number
  /** Of V4: ranges that were written. */
  ranges: number
  /** Of versions that are not known. */
  unknown: number
  /** Places that are no record: the rest of their pages was passed over. */
  damaged: number
}

/**
 * Reads records of a change journal: bytes in, rows out, without an allocation for a record. A record must say the position
 * that it has, so what is left over from earlier use of a cluster is not taken for one. Nothing throws: what cannot be is
 * counted, and reading goes on at the next page. Cost: some 0.1 µs a record.
 */
export class UsnParser {
  readonly stats: UsnStats = { records: 0, ranges: 0, unknown: 0, damaged: 0 }
  /** What is wrong with the first place in the bytes given last that is no record: changes may be lost. */
  damage: CorruptFileError | undefined
  /** Behind the last record that was read: zeros that follow may still become records. Where none was, as it was. */
  nextUsn = 0
  readonly #file: string
  #piece: VolumeBytes
  #words: Uint16Array = new Uint16Array(0)
  #quads: Uint32Array = new Uint32Array(0)

  /** @param file for messages */
  constructor(file: string) {
    this.#file = file
    this.#piece = { file, bytes: new Uint8Array(0), offset: 0 }
  }

  /**
   * Adds rows for the records of a piece until it ends or the rows are full. A record that the piece does not hold as a
   * whole is left: it is not complete yet.
   *
   * @param piece begins on a multiple of 8 bytes of its buffer
   * @param usn position of the piece in `$J`: a multiple of 8
   * @returns position from which on to read: of the first record that was left, else behind the piece or the page in which
   *   it ends. Where it is `usn`, more bytes (at most a page) or room for rows are needed.
   */
  parse(piece: Uint8Array, usn: number, rows: UsnRows): number {
    if (piece.byteOffset % ALIGNMENT !== 0 || usn % ALIGNMENT !== 0)
      throw new RangeError(`a piece at byte ${piece.byteOffset} of its buffer and ${usn} of the journal`)
    this.#piece = { file: this.#file, bytes: piece, offset: usn }
    this.#words = new Uint16Array(piece.buffer, piece.byteOffset, piece.length >> 1)
    this.#quads = new Uint32Array(piece.buffer, piece.byteOffset, piece.length >> 2)
    this.damage = undefined
    const inPage = usn % PAGE
    let at = 0
    while (at + RecordHead.bytes <= piece.length) {
      const length = this.#quads[at >> 2]!
      if (length !== 0) {
        if (rows.isFull) break
        const isLength = this.#isLength(at, length)
        if (isLength && length > piece.length - at) break
        if (isLength && this.#read(at, length, usn + at, rows)) {
          at += length
          this.nextUsn = usn + at
          continue
        }
      }
      at += PAGE - ((inPage + at) % PAGE)
    }
    return usn + at
  }

  #isLength(at: number, length: number): boolean {
    const isOne = length >= RecordHead.bytes && length <= MAX_RECORD_BYTES && length % ALIGNMENT === 0
    return isOne || this.#fail(at, `a multiple of 8 of at most ${MAX_RECORD_BYTES}`, length)
  }

  /** Reads one record; false: it is none. */
  #read(at: number, length: number, usn: number, rows: UsnRows): boolean {
    const major = this.#words[(at + RecordHead.major) >> 1]!
    if (major === 2) return this.#readNamed(at, length, usn, RecordV2, rows)
    if (major === 3) return this.#readNamed(at, length, usn, RecordV3, rows)
    if (major === 4) {
      if (length < RecordV4.bytes) return this.#fail(at, `${RecordV4.bytes} bytes or more of a V4 record`, length)
      if (!this.#isAt(at + RecordV4.usn, usn)) return false
      const extents = this.#words[(at + RecordV4.extents) >> 1]! * this.#words[(at + RecordV4.extentBytes) >> 1]!
      if (RecordV4.bytes + extents > length)
        return this.#fail(at + RecordV4.extents, `extents inside of the ${length} bytes of the record`, extents)
      if (!this.#isPadding(at, RecordV4.bytes + extents, length)) return false
      this.stats.ranges++
      return true
    }
    // Nothing before 2 was ever stored: zeros or ones are what is left of something else.
    if (major < 2) return this.#fail(at + RecordHead.major, 'a version from 2 on', major)
    // Nothing but its length is known of it, so it does not lead into the middle of another page.
    if ((usn % PAGE) + length > PAGE) return this.#fail(at, 'a record that ends in its page', length)
    this.stats.unknown++
    return true
  }

  #readNamed(at: number, length: number, usn: number, layout: NamedLayout, rows: UsnRows): boolean {
    if (length < layout.bytes) return this.#fail(at, `${layout.bytes} bytes or more`, length)
    if (!this.#isAt(at + layout.usn, usn)) return false
    const name = nameOf(this.#words, at, length, layout)
    if (!('offset' in name)) return this.#fail(at + name.field, name.expected, name.found)
    if (!this.#isPadding(at, name.offset + name.bytes, length)) return false
    putNamed(this.#words, this.#quads, at, name, layout, usn, rows)
    this.stats.records++
    return true
  }

  /** Zeros fill a record up: else a length that is too large would swallow the records that follow. */
  #isPadding(at: number, used: number, length: number): boolean {
    for (let i = Math.ceil(used / ALIGNMENT) * ALIGNMENT; i < length; i += 4)
      if (this.#quads[(at + i) >> 2] !== 0)
        return this.#fail(at + i, 'zeros behind the last field', `0x${this.#quads[(at + i) >> 2]!.toString(16)}`)
    return true
  }

  #isAt(at: number, usn: number): boolean {
    const found = this.#quads[(at + 4) >> 2]! * 2 ** 32 + this.#quads[at >> 2]!
    return found === usn || this.#fail(at, `the position ${usn}`, found)
  }

  #fail(at: number, expected: string, found: unknown): false {
    this.stats.damaged++
    this.damage ??= damage(this.#piece, at, expected, found)
    return false
  }
}
