import { damage } from '../damage.js'
import { lookUp } from '../directory-index.js'
import { AttributeType, EXTEND_RECORD } from '../layout.js'
import { SPARSE } from '../run-list.js'
import { type Reading, readStream, Stream } from '../stream.js'
import type { Volume } from '../volume.js'
import type { JournalNow } from './journal-state.js'
import { ALIGNMENT, PAGE, Settings } from './usn-layout.js'
import { UsnParser } from './usn-parser.js'
import { UsnRows } from './usn-rows.js'

const JOURNAL_NAME = '$UsnJrnl'
/** Bytes that are read together when the end of the records is looked for. */
const SEARCH_BYTES = 64 * 1024

/** `$Max`: what the journal was created with. */
export interface JournalSettings {
  /** Bytes that it may grow to; it may exceed them by the next. */
  readonly maximumSize: number
  /** Bytes by which its front is given back. */
  readonly allocationDelta: number
  /** Which journal this is: another one after it was deleted or restamped. 16 hexadecimal digits. */
  readonly id: string
  /** Position of the first record of this journal: not 0 if it continues the positions of the one before. */
  readonly lowestValidUsn: number
}

/** A part of the journal that is stored in one go. */
interface Stored {
  readonly start: number
  readonly end: number
}

/** The change journal of a volume: `$Extend\$UsnJrnl`. */
export class UsnJournal {
  /** Of a journal whose parts are known; `open` finds them. */
  constructor(
    /** For messages. */
    readonly file: string,
    readonly settings: JournalSettings,
    private readonly data: Stream | Uint8Array,
  ) {}

  /**
   * Finds the journal: reads the index of `$Extend`, the file's record and 32 bytes of `$Max`. `absent`: there is none; `inactive`: one that
   * has no records or settings, as while it is being deleted.
   *
   * @throws CorruptFileError
   */
  static *open(volume: Volume): Reading<UsnJournal | 'absent' | 'inactive'> {
    const found = yield* lookUp(volume, EXTEND_RECORD, JOURNAL_NAME)
    if (found === undefined) return 'absent'
    const data = yield* volume.stream(found.record, AttributeType.data, '$J')
    const settings = yield* volume.stream(found.record, AttributeType.data, '$Max')
    if (data === undefined || settings === undefined) return 'inactive'
    const bytes = settings instanceof Stream ? yield* readStream(settings, 0, Settings.bytes) : settings
    if (data instanceof Stream && !Number.isSafeInteger(data.bytes))
      throw damage(
        { file: volume.file, bytes, offset: volume.offsetOf(found.record) },
        0,
        'a journal of at most 2^53 bytes',
        data.bytes,
      )
    const file = `${volume.file}/$Extend/${JOURNAL_NAME}`
    return new UsnJournal(`${file}:$J`, parseSettings(`${file}:$Max`, bytes), data)
  }

  /** Bytes of `$J`: no record has a position from here on. */
  get size(): number {
    return this.data instanceof Stream ? this.data.bytes : this.data.length
  }

  /** First position that is still stored: what was before was given back, and reads as zeros. */
  get firstUsn(): number {
    return this.data instanceof Stream ? Math.min(this.data.firstStored, this.#end) : 0
  }

  /** What `continuationOf` compares. */
  get now(): JournalNow {
    const { id, lowestValidUsn } = this.settings
    return { id, lowestValidUsn, firstUsn: this.firstUsn, size: this.size }
  }

  /** First position from `usn` on that is stored; undefined: there is none. */
  nextStored(usn: number): number | undefined {
    if (!(this.data instanceof Stream)) return usn < this.data.length ? usn : undefined
    let at = usn
    for (const { offset, length } of this.data.ranges(usn, this.#end - usn)) {
      if (offset !== SPARSE) return at
      at += length
    }
    return undefined
  }

  /** Reads a part; shorter where the journal ends. The array's buffer begins with it. */
  *read(usn: number, length: number): Reading<Uint8Array> {
    const wanted = Math.max(0, Math.min(length, this.#end - usn))
    if (this.data instanceof Stream) return yield* readStream(this.data, usn, wanted)
    return this.data.slice(usn, usn + wanted)
  }

  /**
   * Position behind the last record: what a snapshot of the volume begins with, before its master file table is read. `$J` may
   * be longer, zeros that are still to become records. Costs reads of 64 KiB from the end on until there is one.
   */
  *endOfRecords(): Reading<number> {
    for (const { start, end } of [...this.#storedFrom(0)].reverse())
      for (let to = end; to > start; ) {
        const from = Math.max(start, Math.floor((to - 1) / SEARCH_BYTES) * SEARCH_BYTES)
        const bytes = yield* this.read(from, to - from)
        let last = bytes.length - 1
        while (last >= 0 && bytes[last] === 0) last--
        if (last >= 0) return yield* this.#endInPage(from + last)
        to = from
      }
    return this.firstUsn
  }

  /** Where the last record ends of which a byte is not 0. */
  *#endInPage(byte: number): Reading<number> {
    const page = Math.max(this.firstUsn, Math.floor(byte / PAGE) * PAGE)
    const parser = new UsnParser(this.file)
    parser.nextUsn = page
    parser.parse(yield* this.read(page, 2 * PAGE), page, UsnRows.forPiece(2 * PAGE))
    if (parser.damage === undefined) return parser.nextUsn
    // The page begins inside of a record, or is damaged. A record ends with the multiple of 8 behind its last byte.
    return Math.min(Math.ceil((byte + 1) / ALIGNMENT), Math.floor(this.#end / ALIGNMENT)) * ALIGNMENT
  }

  get #end(): number {
    return this.data instanceof Stream ? Math.min(this.data.bytes, this.data.validBytes) : this.data.length
  }

  /** Stored parts from a position on, each as long as it can be. */
  *#storedFrom(usn: number): Generator<Stored> {
    if (!(this.data instanceof Stream)) {
      if (usn < this.data.length) yield { start: usn, end: this.data.length }
      return
    }
    let start = usn
    let at = usn
    for (const { offset, length } of this.data.ranges(usn, this.#end - usn)) {
      if (offset === SPARSE) {
        if (at > start) yield { start, end: at }
        start = at + length
      }
      at += length
    }
    if (at > start) yield { start, end: at }
  }
}

function parseSettings(file: string, bytes: Uint8Array): JournalSettings {
  const settings = { file, bytes, offset: 0 }
  if (bytes.length < Settings.bytes) throw damage(settings, 0, `${Settings.bytes} bytes`, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const lowestValidUsn = Number(view.getBigInt64(Settings.lowestValidUsn, true))
  if (lowestValidUsn < 0) throw damage(settings, Settings.lowestValidUsn, 'a position', lowestValidUsn)
  return {
    maximumSize: Number(view.getBigUint64(Settings.maximumSize, true)),
    allocationDelta: Number(view.getBigUint64(Settings.allocationDelta, true)),
    id: view.getBigUint64(Settings.id, true).toString(16).padStart(16, '0'),
    lowestValidUsn,
  }
}
