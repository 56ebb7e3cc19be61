import { CorruptFileError } from '@hotpath/model'
import {
  type Checksum,
  frameOffset,
  LogOverwrittenError,
  parseWalHeader,
  parseWalIndex,
  WAL_HEADER_BYTES,
  WAL_INDEX_BYTES,
  type WalCommit,
  type WalHeader,
  type WalIndexHeader,
  WalPages,
  type WalPosition,
  WalReader,
} from '@hotpath/sqlite'
import type { DatabaseEvents } from './database-events.js'
import { OpenFile } from './open-file.js'
import { PageOverlay } from './page-overlay.js'

/** A transaction of the writer, with the pages that it wrote as they are stored. */
export interface LoggedCommit {
  readonly pages: PageOverlay
  /** Of the database afterwards. */
  readonly pageCount: number
  /** Where it ends. */
  readonly position: LogPosition
}

/** Up to where a log was taken. */
export interface LogPosition {
  readonly salt1: number
  readonly salt2: number
  readonly frame: number
  readonly checksum: Checksum
}

/** `missed`: what happened since is not all in the log any more, only a comparison tells. */
export type Advance = 'same' | 'advanced' | 'missed'

/** Before the page of a frame. */
const FRAME_HEADER_BYTES = 24
/** The header of an index is there twice; of the first copy, which is written last. */
const WAL_INDEX_COPY_BYTES = 48
/** Resets of the log in a row that are believed to be nothing else: each adds one to the first salt. */
const MAX_RESETS = 8
/** How often a header is read that is being written, or that says more than the log has, before it is left for later. */
const ATTEMPTS = 3

/**
 * Reads the log of a database (`-wal`) as it grows, and notices when it begins again. What is published is what its index (`-shm`) says;
 * without one (a writer that locks everybody out) all commits that are whole. Opens nothing for writing and takes no lock: a log that is
 * overwritten meanwhile is noticed by salts and checksums.
 */
export class LogTracker {
  #log: OpenFile | undefined
  #index: OpenFile | undefined
  #reader: WalReader | undefined
  /** Of the index, when the log was last taken; undefined where there is no index. */
  #changeCounter: number | undefined
  /** The header of the index up to which all was taken, as its bytes; undefined where something may be left. */
  #takenHeader: Uint8Array | undefined
  /** The header of the index that was read last. */
  #readIndex: Uint8Array | undefined
  readonly #lookedAt = new Uint8Array(WAL_INDEX_COPY_BYTES)
  /** Salts of a log that has no frames yet. */
  #emptySalts: readonly [number, number] | undefined
  #logsSeen = 0

  /**
   * @param spillFile where the pages of a transaction go for which there is no memory
   * @param memoryBytes of the pages of one transaction
   */
  constructor(
    private readonly path: string,
    private readonly events: DatabaseEvents,
    private readonly spillFile: string,
    private readonly memoryBytes: number,
  ) {}

  /** Undefined: there is no log, or nothing in it. */
  get position(): LogPosition | undefined {
    return this.#reader === undefined ? undefined : positionOf(this.#reader)
  }

  get hasLog(): boolean {
    return this.#log !== undefined
  }

  get pageSize(): number | undefined {
    return this.#reader?.header.pageSize
  }

  /** Begins anew, at the first frame of the log that there is now. */
  begin(): void {
    this.close()
    this.events.take()
    this.#logsSeen = this.events.logsMade
    this.#open()
    this.events.forget(this.#log !== undefined)
  }

  /** Goes on where an earlier process ended; false if the log is not the same any more. */
  resume(position: LogPosition): boolean {
    this.begin()
    const header = this.#readHeader()
    if (header === undefined || header.salt1 !== position.salt1 || header.salt2 !== position.salt2) return false
    const published = this.#published(true)
    if (published === undefined || published.salt1 !== header.salt1 || published.salt2 !== header.salt2) return false
    if (published.mxFrame < position.frame) return false
    this.#reader = new WalReader(this.#source(), header, position)
    return true
  }

  /** Hands out what was committed since the last call. Whoever takes a commit must not keep its pages. */
  advance(take: (commit: LoggedCommit) => void): Advance {
    const { events } = this
    events.take()
    if (events.lost) return 'missed'
    let result: Advance = 'same'
    const add = (more: Advance): boolean => {
      if (more !== 'same') result = more
      return more !== 'missed'
    }
    if (this.#log !== undefined) {
      const isCurrent = this.#log.isCurrent
      if (isCurrent) this.#followIndex()
      // What was committed until it went is in it still, and in its index, for who has them open.
      if (!add(this.#take(take, isCurrent))) return 'missed'
      if (isCurrent) return result
      this.#closeLog()
    }
    if (events.writtenWithoutLog) return 'missed'
    const seen = this.#logsSeen
    const isOpened = this.#open()
    if (events.lost || events.writtenWithoutLog || events.hasPassed(seen, isOpened)) return 'missed'
    if (!isOpened) return result
    // All that was committed to it is in it, unless it began again already.
    this.#changeCounter = 0
    return add(this.#take(take, true)) ? result : 'missed'
  }

  /** Whether something may be published that was not taken. For whoever looks often: one read. */
  get hasNews(): boolean {
    const taken = this.#takenHeader
    if (taken === undefined || this.#index === undefined) return true
    this.#index.readInto(this.#lookedAt, 0)
    return Buffer.compare(this.#lookedAt, taken) !== 0
  }

  /** Whether there is an index, so that a look at it tells of commits. */
  get hasIndex(): boolean {
    return this.#index !== undefined
  }

  /** Whether frames are written that nobody may see yet: a transaction is under way, or one is being synced and will be published without an event. */
  get hasUnpublished(): boolean {
    const log = this.#log
    if (log === undefined || this.#index === undefined) return false
    const salts = this.#reader === undefined ? this.#emptySalts : [this.#reader.header.salt1, this.#reader.header.salt2]
    const header = this.#reader?.header ?? this.#readHeader()
    // Opened, and nothing was ever published.
    if (salts === undefined || header === undefined) return true
    const frame = log.read(frameOffset(header, (this.#reader?.position.frame ?? 0) + 1), FRAME_HEADER_BYTES)
    return uint32(frame, 8) === salts[0] && uint32(frame, 12) === salts[1]
  }

  close(): void {
    this.#closeLog()
    this.#changeCounter = undefined
  }

  #closeLog(): void {
    this.#log?.close()
    this.#index?.close()
    this.#log = undefined
    this.#index = undefined
    this.#reader = undefined
    this.#emptySalts = undefined
    this.#changeCounter = undefined
    this.#takenHeader = undefined
  }

  /** Opens the log if there is one that has something. */
  #open(): boolean {
    for (;;) {
      const log = OpenFile.open(`${this.path}-wal`)
      if (log === undefined) return false
      if (log.sizeBytes < WAL_HEADER_BYTES) {
        log.close()
        return false
      }
      const index = OpenFile.open(`${this.path}-shm`)
      // All logs up to this one were made before now.
      this.events.take()
      if (log.isCurrent) {
        this.#log = log
        this.#index = index
        this.#logsSeen = this.events.logsMade
        return true
      }
      log.close()
      index?.close()
    }
  }

  #take(take: (commit: LoggedCommit) => void, isCurrent: boolean): Advance {
    this.#takenHeader = undefined
    for (let attempt = 1; ; attempt++) {
      const published = this.#published(isCurrent)
      if (published === undefined) return 'same'
      const result = this.#takePublished(published, take)
      if (result !== undefined) return result
      // It began again while it was read, or what is published is not in the file (a power failure): the next to open it repairs that.
      if (attempt === ATTEMPTS) return 'same'
    }
  }

  /** Undefined: something changed meanwhile. */
  #takePublished(published: WalIndexHeader, take: (commit: LoggedCommit) => void): Advance | undefined {
    const reader = this.#reader
    if (reader !== undefined && published.salt1 === reader.header.salt1 && published.salt2 === reader.header.salt2) {
      if (published.mxFrame < reader.position.frame) return 'missed'
      const { count, isWhole } = this.#commits(reader, published.mxFrame, take)
      if (isWhole) {
        this.#changeCounter = this.#counterOf(published)
        this.#allTaken()
      } else if (this.#index !== undefined) return count > 0 ? 'advanced' : undefined
      return count > 0 ? 'advanced' : 'same'
    }
    return this.#beginAgain(published, take)
  }

  /** The log began at its first frame again, or is new. */
  #beginAgain(published: WalIndexHeader, take: (commit: LoggedCommit) => void): Advance | undefined {
    const { mxFrame, salt1, salt2 } = published
    const counter = this.#counterOf(published)
    const header = mxFrame === 0 ? undefined : this.#readHeader()
    if (mxFrame > 0 && (header?.salt1 !== salt1 || header?.salt2 !== salt2)) return undefined
    const former = this.#reader
    const next = header === undefined ? undefined : new WalReader(this.#source(), header)
    let tail = 0
    if (former !== undefined) {
      const resets = (salt1 - former.header.salt1) >>> 0
      if (resets < 1 || resets > MAX_RESETS || this.#changeCounter === undefined || counter === undefined)
        return 'missed'
      // The end of the log before stands until the new one is as long.
      tail = this.#commits(former, Number.MAX_SAFE_INTEGER, take).count
    }
    const isNew = former === undefined && this.#emptySalts === undefined
    if (isNew && this.#changeCounter !== undefined) {
      // Of a new log the first life is read from its beginning, or it is not known what was before.
      if (header === undefined ? salt1 !== 0 || salt2 !== 0 : header.checkpointSequence > 0) return 'missed'
    }
    // After a recovery transactions are counted from none: sums that fit would mean nothing.
    this.events.take()
    if (!isNew && this.events.indexWritten) return 'missed'
    if (this.#changeCounter !== undefined && counter !== undefined) {
      const fresh = header === undefined ? 0 : countCommits(new WalReader(this.#source(), header), mxFrame)
      if (fresh === undefined) return undefined
      if ((counter - this.#changeCounter) >>> 0 !== tail + fresh) return 'missed'
    }
    this.#reader = next
    this.#emptySalts = next === undefined && (salt1 !== 0 || salt2 !== 0) ? [salt1, salt2] : undefined
    if (next === undefined) {
      this.#changeCounter = counter
      return tail > 0 ? 'advanced' : 'same'
    }
    const { count, isWhole } = this.#commits(next, mxFrame, take)
    if (isWhole) this.#allTaken()
    // What is left of it is counted with the next.
    this.#changeCounter =
      isWhole || counter === undefined || this.#changeCounter === undefined
        ? counter
        : (this.#changeCounter + tail + count) >>> 0
    return tail + count > 0 ? 'advanced' : 'same'
  }

  /** Hands out commits up to a frame; whole: up to exactly that. */
  #commits(
    reader: WalReader,
    mxFrame: number,
    take: (commit: LoggedCommit) => void,
  ): { readonly count: number; readonly isWhole: boolean } {
    for (let count = 0; ; count++) {
      const before = reader.position
      const commit = reader.next(mxFrame)
      if (commit.kind === 'end') return { count, isWhole: commit.why === 'limit' && commit.uncommitted === 0 }
      const pages = new PageOverlay(reader.header.pageSize, this.spillFile, this.memoryBytes)
      try {
        if (!copyPages(reader, commit, pages) || !this.#isIntact(reader.header, before, commit)) {
          this.#reader = this.#reader === reader ? new WalReader(this.#source(), reader.header, before) : this.#reader
          return { count, isWhole: false }
        }
        take({ pages, pageCount: commit.pageCount, position: positionOf(reader) })
      } finally {
        pages.close()
      }
    }
  }

  /** Whether the frames of a commit are what they were when they were checked. */
  #isIntact(header: WalHeader, before: WalPosition, commit: WalCommit): boolean {
    const now = this.#readHeader()
    // The header is written before the first frame.
    if (now?.salt1 === header.salt1 && now.salt2 === header.salt2) return true
    const again = new WalReader(this.#source(), header, before).next(commit.lastFrame)
    return again.kind === 'commit' && again.lastFrame === commit.lastFrame
  }

  /** Up to the header that was read last. */
  #allTaken(): void {
    this.events.indexWritten = false
    this.#takenHeader = this.#index === undefined ? undefined : this.#readIndex
  }

  #openIndex(): void {
    const index = OpenFile.open(`${this.path}-shm`)
    // If the log is still there, it is its own.
    if (this.#log!.isCurrent) this.#index = index
    else index?.close()
  }

  /** An index can be made anew while the log stays. */
  #followIndex(): void {
    if (this.#index === undefined || this.#index.isCurrent) return
    this.#index.close()
    this.#index = undefined
    this.#takenHeader = undefined
    // Its transactions are counted anew.
    this.#changeCounter = undefined
  }

  #counterOf(published: WalIndexHeader): number | undefined {
    return this.#index === undefined ? undefined : published.changeCounter
  }

  /** What readers may see. Undefined: it is being written, or there is nothing. @param isCurrent else an index by that name is another log's */
  #published(isCurrent: boolean): WalIndexHeader | undefined {
    if (this.#index === undefined) {
      // Made after the log was. It goes before the log does.
      if (isCurrent) this.#openIndex()
      if (this.#index === undefined) return this.#allOfLog()
    }
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const bytes = this.#index.read(0, WAL_INDEX_BYTES)
      try {
        const index = parseWalIndex({ file: this.#index.path, bytes, offset: 0 })
        if (index !== undefined) {
          this.#readIndex = bytes.subarray(0, WAL_INDEX_COPY_BYTES)
          return index.header
        }
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
      }
    }
    return undefined
  }

  #allOfLog(): WalIndexHeader | undefined {
    const header = this.#readHeader()
    if (header === undefined) return undefined
    const { salt1, salt2, pageSize, checksum, bigEndian } = header
    return {
      changeCounter: 0,
      bigEndianChecksums: bigEndian,
      pageSize,
      mxFrame: Number.MAX_SAFE_INTEGER,
      pageCount: 0,
      frameChecksum: checksum,
      salt1,
      salt2,
    }
  }

  /** Undefined where it is none that SQLite would take. */
  #readHeader(): WalHeader | undefined {
    const log = this.#log
    if (log === undefined) return undefined
    try {
      return parseWalHeader({ file: log.path, bytes: log.read(0, WAL_HEADER_BYTES), offset: 0 })
    } catch (error) {
      if (error instanceof CorruptFileError) return undefined
      throw error
    }
  }

  #source() {
    const log = this.#log!
    return { file: log.path, read: (offset: number, target: Uint8Array) => log.readInto(target, offset) }
  }
}

function positionOf(reader: WalReader): LogPosition {
  const { salt1, salt2 } = reader.header
  return { salt1, salt2, ...reader.position }
}

/** False if the log began again meanwhile. */
function copyPages(reader: WalReader, commit: WalCommit, pages: PageOverlay): boolean {
  const from = new WalPages(reader.source, reader.header, commit.frames)
  try {
    for (const no of commit.frames.pages()) {
      // A page beyond the end was written and given back in the same transaction.
      const bytes = no <= commit.pageCount ? from.get(no) : undefined
      if (bytes !== undefined) pages.set(no, bytes)
    }
    return true
  } catch (error) {
    if (error instanceof LogOverwrittenError) return false
    throw error
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)
}

/** Commits up to a frame; undefined if they do not end there. */
function countCommits(reader: WalReader, mxFrame: number): number | undefined {
  for (let count = 0; ; count++) {
    const commit = reader.next(mxFrame)
    if (commit.kind === 'end') return commit.why === 'limit' && commit.uncommitted === 0 ? count : undefined
  }
}
