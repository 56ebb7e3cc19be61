import type { CorruptFileError } from '@hotpath/model'
import type { Reading } from '../stream.js'
import type { UsnJournal } from './usn-journal.js'
import { UsnParser, type UsnStats } from './usn-parser.js'
import { UsnRows } from './usn-rows.js'

/** More gains nothing: parsing is slower than any disk that reads so much at once. */
const PIECE_BYTES = 256 * 1024

/** Reads the records of a journal from a position on, piece after piece; holes are passed over, not read. */
export class UsnReader {
  readonly #journal: UsnJournal
  readonly #parser: UsnParser
  #at: number

  /**
   * @param from position of a record: of a state that `continuationOf` says can be continued
   * @throws RangeError: it is no longer stored. Beginning with what is there would hide that changes are lost.
   */
  constructor(journal: UsnJournal, from: number) {
    if (from < journal.firstUsn)
      throw new RangeError(`position ${from} of a journal that begins at ${journal.firstUsn}`)
    this.#journal = journal
    this.#parser = new UsnParser(journal.file)
    this.#parser.nextUsn = from
    this.#at = from
  }

  /** Behind the last record that was read: what to keep once all rows have been applied. */
  get nextUsn(): number {
    return this.#parser.nextUsn
  }

  get stats(): UsnStats {
    return this.#parser.stats
  }

  /** What in the piece read last is no record: changes may be lost. */
  get damage(): CorruptFileError | undefined {
    return this.#parser.damage
  }

  /** Rows that hold what is read at once. */
  static rows(): UsnRows {
    return UsnRows.forPiece(PIECE_BYTES)
  }

  /**
   * Fills `rows` anew. False: there is nothing more, and no rows. A record that is not complete yet is the end.
   *
   * @param rows with room for a page at least
   */
  *read(rows: UsnRows): Reading<boolean> {
    for (;;) {
      rows.clear()
      const at = this.#journal.nextStored(this.#at)
      if (at === undefined) return false
      const next = this.#parser.parse(yield* this.#journal.read(at, PIECE_BYTES), at, rows)
      if (next === at) return false
      this.#at = next
      if (rows.count > 0 || this.#parser.damage !== undefined) return true
    }
  }
}
