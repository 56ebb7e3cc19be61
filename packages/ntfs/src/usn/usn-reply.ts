import { damage, type VolumeBytes } from '../damage.js'
import { nameOf, putNamed } from './named-record.js'
import {
  ALIGNMENT,
  MAX_RECORD_BYTES,
  type NamedLayout,
  RecordHead,
  RecordV2,
  RecordV3,
  RecordV4,
  ReplyHead,
} from './usn-layout.js'
import type { UsnRows } from './usn-rows.js'

/** What was seen in replies, summed up over all calls. */
export interface ReplyStats {
  /** Of V2 and V3: those that have rows. */
  records: number
  /** Of V4: ranges that were written. */
  ranges: number
  /** Of versions that are not known. */
  unknown: number
}

/**
 * Reads what Windows replies with: 8 bytes that say where to go on, then records without gaps. Unlike pages of `$J` a reply
 * comes from a driver that has checked them, so one that cannot be is no damage to go around: it throws.
 */
export class UsnReplies {
  readonly stats: ReplyStats = { records: 0, ranges: 0, unknown: 0 }

  /** @param file the volume and the call, for messages */
  constructor(private readonly file: string) {}

  /**
   * Adds rows for a reply of FSCTL_READ_USN_JOURNAL.
   *
   * @param reply begins on a multiple of 8 bytes of its buffer
   * @param from position that was asked for: 0 stands for the first one that is stored
   * @param rows with room for the reply (`UsnRows.forPiece`)
   * @returns the position to ask for next; `from` at the end of the journal
   * @throws CorruptFileError: the offset is that in the reply. Rows may have been added.
   */
  journal(reply: Uint8Array, from: number, rows: UsnRows): number {
    const view = viewOf(reply)
    const next = this.#next(reply, () => view.getBigInt64(ReplyHead.next, true))
    if (next > BigInt(Number.MAX_SAFE_INTEGER) || next < BigInt(from))
      throw this.#damage(reply, ReplyHead.next, `a position of ${from} or more`, next)
    let least = BigInt(from)
    this.#records(reply, rows, (at, usn) => {
      if (usn < least || usn >= next) throw this.#damage(reply, at, `a position from ${least} on, before ${next}`, usn)
      least = usn + 1n
    })
    return Number(next)
  }

  /**
   * Adds rows for a reply of FSCTL_ENUM_USN_DATA: a name of each file, in the order of their records. Reasons, times and sources say nothing.
   *
   * @param reply, rows as for `journal`
   * @param start file reference that was asked for
   * @returns the one to ask for next, always a later one
   * @throws CorruptFileError as `journal`
   */
  names(reply: Uint8Array, start: bigint, rows: UsnRows): bigint {
    const view = viewOf(reply)
    const next = this.#next(reply, () => view.getBigUint64(ReplyHead.next, true))
    // Or the same would be asked for without an end.
    if (next <= start) throw this.#damage(reply, ReplyHead.next, `a reference behind ${start}`, next)
    this.#records(reply, rows, (at, usn) => {
      if (usn < 0n || usn > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#damage(reply, at, 'a position', usn)
    })
    return next
  }

  #next(reply: Uint8Array, read: () => bigint): bigint {
    if (reply.byteOffset % ALIGNMENT !== 0) throw new RangeError(`a reply at byte ${reply.byteOffset} of its buffer`)
    if (reply.length < ReplyHead.bytes)
      throw this.#damage(reply, 0, `${ReplyHead.bytes} bytes or more of a reply`, reply.length)
    return read()
  }

  #records(reply: Uint8Array, rows: UsnRows, check: (field: number, usn: bigint) => void): void {
    const words = new Uint16Array(reply.buffer, reply.byteOffset, reply.length >> 1)
    const quads = new Uint32Array(reply.buffer, reply.byteOffset, reply.length >> 2)
    const view = viewOf(reply)
    const usnAt = (field: number): number => {
      const usn = view.getBigInt64(field, true)
      check(field, usn)
      return Number(usn)
    }
    for (let at: number = ReplyHead.bytes; at < reply.length; ) {
      const left = reply.length - at
      if (left < RecordHead.bytes) throw this.#damage(reply, at, 'a record or the end', `${left} bytes`)
      const length = quads[at >> 2]!
      if (length < RecordHead.bytes || length > MAX_RECORD_BYTES || length % ALIGNMENT !== 0 || length > left)
        throw this.#damage(reply, at, `a multiple of 8 of at most ${Math.min(left, MAX_RECORD_BYTES)}`, length)
      const major = words[(at + RecordHead.major) >> 1]!
      const layout = LAYOUTS.get(major)
      if (layout !== undefined) {
        if (length < layout.bytes) throw this.#damage(reply, at, `${layout.bytes} bytes or more`, length)
        const name = nameOf(words, at, length, layout)
        if (!('offset' in name)) throw this.#damage(reply, at + name.field, name.expected, name.found)
        const usn = usnAt(at + layout.usn)
        if (rows.isFull) throw new RangeError(`no room for the rows of a reply of ${reply.length} bytes`)
        putNamed(words, quads, at, name, layout, usn, rows)
        this.stats.records++
      } else if (major === 4) {
        if (length < RecordV4.bytes) throw this.#damage(reply, at, `${RecordV4.bytes} bytes or more`, length)
        usnAt(at + RecordV4.usn)
        this.stats.ranges++
      } else if (major > 4) this.stats.unknown++
      else throw this.#damage(reply, at + RecordHead.major, 'a version from 2 on', major)
      at += length
    }
  }

  #damage(reply: Uint8Array, at: number, expected: string, found: unknown) {
    const bytes: VolumeBytes = { file: this.file, bytes: reply, offset: 0 }
    return damage(bytes, at, expected, found)
  }
}

const LAYOUTS: ReadonlyMap<number, NamedLayout> = new Map([
  [2, RecordV2],
  [3, RecordV3],
])

function viewOf(reply: Uint8Array): DataView {
  return new DataView(reply.buffer, reply.byteOffset, reply.length)
}
