import { type EntryColumns, InvalidInputError, KIND_MASK, KIND_STUB, Kind, NO_DIRECTORY } from '@hotpath/model'
import { refAt } from './entry-row.js'
import type { Suspect } from './repeated-rows.js'
import type { ScanDirectories } from './scan-directories.js'
import type { ScanFindings } from './scan-findings.js'
import { type NameFilter, nameHash, Slice } from './slice.js'
import { rowsOfNextSlice, type SliceLimits } from './slice-limits.js'

/** Rows that are copied at once; those behind a row that is left out are copied again. */
const COPIED_ROWS = 1_024

/** A slice that takes no more rows. */
export interface ClosedSlice {
  readonly rows: EntryColumns
  readonly suspects: readonly Suspect[]
}

/**
 * Rows of a scan on their way into slices: each gets its directory ids and its place in the slice that is open.
 *
 * A slice can be built into a segment alone: it has a row, if only a stub, of each ancestor of what it holds. Of each
 * (directory, name) it has one row that counts. What earlier slices may have, too, is noted as a suspect, for
 * RepeatedRows to look at when the segments are there. Cost: a look-up and a copy a row; this is what limits a scan.
 */
export class ScanRows {
  /** Directory id of the scan's root, NO_DIRECTORY until its row is here. */
  rootId = NO_DIRECTORY
  private slice: Slice
  private suspects: Suspect[] = []
  /** Of each slice before the open one. */
  private readonly filters: NameFilter[] = []
  private sliceNumber = 1
  /** Rows at which the open slice is full. */
  private fullRows: number
  /** Rows of the slices before it. */
  private closedRows = 0
  /** Directories of which the slice needs stubs. */
  private readonly missing: number[] = []

  constructor(
    private readonly directories: ScanDirectories,
    private readonly findings: ScanFindings,
    private readonly limits: SliceLimits,
    /** The slice is full and must be closed now. */
    private readonly onFull: () => void,
  ) {
    this.fullRows = limits.firstSliceRows
    this.slice = new Slice(this.fullRows + COPIED_ROWS, limits.sliceRows + COPIED_ROWS)
  }

  /** Rows of the open slice. */
  get count(): number {
    return this.slice.count
  }

  /** @throws InvalidInputError; the scan is of no use after that */
  add(entries: EntryColumns): void {
    for (let row = 0; row < entries.count; ) row = this.addRows(entries, row)
  }

  /**
   * Closes the open slice, and begins the next one in the memory of one that was built, if there is any. `isLast`: no
   * rows follow that could repeat a name of this slice.
   */
  close(spare: EntryColumns | undefined, isLast: boolean): ClosedSlice {
    const { slice, suspects } = this
    if (!isLast) this.filters.push(slice.filter())
    this.sliceNumber++
    this.closedRows += slice.count
    this.fullRows = rowsOfNextSlice(this.limits, this.closedRows)
    this.slice = slice.following(this.fullRows + COPIED_ROWS, spare)
    this.suspects = []
    return { rows: slice.rows.views(), suspects }
  }

  /**
   * Adds rows from `from` on, one copy for many of them, until the batch ends, the slice is full, or a row is left out.
   * @returns the row that is next
   */
  private addRows(entries: EntryColumns, from: number): number {
    const { slice, fullRows } = this
    const to = Math.min(entries.count, from + COPIED_ROWS, from + Math.max(1, fullRows - slice.count))
    const first = slice.rows.addRange(entries, from, to)
    let row = from
    let kept = true
    for (; row < to && kept; row++) kept = this.takeRow(entries, row, first + row - from)
    if (!kept) slice.rows.truncate(first + row - 1 - from)
    for (const id of this.missing) this.addStub(id)
    this.missing.length = 0
    if (slice.count >= fullRows) this.onFull()
    return row
  }

  /** Gives row `at` of the slice, a copy of the batch's, its place; false: it is left out. */
  private takeRow(entries: EntryColumns, row: number, at: number): boolean {
    const { slice } = this
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
      this.findings.entries++
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
    const { slice } = this
    if (slice.isFile(same)) {
      // In place, so that there is one row to take away if a directory of this name follows.
      this.findings.skippedRows++
      slice.replace(same, entries, row)
      return false
    }
    if ((slice.rows.kind[same] & KIND_STUB) !== 0) return true
    this.findings.skippedRows++
    this.findings.relist.add(parent)
    return false
  }

  /** @returns the directory's id, or -1 if the row says nothing new */
  private directoryOfRow(entries: EntryColumns, row: number, parent: number, same: number): number {
    const { directories } = this
    const { slice } = this
    const number = entries.directory[row]
    const from = entries.nameOffsets[row]
    const to = entries.nameOffsets[row + 1]
    const isStub = (entries.kind[row] & KIND_STUB) !== 0
    const other = same >= 0 ? slice.rows.directory[same] : NO_DIRECTORY
    let id = directories.idOf(number)
    if (id === NO_DIRECTORY && other !== NO_DIRECTORY) {
      // Two directories took turns under one name while it was listed: one stays, and is listed again.
      directories.alias(number, other)
      this.findings.relist.add(other)
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
      this.findings.entries--
    } else if (same >= 0 && !isStub && (slice.rows.kind[same] & KIND_STUB) === 0) {
      this.findings.skippedRows++
      this.findings.entries--
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
      this.findings.losers.add(id)
      this.directories.prefer(other)
    } else this.findings.losers.add(other)
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
    const { slice } = this
    const row = slice.addStub(directories.parentOf(id), id, directories.nameOf(id))
    const ref = directories.refOf(id)
    if (ref) slice.rows.setRef(row, ref)
  }

  private suspect(entries: EntryColumns, row: number, parent: number, directory: number, hash: number): void {
    const firstSlice = this.directories.childIn(parent, this.sliceNumber)
    for (let slice = firstSlice; slice < this.sliceNumber; slice++) {
      if (!this.filters[slice - 1].mayHave(hash)) continue
      const name = new Uint8Array(entries.names.subarray(entries.nameOffsets[row], entries.nameOffsets[row + 1]))
      this.suspects.push({ parent, name, directory, firstSlice: slice })
      return
    }
  }
}
