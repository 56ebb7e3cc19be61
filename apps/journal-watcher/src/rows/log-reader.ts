import { CorruptFileError, type FollowedTable } from '@hotpath/model'
import type { ChangeLog } from './change-log.js'
import { type LogFile, RecordReader } from './log-file.js'
import { RecordFlag } from './log-file-format.js'
import { decodeCatalogue, decodeHead, type TransactionHead } from './transaction-head.js'

/** A part of a transaction. All parts of one come one after the other. */
export interface TransactionPart {
  readonly sequence: number
  /** 0, 1, 2 … within the transaction; the same whenever it is read. */
  readonly index: number
  readonly isLast: boolean
  /** The same object for all parts of a transaction. */
  readonly head: TransactionHead
  /** As `decodeChanges` reads them. */
  readonly changes: Uint8Array
}

/**
 * Reads the transactions behind a place of a log, as they are and as they come. It holds nothing back: when the log has let go of what comes next,
 * `next` says so.
 */
export class LogReader {
  /** Tables as they were described up to the part that was read last, by name. */
  readonly tables = new Map<string, FollowedTable>()
  #records: RecordReader | undefined
  #head: TransactionHead | undefined
  #index = 0

  /** @param sequence the last transaction that is known; between those of `log.covers` */
  constructor(
    private readonly log: ChangeLog,
    public sequence: number,
  ) {
    this.epoch = log.epoch
    if (sequence === log.sequence) {
      this.#records = new RecordReader(log.lastFile, log.lastFile.committed)
      for (const table of log.tables.values()) this.tables.set(table.name, table)
    } else this.#seek()
  }

  /** Of the log when this began; another one ends it. */
  readonly epoch: string

  /**
   * The next part. Undefined: there is no more now. `behind`: the log has let go of what comes next. `ended`: another epoch has begun.
   * Throws CorruptFileError where the log is damaged.
   */
  next(): TransactionPart | 'behind' | 'ended' | undefined {
    if (this.log.epoch !== this.epoch || this.log.isClosed) return 'ended'
    if (this.#records === undefined) return 'behind'
    if (!this.log.holds(this.#records.file)) {
      // Whoever has read all of a file goes on in the next one.
      if (this.#head !== undefined || this.sequence + 1 < this.log.firstSequence) return 'behind'
      this.#seek()
    }
    while (this.#atEndOfFile(this.#records)) {
      const following = this.log.fileAfter(this.#records.file)
      if (following === undefined) return undefined
      this.#records = new RecordReader(following)
      this.#take(this.#read(this.#records))
    }
    return this.#take(this.#read(this.#records)) ?? this.next()
  }

  #atEndOfFile({ offset, file }: RecordReader): boolean {
    return offset >= file.committed
  }

  /** Goes to the file that has the transaction behind `sequence`, and to its place there. */
  #seek(): void {
    const file = this.log.fileOf(this.sequence + 1)
    if (file === undefined) return
    const records = new RecordReader(file)
    this.#records = records
    while (!this.#atEndOfFile(records)) {
      const { offset } = records
      const record = this.#read(records)
      if (record.sequence > this.sequence && (record.flags & RecordFlag.catalogue) === 0) {
        records.offset = offset
        return
      }
      if ((record.flags & RecordFlag.catalogue) !== 0) this.#describe(decodeCatalogue(record.content).tables)
      else if ((record.flags & RecordFlag.hasTables) !== 0) this.#describe(decodeHead(record.content, true).head.tables)
    }
  }

  #read(records: RecordReader) {
    const record = records.next(records.file.committed)
    if (record !== undefined) return record
    throw new CorruptFileError(records.file.path, records.offset, 'a record of the log of changes', 'other bytes')
  }

  /** The part that a record is; undefined for one that is none. */
  #take(record: { flags: number; sequence: number; content: Uint8Array }): TransactionPart | undefined {
    const { flags, sequence, content } = record
    if ((flags & RecordFlag.catalogue) !== 0) {
      this.#describe(decodeCatalogue(content).tables)
      return undefined
    }
    let changes = content
    if ((flags & RecordFlag.first) !== 0) {
      const first = decodeHead(content, (flags & RecordFlag.hasTables) !== 0)
      this.#head = first.head
      this.#index = 0
      this.#describe(first.head.tables)
      changes = first.changes
    }
    const head = this.#head
    const isExpected = sequence === this.sequence + 1 && head !== undefined
    if (!isExpected) {
      const { path } = this.#records!.file as LogFile
      throw new CorruptFileError(path, this.#records!.offset, `transaction ${this.sequence + 1}`, String(sequence))
    }
    const isLast = (flags & RecordFlag.last) !== 0
    const part = { sequence, index: this.#index++, isLast, head, changes }
    if (isLast) {
      this.sequence = sequence
      this.#head = undefined
    }
    return part
  }

  #describe(tables: readonly FollowedTable[]): void {
    for (const table of tables) this.tables.set(table.name, table)
  }
}
