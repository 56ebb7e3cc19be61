import { deflateRawSync } from 'node:zlib'
import {
  type BuildKernels,
  KEY_RULES,
  MemorySink,
  plainKernels,
  SectionWriter,
  type SegmentSink,
} from '@hotpath/index-format'
import { InvalidInputError } from '@hotpath/model'
import { ByteList } from './byte-list.js'
import { GramCollector } from './gram-postings.js'
import { compareBytes, type IndexedRow } from './indexed-row.js'
import { foldTexts } from './memory-block.js'
import { BLOCK_ROWS, ROW_END } from './row-block.js'
import { BLOCK_BYTES, ROW_SECTIONS } from './row-layout.js'

const encoder = new TextEncoder()

/**
 * Writes a segment of rows, which come by table (names ascending in bytes) and key (ascending), each key once.
 * Throws InvalidInputError if they do not. Cost: some 30 ns a byte of text; the finished sections are held in memory until they are written.
 * @param kernels compute the checksums
 * @returns the number of rows and of bytes of the file
 */
export function writeRowSegment(
  rows: Iterable<IndexedRow>,
  sink: SegmentSink,
  kernels: Pick<BuildKernels, 'crcPages'> = plainKernels,
): { rows: number; length: number } {
  const builder = new RowSegmentBuilder()
  for (const row of rows) builder.add(row)
  return builder.finish(sink, kernels)
}

/** A segment of rows in memory. */
export function rowSegmentBytes(rows: Iterable<IndexedRow>): Uint8Array {
  const sink = new MemorySink()
  writeRowSegment(rows, sink)
  return sink.bytes()
}

/**
 * A segment of rows that is made row by row, so that others can have their turn in between. Rows come as `writeRowSegment` says; the finished
 * sections are held in memory until they are written.
 */
export class RowSegmentBuilder {
  private readonly tables = new ByteList()
  private readonly tableBlocks: number[] = []
  private readonly blockRows: number[] = [0]
  private readonly blockFolded: number[] = [0]
  private readonly blockOriginals: number[] = [0]
  private readonly rowEnds: number[] = []
  private readonly keyStarts: number[] = [0]
  private readonly folded = new ByteList()
  private readonly originals = new ByteList()
  private readonly keys = new ByteList()
  private readonly grams = new GramCollector()
  private block: IndexedRow[] = []
  private blockBytes = 0
  private last: IndexedRow | undefined
  private rowCount = 0

  /** Throws InvalidInputError if the row does not come after the last one. */
  add(row: IndexedRow): void {
    const { last } = this
    const isNewTable = last === undefined || last.table !== row.table
    if (last !== undefined) {
      const order = isNewTable
        ? compareBytes(encoder.encode(last.table), encoder.encode(row.table))
        : compareBytes(last.key, row.key)
      if (order >= 0)
        throw new InvalidInputError(
          'rows of a segment',
          'ascending tables and keys',
          `${row.table} after ${last.table}`,
        )
    }
    if (isNewTable) {
      this.endBlock()
      const name = encoder.encode(row.table)
      if (name.includes(0)) throw new InvalidInputError('name of a table', 'no zero byte', JSON.stringify(row.table))
      this.tables.append(name)
      this.tables.append(Uint8Array.of(0))
      this.tableBlocks.push(this.blockRows.length - 1)
    }
    this.last = row
    this.block.push(row)
    this.blockBytes += row.text.length
    this.rowCount++
    if (this.block.length === BLOCK_ROWS || this.blockBytes >= BLOCK_BYTES) this.endBlock()
  }

  private endBlock(): void {
    const { block } = this
    if (block.length === 0) return
    const { folded, ends } = foldTexts(block)
    this.folded.append(folded)
    this.grams.addBlock(folded)
    for (const end of ends) this.rowEnds.push(end)
    const written = new ByteList()
    for (const { text, key } of block) {
      written.append(text)
      written.append(Uint8Array.of(ROW_END))
      this.keys.append(key)
      this.keyStarts.push(this.keys.length)
    }
    const bytes = written.bytes()
    if (compareBytes(bytes, folded) !== 0) this.originals.append(deflateRawSync(bytes))
    this.blockRows.push(this.rowCount)
    this.blockFolded.push(this.folded.length)
    this.blockOriginals.push(this.originals.length)
    this.block = []
    this.blockBytes = 0
  }

  /** Writes the segment. Cost: the postings are sorted and encoded, some 10 ns a byte of text. */
  finish(sink: SegmentSink, kernels: Pick<BuildKernels, 'crcPages'> = plainKernels): { rows: number; length: number } {
    this.endBlock()
    const writer = new SectionWriter(sink, kernels)
    const bytes = (tag: string, content: Uint8Array, items: number): void => writer.section(tag, content, items)
    const numbers = (tag: string, values: ArrayLike<number>): void => {
      const array = Uint32Array.from(values)
      writer.section(tag, new Uint8Array(array.buffer), array.length)
    }
    const rules = encoder.encode(KEY_RULES)
    bytes(ROW_SECTIONS.keyRules, rules, 1)
    bytes(ROW_SECTIONS.tables, this.tables.bytes(), this.tableBlocks.length)
    numbers(ROW_SECTIONS.tableBlocks, this.tableBlocks)
    numbers(ROW_SECTIONS.blockRows, this.blockRows)
    numbers(ROW_SECTIONS.blockFolded, this.blockFolded)
    numbers(ROW_SECTIONS.rowEnds, this.rowEnds)
    bytes(ROW_SECTIONS.folded, this.folded.bytes(), this.rowCount)
    numbers(ROW_SECTIONS.blockOriginals, this.blockOriginals)
    bytes(ROW_SECTIONS.originals, this.originals.bytes(), this.blockRows.length - 1)
    numbers(ROW_SECTIONS.keyStarts, this.keyStarts)
    bytes(ROW_SECTIONS.keys, this.keys.bytes(), this.rowCount)
    const { grams, starts, postings } = this.grams.finish()
    numbers(ROW_SECTIONS.grams, grams)
    numbers(ROW_SECTIONS.gramPostings, starts)
    bytes(ROW_SECTIONS.postings, postings, grams.length)
    const length = writer.finish({ dirCount: 0, fileCount: this.rowCount, stubCount: 0 })
    return { rows: this.rowCount, length }
  }
}
