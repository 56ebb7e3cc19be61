import { inflateRawSync } from 'node:zlib'
import {
  type Crc32c,
  crc32c,
  intersectRoaring,
  KEY_RULES,
  MalformedBytesError,
  RoaringView,
  type Section,
  SegmentFile,
} from '@hotpath/index-format'
import { CorruptFileError, UnsupportedVersionError } from '@hotpath/model'
import { compareBytes, MAX_ROW_TEXT } from './indexed-row.js'
import { BLOCK_ROWS, ROW_END, type RowBlock } from './row-block.js'
import { BLOCK_BYTES, ROW_SECTIONS } from './row-layout.js'

const decoder = new TextDecoder()

/**
 * A segment of rows, read in place (docs/formats/row-segment.md). Opening checks header, table of contents and the tables of numbers;
 * texts and postings are checked page by page as they are first touched.
 */
export class RowSegment {
  readonly rowCount: number
  readonly blockCount: number
  /** Names, ascending in bytes. */
  readonly tables: readonly string[]
  private readonly file: SegmentFile
  private readonly tableBlocks: Uint32Array
  private readonly blockRows: Uint32Array
  private readonly blockFolded: Uint32Array
  private readonly blockOriginals: Uint32Array
  private readonly rowEnds: Uint32Array
  private readonly keyStarts: Uint32Array
  private readonly grams: Uint32Array
  private readonly gramPostings: Uint32Array

  /**
   * @param bytes the whole file, mapped or read, starting on a multiple of four bytes
   * @throws CorruptFileError; UnsupportedVersionError also for texts that were folded by other rules
   */
  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
    crc: Crc32c = crc32c,
  ) {
    const file = new SegmentFile(name, bytes, crc)
    this.file = file
    const rules = decoder.decode(file.wholeSection(ROW_SECTIONS.keyRules))
    if (rules !== KEY_RULES)
      throw new UnsupportedVersionError(`folding of ${JSON.stringify(name)} (${rules})`, 0, KEY_RULES)
    this.rowCount = file.fileCount
    const tables = file.section(ROW_SECTIONS.tables)
    this.tables = namesOf(file.wholeSection(ROW_SECTIONS.tables), tables.items, name, tables.offset)
    this.blockRows = this.ascending(ROW_SECTIONS.blockRows, undefined, this.rowCount)
    this.blockCount = this.blockRows.length - 1
    const { blockCount } = this
    this.tableBlocks = file.numbers(ROW_SECTIONS.tableBlocks, this.tables.length).all()
    this.blockFolded = this.ascending(ROW_SECTIONS.blockFolded, blockCount, file.section(ROW_SECTIONS.folded).length)
    this.blockOriginals = this.ascending(
      ROW_SECTIONS.blockOriginals,
      blockCount,
      file.section(ROW_SECTIONS.originals).length,
    )
    this.keyStarts = this.ascending(ROW_SECTIONS.keyStarts, this.rowCount, file.section(ROW_SECTIONS.keys).length)
    this.rowEnds = file.numbers(ROW_SECTIONS.rowEnds, this.rowCount).all()
    this.grams = this.file.numbers(ROW_SECTIONS.grams, this.file.section(ROW_SECTIONS.grams).items).all()
    this.gramPostings = this.ascending(
      ROW_SECTIONS.gramPostings,
      this.grams.length,
      file.section(ROW_SECTIONS.postings).length,
    )
    this.checkRows()
  }

  /** Numbers that ascend from 0 to `last`, one more than there are parts. */
  private ascending(tag: string, parts: number | undefined, last: number): Uint32Array {
    const { file } = this
    const section = file.section(tag)
    const values = file.numbers(tag, parts === undefined ? section.items : parts + 1).all()
    const fail = (index: number, expected: string): never => {
      throw new CorruptFileError(file.file, section.offset + index * 4, expected, `${values[index]}`)
    }
    if (values.length === 0 || values[0] !== 0) fail(0, `0 as the first number of ${tag}`)
    for (let i = 1; i < values.length; i++) if (values[i]! < values[i - 1]!) fail(i, `at least ${values[i - 1]}`)
    if (values[values.length - 1] !== last) fail(values.length - 1, `${last} as the last number of ${tag}`)
    return values
  }

  /** Every row lies in its block, every block in a table. */
  private checkRows(): void {
    const { file, blockRows, blockFolded, rowEnds, tableBlocks, blockCount } = this
    const fail = (tag: string, index: number, expected: string, found: number): never => {
      throw new CorruptFileError(file.file, file.section(tag).offset + index * 4, expected, `${found}`)
    }
    for (let block = 0; block < blockCount; block++) {
      const count = blockRows[block + 1]! - blockRows[block]!
      if (count === 0 || count > BLOCK_ROWS)
        fail(ROW_SECTIONS.blockRows, block + 1, `1 to ${BLOCK_ROWS} rows in a block`, count)
      let least = 0
      for (let row = blockRows[block]!; row < blockRows[block + 1]!; row++) {
        if (rowEnds[row]! < least) fail(ROW_SECTIONS.rowEnds, row, `at least ${least}`, rowEnds[row]!)
        least = rowEnds[row]! + 1
      }
      const length = blockFolded[block + 1]! - blockFolded[block]!
      if (least !== length) fail(ROW_SECTIONS.rowEnds, blockRows[block + 1]! - 1, `${length - 1}`, least - 1)
    }
    for (let table = 0; table < tableBlocks.length; table++) {
      const least = table === 0 ? 0 : tableBlocks[table - 1]! + 1
      const isRight = table === 0 ? tableBlocks[table] === 0 : tableBlocks[table]! >= least
      if (!isRight || tableBlocks[table]! >= blockCount)
        fail(ROW_SECTIONS.tableBlocks, table, `${least} to ${blockCount - 1}`, tableBlocks[table]!)
    }
    if (blockCount > 0 && tableBlocks.length === 0) fail(ROW_SECTIONS.tableBlocks, 0, 'a table', 0)
  }

  /** The blocks [from, to) of a table. */
  blocksOfTable(table: number): { from: number; to: number } {
    return { from: this.tableBlocks[table]!, to: this.tableBlocks[table + 1] ?? this.blockCount }
  }

  /** First row of a block; of `blockCount` the number of rows. */
  firstRow(block: number): number {
    return this.blockRows[block]!
  }

  block(number: number): RowBlock {
    const from = this.blockRows[number]!
    const to = this.blockRows[number + 1]!
    const texts = this.file.section(ROW_SECTIONS.folded)
    let originals: Uint8Array[] | undefined
    return {
      table: this.tables[this.tableOf(number)]!,
      count: to - from,
      folded: this.part(texts, this.blockFolded[number]!, this.blockFolded[number + 1]!),
      ends: this.rowEnds.subarray(from, to),
      text: row => {
        originals ??= this.originalsOf(number)
        return originals[row]!
      },
      key: row => this.key(from + row),
    }
  }

  private tableOf(block: number): number {
    let table = this.tables.length - 1
    while (this.tableBlocks[table]! > block) table--
    return table
  }

  /** Name of the table of a row. */
  tableOfRow(row: number): string {
    let table = this.tables.length - 1
    while (this.blockRows[this.tableBlocks[table]!]! > row) table--
    return this.tables[table]!
  }

  /** Key of a row (row-key.ts of the model). */
  key(row: number): Uint8Array {
    return this.part(this.file.section(ROW_SECTIONS.keys), this.keyStarts[row]!, this.keyStarts[row + 1]!)
  }

  /** Number of the row with this key, or -1. Cost: twenty comparisons for a million rows. */
  find(table: string, key: Uint8Array): number {
    const number = this.tables.indexOf(table)
    if (number < 0) return -1
    const { from, to } = this.blocksOfTable(number)
    let low = this.blockRows[from]!
    let high = this.blockRows[to]! - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const order = compareBytes(this.key(middle), key)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  /**
   * The blocks that have all these grams, ascending; undefined if any block may.
   * @throws CorruptFileError
   */
  blocksWith(grams: readonly number[]): Uint32Array | undefined {
    const lists: RoaringView[] = []
    for (const gram of grams) {
      const index = this.indexOfGram(gram)
      if (index < 0) return new Uint32Array(0)
      const [from, to] = [this.gramPostings[index]!, this.gramPostings[index + 1]!]
      if (from === to) continue
      const bytes = this.part(this.file.section(ROW_SECTIONS.postings), from, to)
      lists.push(this.guarded(from, () => new RoaringView(bytes)))
    }
    if (lists.length === 0) return undefined
    const out = new Uint32Array(Math.min(...lists.map(list => list.cardinality)))
    const blocks = out.subarray(
      0,
      this.guarded(0, () => intersectRoaring(lists, out)),
    )
    const last = blocks.at(-1)
    if (last !== undefined && last >= this.blockCount)
      this.failPostings(0, `blocks below ${this.blockCount}`, `${last}`)
    return blocks
  }

  private guarded<T>(at: number, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof MalformedBytesError || error instanceof RangeError)) throw error
      return this.failPostings(at, 'a posting list', error.message)
    }
  }

  private failPostings(at: number, expected: string, found: string): never {
    throw new CorruptFileError(this.name, this.file.section(ROW_SECTIONS.postings).offset + at, expected, found)
  }

  private indexOfGram(gram: number): number {
    let low = 0
    let high = this.grams.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (this.grams[middle] === gram) return middle
      if (this.grams[middle]! < gram) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  private originalsOf(block: number): Uint8Array[] {
    const count = this.blockRows[block + 1]! - this.blockRows[block]!
    const [from, to] = [this.blockOriginals[block]!, this.blockOriginals[block + 1]!]
    const folded = this.part(
      this.file.section(ROW_SECTIONS.folded),
      this.blockFolded[block]!,
      this.blockFolded[block + 1]!,
    )
    const section = this.file.section(ROW_SECTIONS.originals)
    let bytes = folded
    if (from < to) {
      try {
        // A block that is not full has less than BLOCK_BYTES, and one row more of any length.
        bytes = inflateRawSync(this.part(section, from, to), {
          maxOutputLength: BLOCK_BYTES + BLOCK_ROWS + MAX_ROW_TEXT,
        })
      } catch (error) {
        throw new CorruptFileError(
          this.name,
          section.offset + from,
          'texts as raw DEFLATE',
          `${(error as Error).message}`,
        )
      }
    }
    const texts: Uint8Array[] = []
    let start = 0
    for (let at = bytes.indexOf(ROW_END); at >= 0; at = bytes.indexOf(ROW_END, start)) {
      texts.push(bytes.subarray(start, at))
      start = at + 1
    }
    if (texts.length !== count || start !== bytes.length) {
      throw new CorruptFileError(this.name, section.offset + from, `${count} texts`, `${texts.length}`)
    }
    return texts
  }

  private part(section: Section, from: number, to: number): Uint8Array {
    this.file.touch(section.offset + from, to - from)
    return this.bytes.subarray(section.offset + from, section.offset + to)
  }
}

function namesOf(bytes: Uint8Array, count: number, file: string, offset: number): string[] {
  const names: string[] = []
  let start = 0
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, start)) {
    names.push(decoder.decode(bytes.subarray(start, at)))
    start = at + 1
  }
  if (names.length !== count || start !== bytes.length) {
    throw new CorruptFileError(file, offset, `${count} names of tables`, `${names.length}`)
  }
  return names
}
