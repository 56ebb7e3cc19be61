import {
  type ChangeBatch,
  type EntryColumns,
  InvalidInputError,
  KIND_MASK,
  KIND_STUB,
  Kind,
  NO_DIRECTORY,
  TIME_COLUMNS,
  UnavailableError,
} from '@hotpath/model'
import { applyBatch, presentDirectories } from './apply.js'
import { refAt } from './entry-row.js'
import { ScanDirectories } from './scan-directories.js'
import type { NewSegment, SegmentState } from './segment-state.js'
import { type NameFilter, nameHash, Slice } from './slice.js'
import type { View } from './view.js'

/** Slices that may wait to be built before `received` is held back: two of 500,000 rows are about 70 MB. */
const MAX_WAITING_SLICES = 2

/** Rows that are copied at once; those behind a row that is left out are copied again. */
const COPIED_ROWS = 1_024

/** When directories of a batch were listed. */
export interface Listing {
  /** The scan's directory numbers. */
  readonly directory: Uint32Array
  /** Microseconds of the monotonic clock before the listing began. */
  readonly observed: Float64Array
}

export interface ReceivedEntries {
  /** False: this batch was here before; nothing was done. */
  readonly accepted: boolean
  /** Resolves when more batches are welcome. */
  readonly received: Promise<void>
  /** Resolves when the batch's rows are in a synced segment. */
  readonly durable: Promise<void>
}

export interface ScanHost {
  /** Builds a segment of the view and opens it. */
  buildSegment(rows: EntryColumns): Promise<NewSegment>
  /** A segment of a scan that was aborted meanwhile; nobody has seen it. */
  discardSegment(segment: SegmentState): void
  /** A slice has joined the view; operations are to be sent. */
  sliceInstalled(session: ScanSession, segment: SegmentState): void
}

export interface ScanOptions {
  /** Rows of a slice. */
  readonly sliceRows: number
  /** Rows of the first slice: smaller, so that a first scan shows something soon. */
  readonly firstSliceRows: number
  readonly bootId: string
  /** Rows of change batches that are kept while the scan runs. */
  readonly maxWaitingChanges: number
}

/** A row whose (directory, name) may be in an earlier slice, too. */
interface Suspect {
  readonly parent: number
  readonly name: Uint8Array
  /** 0 for files. */
  readonly directory: number
  readonly firstSlice: number
}

interface OpenSlice {
  readonly slice: Slice
  readonly suspects: Suspect[]
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * A scan that is building a view. Rows are collected into slices, each built into a segment. Changes that arrive
 * meanwhile wait and are applied when all slices are there and every directory's listing time is known: for one name
 * the later observation wins.
 */
export class ScanSession {
  entries = 0
  /** Rows that repeated or contradicted others and were left out. */
  skippedRows = 0
  lastSequence = 0
  /** Changes are no longer kept back: they go to the view at once. */
  live = false
  aborted = false
  /** Why the scan was given up. */
  failure: Error | undefined
  private readonly boot: number
  private readonly directories = new ScanDirectories()
  private readonly segments: SegmentState[] = []
  private readonly filters: NameFilter[] = []
  private readonly losers = new Set<number>()
  private readonly relist = new Set<number>()
  private readonly log: ChangeBatch[] = []
  private logRows = 0
  private current: OpenSlice
  /** Memory of a slice that was built, for the next one: pages that were never touched are dear. */
  private spare: EntryColumns | undefined
  private sliceNumber = 1
  private readonly waiting: Promise<void>[] = []
  private lastClosed: Promise<void> | undefined
  private building: Promise<void> = Promise.resolve()
  private rootId = NO_DIRECTORY
  /** Directories of which the slice needs stubs. */
  private readonly missing: number[] = []

  constructor(
    readonly epoch: number,
    readonly view: View,
    private readonly host: ScanHost,
    private readonly options: ScanOptions,
  ) {
    this.boot = view.bootIndex(options.bootId)
    this.current = openSlice(new Slice(options.sliceRows + COPIED_ROWS))
  }

  /** Slices installed. */
  get sliceCount(): number {
    return this.segments.length
  }

  /**
   * Takes a batch of rows in the scan's own directory numbers; a directory's row comes before those of its children.
   * Batches come in order: 1, 2, 3 …; earlier ones are ignored.
   * @throws InvalidInputError; the scan is of no use after that
   */
  add(sequence: number, entries: EntryColumns, listing: Listing): ReceivedEntries {
    if (this.failure) throw this.failure
    if (sequence <= this.lastSequence) {
      return { accepted: false, received: Promise.resolve(), durable: this.lastRows() }
    }
    if (sequence !== this.lastSequence + 1) {
      throw new InvalidInputError('scan batch', `sequence ${this.lastSequence + 1}`, `${sequence}`)
    }
    checkEntries(entries)
    this.noteListing(listing, false)
    for (let row = 0; row < entries.count; ) row = this.addRows(entries, row)
    this.noteListing(listing, true)
    this.lastSequence = sequence
    const done = this.lastRows()
    const held = this.waiting.length >= MAX_WAITING_SLICES ? this.waiting[0] : Promise.resolve()
    return { accepted: true, received: held, durable: done }
  }

  /** Keeps a change batch until the scan is complete. @returns false if there are too many: the scan has failed then */
  keep(batch: ChangeBatch): boolean {
    this.log.push(batch)
    this.logRows += batch.changes.entries.count
    if (this.logRows <= this.options.maxWaitingChanges) return true
    this.fail(new UnavailableError(`more than ${this.options.maxWaitingChanges} changes during a scan`))
    return false
  }

  fail(error: Error): void {
    if (this.failure) return
    this.failure = error
    this.log.length = 0
    this.current.reject(error)
  }

  /** Builds what is left and waits for all slices. @throws what building threw; InvalidInputError without a root row */
  async finishSlices(): Promise<void> {
    if (this.failure) throw this.failure
    if (this.rootId === NO_DIRECTORY) throw new InvalidInputError('scan', 'a row of the root', 'none')
    if (this.current.slice.count > 0) this.closeSlice(true)
    await this.building
    if (this.failure) throw this.failure
    this.view.nextDirectoryId = this.directories.count + 1
    this.view.impliedDirectories = this.directories.hasImplied()
    this.view.listedAt = dirId => {
      const time = this.directories.listedAt(dirId)
      return Number.isNaN(time) ? undefined : { boot: this.boot, time }
    }
    for (const id of this.directories.unlisted()) this.view.unread.add(id)
    for (const loser of this.losers) if (loser !== this.rootId) this.view.removeSubtree(loser)
    for (const dirId of this.relist) if (this.view.parentOf(dirId) >= 0) this.view.unlisted.add(dirId)
  }

  /**
   * Applies the changes that were kept, a batch a turn of the event loop; `applied` is called after each.
   * When it resolves, `live` is true.
   */
  async drain(applied: () => void): Promise<void> {
    const last = new Map<string, readonly [batch: number, row: number]>()
    for (let next = 0, indexed = 0; next < this.log.length; next++) {
      for (; indexed < this.log.length; indexed++) {
        for (const [ref, row] of presentDirectories(this.log[indexed].changes)) last.set(ref, [indexed, row])
      }
      applyBatch(this.view, this.log[next], (ref, row) => {
        const at = last.get(ref)
        return at !== undefined && (at[0] > next || (at[0] === next && at[1] > row))
      })
      applied()
      await new Promise(setImmediate)
      if (this.failure) throw this.failure
    }
    this.log.length = 0
    this.live = true
  }

  /** Resolves when nothing is being built any more; never rejects. */
  async idle(): Promise<void> {
    await this.building
  }

  /** Resolves when the rows received so far are in synced segments. */
  private lastRows(): Promise<void> {
    return this.current.slice.count > 0 ? this.current.done : (this.lastClosed ?? Promise.resolve())
  }

  private noteListing({ directory, observed }: Listing, complain: boolean): void {
    if (directory.length !== observed.length) {
      throw new InvalidInputError('listing times', `${directory.length} times`, `${observed.length}`)
    }
    for (let i = 0; i < directory.length; i++) {
      const id = this.directories.idOf(directory[i])
      if (id !== NO_DIRECTORY) this.directories.setListed(id, observed[i])
      else if (complain) throw new InvalidInputError('listed directory', 'a number with a row', `${directory[i]}`)
    }
  }

  /**
   * Adds rows from `from` on, one copy for many of them, until the batch ends, the slice is full, or a row is left out.
   * @returns the row that is next
   */
  private addRows(entries: EntryColumns, from: number): number {
    const limit = this.sliceNumber === 1 ? this.options.firstSliceRows : this.options.sliceRows
    const { slice } = this.current
    const to = Math.min(entries.count, from + COPIED_ROWS, from + Math.max(1, limit - slice.count))
    const first = slice.rows.addRange(entries, from, to)
    let row = from
    let kept = true
    for (; row < to && kept; row++) kept = this.takeRow(entries, row, first + row - from)
    if (!kept) slice.rows.truncate(first + row - 1 - from)
    for (const id of this.missing) this.addStub(id)
    this.missing.length = 0
    if (slice.count >= limit) this.closeSlice()
    return row
  }

  /** Gives row `at` of the slice, a copy of the batch's, its place; false: it is left out. */
  private takeRow(entries: EntryColumns, row: number, at: number): boolean {
    const { slice } = this.current
    const parentNumber = entries.parent[row]
    const from = entries.nameOffsets[row]
    const to = entries.nameOffsets[row + 1]
    const isDirectory = (entries.kind[row] & KIND_MASK) === Kind.directory
    const parent = this.parentOfRow(parentNumber, row, isDirectory, from === to)
    const hash = nameHash(parent, entries.names, from, to)
    const same = slice.find(hash, parent, entries.names, from, to)
    let directory = NO_DIRECTORY
    if (isDirectory) directory = this.directoryOfRow(entries, row, parent, same)
    else if (same >= 0 && !this.mayAddFile(entries, row, parent, same)) return false
    if (directory < 0) return false
    slice.adopt(at, parent, directory, hash, same)
    if ((entries.kind[row] & KIND_STUB) === 0) {
      this.entries++
      if (isDirectory) this.noteRef(entries, row, directory, parent)
    }
    this.noteAncestors(parent)
    if (parent !== NO_DIRECTORY) this.suspect(entries, row, parent, directory, hash)
    return true
  }

  /** Directory id of a row's parent. @throws InvalidInputError if the row can have no such parent */
  private parentOfRow(parentNumber: number, row: number, isDirectory: boolean, isNameless: boolean): number {
    if (parentNumber === NO_DIRECTORY) {
      if (!isDirectory) throw new InvalidInputError(`scan row ${row}`, 'a parent', 'none')
      return NO_DIRECTORY
    }
    const parent = this.directories.idOf(parentNumber)
    if (parent === NO_DIRECTORY || !this.directories.isKnown(parent)) {
      throw new InvalidInputError(`scan row ${row}`, 'a row of its parent before it', `number ${parentNumber}`)
    }
    if (isNameless && !(isDirectory && parent === this.rootId)) {
      // Below a virtual root the empty name is the first component of absolute paths; nothing else has no name.
      throw new InvalidInputError(`scan row ${row}`, 'a name', 'none')
    }
    return parent
  }

  /** Whether a file joins the slice that has a row of its directory and name. */
  private mayAddFile(entries: EntryColumns, row: number, parent: number, same: number): boolean {
    const { slice } = this.current
    if (slice.isFile(same)) {
      // In place, so that there is one row to take away if a directory of this name follows.
      this.skippedRows++
      slice.replace(same, entries, row)
      return false
    }
    if ((slice.rows.kind[same] & KIND_STUB) !== 0) return true
    this.skippedRows++
    this.relist.add(parent)
    return false
  }

  /** @returns the directory's id, or -1 if the row says nothing new */
  private directoryOfRow(entries: EntryColumns, row: number, parent: number, same: number): number {
    const { directories } = this
    const { slice } = this.current
    const number = entries.directory[row]
    const from = entries.nameOffsets[row]
    const to = entries.nameOffsets[row + 1]
    const isStub = (entries.kind[row] & KIND_STUB) !== 0
    const other = same >= 0 ? slice.rows.directory[same] : NO_DIRECTORY
    let id = directories.idOf(number)
    if (id === NO_DIRECTORY && other !== NO_DIRECTORY) {
      // Two directories took turns under one name while it was listed: one stays, and is listed again.
      directories.alias(number, other)
      this.relist.add(other)
      id = other
    }
    if (id === NO_DIRECTORY) id = directories.intern(number)
    if (parent === NO_DIRECTORY) this.rootId ||= id
    if (parent === NO_DIRECTORY && id !== this.rootId)
      throw new InvalidInputError('scan', 'one root', `number ${number}`)
    if (directories.isKnown(id)) {
      if (
        directories.parentOf(id) !== parent ||
        Buffer.compare(directories.nameOf(id), entries.names.subarray(from, to)) !== 0
      ) {
        throw new InvalidInputError('directory number', 'one place', `number ${number} in two`)
      }
      if (isStub) return -1
    }
    if (same >= 0 && slice.isFile(same)) {
      if (isStub) {
        // A list that names a directory as a plain path: the entry stays what it is, its children hang on the stub.
        directories.define(id, parent, entries.kind[row], entries.names, from, to)
        directories.putInSlice(id, this.sliceNumber)
        this.missing.push(id)
        return -1
      }
      slice.yieldTo(same, id)
      this.entries--
    } else if (same >= 0 && !isStub && (slice.rows.kind[same] & KIND_STUB) === 0) {
      this.skippedRows++
      this.entries--
    }
    directories.define(id, parent, entries.kind[row], entries.names, from, to)
    directories.putInSlice(id, this.sliceNumber)
    return id
  }

  private noteRef(entries: EntryColumns, row: number, id: number, parent: number): void {
    const ref = refAt(entries.ref, row)
    if (ref) this.noteNode(id, parent, this.directories.setRef(id, ref))
  }

  /** A directory that was met at two places moved during the scan: the place that was listed later counts. */
  private noteNode(id: number, parent: number, other: number): void {
    if (other === NO_DIRECTORY) return
    const here = this.directories.listedAt(parent)
    const there = this.directories.listedAt(this.directories.parentOf(other))
    if (there > here) {
      this.losers.add(id)
      this.directories.prefer(other)
    } else this.losers.add(other)
  }

  /** Ancestors that the slice has no rows of get stubs, behind the rows that are being added. */
  private noteAncestors(parent: number): void {
    const { directories, sliceNumber } = this
    for (
      let id = parent;
      id !== NO_DIRECTORY && !directories.isInSlice(id, sliceNumber);
      id = directories.parentOf(id)
    ) {
      directories.putInSlice(id, sliceNumber)
      this.missing.push(id)
    }
  }

  private addStub(id: number): void {
    const { directories } = this
    const { slice } = this.current
    const row = slice.addStub(directories.parentOf(id), id, directories.nameOf(id))
    const ref = directories.refOf(id)
    if (ref) slice.rows.setRef(row, ref)
  }

  private suspect(entries: EntryColumns, row: number, parent: number, directory: number, hash: number): void {
    const firstSlice = this.directories.childIn(parent, this.sliceNumber)
    for (let slice = firstSlice; slice < this.sliceNumber; slice++) {
      if (!this.filters[slice - 1].mayHave(hash)) continue
      const name = new Uint8Array(entries.names.subarray(entries.nameOffsets[row], entries.nameOffsets[row + 1]))
      this.current.suspects.push({ parent, name, directory, firstSlice: slice })
      return
    }
  }

  private closeSlice(last = false): void {
    const closed = this.current
    if (!last) this.filters.push(closed.slice.filter())
    this.sliceNumber++
    this.current = openSlice(closed.slice.following(this.spare))
    this.spare = undefined
    this.waiting.push(closed.done)
    this.lastClosed = closed.done
    const rows = closed.slice.rows.views()
    this.building = this.building.then(async () => {
      try {
        if (!this.failure) {
          const { segment, rows: built } = await this.host.buildSegment(rows)
          this.spare = built
          if (this.failure) this.host.discardSegment(segment)
          else this.install(segment, closed.suspects)
        }
        closed.resolve()
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error))
        closed.reject(failure)
        this.fail(failure)
      }
      this.waiting.shift()
    })
  }

  private install(segment: SegmentState, suspects: readonly Suspect[]): void {
    for (const suspect of suspects) this.settle(segment, suspect)
    this.segments.push(segment)
    this.view.addSegment(segment)
    this.host.sliceInstalled(this, segment)
  }

  /** A (directory, name) that earlier slices may have, too, counts once: the last row wins, a directory beats a file. */
  private settle(segment: SegmentState, { parent, name, directory, firstSlice }: Suspect): void {
    const isStub = directory !== NO_DIRECTORY && segment.isStub(segment.findDir(directory))
    if (isStub) return
    for (let i = firstSlice - 1; i < this.segments.length; i++) {
      const earlier = this.segments[i]
      const repeated = directory === NO_DIRECTORY ? -1 : earlier.findDir(directory)
      if (repeated >= 0 && earlier.isLive(repeated)) this.takeBack(earlier, repeated)
      const local = earlier.findDir(parent)
      const entry = local < 0 ? -1 : earlier.findChild(local, name)
      if (entry < 0 || !earlier.isLive(entry)) continue
      if (entry >= earlier.dirCount) this.takeBack(earlier, entry)
      else if (directory !== NO_DIRECTORY) this.losers.add(earlier.dirIdOf(entry))
      else {
        const file = segment.findChild(segment.findDir(parent), name)
        if (file >= segment.dirCount) segment.kill(file, file + 1)
        this.skippedRows++
        this.entries--
        this.relist.add(parent)
      }
    }
  }

  private takeBack(segment: SegmentState, entry: number): void {
    this.view.removeRow({ segment, entry })
    this.skippedRows++
    this.entries--
  }
}

function openSlice(slice: Slice): OpenSlice {
  let resolve = (): void => {}
  let reject = (_error: Error): void => {}
  const done = new Promise<void>((onDone, onError) => {
    resolve = onDone
    reject = onError
  })
  // Who does not wait for a slice is told of its failure by the end of the scan.
  done.catch(() => {})
  return { slice, suspects: [], done, resolve, reject }
}

/** @throws InvalidInputError */
function checkEntries(entries: EntryColumns): void {
  const { count, nameOffsets, names } = entries
  const need = (what: string, length: number | undefined, expected: number): void => {
    if (length !== undefined && length !== expected)
      throw new InvalidInputError(`scan batch: ${what}`, `${expected} values`, `${length}`)
  }
  need('parent', entries.parent.length, count)
  need('directory', entries.directory.length, count)
  need('kind', entries.kind.length, count)
  need('size', entries.size.length, count)
  need('name offsets', nameOffsets.length, count + 1)
  need('attributes', entries.attributes?.length, count)
  for (const column of TIME_COLUMNS) {
    need(column, entries[column]?.seconds.length, count)
    need(column, entries[column]?.ticks.length, count)
  }
  for (const part of ['low', 'high', 'birth'] as const) need('ref', entries.ref?.[part].length, count)
  for (let row = 0; row < count; row++) {
    if (nameOffsets[row + 1] < nameOffsets[row]) throw new InvalidInputError('name offsets', 'ascending', `row ${row}`)
    if ((entries.kind[row] & ~(KIND_MASK | KIND_STUB)) !== 0 || (entries.kind[row] & KIND_MASK) > Kind.other) {
      throw new InvalidInputError(`scan row ${row}`, 'a known kind', `${entries.kind[row]}`)
    }
  }
  if (nameOffsets[0] !== 0 || nameOffsets[count] !== names.length) {
    throw new InvalidInputError('names', `${nameOffsets[count]} bytes`, `${names.length}`)
  }
}
