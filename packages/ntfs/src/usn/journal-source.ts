import type { CorruptFileError, JournalPosition } from '@hotpath/model'
import { drive, type ReadRequest } from '../stream.js'
import { Volume } from '../volume.js'
import type { JournalNow } from './journal-state.js'
import { UsnJournal } from './usn-journal.js'
import { UsnReader } from './usn-reader.js'
import type { UsnRows } from './usn-rows.js'

/** Records of a journal from a position on. */
export interface JournalPart {
  /** Behind the last record: what to ask for next. */
  readonly next: number
  /** There is nothing more now. */
  readonly isEnd: boolean
  /** Something between the two positions is no record: changes may be lost. */
  readonly damage: CorruptFileError | undefined
}

/**
 * A change journal as who follows it sees it: `$J` of an image or a device here (`StoredJournal`), a handle of the system that
 * writes it elsewhere (FSCTL_QUERY_USN_JOURNAL for `look` and `end`, FSCTL_READ_USN_JOURNAL for `read`). Calls are synchronous;
 * `read` and `end` speak of the journal as `look` found it last, or of a later state of the same journal.
 */
export interface JournalSource {
  /** What there is now: to be compared with what is kept (`continuationOf`). Throws CorruptFileError, or why it cannot be read. */
  look(): JournalNow | 'absent' | 'inactive'
  /** Position behind the last record: of a snapshot that begins now. Only after a `look` that found a journal. */
  end(): number
  /**
   * Fills `rows` anew with records from a position on; that may leave them empty before the end.
   *
   * @param from a position that `continuationOf` says can be continued, or `next` of the last part
   * @param rows with room for a piece (`UsnReader.rows`)
   */
  read(from: number, rows: UsnRows): JournalPart
}

/** The journal that is stored on a volume. */
export class StoredJournal implements JournalSource {
  readonly #file: string
  readonly #read: (request: ReadRequest) => Uint8Array
  #journal: UsnJournal | undefined
  #reader: UsnReader | undefined
  #end = 0

  /**
   * @param file for messages
   * @param read gives the whole range of the volume, or throws
   */
  constructor(file: string, read: (request: ReadRequest) => Uint8Array) {
    this.#file = file
    this.#read = read
  }

  look(): JournalNow | 'absent' | 'inactive' {
    this.#reader = undefined
    this.#journal = undefined
    const volume = drive(Volume.open(this.#file), this.#read)
    const found = drive(UsnJournal.open(volume), this.#read)
    if (typeof found === 'string') return found
    this.#journal = found
    this.#end = drive(found.endOfRecords(), this.#read)
    // Zeros behind the last record say nothing: an older copy of a volume has as many.
    return { ...found.now, size: this.#end }
  }

  end(): number {
    return this.#end
  }

  read(from: number, rows: UsnRows): JournalPart {
    if (this.#reader?.nextUsn !== from) this.#reader = new UsnReader(this.#found(), from)
    const reader = this.#reader
    const isMore = drive(reader.read(rows), this.#read)
    return { next: reader.nextUsn, isEnd: !isMore, damage: isMore ? reader.damage : undefined }
  }

  #found(): UsnJournal {
    if (this.#journal === undefined) throw new RangeError('no journal was found')
    return this.#journal
  }
}

/**
 * Where the journal of a volume ends now; undefined: there is none. What a listing begins with, before anything of the master file table is
 * read: also before it is known how large the table is.
 *
 * @throws CorruptFileError
 */
export function journalPosition(source: JournalSource): JournalPosition | undefined {
  const now = source.look()
  return typeof now === 'string' ? undefined : { id: now.id, next: source.end() }
}
