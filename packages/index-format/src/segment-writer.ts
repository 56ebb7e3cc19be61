import { TIME_COLUMNS } from '@hotpath/model'
import { extremeRows, smallestRows } from './extreme-rows.js'
import { collectGrams, type GramIndex } from './gram-index.js'
import { encodeGroupedColumn } from './grouped-column.js'
import { encodeHeavyTable, findHeavySubstrings } from './heavy-table.js'
import { KEY_RULES } from './key.js'
import type { NameSet } from './name-set.js'
import { maxNamesBlockBytes, writeNamesBlock } from './names-block.js'
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
import type { NumberColumn, SegmentSpec } from './segment-spec.js'
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
  writeTable(out, spec, 'd', spec.dirNames, spec.dirNameIds, dirCount, spec.stubs, options)
  writeTable(out, spec, 'f', spec.fileNames, spec.fileNameIds, fileCount, undefined, options)
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

/** Dictionary, inverse, grams and postings of one table. Rows with `stubs[row] = 1` are listed but not counted. */
function writeTable(
  out: SectionWriter,
  spec: SegmentSpec,
  table: Table,
  names: NameSet,
  nameIds: Uint32Array,
  count: number,
  stubs: Uint8Array | undefined,
  options: SegmentOptions,
): void {
  const section = (name: TableSection, bytes: Uint8Array, items: number, param = 0): void =>
    out.section(tableTag(table, name), bytes, items, param)
  const blocks = Math.ceil(names.count / BLOCK_NAMES)

  const dictionary = encodeDictionary(names, blocks)
  section('names', dictionary.bytes, names.count)
  section('nameBlockOffsets', bytesOf(dictionary.offsets), blocks + 1)

  // Rows of each name, ascending, name after name; and where each block's rows begin.
  const rowCounts = new Uint32Array(names.count + 1)
  for (let row = 0; row < count; row++) rowCounts[nameIds[row]]++
  const weights = rowCounts.slice(0, names.count)
  if (stubs) for (let row = 0; row < count; row++) if (stubs[row] === 1) weights[nameIds[row]]--
  const counts = new Uint8Array(names.count)
  const overflow: number[] = []
  for (let name = 0; name < names.count; name++) {
    counts[name] = Math.min(rowCounts[name], COUNT_OVERFLOW)
    if (rowCounts[name] >= COUNT_OVERFLOW) overflow.push(name, rowCounts[name])
  }
  section('nameCounts', counts, names.count)
  section('nameCountOverflow', bytesOf(Uint32Array.from(overflow)), overflow.length / 2)
  const blockStarts = new Uint32Array(blocks + 1)
  const next = new Uint32Array(names.count)
  let sum = 0
  for (let name = 0; name < names.count; name++) {
    if (name % BLOCK_NAMES === 0) blockStarts[name / BLOCK_NAMES] = sum
    next[name] = sum
    sum += rowCounts[name]
  }
  blockStarts[blocks] = sum
  section('inverseBlockStarts', bytesOf(blockStarts), blocks + 1)
  const inverse = new Uint32Array(count)
  for (let row = 0; row < count; row++) inverse[next[nameIds[row]]++] = row
  const rowBits = bitsFor(Math.max(0, count - 1))
  section('inverse', packArray(inverse, count, rowBits), count, rowBits)
  const nameBits = bitsFor(Math.max(0, names.count - 1))
  section('nameIds', packArray(nameIds, count, nameBits), count, nameBits)

  const grams = collectGrams(names, weights)
  writeGrams(section, grams, blocks)
  const heavy = findHeavySubstrings(names, weights, grams, options.heavyBlocks)
  section('heavy', encodeHeavyTable(heavy), heavy.length)

  const byAge = rowsByAge(spec, table, count, stubs)
  if (byAge) {
    section('newest', bytesOf(byAge.newest), byAge.newest.length)
    section('oldest', bytesOf(byAge.oldest), byAge.oldest.length)
  }
}

function encodeDictionary(names: NameSet, blocks: number): { bytes: Uint8Array; offsets: Uint32Array } {
  const order = new Uint32Array(names.count)
  for (let i = 0; i < names.count; i++) order[i] = i
  const offsets = new Uint32Array(blocks + 1)
  const keys = { bytes: names.keys, offsets: names.keyOffsets }
  let bytes = new Uint8Array(Math.max(1024, names.bytes.length))
  let at = 0
  for (let block = 0; block < blocks; block++) {
    const from = block * BLOCK_NAMES
    const to = Math.min(names.count, from + BLOCK_NAMES)
    const room = maxNamesBlockBytes(names, keys, order, from, to)
    if (at + room > bytes.length) {
      const larger = new Uint8Array(Math.max(at + room, Math.ceil(bytes.length * 1.3)))
      larger.set(bytes.subarray(0, at))
      bytes = larger
    }
    offsets[block] = at
    at = writeNamesBlock(bytes, at, names, keys, order, from, to)
  }
  offsets[blocks] = at
  return { bytes: bytes.subarray(0, at), offsets }
}

function writeGrams(
  section: (name: TableSection, bytes: Uint8Array, items: number, param?: number) => void,
  grams: GramIndex,
  blocks: number,
): void {
  const offsets = new Uint32Array(grams.count + 1)
  const blockCounts = new Uint32Array(grams.count)
  const encoder = new RoaringEncoder()
  let postings = new Uint8Array(grams.blocks.length + 4096)
  let at = 0
  for (let g = 0; g < grams.count; g++) {
    offsets[g] = at
    blockCounts[g] = grams.starts[g + 1] - grams.starts[g]
    if (grams.keys[g] >= BIGRAM_BIT && blockCounts[g] * COMMON_GRAM_SHARE > blocks) continue
    const length = encoder.measure(grams.blocks, grams.starts[g], grams.starts[g + 1])
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
  section('gramBlocks', bytesOf(blockCounts), grams.count)
  section('gramTotals', bytesOf(grams.totals), grams.count)
  section('postings', postings.subarray(0, at), grams.count)
}

function writeColumns(out: SectionWriter, spec: SegmentSpec, table: Table, count: number): void {
  const grouped = (column: NumberColumn, section: TableSection): void => {
    const values = new Uint32Array(count)
    if (!spec.fill(table, column, values)) return
    out.section(tableTag(table, section), encodeGroupedColumn(values, count), count)
  }
  if (table === 'f') {
    const sizes = new Float64Array(count)
    if (spec.fill(table, 'size', sizes)) {
      for (let row = 0; row < count; row++) sizes[row] = storableSize(sizes[row])
      out.section(FILE_SECTIONS.size, encodeSizeColumn(sizes, count), count, unknownCount(sizes))
      const largest = extremeRows(sizes)
      out.section(FILE_SECTIONS.largest, bytesOf(largest), largest.length)
      const smallest = smallestRows(sizes)
      out.section(FILE_SECTIONS.smallest, bytesOf(smallest), smallest.length)
    }
    grouped('kind', 'kind')
  }
  for (const column of TIME_COLUMNS) {
    const seconds = new Float64Array(count)
    if (!spec.fill(table, `${column}Seconds`, seconds)) continue
    const { raw, exceptions } = encodeSeconds(seconds)
    out.section(timeTag(table, column, 'SC'), bytesOf(raw), count, unknownCount(seconds))
    out.section(timeTag(table, column, 'EX'), exceptions, exceptions.length / TIME_EXCEPTION_BYTES)
    const ticks = new Uint32Array(count)
    if (spec.fill(table, `${column}Ticks`, ticks) && ticks.some(tick => tick !== 0)) {
      out.section(timeTag(table, column, 'TK'), encodeGroupedColumn(ticks, count), count)
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

/** Seconds as u32; what does not fit is an exception: row u32 and seconds f64, ascending by row (12 bytes each). */
function encodeSeconds(seconds: Float64Array): { raw: Uint32Array; exceptions: Uint8Array } {
  const raw = new Uint32Array(seconds.length)
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
  return { raw, exceptions }
}

function rowsByAge(
  spec: SegmentSpec,
  table: Table,
  count: number,
  stubs: Uint8Array | undefined,
): { newest: Uint32Array; oldest: Uint32Array } | undefined {
  const seconds = new Float64Array(count)
  if (!spec.fill(table, 'modifiedSeconds', seconds)) return undefined
  const ticks = new Uint32Array(count)
  spec.fill(table, 'modifiedTicks', ticks)
  return { newest: extremeRows(seconds, ticks, stubs), oldest: smallestRows(seconds, ticks, stubs) }
}

/** Permutation of all entries by (high, low, birth), for looking up a node's entries. */
function writeRefOrder(out: SectionWriter, spec: SegmentSpec): void {
  const total = spec.dirCount + spec.fileCount
  const low = new Uint32Array(total)
  const high = new Uint32Array(total)
  const birth = new Uint32Array(total)
  const fill = (column: NumberColumn, target: Uint32Array): boolean =>
    spec.fill('d', column, target.subarray(0, spec.dirCount)) && spec.fill('f', column, target.subarray(spec.dirCount))
  if (!fill('refLow', low) || !fill('refHigh', high) || !fill('refBirth', birth)) return
  const order = radixOrder([birth, low, high], total)
  const width = bitsFor(Math.max(0, total - 1))
  out.section(TREE_SECTIONS.entriesByRef, packArray(order, total, width), total, width)
}

function bytesOf(array: Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
