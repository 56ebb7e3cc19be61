import { InvalidInputError } from '@hotpath/model'
import { createSharedMemory, mapSharedMemory, type SharedMemory } from './shared-memory.js'

/**
 * Journal of events that were read from kernel queues, in shared memory that outlives the process that reads them:
 * docs/formats/event-journal.md. All numbers are little-endian.
 *
 *   offset  size  field
 *        0     8  magic       48 50 45 56 54 00 0d 0a  ("HPEVT\0\r\n")
 *        8     4  version     1
 *       12     4  ringBytes   bytes of the ring
 *       16     4  table       0 or 1: which of the two tables holds
 *       64     8  head        bytes ever written to the ring, written when the slot is whole
 *      128     8  tail        bytes ever released
 *      192     8  emptyAt     f64: seconds since 1970 when the resumable queue was last known to be empty
 *      256     8  cleared     bytes of the ring up to which everything from the head on is zero
 *     4096 65536  table 0     u32 length, then so many bytes of JSON
 *    69632 65536  table 1
 *   135168        ring
 *
 * A slot of the ring, at a multiple of 32:
 *
 *        0     4  length      bytes of events; 0 while they are being read
 *        4     4  stream      1: the resumable queue; 2, 3 …: others; 0xffffffff: nothing, up to the end of the ring
 *        8     8  readAt      f64: monotonic µs
 *       16     8  emptyAt     f64: seconds since 1970 when its queue was last known to be empty; NaN: not known
 *       32        events      as the kernel gave them
 *
 * Versions: 1 first. Whoever finds another one begins anew, as with an empty journal.
 */
export const EventJournalLayout = {
  magic: [0x48, 0x50, 0x45, 0x56, 0x54, 0x00, 0x0d, 0x0a],
  version: 1,
  headerFields: {
    magic: [0, 8],
    version: [8, 4],
    ringBytes: [12, 4],
    table: [16, 4],
    head: [64, 8],
    tail: [128, 8],
    emptyAt: [192, 8],
    cleared: [256, 8],
  },
  slotFields: { length: [0, 4], stream: [4, 4], readAt: [8, 8], emptyAt: [16, 8], events: [32, 0] },
  tablesAt: 4_096,
  tableBytes: 65_536,
  ringAt: 135_168,
  slotAlignment: 32,
} as const

const { headerFields, slotFields, tablesAt, tableBytes, ringAt, slotAlignment } = EventJournalLayout
const SLOT_HEADER_BYTES = slotFields.events[0]

/** 200,000 events of fanotify: seconds in which the reader does nothing at the rate of an unpacked archive. */
export const RING_BYTES = 16 * 1024 * 1024
/** One read. The kernel refuses one for which the next event is too long; no event has more than 4 KiB. */
export const READ_BYTES = 64 * 1024
/** The stream whose queue outlives its reader. */
export const RESUMABLE_STREAM = 1
/** The first number for other streams. */
export const FIRST_OTHER_STREAM = 2
const FILLER_STREAM = 0xffffffff

export interface EventSlot {
  /** Bytes ever written before it, and with it. */
  readonly position: number
  readonly next: number
  readonly stream: number
  /** Monotonic µs. */
  readonly readAt: number
  /** Seconds since 1970 when its queue was last known to be empty before; NaN: not known. */
  readonly emptyAt: number
  /** A view: valid until the slot is released. */
  readonly bytes: Uint8Array
}

/** Memory for a journal, to be closed with closeSync. `ringBytes`: a multiple of 32, at least 256 KiB. Throws SystemCallError. */
export function createEventJournal(ringBytes = RING_BYTES): number {
  return createSharedMemory('hotpath-events', ringAt + ringBytes)
}

/**
 * The journal in one thread. What writes (`prepare`, `commit`) must be called by one thread at a
 * time; `release` and the table are the business of one thread alone.
 */
export class EventJournal {
  readonly ringBytes: number
  readonly #memory: SharedMemory
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #positions: BigUint64Array

  /**
   * The journal of a process that begins: anew where the memory holds none of this version and size, else with the slot that its
   * forerunner was reading when it ended.
   *
   * @param wholeEvents how many bytes of whole events are at the beginning of bytes behind which there are only zeros
   */
  static takeOver(fd: number, wholeEvents: (bytes: Uint8Array) => number): EventJournal {
    const journal = new EventJournal(fd)
    if (journal.#isFormatted()) journal.#recover(wholeEvents)
    else journal.#format()
    return journal
  }

  /** A journal that `takeOver` has prepared. Throws SystemCallError, InvalidInputError. */
  constructor(fd: number) {
    this.#memory = mapSharedMemory(fd)
    const { buffer } = this.#memory
    this.ringBytes = buffer.byteLength - ringAt
    if (this.ringBytes < 4 * READ_BYTES || this.ringBytes % slotAlignment !== 0) {
      this.#memory.unmap()
      throw new InvalidInputError(
        'event journal',
        `memory of at least ${ringAt + 4 * READ_BYTES} bytes`,
        `${buffer.byteLength}`,
      )
    }
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
    this.#positions = new BigUint64Array(buffer, 0, tablesAt / 8)
  }

  get head(): number {
    return Number(Atomics.load(this.#positions, headerFields.head[0] / 8))
  }

  get tail(): number {
    return Number(Atomics.load(this.#positions, headerFields.tail[0] / 8))
  }

  /** Seconds since 1970 when the resumable queue was last known to be empty; NaN: never. */
  get emptyAt(): number {
    return this.#view.getFloat64(headerFields.emptyAt[0], true)
  }

  set emptyAt(seconds: number) {
    this.#view.setFloat64(headerFields.emptyAt[0], seconds, true)
  }

  /** No access after this. */
  unmap(): void {
    this.#memory.unmap()
  }

  // ---- Writing

  /**
   * Where the next READ_BYTES of a stream may be read to; undefined if the ring is full. They are zero: what the kernel has copied is
   * found even if the process ends before `commit`.
   */
  prepare(stream: number, readAt: number, emptyAt: number): number | undefined {
    if (!this.hasRoom) return undefined
    if (this.#rest < slotBytes(READ_BYTES)) this.#skipRest()
    const { head } = this
    const at = this.#offset(head)
    const end = head + SLOT_HEADER_BYTES + READ_BYTES
    const cleared = Math.max(this.#cleared, head + SLOT_HEADER_BYTES)
    if (cleared < end) {
      this.#fill(cleared, end)
      this.#cleared = end
    }
    this.#writeSlot(at, stream, readAt, emptyAt)
    return this.#memory.address + at + SLOT_HEADER_BYTES
  }

  /** Whether `prepare` would find room. */
  get hasRoom(): boolean {
    return this.#bytesMissing() <= 0
  }

  /** Ends the slot that was prepared; `length` bytes were read. */
  commit(length: number): void {
    this.#advance(length)
  }

  // ---- Reading

  /** The slots from a position on, up to the head. */
  *slots(from: number): Generator<EventSlot> {
    for (let position = from; position < this.head; ) {
      const at = this.#offset(position)
      const length = this.#view.getUint32(at + slotFields.length[0], true)
      const stream = this.#view.getUint32(at + slotFields.stream[0], true)
      const next = position + slotBytes(length)
      if (stream !== FILLER_STREAM)
        yield {
          position,
          next,
          stream,
          readAt: this.#view.getFloat64(at + slotFields.readAt[0], true),
          emptyAt: this.#view.getFloat64(at + slotFields.emptyAt[0], true),
          bytes: this.#bytes.subarray(at + SLOT_HEADER_BYTES, at + SLOT_HEADER_BYTES + length),
        }
      position = next
    }
  }

  /** Gives the room before a position (of a slot, or the head) back. */
  release(position: number): void {
    if (position > this.tail) Atomics.store(this.#positions, headerFields.tail[0] / 8, BigInt(position))
  }

  // ---- The table

  /** What was written last, or undefined. */
  readTable(): unknown {
    const at = tablesAt + this.#table * tableBytes
    const length = this.#view.getUint32(at, true)
    if (length === 0 || length > tableBytes - 4) return undefined
    try {
      return JSON.parse(Buffer.from(this.#bytes.subarray(at + 4, at + 4 + length)).toString())
    } catch {
      return undefined
    }
  }

  /** Replaces the table, in one step as far as the next process can see. False (and nothing is written) if it is too long. */
  writeTable(value: unknown): boolean {
    const bytes = Buffer.from(JSON.stringify(value))
    if (bytes.length > tableBytes - 4) return false
    const other = 1 - this.#table
    const at = tablesAt + other * tableBytes
    this.#bytes.set(bytes, at + 4)
    this.#view.setUint32(at, bytes.length, true)
    this.#view.setUint32(headerFields.table[0], other, true)
    return true
  }

  get #table(): number {
    return this.#view.getUint32(headerFields.table[0], true) & 1
  }

  // ---- Inside

  get #cleared(): number {
    return Number(this.#positions[headerFields.cleared[0] / 8]!)
  }

  set #cleared(position: number) {
    this.#positions[headerFields.cleared[0] / 8] = BigInt(position)
  }

  #isFormatted(): boolean {
    const { magic, version } = EventJournalLayout
    const { head, tail } = this
    return (
      magic.every((byte, i) => this.#bytes[i] === byte) &&
      this.#view.getUint32(headerFields.version[0], true) === version &&
      this.#view.getUint32(headerFields.ringBytes[0], true) === this.ringBytes &&
      head >= tail &&
      head - tail <= this.ringBytes &&
      head % slotAlignment === 0
    )
  }

  #format(): void {
    const { magic, version } = EventJournalLayout
    // The ring must be zero at its head only.
    this.#bytes.fill(0, 0, ringAt + SLOT_HEADER_BYTES)
    this.emptyAt = Number.NaN
    this.#view.setUint32(headerFields.version[0], version, true)
    this.#view.setUint32(headerFields.ringBytes[0], this.ringBytes, true)
    // Last: what is half made is made anew.
    this.#bytes.set(magic)
  }

  #recover(wholeEvents: (bytes: Uint8Array) => number): void {
    const at = this.#offset(this.head)
    const stream = this.#view.getUint32(at + slotFields.stream[0], true)
    let length = this.#view.getUint32(at + slotFields.length[0], true)
    const room = this.ringBytes + ringAt - at - SLOT_HEADER_BYTES
    if (length === 0 && stream === RESUMABLE_STREAM && room >= READ_BYTES)
      length = wholeEvents(this.#bytes.subarray(at + SLOT_HEADER_BYTES, at + SLOT_HEADER_BYTES + READ_BYTES))
    // Nothing is known of what the rest of the window holds.
    this.#cleared = 0
    if (length > 0 && length <= room) this.#advance(length)
    else this.#fill(this.head, this.head + SLOT_HEADER_BYTES)
  }

  #offset(position: number): number {
    return ringAt + (position % this.ringBytes)
  }

  /** Bytes from the head to the end of the ring. */
  get #rest(): number {
    return this.ringBytes - (this.head % this.ringBytes)
  }

  #bytesMissing(): number {
    const skipped = this.#rest < slotBytes(READ_BYTES) ? this.#rest : 0
    // The header behind it must be free, too: it is zeroed before the head moves.
    return skipped + slotBytes(READ_BYTES) + SLOT_HEADER_BYTES - (this.ringBytes - (this.head - this.tail))
  }

  #skipRest(): void {
    const rest = this.#rest
    this.#writeSlot(this.#offset(this.head), FILLER_STREAM, 0, 0)
    this.#advance(rest - SLOT_HEADER_BYTES)
  }

  #writeSlot(at: number, stream: number, readAt: number, emptyAt: number): void {
    this.#view.setFloat64(at + slotFields.readAt[0], readAt, true)
    this.#view.setFloat64(at + slotFields.emptyAt[0], emptyAt, true)
    this.#view.setUint32(at + slotFields.stream[0], stream, true)
  }

  #advance(length: number): void {
    const { head } = this
    const next = head + slotBytes(length)
    // What an earlier lap left there must not look like a slot.
    this.#fill(next, next + SLOT_HEADER_BYTES)
    this.#view.setUint32(this.#offset(head) + slotFields.length[0], length, true)
    Atomics.store(this.#positions, headerFields.head[0] / 8, BigInt(next))
  }

  /** Zeroes a range that does not cross the end of the ring. */
  #fill(from: number, to: number): void {
    const at = this.#offset(from)
    this.#bytes.fill(0, at, at + to - from)
  }
}

function slotBytes(length: number): number {
  return Math.ceil((SLOT_HEADER_BYTES + length) / slotAlignment) * slotAlignment
}
