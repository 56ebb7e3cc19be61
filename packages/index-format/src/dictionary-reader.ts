import { CorruptFileError } from '@hotpath/model'
import type { DictionaryBytes } from './build-kernels.js'
import { copyRange } from './copy-range.js'
import { keyOf } from './key.js'
import { MalformedBytesError } from './malformed-bytes-error.js'
import { KeysBlockCursor, NamesBlockCursor } from './names-block.js'
import { RoaringView } from './roaring-view.js'
import type { NumberColumnView, PackedColumn, Section, SegmentFile } from './segment-file.js'
import { BLOCK_NAMES, COUNT_OVERFLOW, type Table, type TableSection, tableTag } from './segment-layout.js'

/** Steps of halving whose names are asked for together while the file is cold: 15 pages instead of four waits. */
const HALVING_STEPS = 4

/** What the gram table knows of one gram. */
export interface GramInfo {
  /** Blocks that hold it. */
  readonly blocks: number
  /** Entries (stubs not counted) whose `/key/` contains it, as the segment was built. */
  readonly total: number
  /** Place of its posting list in the file; length 0: no list is kept, every block may hold it. */
  readonly offset: number
  readonly length: number
}

/** The dictionary of one table: names in blocks, the rows of each name, grams. */
export class DictionaryReader {
  readonly nameCount: number
  readonly blockCount: number
  readonly names: Section
  readonly blockOffsets: NumberColumnView
  /** Rows per name, 255 = see the overflow. */
  readonly counts: Section
  readonly postings: Section
  private readonly countOverflow: Uint32Array
  private readonly inverseStarts: NumberColumnView
  private readonly inverse: PackedColumn
  private readonly nameIds: PackedColumn
  private readonly gramKeys: NumberColumnView
  private readonly gramOffsets: NumberColumnView
  private readonly gramBlocks: NumberColumnView
  private readonly gramTotals: NumberColumnView
  // Cursors are made when they are first used: of many dictionaries only some columns are.
  private ownCursor: NamesBlockCursor | undefined
  private spareCursor: NamesBlockCursor | undefined
  private keysCursor: KeysBlockCursor | undefined

  constructor(
    private readonly file: SegmentFile,
    private readonly table: Table,
    readonly rowCount: number,
  ) {
    const tag = (section: TableSection): string => tableTag(table, section)
    this.names = file.section(tag('names'))
    this.nameCount = this.names.items
    this.blockCount = Math.ceil(this.nameCount / BLOCK_NAMES)
    this.blockOffsets = file.numbers(tag('nameBlockOffsets'), this.blockCount + 1)
    this.counts = file.section(tag('nameCounts'))
    if (this.counts.length !== this.nameCount) {
      throw new CorruptFileError(file.file, this.counts.offset, `${this.nameCount} counts`, `${this.counts.length}`)
    }
    this.countOverflow = file.words(file.section(tag('nameCountOverflow')))
    this.inverseStarts = file.numbers(tag('inverseBlockStarts'), this.blockCount + 1)
    this.inverse = file.packed(tag('inverse'), rowCount, Math.max(0, rowCount - 1))
    this.nameIds = file.packed(tag('nameIds'), rowCount, Math.max(0, this.nameCount - 1))
    const grams = file.section(tag('gramKeys')).items
    this.gramKeys = file.numbers(tag('gramKeys'), grams)
    this.gramOffsets = file.numbers(tag('gramOffsets'), grams + 1)
    this.gramBlocks = file.numbers(tag('gramBlocks'), grams)
    this.gramTotals = file.numbers(tag('gramTotals'), grams)
    this.postings = file.section(tag('postings'))
  }

  private get cursor(): NamesBlockCursor {
    this.ownCursor ??= new NamesBlockCursor()
    return this.ownCursor
  }

  /** Name id of a row. */
  nameIdOf(row: number): number {
    const id = this.nameIds.at(row)
    if (id >= this.nameCount) throw this.outside('nameIds', this.nameCount, id)
    return id
  }

  /** Name ids of all rows into `out`, which has room for them. @throws CorruptFileError if one is no name */
  readNameIds(out: Uint32Array): void {
    this.nameIds.read(out)
    for (let row = 0; row < out.length; row++) {
      if (out[row] >= this.nameCount) throw this.outside('nameIds', this.nameCount, out[row])
    }
  }

  /** The names as they stand in the file, every page checked. */
  get nameBytes(): DictionaryBytes {
    const { offset, length } = this.names
    this.file.touch(offset, length)
    const bytes = this.file.bytes.subarray(offset, offset + length)
    return { count: this.nameCount, bytes, blockOffsets: this.blockOffsets.all() }
  }

  /** Packed name ids of all rows. */
  get nameIdColumn(): PackedColumn {
    return this.nameIds
  }

  /** Packed rows by name. */
  get inverseColumn(): PackedColumn {
    return this.inverse
  }

  /** Position in the inverse of the first row of each block's names, and the number of rows. */
  get inverseStartColumn(): NumberColumnView {
    return this.inverseStarts
  }

  /** Pairs of u32 (name, rows), ascending, of the names that `counts` says 255 of. */
  get countOverflowSection(): Section {
    return this.file.section(tableTag(this.table, 'nameCountOverflow'))
  }

  /** Byte range of a block within the file, pages checked. */
  blockRange(block: number): { start: number; end: number } {
    const start = this.blockOffsets.at(block)
    const end = this.blockOffsets.at(block + 1)
    if (start > end || end > this.names.length) {
      throw new CorruptFileError(
        this.file.file,
        this.names.offset,
        `block ${block} inside ${this.names.length}`,
        `${start} … ${end}`,
      )
    }
    this.file.touch(this.names.offset + start, end - start)
    return { start: this.names.offset + start, end: this.names.offset + end }
  }

  /** See SegmentFile.isCold. */
  get isCold(): boolean {
    return this.file.isCold
  }

  /** See SegmentFile.fetchExpected. */
  fetchExpected(): void {
    this.file.fetchExpected()
  }

  /** Has the names of these blocks read ahead. */
  expectBlocks(blocks: Uint32Array): void {
    for (let i = 0; i < blocks.length; i++) {
      const start = this.blockOffsets.at(blocks[i])
      const end = Math.min(this.names.length, this.blockOffsets.at(blocks[i] + 1))
      this.file.expect(this.names.offset + start, end - start)
    }
    this.file.fetchExpected()
  }

  /** Has the rows of these names read ahead. */
  expectRowsOf(nameIds: ArrayLike<number>): void {
    for (let i = 0; i < nameIds.length; i++) {
      this.inverse.expect(this.inverseStartOf(nameIds[i]), this.rowCountOf(nameIds[i]))
    }
    this.file.fetchExpected()
  }

  /** Has the rows of all names of some blocks read ahead, and how many each has; makes sure of the pages of both. */
  touchRowsOfBlocks(blocks: Uint32Array): void {
    const { file, counts, inverse, inverseStarts } = this
    const eachRange = (visit: (offset: number, length: number) => void): void => {
      for (let i = 0; i < blocks.length; i++) {
        const first = blocks[i] * BLOCK_NAMES
        visit(counts.offset + first, Math.min(BLOCK_NAMES, this.nameCount - first))
        const start = inverseStarts.at(blocks[i])
        const end = inverseStarts.at(blocks[i] + 1)
        if (start > end || end > this.rowCount) throw this.outside('inverseBlockStarts', this.rowCount + 1, end)
        const { offset, length } = inverse.byteRange(start, end - start)
        visit(offset, length)
      }
    }
    if (file.isCold) {
      eachRange((offset, length) => file.expect(offset, length))
      file.fetchExpected()
    }
    eachRange((offset, length) => file.touch(offset, length))
    const overflow = this.countOverflowSection
    file.touch(overflow.offset, overflow.length)
  }

  /** Sections that every search looks at: has all of them read ahead. */
  expectTables(): void {
    const small: TableSection[] = ['gramKeys', 'gramOffsets', 'gramBlocks', 'gramTotals', 'heavy']
    const byBlock: TableSection[] = ['nameBlockOffsets', 'inverseBlockStarts', 'nameCounts', 'nameCountOverflow']
    // Names of directories are in every path that is shown.
    const ofPaths: TableSection[] = this.table === 'd' ? ['names', 'nameIds'] : []
    for (const section of [...small, ...byBlock, ...ofPaths]) {
      const { offset, length } = this.file.section(tableTag(this.table, section))
      this.file.expect(offset, length)
    }
  }

  /**
   * Goes to name `id` and returns the cursor on it; its contents hold until the next call on this dictionary.
   * Cost: up to 32 names decoded, about 1 µs.
   */
  seek(id: number): NamesBlockCursor {
    if (!(id >= 0 && id < this.nameCount)) throw this.outside('names', this.nameCount, id)
    return this.decoding(() => {
      const block = Math.floor(id / BLOCK_NAMES)
      const { start, end } = this.blockRange(block)
      const cursor = this.cursor.open(this.file.bytes, start, end)
      for (let i = id % BLOCK_NAMES; i >= 0; i--) {
        if (!cursor.next()) throw this.shortBlock(block)
      }
      return cursor
    })
  }

  /**
   * Moves a caller's cursor from name `id - 1` to name `id`: for walks over a whole dictionary, from 0 on.
   * The cursor's contents hold until it is moved again.
   */
  advance(cursor: NamesBlockCursor, id: number): void {
    this.decoding(() => {
      const block = Math.floor(id / BLOCK_NAMES)
      if (id % BLOCK_NAMES === 0) {
        const { start, end } = this.blockRange(block)
        cursor.open(this.file.bytes, start, end)
      }
      if (!cursor.next()) throw this.shortBlock(block)
    })
  }

  /** Original bytes of name `id`, as a copy. */
  nameAt(id: number): Uint8Array {
    const cursor = this.seek(id)
    return cursor.name.slice(0, cursor.nameLength)
  }

  /** Key of name `id`, as a copy. */
  keyAt(id: number): Uint8Array {
    const cursor = this.seek(id)
    return copyRange(cursor.key, cursor.keyStart, cursor.keyStart + cursor.keyLength)
  }

  /** Visits names from `id` on, in dictionary order, until the visitor returns false. The visitor may ask the dictionary. */
  forEachName(id: number, visit: (cursor: NamesBlockCursor, id: number) => boolean): void {
    // A cursor has 8 KiB: one is kept for the next walk, and a walk within a walk gets its own.
    const cursor = this.spareCursor ?? new NamesBlockCursor()
    this.spareCursor = undefined
    try {
      this.decoding(() => this.walkNames(cursor, id, visit))
    } finally {
      this.spareCursor = cursor
    }
  }

  private walkNames(
    cursor: NamesBlockCursor,
    id: number,
    visit: (cursor: NamesBlockCursor, id: number) => boolean,
  ): void {
    for (let block = Math.floor(id / BLOCK_NAMES); block < this.blockCount; block++) {
      const { start, end } = this.blockRange(block)
      cursor.open(this.file.bytes, start, end)
      const first = block * BLOCK_NAMES
      const names = Math.min(BLOCK_NAMES, this.nameCount - first)
      for (let i = 0; i < names; i++) {
        if (!cursor.next()) throw this.shortBlock(block)
        if (first + i >= id && !visit(cursor, first + i)) return
      }
    }
  }

  /**
   * Visits the keys of the names of blocks [from, to), in dictionary order: key[start … end), valid during the call. The
   * visitor must not ask for keys itself.
   * Cost: some 35 ns a name of 24 bytes.
   */
  forEachKey(from: number, to: number, visit: (key: Uint8Array, start: number, end: number) => void): void {
    this.decoding(() => {
      this.keysCursor ??= new KeysBlockCursor()
      const cursor = this.keysCursor
      for (let block = from; block < to; block++) {
        const { start, end } = this.blockRange(block)
        cursor.open(this.file.bytes, start, end)
        for (let names = Math.min(BLOCK_NAMES, this.nameCount - block * BLOCK_NAMES); names > 0; names--) {
          if (!cursor.next()) throw this.shortBlock(block)
          visit(cursor.key, cursor.keyStart, cursor.keyEnd)
        }
      }
    })
  }

  /** Name id of exactly these bytes, or -1. Cost: a binary search over blocks, then one block. */
  find(name: Uint8Array): number {
    const key = keyOf(name)
    const low = this.firstBlock(block => {
      const order = this.compareFirst(block, key) || compareRange(this.cursor.name, 0, this.cursor.nameLength, name)
      return order > 0
    })
    return low === 0 ? -1 : this.firstInBlock(low - 1, cursor => equalBytes(cursor.name, cursor.nameLength, name))
  }

  /** First name id whose key is not below `key` (nameCount if none). */
  lowerBound(key: Uint8Array): number {
    const low = this.firstBlock(block => this.compareFirst(block, key) >= 0)
    const found =
      low === 0
        ? -1
        : this.firstInBlock(
            low - 1,
            cursor => compareRange(cursor.key, cursor.keyStart, cursor.keyStart + cursor.keyLength, key) >= 0,
          )
    return found >= 0 ? found : Math.min(this.nameCount, low * BLOCK_NAMES)
  }

  /** First name id that is not before `name` in dictionary order (nameCount if none). Cost: as of `find`. */
  lowerBoundOf(name: Uint8Array): number {
    const key = keyOf(name)
    const isBelow = (cursor: NamesBlockCursor): boolean => {
      const order =
        compareRange(cursor.key, cursor.keyStart, cursor.keyStart + cursor.keyLength, key) ||
        compareRange(cursor.name, 0, cursor.nameLength, name)
      return order < 0
    }
    const low = this.firstBlock(block => !isBelow(this.seek(block * BLOCK_NAMES)))
    const found = low === 0 ? -1 : this.firstInBlock(low - 1, cursor => !isBelow(cursor))
    return found >= 0 ? found : Math.min(this.nameCount, low * BLOCK_NAMES)
  }

  /** The first block whose first name passes a test that, once true, stays true. Cost: a binary search. */
  private firstBlock(test: (block: number) => boolean): number {
    let low = 0
    let high = this.blockCount
    for (let steps = 0; low < high; steps++) {
      if (steps % HALVING_STEPS === 0 && this.isCold) {
        this.expectHalves(low, high, HALVING_STEPS)
        this.fetchExpected()
      }
      const middle = (low + high) >>> 1
      if (test(middle)) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The first names of all blocks that so many steps of halving can come to will be read. */
  private expectHalves(low: number, high: number, steps: number): void {
    if (low >= high || steps === 0) return
    const middle = (low + high) >>> 1
    this.file.expect(this.names.offset + this.blockOffsets.at(middle), 1)
    this.expectHalves(low, middle, steps - 1)
    this.expectHalves(middle + 1, high, steps - 1)
  }

  /** Id of the first name of a block that passes the test, or -1. */
  private firstInBlock(block: number, test: (cursor: NamesBlockCursor) => boolean): number {
    return this.decoding(() => {
      const { start, end } = this.blockRange(block)
      const cursor = this.cursor.open(this.file.bytes, start, end)
      const first = block * BLOCK_NAMES
      const names = Math.min(BLOCK_NAMES, this.nameCount - first)
      for (let i = 0; i < names; i++) {
        if (!cursor.next()) throw this.shortBlock(block)
        if (test(cursor)) return first + i
      }
      return -1
    })
  }

  /** Order of the key of a block's first name against `key`; leaves the cursor on that name. */
  private compareFirst(block: number, key: Uint8Array): number {
    const cursor = this.seek(block * BLOCK_NAMES)
    return compareRange(cursor.key, cursor.keyStart, cursor.keyStart + cursor.keyLength, key)
  }

  /** Rows that have name `id`, stubs included. */
  rowCountOf(id: number): number {
    if (!(id >= 0 && id < this.nameCount)) throw this.outside('nameCounts', this.nameCount, id)
    const at = this.counts.offset + id
    this.file.touch(at, 1)
    const count = this.file.bytes[at]
    if (count !== COUNT_OVERFLOW) return count
    const section = this.file.section(tableTag(this.table, 'nameCountOverflow'))
    this.file.touch(section.offset, section.length)
    const pairs = this.countOverflow
    let low = 0
    let high = pairs.length >>> 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (pairs[middle * 2] < id) low = middle + 1
      else high = middle
    }
    if (pairs[low * 2] !== id)
      throw new CorruptFileError(this.file.file, section.offset, `a count of name ${id}`, 'none')
    return pairs[low * 2 + 1]
  }

  /** Position in the inverse of the first row of name `id`; its rows follow it, ascending. Cost: up to 31 counts. */
  inverseStartOf(id: number): number {
    const block = Math.floor(id / BLOCK_NAMES)
    let start = this.inverseStarts.at(block)
    for (let name = block * BLOCK_NAMES; name < id; name++) start += this.rowCountOf(name)
    return start
  }

  /** Position in the inverse of the first row of a block's names. */
  inverseStartOfBlock(block: number): number {
    return this.inverseStarts.at(block)
  }

  /** Row at a position of the inverse. */
  rowAtInverse(position: number): number {
    const row = this.inverse.at(position)
    if (row >= this.rowCount) throw this.outside('inverse', this.rowCount, row)
    return row
  }

  /** Visits the rows of name `id`, ascending, until the visitor returns false (nothing else stops it). */
  forEachRow(id: number, visit: (row: number) => unknown): void {
    const start = this.inverseStartOf(id)
    const end = start + this.rowCountOf(id)
    if (end > this.rowCount) throw this.outside('inverseBlockStarts', this.rowCount + 1, end)
    for (let i = start; i < end; i++) if (visit(this.rowAtInverse(i)) === false) return
  }

  /** What is known of a gram; undefined: no name has it. */
  gram(gram: number): GramInfo | undefined {
    const at = this.gramPosition(gram)
    const keys = this.gramKeys.all()
    return at < keys.length && keys[at] === gram ? this.gramAt(at) : undefined
  }

  /** The three-byte grams that start with two bytes: who holds the two holds one of these. */
  gramsStarting(first: number, second: number): GramInfo[] {
    const keys = this.gramKeys.all()
    const low = (first << 16) | (second << 8)
    const found: GramInfo[] = []
    for (let at = this.gramPosition(low); at < keys.length && keys[at] <= low + 0xff; at++) found.push(this.gramAt(at))
    return found
  }

  /** Position of the first gram that is not below `gram`. */
  private gramPosition(gram: number): number {
    const keys = this.gramKeys.all()
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (keys[middle] < gram) low = middle + 1
      else high = middle
    }
    return low
  }

  private gramAt(position: number): GramInfo {
    const offset = this.gramOffsets.at(position)
    const end = this.gramOffsets.at(position + 1)
    if (offset > end || end > this.postings.length) {
      throw new CorruptFileError(
        this.file.file,
        this.gramOffsets.section.offset,
        `an offset below ${this.postings.length}`,
        `${end}`,
      )
    }
    const blocks = this.gramBlocks.at(position)
    if (blocks > this.blockCount) throw this.outside('gramBlocks', this.blockCount + 1, blocks)
    return {
      blocks,
      total: this.gramTotals.at(position),
      offset: this.postings.offset + offset,
      length: end - offset,
    }
  }

  /**
   * The blocks of a gram's posting list, pages checked; `info.length` must not be 0. The set's own methods throw
   * MalformedBytesError where checksums are right and contents are not.
   */
  postingList({ offset, length }: GramInfo): RoaringView {
    return this.decoding(() => {
      this.file.touch(offset, length)
      return new RoaringView(this.file.bytes, offset, offset + length)
    })
  }

  /** Strings in the table of heavy substrings. */
  get heavyCount(): number {
    return this.file.section(tableTag(this.table, 'heavy')).items
  }

  /** Entries whose `/key/` contains the string, if it is in the table of heavy substrings. */
  heavyTotal(needle: Uint8Array): number | undefined {
    const count = this.heavyCount
    if (count === 0) return undefined
    const bytes = this.file.wholeSection(tableTag(this.table, 'heavy'))
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const strings = 4 * (count * 2 + 1)
    if (bytes.length < strings) throw this.outside('heavy', bytes.length, strings)
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      const from = strings + view.getUint32(middle * 4, true)
      const to = strings + view.getUint32(middle * 4 + 4, true)
      if (from > to || to > bytes.length) throw this.outside('heavy', bytes.length + 1, Math.max(from, to))
      const order = compareRange(bytes, from, to, needle)
      if (order === 0) return view.getUint32((count + 1 + middle) * 4, true)
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  private outside(section: TableSection, limit: number, found: number): CorruptFileError {
    const { offset, tag } = this.file.section(tableTag(this.table, section))
    return new CorruptFileError(this.file.file, offset, `a number below ${limit} in ${tag}`, `${found}`)
  }

  private shortBlock(block: number): CorruptFileError {
    return new CorruptFileError(this.file.file, this.names.offset, `names in block ${block}`, 'fewer')
  }

  private decoding<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof MalformedBytesError) throw error.inFile(this.file.file)
      throw error
    }
  }
}

/** Bytewise order of bytes[from … to) against `other`. */
export function compareRange(bytes: Uint8Array, from: number, to: number, other: Uint8Array): number {
  const length = Math.min(to - from, other.length)
  for (let i = 0; i < length; i++) {
    const difference = bytes[from + i] - other[i]
    if (difference !== 0) return difference
  }
  return to - from - other.length
}

function equalBytes(bytes: Uint8Array, length: number, other: Uint8Array): boolean {
  if (length !== other.length) return false
  for (let i = 0; i < length; i++) if (bytes[i] !== other[i]) return false
  return true
}
