import { Kind } from '@hotpath/model'
import { FreeName } from './free-name.js'
import { EXTEND_RECORD, FIRST_USER_RECORD, ROOT_RECORD } from './layout.js'
import type { MftRows } from './mft-rows.js'
import { ORPHANED } from './orphaned-name.js'
import { namesWithStreams, type StreamRows } from './stream-rows.js'
import { WaitingDirectories } from './waiting-directories.js'

/** Directory number of the root. */
export const ROOT_NUMBER = 1

/** Where the entries of a volume go. Directories come before what is in them. */
export interface ListingSink {
  /** Whether a name is left out, and everything below it if it is a directory. Left out: none is. */
  leavesOut?(rows: MftRows, row: number, parent: number): boolean
  /** The row of the root itself. */
  root(rows: MftRows, row: number): void
  /** @param parent, directory numbers of directories; `directory` is 0 for what is none */
  entry(rows: MftRows, row: number, parent: number, directory: number): void
  /** Rows [start, end), files that have no other names, in one directory. Left out: each is told as an `entry`. */
  files?(rows: MftRows, start: number, end: number, parent: number): void
  /** An alternate stream of a node, beside its name. @param stream of the rows' streams */
  stream?(rows: MftRows, row: number, stream: number, parent: number): void
  /** A directory that stands for one that is gone, or for all of them (`record` NaN). */
  missing(name: string, record: number, sequence: number, parent: number, directory: number): void
  /** Rows that were given before may change now: what of them is wanted must have been copied. */
  endOfRows?(): void
}

const NOT_KNOWN = 0
/** Of directories that are not listed: NTFS's own, and what is left out. */
const HIDDEN = 0xffffffff
/** Directories that are listed before whoever takes them may send some. */
const SETTLED_TOGETHER = 8_192

/**
 * Brings names of a master file table, which come in the order of their records, into an order in which directories come before what is in
 * them. Two passes over the table: entries whose directory has a higher record number are only noted in the first one (a bit a
 * record), so memory is 6 bytes a record and what directories that wait take. Left out: files of NTFS itself (records below 24 but the root) and what is
 * below `$Extend`.
 *
 * Use: `take` the root, all pieces, and scattered records; `settle`; `take` again what is deferred.
 */
export class TableListing {
  readonly #numbers: Uint32Array
  readonly #sequences: Uint16Array
  readonly #deferred: Uint8Array
  readonly #waiting = new WaitingDirectories()
  readonly #sink: ListingSink
  /** Numbers of directories that stand for missing ones, by record and sequence. */
  readonly #missing = new Map<string, number>()
  #orphaned = NOT_KNOWN
  readonly #orphanedName = new FreeName(ORPHANED)
  #next = ROOT_NUMBER + 1
  /** Directories at which rings were opened. */
  readonly #opened = new Set<number>()
  #isSettled = false
  /** Streams of the node that is being taken: [start, end). */
  #streamStart = 0
  #streamEnd = 0

  /** @param records of the table */
  constructor(records: number, sink: ListingSink) {
    this.#numbers = new Uint32Array(records)
    this.#sequences = new Uint16Array(records)
    this.#deferred = new Uint8Array(Math.ceil(records / 8))
    this.#sink = sink
  }

  /** Takes the rows of a piece. Names of a node stand together. The root must be the first of all. */
  take(rows: MftRows): void {
    this.#streamStart = this.#streamEnd = 0
    for (let row = 0, end: number; row < rows.count; row = end) {
      end = this.#filesTogether(rows, row)
      if (end > row) {
        this.#takeFiles(rows, row, end)
        continue
      }
      const record = rows.record[row]!
      end = row + 1
      while (end < rows.count && rows.record[end] === record) end++
      if (record >= this.#numbers.length) continue
      if (rows.streams !== undefined) this.#findStreams(rows.streams, record)
      if (this.#isSettled) {
        if (this.isDeferred(record)) this.#listDeferred(rows, row, end)
      } else if (record < FIRST_USER_RECORD) this.#takeOwn(rows, row, record)
      else if (rows.kind[row] === Kind.directory) this.#takeDirectory(rows, row)
      else if (this.#mustWait(rows, row, end)) this.#defer(record)
      else this.#listFile(rows, row, end)
    }
    this.#sink.endOfRows?.()
  }

  /** All was taken: lists the directories that waited, some after each `next`. When it has ended, `take` lists what was noted. */
  *settling(): Generator<void> {
    let listed = 0
    for (const { rows, row, isInRing } of this.#waiting.inOrder()) {
      if (isInRing) this.#opened.add(rows.record[row]!)
      this.#listDirectory(rows, row, isInRing ? this.#missingOf(rows, row) : this.#parentOf(rows, row))
      if (++listed % SETTLED_TOGETHER === 0) yield
    }
    this.#sink.endOfRows?.()
    this.#isSettled = true
  }

  /** `settling` to its end. */
  settle(): void {
    for (const _ of this.settling());
  }

  /** Whether a record has to be taken again after `settle`. */
  isDeferred(record: number): boolean {
    return (this.#deferred[record >>> 3]! & (1 << (record & 7))) !== 0
  }

  /** Whether one of the records of a piece has. */
  hasDeferred(first: number, count: number): boolean {
    const end = Math.min(first + count, this.#numbers.length)
    for (let record = first; record < end; record++) {
      if ((record & 7) === 0) while (record + 8 <= end && this.#deferred[record >>> 3] === 0) record += 8
      if (record < end && this.isDeferred(record)) return true
    }
    return false
  }

  /**
   * End of the rows from `row` on that `#takeFiles` takes: files with one name in the same directory, which is not the root, and no streams are
   * wanted. Most files stand so, since names that were made together have records that follow each other.
   */
  #filesTogether(rows: MftRows, row: number): number {
    if (this.#isSettled || rows.streams !== undefined || this.#sink.files === undefined) return row
    const { count, record, kind, parent, parentSequence } = rows
    const [above, aboveSequence, known] = [parent[row]!, parentSequence[row]!, this.#numbers.length]
    if (above === ROOT_RECORD || record[row]! < FIRST_USER_RECORD) return row
    let end = row
    while (end < count && parent[end] === above && parentSequence[end] === aboveSequence) {
      if (kind[end] === Kind.directory || record[end]! >= known) break
      if (end + 1 < count && record[end + 1] === record[end]) break
      end++
    }
    return end
  }

  #takeFiles(rows: MftRows, start: number, end: number): void {
    if (!this.#isThere(rows, start)) for (let row = start; row < end; row++) this.#defer(rows.record[row]!)
    else {
      const parent = this.#numbers[rows.parent[start]!]!
      if (parent !== HIDDEN) this.#sink.files!(rows, start, end, parent)
    }
  }

  #takeOwn(rows: MftRows, row: number, record: number): void {
    if (this.#numbers[record] !== NOT_KNOWN) return
    if (record === ROOT_RECORD) {
      this.#know(rows, row, ROOT_NUMBER)
      this.#sink.root(rows, row)
    } else if (record === EXTEND_RECORD) this.#know(rows, row, HIDDEN)
  }

  #takeDirectory(rows: MftRows, row: number): void {
    if (!this.#mustWait(rows, row, row + 1)) {
      const parent = this.#parentOf(rows, row)
      if (this.#listDirectory(rows, row, parent)) this.#listStreams(rows, row, parent)
      return
    }
    this.#waiting.add(rows, row)
    // Of the directory itself all is kept.
    if (this.#streamStart < this.#streamEnd) this.#defer(rows.record[row]!)
  }

  /** False: it is not listed here. */
  #listDirectory(rows: MftRows, row: number, parent: number): boolean {
    const record = rows.record[row]!
    // A second name of a directory would be a second place of all that is below it.
    if (this.#numbers[record] !== NOT_KNOWN) return false
    const number = this.#isHidden(rows, row, parent) ? HIDDEN : this.#next++
    this.#know(rows, row, number)
    if (number !== HIDDEN) this.#sink.entry(rows, row, parent, number)
    return number !== HIDDEN
  }

  #listFile(rows: MftRows, start: number, end: number): void {
    const endOfRepeated = start + namesWithStreams(end - start, this.#streamEnd - this.#streamStart)
    for (let row = start; row < end; row++) {
      const parent = this.#parentOf(rows, row)
      if (this.#isHidden(rows, row, parent)) continue
      this.#sink.entry(rows, row, parent, 0)
      if (row < endOfRepeated) this.#listStreams(rows, row, parent)
    }
  }

  /** A file that waited, or the streams of a directory. */
  #listDeferred(rows: MftRows, row: number, end: number): void {
    const record = rows.record[row]!
    if (rows.kind[row] !== Kind.directory) this.#listFile(rows, row, end)
    else if (this.#numbers[record] !== NOT_KNOWN && this.#numbers[record] !== HIDDEN)
      this.#listStreams(rows, row, this.#opened.has(record) ? this.#missingOf(rows, row) : this.#parentOf(rows, row))
  }

  #listStreams(rows: MftRows, row: number, parent: number): void {
    for (let i = this.#streamStart; i < this.#streamEnd; i++) this.#sink.stream?.(rows, row, i, parent)
  }

  /** Streams stand in the order of their records, as rows do; some may be of records without rows. */
  #findStreams({ record, count }: StreamRows, wanted: number): void {
    let start = this.#streamEnd
    while (start < count && record[start]! < wanted) start++
    let end = start
    while (end < count && record[end] === wanted) end++
    this.#streamStart = start
    this.#streamEnd = end
  }

  #defer(record: number): void {
    this.#deferred[record >>> 3]! |= 1 << (record & 7)
  }

  #isHidden(rows: MftRows, row: number, parent: number): boolean {
    return parent === HIDDEN || this.#sink.leavesOut?.(rows, row, parent) === true
  }

  #know(rows: MftRows, row: number, number: number): void {
    const record = rows.record[row]!
    this.#numbers[record] = number
    this.#sequences[record] = rows.sequence[row]!
  }

  /** Whether the directory of one of some names may still come, or is gone: what stands for it has no name before all of the root are known. */
  #mustWait(rows: MftRows, start: number, end: number): boolean {
    let waits = false
    for (let row = start; row < end; row++) {
      const parent = rows.parent[row]!
      if (parent === ROOT_RECORD)
        this.#orphanedName.note(rows.names, rows.nameOffsets[row]!, rows.nameOffsets[row + 1]!)
      if (!this.#isThere(rows, row)) waits = true
    }
    return waits
  }

  /** Number of the directory that holds a name; of one that stands for it if it is gone. */
  #parentOf(rows: MftRows, row: number): number {
    return this.#isThere(rows, row) ? this.#numbers[rows.parent[row]!]! : this.#missingOf(rows, row)
  }

  /** Whether the directory of a name is known, and is not one that has its record by now. */
  #isThere(rows: MftRows, row: number): boolean {
    const parent = rows.parent[row]!
    if (parent >= this.#numbers.length) return false
    return this.#numbers[parent] !== NOT_KNOWN && this.#sequences[parent] === rows.parentSequence[row]
  }

  /** Names that had the same directory stay together: they are different from each other. */
  #missingOf(rows: MftRows, row: number): number {
    const record = rows.parent[row]!
    const sequence = rows.parentSequence[row]!
    const name = `${record}-${sequence}`
    const known = this.#missing.get(name)
    if (known !== undefined) return known
    if (this.#orphaned === NOT_KNOWN) {
      this.#orphaned = this.#next++
      this.#sink.missing(this.#orphanedName.free, Number.NaN, 0, ROOT_NUMBER, this.#orphaned)
    }
    const number = this.#next++
    this.#missing.set(name, number)
    this.#sink.missing(name, record, sequence, this.#orphaned, number)
    return number
  }
}
