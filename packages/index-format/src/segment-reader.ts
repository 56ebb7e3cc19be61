import {
  type Access,
  CorruptFileError,
  type EntryRow,
  Kind,
  TIME_COLUMNS,
  type Time,
  type TimeColumnName,
} from '@hotpath/model'
import { GroupedColumn, openExceptions, SizeColumn, TimeColumnReader } from './column-readers.js'
import { copyRange } from './copy-range.js'
import { DictionaryReader } from './dictionary-reader.js'
import { MalformedBytesError } from './malformed-bytes-error.js'
import { type Crc32c, type PackedColumn, type Prefetch, SegmentFile } from './segment-file.js'
import {
  ACCESS_SECTIONS,
  type AccessSection,
  FILE_SECTIONS,
  KEY_RULES_TAG,
  type Table,
  type TableSection,
  TREE_SECTIONS,
  tableTag,
  timeTag,
} from './segment-layout.js'
import type { NumberColumn } from './segment-spec.js'
import { decodeWordList, WordCollector, type WordList } from './word-list.js'

type TimeColumns = Partial<Record<TimeColumnName, TimeColumnReader>>

interface TableColumns {
  readonly kind?: GroupedColumn
  readonly attributes?: GroupedColumn
  readonly mode?: GroupedColumn
  readonly user?: GroupedColumn
  readonly group?: GroupedColumn
  readonly refLow?: GroupedColumn
  readonly refHigh?: GroupedColumn
  readonly refBirth?: GroupedColumn
  readonly times: TimeColumns
}

/**
 * A segment: tree, two dictionaries and columns. Entry ids: 0 … dirCount - 1 are directories in depth-first preorder
 * (0 = the view's root), then dirCount + i is file i. Files are grouped by directory in that order; siblings are in
 * dictionary order. Methods throw CorruptFileError when they touch a damaged page.
 */
export class SegmentReader {
  readonly file: string
  readonly frame: SegmentFile
  readonly dirCount: number
  readonly fileCount: number
  readonly stubCount: number
  readonly dirs: DictionaryReader
  readonly files: DictionaryReader
  readonly sizes: SizeColumn | undefined
  readonly hasRefs: boolean
  private readonly dirIds: PackedColumn
  private readonly ends: PackedColumn
  private readonly firstFiles: PackedColumn
  private readonly parents: PackedColumn
  private readonly stubs: PackedColumn
  private readonly byId: PackedColumn
  private readonly byRef: PackedColumn | undefined
  private readonly columns: Record<Table, TableColumns>
  private readonly rowLists = new Map<string, Uint32Array>()

  private wordList: WordList | undefined

  /** @throws CorruptFileError, UnsupportedVersionError */
  constructor(file: string, bytes: Uint8Array, crc?: Crc32c, prefetch?: Prefetch) {
    const frame = new SegmentFile(file, bytes, crc, prefetch)
    this.file = file
    this.frame = frame
    this.dirCount = frame.dirCount
    this.fileCount = frame.fileCount
    this.stubCount = frame.stubCount
    this.dirIds = frame.packed(TREE_SECTIONS.dirIds, this.dirCount)
    this.ends = frame.packed(TREE_SECTIONS.dirEnds, this.dirCount, this.dirCount)
    this.firstFiles = frame.packed(TREE_SECTIONS.dirFirstFiles, this.dirCount + 1, this.fileCount)
    this.parents = frame.packed(TREE_SECTIONS.dirParents, this.dirCount, this.dirCount)
    this.stubs = frame.packed(TREE_SECTIONS.stubs, this.dirCount, 1)
    this.byId = frame.packed(TREE_SECTIONS.dirsById, this.dirCount, Math.max(0, this.dirCount - 1))
    this.dirs = new DictionaryReader(frame, 'd', this.dirCount)
    this.files = new DictionaryReader(frame, 'f', this.fileCount)
    this.byRef = frame.sections.has(TREE_SECTIONS.entriesByRef)
      ? frame.packed(TREE_SECTIONS.entriesByRef, this.rowCount, Math.max(0, this.rowCount - 1))
      : undefined
    this.hasRefs = this.byRef !== undefined
    this.sizes = frame.sections.has(FILE_SECTIONS.size)
      ? new SizeColumn(frame, frame.section(FILE_SECTIONS.size), this.fileCount)
      : undefined
    this.columns = { d: openColumns(frame, 'd', this.dirCount), f: openColumns(frame, 'f', this.fileCount) }
  }

  /** Rows of any kind: directories (stubs too) and files. */
  get rowCount(): number {
    return this.dirCount + this.fileCount
  }

  /** The rules by which this segment's keys were made; compare with KEY_RULES before trusting its order and keys. */
  get keyRules(): string {
    // A copy: a decoder refuses memory that threads share.
    return new TextDecoder().decode(copyRange(this.frame.wholeSection(KEY_RULES_TAG)))
  }

  /**
   * The words of all names, stubs' included. Kept once it was asked for. Cost the first time: 20 ms for ten million entries;
   * some segments have no list, and their names are read instead, 1 µs each.
   */
  words(): WordList {
    this.wordList ??= this.frame.sections.has(TREE_SECTIONS.words) ? this.readWords() : this.gatherWords()
    return this.wordList
  }

  private readWords(): WordList {
    const { items, param } = this.frame.section(TREE_SECTIONS.words)
    const list = decodeWordList(copyRange(this.frame.wholeSection(TREE_SECTIONS.words)), items, param)
    if (list === undefined)
      throw this.badTree(TREE_SECTIONS.words, `${items} words of ${param} bytes`, 'something else')
    return list
  }

  private gatherWords(): WordList {
    const collector = new WordCollector()
    for (const dictionary of [this.dirs, this.files]) {
      for (let block = 0; block < dictionary.blockCount; block++) dictionary.blockRange(block)
      const { offset, length } = dictionary.names
      const bytes = this.frame.bytes.subarray(offset, offset + length)
      try {
        collector.add({ bytes, blockOffsets: dictionary.blockOffsets.all() })
      } catch (error) {
        if (error instanceof MalformedBytesError) throw error.inFile(this.file, offset)
        throw error
      }
    }
    return collector.finish()
  }

  /** Directory id of the view. */
  dirIdOf(local: number): number {
    return this.dirIds.at(local)
  }

  /** Local row of a directory id, or -1. Cost: a binary search. */
  findDir(dirId: number): number {
    let low = 0
    let high = this.dirCount
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.dirIds.at(this.byId.at(middle)) < dirId) low = middle + 1
      else high = middle
    }
    if (low === this.dirCount) return -1
    const local = this.byId.at(low)
    return local < this.dirCount && this.dirIds.at(local) === dirId ? local : -1
  }

  /** The greatest directory id; 0 without directories. */
  get lastDirId(): number {
    return this.dirCount === 0 ? 0 : this.dirIdOf(this.byId.at(this.dirCount - 1))
  }

  isStub(local: number): boolean {
    return this.stubs.at(local) === 1
  }

  /** Local parent, always a smaller row; -1 for row 0. */
  parentOf(local: number): number {
    if (local === 0) return -1
    const parent = this.parents.at(local)
    if (parent >= local) throw this.badTree(TREE_SECTIONS.dirParents, `a parent before ${local}`, `${parent}`)
    return parent
  }

  /** The subtree of `local` is the rows [local, dirEnd(local)). */
  dirEnd(local: number): number {
    const end = this.ends.at(local)
    if (end <= local || end > this.dirCount)
      throw this.badTree(TREE_SECTIONS.dirEnds, `an end after ${local}`, `${end}`)
    return end
  }

  /** First file of `local`; its own files are [firstFile(local), firstFile(local + 1)). Valid for dirCount too. */
  firstFile(local: number): number {
    const first = this.firstFiles.at(local)
    if (first > this.fileCount) {
      throw this.badTree(TREE_SECTIONS.dirFirstFiles, `at most ${this.fileCount} files`, `${first}`)
    }
    return first
  }

  /** Local directory of a file. Cost: a binary search. */
  directoryOfFile(file: number): number {
    let low = 0
    let high = this.dirCount
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.firstFiles.at(middle) <= file) low = middle
      else high = middle
    }
    return low
  }

  /** Local directory that holds an entry; -1 for the root. */
  directoryOf(entry: number): number {
    return entry < this.dirCount ? this.parentOf(entry) : this.directoryOfFile(entry - this.dirCount)
  }

  /** Entry of this name in `local`, stub directories included, or -1. */
  findChild(local: number, name: Uint8Array): number {
    const fileName = this.files.find(name)
    if (fileName >= 0) {
      const file = this.firstFileFrom(local, fileName)
      if (file < this.firstFile(local + 1) && this.files.nameIdOf(file) === fileName) return this.dirCount + file
    }
    const dirName = this.dirs.find(name)
    return dirName < 0 ? -1 : this.findChildDir(local, dirName)
  }

  /** The first file of a directory whose name id is not below `name`; the end of its files if there is none. */
  private firstFileFrom(local: number, name: number): number {
    let low = this.firstFile(local)
    let high = this.firstFile(local + 1)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.files.nameIdOf(middle) < name) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Either way round, whichever is shorter: the directories of this name, or the children of this directory. */
  private findChildDir(local: number, dirName: number): number {
    const end = this.dirEnd(local)
    const named = this.dirs.rowCountOf(dirName)
    let found = -1
    if (named <= 16 || named <= end - local) {
      this.dirs.forEachRow(dirName, row => {
        if (row > local && row < end && this.parents.at(row) === local) found = row
        return found < 0 && row < end
      })
      return found
    }
    for (let child = local + 1; child < end; child = this.dirEnd(child)) {
      if (this.dirs.nameIdOf(child) === dirName) return child
    }
    return -1
  }

  /** Visits the children of a directory: directories (stubs too), then files, each in dictionary order. */
  forEachChild(local: number, visit: (entry: number) => void): void {
    const end = this.dirEnd(local)
    for (let child = local + 1; child < end; child = this.dirEnd(child)) visit(child)
    const lastFile = this.firstFile(local + 1)
    for (let file = this.firstFile(local); file < lastFile; file++) visit(this.dirCount + file)
  }

  /**
   * Visits the children whose names are from `from` on and before `to` (undefined: to the last), as `forEachChild` does.
   * Cost: binary searches, the child directories of `local`, and what is visited.
   */
  forEachChildBetween(
    local: number,
    from: Uint8Array,
    to: Uint8Array | undefined,
    visit: (entry: number) => void,
  ): void {
    const firstDirName = this.dirs.lowerBoundOf(from)
    const endDirName = to === undefined ? this.dirs.nameCount : this.dirs.lowerBoundOf(to)
    const end = this.dirEnd(local)
    for (let child = local + 1; child < end; child = this.dirEnd(child)) {
      const name = this.dirs.nameIdOf(child)
      if (name >= endDirName) break
      if (name >= firstDirName) visit(child)
    }
    const endFileName = to === undefined ? this.files.nameCount : this.files.lowerBoundOf(to)
    const lastFile = this.firstFile(local + 1)
    for (let file = this.firstFileFrom(local, this.files.lowerBoundOf(from)); file < lastFile; file++) {
      if (this.files.nameIdOf(file) >= endFileName) break
      visit(this.dirCount + file)
    }
  }

  /** Visits the entries of a node, stubs included. Nothing without refs. Cost: a binary search. */
  findRef(low: number, high: number, birth: number, visit: (entry: number) => void): void {
    const { byRef } = this
    if (byRef === undefined) return
    let from = 0
    let to = this.rowCount
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.compareRef(this.entryByRef(byRef, middle), low, high, birth) < 0) from = middle + 1
      else to = middle
    }
    for (; from < this.rowCount; from++) {
      const entry = this.entryByRef(byRef, from)
      if (this.compareRef(entry, low, high, birth) !== 0) return
      visit(entry)
    }
  }

  private entryByRef(byRef: PackedColumn, position: number): number {
    const entry = byRef.at(position)
    if (entry >= this.rowCount)
      throw this.badTree(TREE_SECTIONS.entriesByRef, `an entry below ${this.rowCount}`, `${entry}`)
    return entry
  }

  private compareRef(entry: number, low: number, high: number, birth: number): number {
    const columns = entry < this.dirCount ? this.columns.d : this.columns.f
    const row = entry < this.dirCount ? entry : entry - this.dirCount
    return (
      (columns.refHigh?.at(row) ?? 0) - high ||
      (columns.refLow?.at(row) ?? 0) - low ||
      (columns.refBirth?.at(row) ?? 0) - birth
    )
  }

  /** Original bytes of an entry's name, as a copy. */
  nameOf(entry: number): Uint8Array {
    return entry < this.dirCount
      ? this.dirs.nameAt(this.dirs.nameIdOf(entry))
      : this.files.nameAt(this.files.nameIdOf(entry - this.dirCount))
  }

  kindOf(entry: number): Kind {
    if (entry < this.dirCount) return Kind.directory
    const kind = this.columns.f.kind?.at(entry - this.dirCount) ?? Kind.file
    return kind === Kind.symlink ? Kind.symlink : kind === Kind.file ? Kind.file : Kind.other
  }

  /** Bytes; NaN where unknown and for directories. */
  sizeOf(entry: number): number {
    return entry < this.dirCount || this.sizes === undefined ? Number.NaN : this.sizes.at(entry - this.dirCount)
  }

  /** The time column of a table, if the segment has it. */
  timeColumn(table: Table, column: TimeColumnName): TimeColumnReader | undefined {
    return this.columns[table].times[column]
  }

  /** Rows of the table with the latest modification times, newest first; every row outside is strictly older or unknown. */
  newest(table: Table): Uint32Array | undefined {
    return this.rowList(tableTag(table, 'newest'), table === 'd' ? this.dirCount : this.fileCount)
  }

  /** Rows of the table with the earliest modification times, oldest first; every row outside is strictly newer or unknown. */
  oldest(table: Table): Uint32Array | undefined {
    return this.rowList(tableTag(table, 'oldest'), table === 'd' ? this.dirCount : this.fileCount)
  }

  /** Files with the smallest sizes above zero, smallest first; every file outside is empty, strictly larger or unknown. */
  smallest(): Uint32Array | undefined {
    return this.rowList(FILE_SECTIONS.smallest, this.fileCount)
  }

  /** Files with the largest sizes, largest first; every file outside is strictly smaller or unknown. */
  largest(): Uint32Array | undefined {
    return this.rowList(FILE_SECTIONS.largest, this.fileCount)
  }

  /** A list of rows below `count`, checked when it is first asked for. */
  private rowList(tag: string, count: number): Uint32Array | undefined {
    const known = this.rowLists.get(tag)
    if (known !== undefined || !this.frame.sections.has(tag)) return known
    const list = this.frame.numbers(tag, this.frame.section(tag).items).all()
    for (const row of list) {
      if (row >= count) throw this.badTree(tag, `a row below ${count}`, `${row}`)
    }
    this.rowLists.set(tag, list)
    return list
  }

  /**
   * Has read ahead what nearly every search looks at: grams, block offsets, counts, the tree and the names of directories.
   * Some 2 bytes an entry.
   */
  expectTables(): void {
    for (const tag of Object.values(TREE_SECTIONS)) {
      const section = tag === TREE_SECTIONS.entriesByRef ? undefined : this.frame.sections.get(tag)
      if (section) this.frame.expect(section.offset, section.length)
    }
    this.dirs.expectTables()
    this.files.expectTables()
    this.frame.fetchExpected()
  }

  /** Has all that `nameOf` and `readRow` need of these entries read ahead, but for the names themselves. */
  expectRows(entries: ArrayLike<number>): void {
    const { frame, dirCount, sizes } = this
    // First where values are, together; then the values.
    for (const step of ['expectPlace', 'expectValue'] as const) {
      for (let i = 0; i < entries.length; i++) {
        const isFile = entries[i] >= dirCount
        const row = isFile ? entries[i] - dirCount : entries[i]
        const { kind, attributes, refLow, refHigh, refBirth, times } = this.columns[isFile ? 'f' : 'd']
        for (const column of [kind, attributes, refLow, refHigh, refBirth]) column?.[step](row)
        for (const name of TIME_COLUMNS) times[name]?.[step](row)
        if (isFile) sizes?.[step](row)
        if (step === 'expectPlace') (isFile ? this.files : this.dirs).nameIdColumn.expect(row, 1)
      }
      frame.fetchExpected()
    }
  }

  /** Has the values of some rows of a table in one column read ahead. */
  expectValues(table: Table, column: 'size' | TimeColumnName, rows: ArrayLike<number>): void {
    const values = column === 'size' ? (table === 'f' ? this.sizes : undefined) : this.timeColumn(table, column)
    for (const step of ['expectPlace', 'expectValue'] as const) {
      for (let i = 0; i < rows.length; i++) values?.[step](rows[i])
      this.frame.fetchExpected()
    }
  }

  /** All metadata of an entry. */
  readRow(entry: number): EntryRow {
    const isDir = entry < this.dirCount
    const columns = isDir ? this.columns.d : this.columns.f
    const row = isDir ? entry : entry - this.dirCount
    const time = (column: TimeColumnReader | undefined): Time | undefined =>
      column === undefined ? undefined : { seconds: column.secondsAt(row), ticks: column.ticksAt(row) }
    const { refLow, refHigh, refBirth } = columns
    return {
      kind: this.kindOf(entry),
      size: this.sizeOf(entry),
      modified: time(columns.times.modified),
      changed: time(columns.times.changed),
      created: time(columns.times.created),
      accessed: time(columns.times.accessed),
      attributes: columns.attributes?.at(row),
      access: isDir ? this.accessOf(row) : undefined,
      ref:
        refLow && refHigh && refBirth
          ? { low: refLow.at(row), high: refHigh.at(row), birth: refBirth.at(row) }
          : undefined,
    }
  }

  /** Who may list a directory; undefined if the segment does not know. */
  accessOf(local: number): Access | undefined {
    const { mode, user, group } = this.columns.d
    return mode && { mode: mode.at(local), user: user?.at(local) ?? 0, group: group?.at(local) ?? 0 }
  }

  /** Reader of one column by row of its table; undefined if the segment does not have it. */
  columnSource(table: Table, column: NumberColumn): ((row: number) => number) | undefined {
    const columns = this.columns[table]
    switch (column) {
      case 'size': {
        const { sizes } = this
        return table === 'f' && sizes ? row => sizes.at(row) : undefined
      }
      case 'kind':
      case 'attributes':
      case 'mode':
      case 'user':
      case 'group':
      case 'refLow':
      case 'refHigh':
      case 'refBirth': {
        const grouped = columns[column]
        return grouped && (row => grouped.at(row))
      }
      default: {
        const time = columns.times[timeColumnOf(column)]
        if (time === undefined) return undefined
        return column.endsWith('Seconds') ? row => time.secondsAt(row) : row => time.ticksAt(row)
      }
    }
  }

  hasColumn(table: Table, column: NumberColumn): boolean {
    if (column === 'size') return table === 'f' && this.sizes !== undefined
    const columns = this.columns[table]
    if (column === 'kind' || column === 'attributes') return columns[column] !== undefined
    if (column === 'mode' || column === 'user' || column === 'group') return columns[column] !== undefined
    if (column === 'refLow' || column === 'refHigh' || column === 'refBirth') return columns[column] !== undefined
    return columns.times[timeColumnOf(column)] !== undefined
  }

  /** Reads a column of a table into `out`, as many values as it has rows; false if the segment does not have the column. */
  readColumn(table: Table, column: NumberColumn, out: Float64Array | Uint32Array): boolean {
    const columns = this.columns[table]
    switch (column) {
      case 'size':
        if (table !== 'f' || this.sizes === undefined) return false
        this.sizes.read(0, this.fileCount, out)
        return true
      case 'kind':
      case 'attributes':
      case 'mode':
      case 'user':
      case 'group':
      case 'refLow':
      case 'refHigh':
      case 'refBirth':
        columns[column]?.read(out)
        return columns[column] !== undefined
      default: {
        const seconds = column.endsWith('Seconds')
        const time = columns.times[timeColumnOf(column)]
        if (seconds) time?.readSeconds(out)
        else time?.readTicks(out)
        return time !== undefined
      }
    }
  }

  /** Reads every checksum. @throws CorruptFileError */
  verify(): void {
    this.frame.verify()
  }

  private badTree(tag: string, expected: string, found: string): CorruptFileError {
    return new CorruptFileError(this.file, this.frame.section(tag).offset, expected, found)
  }
}

function timeColumnOf(column: `${TimeColumnName}${'Seconds' | 'Ticks'}`): TimeColumnName {
  return column.slice(0, column.endsWith('Seconds') ? -7 : -5) as TimeColumnName
}

function openColumns(frame: SegmentFile, table: Table, count: number): TableColumns {
  const access = (section: AccessSection): GroupedColumn | undefined =>
    table === 'd' && frame.sections.has(ACCESS_SECTIONS[section])
      ? new GroupedColumn(frame, frame.section(ACCESS_SECTIONS[section]), count)
      : undefined
  const grouped = (section: TableSection): GroupedColumn | undefined => {
    const tag = tableTag(table, section)
    return frame.sections.has(tag) ? new GroupedColumn(frame, frame.section(tag), count) : undefined
  }
  const times: TimeColumns = {}
  for (const column of TIME_COLUMNS) {
    const tag = timeTag(table, column, 'SC')
    if (!frame.sections.has(tag)) continue
    const ticks = timeTag(table, column, 'TK')
    times[column] = new TimeColumnReader(
      frame.numbers(tag, count),
      openExceptions(frame, timeTag(table, column, 'EX')),
      frame.sections.has(ticks) ? new GroupedColumn(frame, frame.section(ticks), count) : undefined,
    )
  }
  return {
    kind: grouped('kind'),
    attributes: grouped('attributes'),
    mode: access('mode'),
    user: access('user'),
    group: access('group'),
    refLow: grouped('refLow'),
    refHigh: grouped('refHigh'),
    refBirth: grouped('refBirth'),
    times,
  }
}
