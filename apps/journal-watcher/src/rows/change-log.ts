import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type FollowedTable,
  InvalidInputError,
  type RowChange,
  type RowTransaction,
  UnavailableError,
} from '@hotpath/model'
import { bootId } from '@hotpath/platform'
import { belongsTo, newEpoch, PartBuilder, type RowCursor } from '@hotpath/protocol'
import { LogFile } from './log-file.js'
import { readMark, writeMark } from './log-mark.js'
import { LogReader } from './log-reader.js'
import { recoverFiles } from './log-recovery.js'
import { encodeCatalogue, MAX_POSITION_BYTES, type TransactionHead } from './transaction-head.js'
import { recordOf, recordsOf } from './transaction-records.js'

/** Bytes of files that are kept; the last file is kept whatever its size. */
export const RETAINED_BYTES = 64 * 1024 * 1024
export const RETAINED_MS = 7 * 24 * 60 * 60 * 1_000
/** What is younger is kept beyond that, so that consumers have time for a long transaction; up to GRACE_SHARE times as many bytes. */
export const GRACE_MS = 10_000
const GRACE_SHARE = 32
/** Files of which a log consists when it is full: what is let go at once. */
const FILES_WHEN_FULL = 8
/** Each start begins a file. */
const MAX_FILES = 512
const KEY_BYTES = 32
const NO_POSITION = new Uint8Array(0)

export interface ChangeLogOptions {
  /** Names the database in cursors, in every epoch: something that tells it from all others, such as its path. */
  readonly databaseId: string
  /** For people. */
  readonly name: string
  /** 32 bytes, where the database is encrypted: all that the log has of it is encrypted, too. */
  readonly encryptionKey?: Uint8Array
  readonly retainedBytes?: number
  readonly retainedMs?: number
  readonly graceMs?: number
  /** Milliseconds since 1970. */
  now?(): number
  /** Id of the boot of the machine, for tests. */
  readonly boot?: string
}

/** A transaction before it has its number. */
export interface NewTransaction extends Omit<RowTransaction, 'sequence' | 'changes'> {
  /** Consumed once; may be longer than memory. */
  readonly changes: Iterable<RowChange>
  /** Where in the database it ends, as its follower understands it (`ChangeLog.position`); at most 1,024 bytes. */
  readonly position?: Uint8Array
}

/** A transaction that is being written. Nobody sees it before `commit`. */
export interface TransactionWriter {
  add(change: RowChange): void
  /** The number of the transaction. A process that is killed afterwards finds it in the log. */
  commit(): number
  /** Leaves the log as it was. */
  abort(): void
}

export interface LogListener {
  /** A transaction is there. */
  appended(): void
  /** A new epoch has begun: nothing of what was told before can be continued. */
  restarted(): void
}

/** Why a log began a new epoch when it was opened; undefined: it goes on where it ended. */
export type FreshStart = 'new' | 'power-loss' | 'damage' | 'key' | undefined

/**
 * All changes of one database in the order in which they were committed, numbered without gaps within an epoch; the last of them are kept.
 * Bounded in bytes and age, on disk, in memory only what is being written. One process has it open, in one thread; all calls are synchronous and
 * write without waiting for the disk: a process that is killed loses nothing, and a loss of power begins a new epoch.
 */
export class ChangeLog {
  /** Why this process began a new epoch when it opened the log. */
  readonly freshStart: FreshStart
  readonly #tables = new Map<string, FollowedTable>()
  readonly #listeners = new Set<LogListener>()
  readonly #retainedBytes: number
  readonly #retainedMs: number
  readonly #now: () => number
  readonly #boot: string
  #files: LogFile[] = []
  #epoch: string
  #sequence = 0
  #position: Uint8Array = new Uint8Array(0)
  #writing: TransactionWriter | undefined
  #closed = false

  /**
   * Opens the log in `directory`, which is made if it is missing and holds nothing else; a directory of its own for each database.
   * Goes on with what an earlier process left, or begins a new epoch where something may be missing. Throws what the system says.
   */
  static open(directory: string, options: ChangeLogOptions): ChangeLog {
    if (options.encryptionKey !== undefined && options.encryptionKey.byteLength !== KEY_BYTES)
      throw new InvalidInputError('key of the log of changes', `${KEY_BYTES} bytes`, 'another length')
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return new ChangeLog(directory, options)
  }

  private constructor(
    private readonly directory: string,
    private readonly options: ChangeLogOptions,
  ) {
    this.#retainedBytes = options.retainedBytes ?? RETAINED_BYTES
    this.#retainedMs = options.retainedMs ?? RETAINED_MS
    this.#now = options.now ?? Date.now
    this.#boot = options.boot ?? bootId()
    const mark = readMark(directory)
    const found = recoverFiles(directory, mark, this.#boot, options)
    if (typeof found === 'string') {
      this.freshStart = found
      this.#epoch = newEpoch(options.databaseId)
      this.#begin(1)
    } else {
      this.#epoch = found.epoch
      this.#files = found.files
      this.#sequence = found.sequence
      this.#position = found.position
      for (const table of found.tables) this.#tables.set(table.name, table)
      // Before the first record: it says that the disk may not have all.
      this.#mark(false)
      this.#addFile((this.#files.at(-1)?.header.number ?? 0) + 1)
      this.maintain()
    }
  }

  /** Of the cursors of this log's life. */
  get epoch(): string {
    return this.#epoch
  }

  /** Number of the last transaction; 0: none yet. */
  get sequence(): number {
    return this.#sequence
  }

  /** Where the last transaction ends in the database, as it was given; empty if there is none. */
  get position(): Uint8Array {
    return this.#position
  }

  /** Tables as they are described now, by name. */
  get tables(): ReadonlyMap<string, FollowedTable> {
    return this.#tables
  }

  /** Number of the oldest transaction that is kept, or that would be. */
  get firstSequence(): number {
    return this.#files[0]!.header.firstSequence
  }

  /** Of all files. */
  get bytes(): number {
    return this.#files.reduce((sum, file) => sum + file.writtenBytes, 0)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Adds a transaction that follows all others, and gives its number. See `begin`. */
  append(transaction: NewTransaction): number {
    const writer = this.begin(transaction)
    try {
      for (const change of transaction.changes) writer.add(change)
      return writer.commit()
    } catch (error) {
      writer.abort()
      throw error
    }
  }

  /**
   * Begins a transaction whose changes come one by one, for instance over several turns of the event loop; at most one at a time. What is written and
   * cannot be (a full disk) throws what the system says; the log is then as before once it is aborted.
   */
  begin(head: Omit<NewTransaction, 'changes'>): TransactionWriter {
    this.#checkWritable()
    checkPosition(head.position)
    this.#rotate()
    const writer = this.#writer({ ...head, position: new Uint8Array(head.position ?? NO_POSITION) })
    this.#writing = writer
    return writer
  }

  /**
   * Adds short transactions, one after the other, with one write: a process that is killed meanwhile leaves all of them or none. Gives the number of the last. What cannot be written throws what
   * the system says; the log is then as before.
   */
  appendAll(transactions: readonly NewTransaction[]): number {
    this.#checkWritable()
    for (const { position } of transactions) checkPosition(position)
    this.#rotate()
    const file = this.lastFile
    let sequence = this.#sequence
    const records: { flags: number; sequence: number; content: Uint8Array }[] = []
    for (const { changes, position = NO_POSITION, ...head } of transactions) {
      sequence++
      for (const record of recordsOf({ ...head, position }, changes)) records.push({ sequence, ...record })
    }
    try {
      file.writeTogether(records)
    } catch (error) {
      file.rollBack()
      throw error
    }
    const last = transactions.at(-1)
    if (last !== undefined) file.commit(sequence, last.committed)
    this.#sequence = sequence
    this.#position = new Uint8Array(last?.position ?? this.#position)
    for (const { tables } of transactions) for (const table of tables) this.#tables.set(table.name, table)
    if (last !== undefined) for (const listener of [...this.#listeners]) listener.appended()
    return sequence
  }

  /** Begins a new epoch: all that was kept goes, consumers are told to begin anew. `tables`: those that are followed now. */
  reset(tables: Iterable<FollowedTable> = []): void {
    this.#writing?.abort()
    this.#epoch = newEpoch(this.options.databaseId)
    this.#sequence = 0
    this.#position = new Uint8Array(0)
    this.#tables.clear()
    for (const table of tables) this.#tables.set(table.name, table)
    this.#begin((this.#files.at(-1)?.header.number ?? 0) + 1)
    for (const listener of [...this.#listeners]) listener.restarted()
  }

  /** Whether a cursor can be continued without a gap. */
  covers({ epoch, sequence }: RowCursor): boolean {
    return epoch === this.#epoch && sequence <= this.#sequence && sequence + 1 >= this.firstSequence
  }

  /** Whether a cursor is of this database, of whatever epoch. */
  isOf(cursor: RowCursor): boolean {
    return belongsTo(cursor, this.options.databaseId)
  }

  /** Transactions behind `sequence`, as many as there are and as they come. */
  reader(sequence: number): LogReader {
    return new LogReader(this, sequence)
  }

  listen(listener: LogListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Lets go of what is older than is kept; to be called now and then while nothing is appended. */
  maintain(): void {
    if (this.#closed || this.#writing) return
    const oldest = this.#now() - this.#retainedMs
    const last = this.#files.at(-1)!
    if (!last.isEmpty && last.lastAt < oldest) this.#addFile(last.header.number + 1)
    while (this.#files.length > 1) {
      const [file] = this.#files
      const isOld = file!.lastAt < this.#now() - (this.options.graceMs ?? GRACE_MS)
      const isTooMuch = this.bytes > this.#retainedBytes * (isOld ? 1 : GRACE_SHARE)
      if (!isTooMuch && this.#files.length <= MAX_FILES && file!.lastAt >= oldest) break
      this.#files.shift()
      file!.remove()
    }
  }

  /** Puts everything on the disk. The log is of no use afterwards. */
  close(): void {
    if (this.#closed) return
    this.#writing?.abort()
    this.#closed = true
    try {
      for (const file of this.#files) file.sync()
      this.#mark(true)
    } finally {
      for (const file of this.#files) file.close()
    }
  }

  // ---- For readers

  get lastFile(): LogFile {
    return this.#files.at(-1)!
  }

  holds(file: LogFile): boolean {
    return this.#files.includes(file)
  }

  /** The file that has a transaction, or will have it; undefined if it was let go. */
  fileOf(sequence: number): LogFile | undefined {
    return this.#files.findLast(file => file.header.firstSequence <= sequence)
  }

  fileAfter(file: LogFile): LogFile | undefined {
    return this.#files[this.#files.indexOf(file) + 1]
  }

  // ---- Inside

  #checkWritable(): void {
    if (this.#closed) throw new UnavailableError(`the log of changes of ${JSON.stringify(this.options.name)} is closed`)
    if (this.#writing) throw new InvalidInputError('transaction', 'the one before to be ended', 'one that is open')
  }

  #writer(head: TransactionHead): TransactionWriter {
    const file = this.lastFile
    const sequence = this.#sequence + 1
    const parts = new PartBuilder()
    let isFirst = true
    let isOpen = true
    const write = (isLast: boolean): void => {
      const { flags, content } = recordOf(head, parts.take(), isFirst, isLast)
      file.write(flags, sequence, content)
      isFirst = false
    }
    const end = (): void => {
      isOpen = false
      this.#writing = undefined
    }
    return {
      add: change => {
        if (!isOpen) throw new InvalidInputError('transaction', 'one that is open', 'one that has ended')
        // A full part is written when more follows, so that the last one is known as such.
        if (parts.isFull) write(false)
        parts.add(change)
      },
      commit: () => {
        if (!isOpen) throw new InvalidInputError('transaction', 'one that is open', 'one that has ended')
        write(true)
        end()
        file.commit(sequence, head.committed)
        this.#sequence = sequence
        this.#position = head.position
        for (const table of head.tables) this.#tables.set(table.name, table)
        for (const listener of [...this.#listeners]) listener.appended()
        return sequence
      },
      abort: () => {
        if (!isOpen) return
        end()
        file.rollBack()
      },
    }
  }

  /** A new file where the last one is long enough; what is too much is let go. */
  #rotate(): void {
    const last = this.lastFile
    if (last.writtenBytes < this.#retainedBytes / FILES_WHEN_FULL) return
    this.#addFile(last.header.number + 1)
    this.maintain()
  }

  #addFile(number: number): void {
    const catalogue = encodeCatalogue({ position: this.#position, tables: [...this.#tables.values()] })
    const header = { epoch: this.#epoch, number, firstSequence: this.#sequence + 1, created: this.#now() }
    const file = LogFile.create(this.directory, header, catalogue, this.options.encryptionKey)
    this.#files.at(-1)?.close()
    this.#files.push(file)
  }

  /** The first file of an epoch; all others go. */
  #begin(number: number): void {
    const former = this.#files
    this.#files = []
    for (const file of former) file.remove()
    for (const name of readdirSync(this.directory)) rmSync(join(this.directory, name), { force: true })
    this.#mark(false)
    this.#addFile(number)
  }

  #mark(closed: boolean): void {
    writeMark(this.directory, { epoch: this.#epoch, boot: this.#boot, closed, sequence: this.#sequence })
  }
}

function checkPosition(position: Uint8Array = NO_POSITION): void {
  if (position.byteLength > MAX_POSITION_BYTES)
    throw new InvalidInputError('position', `at most ${MAX_POSITION_BYTES} bytes`, `${position.byteLength}`)
}
