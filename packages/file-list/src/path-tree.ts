import { type EntryColumns, Kind } from '@hotpath/model'
import { BadRowReason, MAX_COMPONENTS, MAX_NAME_BYTES, MAX_ROW_BYTES } from './bad-row.js'
import { DirectoryTable, VIRTUAL_ROOT } from './directory-table.js'
import { EntryBatch, type ListColumns, STUB_DIRECTORY } from './entry-batch.js'
import { KIND_UNKNOWN, type RowValues } from './row-values.js'

const SLASH = 0x2f
const DOT = 0x2e

/**
 * Turns paths into rows: finds or invents the directories above each, and remembers the last path, because the next one
 * mostly shares its directory.
 *
 * A row that does not say whether it is a directory is taken for a file, unless the list names it as a directory
 * elsewhere before, or a later path continues it and all paths between begin with its text. That holds in lists in the
 * order of a walk and in lists sorted by bytes. Such a row stays in the batch until it is decided.
 */
export class PathTree {
  private readonly table = new DirectoryTable()
  private readonly batch: EntryBatch
  private readonly full: EntryColumns[] = []

  /** The last path that made a row. */
  private readonly path = new Uint8Array(MAX_ROW_BYTES + 2)
  private pathLength = 0
  /** Directories that it lies in: where in `path` the separator behind each stands, and its number. */
  private readonly ends = new Int32Array(MAX_COMPONENTS)
  private readonly numbers = new Uint32Array(MAX_COMPONENTS)
  private depth = 0
  /** Rows that may still become directories: they all are prefixes of `path`, of ascending length. */
  private readonly openLengths: number[] = []
  private readonly openRows: number[] = []

  entries = 0
  repeated = 0

  constructor(
    columns: ListColumns,
    private readonly batchRows: number,
  ) {
    this.batch = new EntryBatch(columns)
    this.batch.append(0, VIRTUAL_ROOT, STUB_DIRECTORY, this.path, 0, 0, undefined)
  }

  get directories(): number {
    return this.table.count
  }

  /** Batches that are full since the last call. */
  takeFull(): EntryColumns[] {
    return this.full.splice(0)
  }

  /** The last batch; nothing may be added after it. */
  takeRest(): EntryColumns {
    return this.batch.take([])
  }

  /**
   * Adds the row of the path bytes[from … to), at most MAX_ROW_BYTES + 2, with `/` between its components and none at its end.
   * Otherwise changes nothing and returns what is wrong: a reason, or `irregular` if a component is `.`, or empty
   * without being the first.
   */
  add(bytes: Uint8Array, from: number, to: number, values: RowValues): BadRowReason | 'irregular' | undefined {
    const shared = this.sharedLength(bytes, from, to)
    const { ends, numbers } = this
    let depth = this.depth
    while (depth > 0 && ends[depth - 1]! >= shared) depth--
    const start = from + (depth === 0 ? 0 : ends[depth - 1]! + 1)
    const nameStart = findName(bytes, start, to)
    const wrong = check(bytes, start, to, depth)
    if (wrong) return wrong

    this.closeRows(bytes, from, to, shared)
    let parent = depth === 0 ? VIRTUAL_ROOT : numbers[depth - 1]!
    let component = start
    while (component < nameStart) {
      let end = component
      while (bytes[end] !== SLASH) end++
      parent = this.enter(parent, bytes, component, end)
      ends[depth] = end - from
      numbers[depth] = parent
      depth++
      component = end + 1
    }
    this.depth = depth
    this.remember(bytes, from, to, shared)
    this.addRow(parent, bytes, nameStart, to, to - from, values)
    if (this.batch.count >= this.batchRows) this.flush()
    return undefined
  }

  private addRow(parent: number, bytes: Uint8Array, from: number, to: number, length: number, values: RowValues): void {
    const { kind } = values
    if (this.openLengths.at(-1) === length) {
      // The same path as the open row: an open row is a prefix of the path.
      if (kind === Kind.directory) this.becomeDirectory(bytes, from, to)
      this.repeated++
      return
    }
    let number = 0
    if (kind === Kind.directory) number = this.table.findOrAdd(parent, bytes, from, to)
    else if (kind === KIND_UNKNOWN) number = this.table.find(parent, bytes, from, to)
    if (number !== 0) {
      if (this.table.isListed(number)) {
        this.repeated++
        return
      }
      this.table.markListed(number)
      this.batch.append(parent, number, Kind.directory, bytes, from, to, values)
    } else {
      const row = this.batch.append(parent, 0, kind === KIND_UNKNOWN ? Kind.file : kind, bytes, from, to, values)
      if (kind === KIND_UNKNOWN) {
        this.openLengths.push(length)
        this.openRows.push(row)
      }
    }
    this.entries++
  }

  /** Number of a directory on the way to a row; a stub is sent for one that was not seen before. */
  private enter(parent: number, bytes: Uint8Array, from: number, to: number): number {
    const before = this.table.count
    const number = this.table.findOrAdd(parent, bytes, from, to)
    if (number > before) this.batch.append(parent, number, STUB_DIRECTORY, bytes, from, to, undefined)
    return number
  }

  /** Decides the open rows that the new path does not begin with, and the one that it continues. */
  private closeRows(bytes: Uint8Array, from: number, to: number, shared: number): void {
    const { openLengths, openRows } = this
    while (openLengths.length > 0) {
      const length = openLengths.at(-1)!
      if (length <= shared) {
        if (from + length >= to || bytes[from + length] !== SLASH) return
        this.becomeDirectory(bytes, findName(bytes, from, from + length), from + length)
      } else {
        openLengths.pop()
        openRows.pop()
      }
    }
  }

  /** Makes a directory of the last open row, whose name is bytes[from … to). */
  private becomeDirectory(bytes: Uint8Array, from: number, to: number): void {
    const row = this.openRows.pop()!
    this.openLengths.pop()
    const number = this.table.findOrAdd(this.batch.parentOf(row), bytes, from, to)
    this.table.markListed(number)
    this.batch.makeDirectory(row, number)
  }

  private flush(): void {
    // Without this bound a list of ever longer prefixes would be held whole.
    if (this.openRows.length > this.batchRows / 2) {
      this.openRows.length = 0
      this.openLengths.length = 0
    }
    this.full.push(this.batch.take(this.openRows))
    this.openRows.forEach((_, index) => {
      this.openRows[index] = index
    })
  }

  private sharedLength(bytes: Uint8Array, from: number, to: number): number {
    const { path } = this
    const limit = Math.min(this.pathLength, to - from)
    let shared = 0
    while (shared < limit && path[shared] === bytes[from + shared]) shared++
    return shared
  }

  private remember(bytes: Uint8Array, from: number, to: number, shared: number): void {
    const { path } = this
    for (let i = from + shared, at = shared; i < to; i++, at++) path[at] = bytes[i]!
    this.pathLength = to - from
  }
}

/** Where the last component of bytes[start … to) begins. */
function findName(bytes: Uint8Array, start: number, to: number): number {
  let at = to
  while (at > start && bytes[at - 1] !== SLASH) at--
  return at
}

/** What is wrong with the components bytes[start … to), `depth` others being before them. */
function check(bytes: Uint8Array, start: number, to: number, depth: number): BadRowReason | 'irregular' | undefined {
  let components = depth + 1
  let component = start
  for (let i = start; i <= to; i++) {
    const byte = i < to ? bytes[i]! : SLASH
    if (byte === 0) return BadRowReason.nul
    if (byte !== SLASH) continue
    if (i - component > MAX_NAME_BYTES) return BadRowReason.nameTooLong
    if (i === component && (i > start || depth > 0)) return 'irregular'
    if (i - component === 1 && bytes[component] === DOT) return 'irregular'
    if (i - component === 2 && bytes[component] === DOT && bytes[component + 1] === DOT) {
      return BadRowReason.parentComponent
    }
    component = i + 1
    if (i < to) components++
  }
  return components > MAX_COMPONENTS ? BadRowReason.tooDeep : undefined
}
