import { TIME_COLUMNS } from '@hotpath/model'
import { largestRows, smallestRows } from './extreme-rows.js'
import { collectGrams, type GramIndex } from './gram-index.js'
import { encodeGroupedColumn } from './grouped-column.js'
import { encodeHeavyTable, findHeavySubstrings } from './heavy-table.js'
import { KEY_RULES } from './key.js'
import { bitsFor, packArray } from './packed-array.js'
import { radixOrder } from './radix-order.js'
import { RoaringEncoder } from './roaring-portable.js'
import { SectionWriter, type SegmentSink } from './section-writer.js'
import {
  BIGRAM_BIT,
  BLOCK_NAMES,
  COUNT_OVERFLOW,
  FILE_SECTIONS,
  KEY_RULES_TAG,
  type Table,
  type TableSection,
  TIME_EXCEPTION,
  TIME_EXCEPTION_BYTES,
  TREE_SECTIONS,
  tableTag,
  timeTag,
} from './segment-layout.js'
import type { NamedRows, NumberColumn, SegmentSpec } from './segment-spec.js'
import { encodeSizeColumn, storableSize } from './size-column.js'

export interface SegmentStats {
  readonly dirCount: number
  readonly fileCount: number
  readonly stubCount: number
  /** Entries: rows that are not stubs. */
  readonly entryCount: number
  readonly fileBytes: number
}

/**
 * A one- or two-byte gram in more than a sixteenth of the blocks has no posting list: looking at all blocks then costs
 * little more, and the list of a frequent byte would be as long as the dictionary.
 */
const COMMON_GRAM_SHARE = 16
export interface SegmentOptions {
  /** A substring in more blocks than this gets a stored total (HEAVY_BLOCKS). */
  readonly heavyBlocks?: number
}

/** Writes a segment. Deterministic: equal specs and options give equal bytes. */
export function writeSegment(spec: SegmentSpec, sink: SegmentSink, options: SegmentOptions = {}): SegmentStats {
  const out = new SectionWriter(sink)
  const { dirCount, fileCount } = spec
  let stubCount = 0
  for (let local = 0; local < dirCount; local++) stubCount += spec.stubs[local]

  out.section(KEY_RULES_TAG, new TextEncoder().encode(KEY_RULES), 1)
  writeTree(out, spec)
  writeTable(out, 'd', spec.takeNames('d'), dirCount, spec.stubs, options)
  writeTable(out, 'f', spec.takeNames('f'), fileCount, undefined, options)
  writeColumns(out, spec, 'd', dirCount)
  writeColumns(out, spec, 'f', fileCount)
  writeRefOrder(out, spec)
  const fileBytes = out.finish({ dirCount, fileCount, stubCount })
  return { dirCount, fileCount, stubCount, entryCount: dirCount - stubCount + fileCount, fileBytes }
}

function writeTree(out: SectionWriter, spec: SegmentSpec): void {
  const { dirCount, fileCount } = spec
  const packed = (tag: string, values: Uint32Array, count: number, max: number): void => {
    const width = bitsFor(max)
    out.section(tag, packArray(values, count, width), count, width)
  }
  let maxId = 0
  for (let local = 0; local < dirCount; local++) maxId = Math.max(maxId, spec.dirIds[local])
  packed(TREE_SECTIONS.dirIds, spec.dirIds, dirCount, maxId)
  packed(TREE_SECTIONS.dirEnds, spec.dirEnds, dirCount, dirCount)
  packed(TREE_SECTIONS.dirParents, spec.dirParents, dirCount, dirCount)
  packed(TREE_SECTIONS.dirFirstFiles, spec.dirFirstFiles, dirCount + 1, fileCount)
  packed(TREE_SECTIONS.stubs, Uint32Array.from(spec.stubs), dirCount, 1)
  packed(TREE_SECTIONS.dirsById, radixOrder([spec.dirIds], dirCount), dirCount, Math.max(0, dirCount - 1))
}

type WriteSection = (name: TableSection, bytes: Uint8Array, items: number, param?: number) => void

/** Dictionary, inverse, grams and postings of one table. Rows with `stubs[row] = 1` are listed but not counted. */
function writeTable(
  out: SectionWriter,
  table: Table,
  { names, nameIds }: NamedRows,
  count: number,
  stubs: Uint8Array | undefined,
  options: SegmentOptions,
): void {
  const section: WriteSection = (name, bytes, items, param = 0) =>
    out.section(tableTag(table, name), bytes, items, param)
  const blocks = Math.ceil(names.count / BLOCK_NAMES)

  section('names', names.bytes, names.count)
  section('nameBlockOffsets', bytesOf(names.blockOffsets), blocks + 1)
  const weights = writeRowsOfNames(section, names.count, nameIds, count)
  if (stubs) for (let row = 0; row < count; row++) if (stubs[row] === 1) weights[nameIds[row]]--
  const grams = collectGrams(names, weights)
  writeGrams(section, grams, blocks)
  const heavy = findHeavySubstrings(names, weights, grams, options.heavyBlocks)
  section('heavy', encodeHeavyTable(heavy), heavy.length)
}

/** Names of rows and rows of names. @returns how many rows each name has */
function writeRowsOfNames(section: WriteSection, nameCount: number, nameIds: Uint32Array, count: number): Uint32Array {
  const blocks = Math.ceil(nameCount / BLOCK_NAMES)
  const rowCounts = new Uint32Array(nameCount)
  for (let row = 0; row < count; row++) rowCounts[nameIds[row]]++
  const counts = new Uint8Array(nameCount)
  const overflow: number[] = []
  const blockStarts = new Uint32Array(blocks + 1)
  const next = new Uint32Array(nameCount)
  let sum = 0
  for (let name = 0; name < nameCount; name++) {
    counts[name] = Math.min(rowCounts[name], COUNT_OVERFLOW)
    if (rowCounts[name] >= COUNT_OVERFLOW) overflow.push(name, rowCounts[name])
    if (name % BLOCK_NAMES === 0) blockStarts[name / BLOCK_NAMES] = sum
    next[name] = sum
    sum += rowCounts[name]
  }
  blockStarts[blocks] = sum
  section('nameCounts', counts, nameCount)
  section('nameCountOverflow', bytesOf(Uint32Array.from(overflow)), overflow.length / 2)
  section('inverseBlockStarts', bytesOf(blockStarts), blocks + 1)
  // Rows of each name, ascending, name after name.
  const inverse = new Uint32Array(count)
  for (let row = 0; row < count; row++) inverse[next[nameIds[row]]++] = row
  const rowBits = bitsFor(Math.max(0, count - 1))
  section('inverse', packArray(inverse, count, rowBits), count, rowBits)
  const nameBits = bitsFor(Math.max(0, nameCount - 1))
  section('nameIds', packArray(nameIds, count, nameBits), count, nameBits)
  return rowCounts
}

function writeGrams(section: WriteSection, grams: GramIndex, blocks: number): void {
  const offsets = new Uint32Array(grams.count + 1)
  const ids = new Uint32Array(blocks)
  const encoder = new RoaringEncoder()
  let postings = new Uint8Array(1 << 14)
  let at = 0
  for (let g = 0; g < grams.count; g++) {
    offsets[g] = at
    const count = grams.blockCounts[g]
    if (grams.keys[g] >= BIGRAM_BIT && count * COMMON_GRAM_SHARE > blocks) continue
    grams.readBlocks(g, ids)
    const length = encoder.measure(ids, 0, count)
    if (at + length > postings.length) {
      const larger = new Uint8Array(Math.max(at + length, Math.ceil(postings.length * 1.5)))
      larger.set(postings.subarray(0, at))
      postings = larger
    }
    at = encoder.write(postings, at)
  }
  offsets[grams.count] = at
  section('gramKeys', bytesOf(grams.keys), grams.count)
  section('gramOffsets', bytesOf(offsets), grams.count + 1)
  section('gramBlocks', bytesOf(grams.blockCounts), grams.count)
  section('gramTotals', bytesOf(grams.totals), grams.count)
  section('postings', postings.subarray(0, at), grams.count)
}

/** Columns of one table. Two arrays hold each column in turn. */
function writeColumns(out: SectionWriter, spec: SegmentSpec, table: Table, count: number): void {
  const values = new Float64Array(count)
  const numbers = new Uint32Array(count)
  const list = (tag: string, rows: Uint32Array): void => out.section(tag, bytesOf(rows), rows.length)
  const grouped = (column: NumberColumn, section: TableSection): void => {
    if (!spec.fill(table, column, numbers)) return
    out.section(tableTag(table, section), encodeGroupedColumn(numbers, count), count)
  }
  if (table === 'f') {
    if (spec.fill(table, 'size', values)) {
      for (let row = 0; row < count; row++) values[row] = storableSize(values[row])
      out.section(FILE_SECTIONS.size, encodeSizeColumn(values, count), count, unknownCount(values))
      list(FILE_SECTIONS.largest, largestRows(values))
      // Empty files are often more than a list holds, and need no order among themselves.
      for (let row = 0; row < count; row++) if (values[row] === 0) values[row] = Number.NaN
      list(FILE_SECTIONS.smallest, smallestRows(values))
    }
    grouped('kind', 'kind')
  }
  const stubs = table === 'd' ? spec.stubs : undefined
  for (const column of TIME_COLUMNS) {
    if (!spec.fill(table, `${column}Seconds`, values)) continue
    const unknown = unknownCount(values)
    // A column of which nothing is known (lists have one for creation, and seldom a value) would cost 4 bytes a row.
    if (unknown === count && count > 0) continue
    const exceptions = encodeSeconds(values, numbers)
    out.section(timeTag(table, column, 'SC'), bytesOf(numbers), count, unknown)
    out.section(timeTag(table, column, 'EX'), exceptions, exceptions.length / TIME_EXCEPTION_BYTES)
    if (!spec.fill(table, `${column}Ticks`, numbers)) numbers.fill(0)
    else if (numbers.some(tick => tick !== 0)) {
      out.section(timeTag(table, column, 'TK'), encodeGroupedColumn(numbers, count), count)
    }
    if (column === 'modified') {
      list(tableTag(table, 'newest'), largestRows(values, numbers, stubs))
      list(tableTag(table, 'oldest'), smallestRows(values, numbers, stubs))
    }
  }
  grouped('attributes', 'attributes')
  grouped('refLow', 'refLow')
  grouped('refHigh', 'refHigh')
  grouped('refBirth', 'refBirth')
}

/** How many values are unknown: the `param` of a column of sizes or seconds. */
function unknownCount(values: Float64Array): number {
  let unknown = 0
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) unknown++
  return unknown
}

/** Writes seconds as u32 to `raw` and returns what does not fit: row u32 and seconds f64, ascending by row. */
function encodeSeconds(seconds: Float64Array, raw: Uint32Array): Uint8Array {
  const rows: number[] = []
  for (let row = 0; row < seconds.length; row++) {
    const value = seconds[row]
    if (value >= 0 && value < TIME_EXCEPTION) raw[row] = value
    else {
      raw[row] = TIME_EXCEPTION
      // Unknown is the most frequent exception and needs no row: a reader that finds none knows.
      if (!Number.isNaN(value)) rows.push(row)
    }
  }
  const exceptions = new Uint8Array(rows.length * TIME_EXCEPTION_BYTES)
  const view = new DataView(exceptions.buffer)
  rows.forEach((row, i) => {
    view.setUint32(i * TIME_EXCEPTION_BYTES, row, true)
    view.setFloat64(i * TIME_EXCEPTION_BYTES + 4, seconds[row], true)
  })
  return exceptions
}

/** Permutation of all entries by (high, low, birth), for looking up a node's entries. */
function writeRefOrder(out: SectionWriter, spec: SegmentSpec): void {
  const total = spec.dirCount + spec.fileCount
  const numbers = new Uint32Array(total)
  const fill = (column: NumberColumn): boolean =>
    spec.fill('d', column, numbers.subarray(0, spec.dirCount)) &&
    spec.fill('f', column, numbers.subarray(spec.dirCount))
  const columns: NumberColumn[] = ['refBirth', 'refLow', 'refHigh']
  if (!columns.every(fill)) return
  const order = radixOrder(filled(columns, fill, numbers), total)
  const width = bitsFor(Math.max(0, total - 1))
  out.section(TREE_SECTIONS.entriesByRef, packArray(order, total, width), total, width)
}

/** One array, filled with a column each time it is asked for. */
function* filled(
  columns: readonly NumberColumn[],
  fill: (column: NumberColumn) => boolean,
  numbers: Uint32Array,
): Generator<Uint32Array> {
  for (const column of columns) {
    fill(column)
    yield numbers
  }
}

function bytesOf(array: Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
