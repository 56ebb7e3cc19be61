import {
  type JournalDescription,
  type JournalPart,
  type JournalSource,
  parseJournalData,
  readRequest,
  UsnReplies,
  type UsnRows,
} from '@hotpath/ntfs'
import {
  isWindowsFailure,
  queryUsnJournal,
  readUsnJournal,
  type VolumeControl,
  WindowsCallError,
  WindowsCode,
} from '@hotpath/platform'

/** Less than the piece that `UsnReader.rows` have room for. */
const REPLY_BYTES = 64 * 1024

/** Codes with which a read says that the journal is another one than it was: to be compared with what is kept. */
const JOURNAL_CHANGED = [
  WindowsCode.invalidParameter,
  WindowsCode.journalDeleteInProgress,
  WindowsCode.journalNotActive,
  WindowsCode.journalEntryDeleted,
] as const

/** Whether a read has failed because what comes next is not in this journal any more: `look` and `continuationOf` say what has happened. */
export function isJournalChange(error: unknown): boolean {
  return isWindowsFailure(error, ...JOURNAL_CHANGED)
}

/** The change journal of a volume of Windows, as its driver tells it. No call waits: each returns with what there is. */
export class HandleJournal implements JournalSource {
  readonly #volume: VolumeControl
  readonly #replies: UsnReplies
  readonly #output = new Uint8Array(REPLY_BYTES)
  #found: JournalDescription | undefined

  /** @param volume closed by whoever opened it */
  constructor(volume: VolumeControl) {
    this.#volume = volume
    this.#replies = new UsnReplies(`${volume.volume.name} FSCTL_READ_USN_JOURNAL`)
  }

  /** What there is now: to be compared with what is kept (`continuationOf`). Throws WindowsCallError, CorruptFileError. */
  look(): JournalDescription | 'absent' | 'inactive' {
    this.#found = undefined
    const now = this.#query()
    if (typeof now !== 'string') this.#found = now
    return now
  }

  /** Position behind the last record when `look` found the journal. */
  end(): number {
    return this.#described().nextUsn
  }

  /**
   * Fills `rows` anew with records from a position on.
   *
   * @param from a position that `continuationOf` says can be continued, or `next` of the last part
   * @throws WindowsCallError: if `isJournalChange` says so, the journal is to be looked at again; CorruptFileError
   */
  read(from: number, rows: UsnRows): JournalPart {
    const { id } = this.#described()
    rows.clear()
    // From 0 on, Windows gives what there is and says nothing of what is gone.
    if (from === 0 && this.#firstUsn(id) > 0)
      throw new WindowsCallError('FSCTL_READ_USN_JOURNAL', WindowsCode.journalEntryDeleted, this.#volume.volume.name)
    const reply = readUsnJournal(this.#volume, readRequest(id, from), this.#output)
    const next = this.#replies.journal(reply, from, rows)
    return { next, isEnd: next === from, damage: undefined }
  }

  #query(): JournalDescription | 'absent' | 'inactive' {
    const reply = queryUsnJournal(this.#volume)
    if (typeof reply === 'string') return reply
    return parseJournalData(`${this.#volume.volume.name} FSCTL_QUERY_USN_JOURNAL`, reply)
  }

  #firstUsn(id: string): number {
    const now = this.#query()
    if (typeof now === 'string' || now.id !== id)
      throw new WindowsCallError('FSCTL_READ_USN_JOURNAL', WindowsCode.invalidParameter, this.#volume.volume.name)
    return now.firstUsn
  }

  #described(): JournalDescription {
    if (this.#found === undefined) throw new RangeError('no journal was found')
    return this.#found
  }
}
