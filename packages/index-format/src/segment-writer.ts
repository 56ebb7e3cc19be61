import { TIME_COLUMNS } from '@hotpath/model'
import type { BuildKernels } from './build-kernels.js'
import { encodeHeavyTable } from './heavy-table.js'
import { KEY_RULES } from './key.js'
import { bitsFor } from './packed-array.js'
import { plainKernels } from './plain-kernels.js'
import { SectionWriter, type SegmentSink } from './section-writer.js'
import {
  ACCESS_SECTIONS,
  type AccessSection,
  BLOCK_NAMES,
  FILE_SECTIONS,
  KEY_RULES_TAG,
  type Table,
  type TableSection,
  TIME_EXCEPTION_BYTES,
  TREE_SECTIONS,
  tableTag,
  timeTag,
} from './segment-layout.js'
import type { NamedRows, NumberColumn, SegmentSpec } from './segment-spec.js'
import { encodeWordList, WordCollector, type WordList } from './word-list.js'

export interface SegmentStats {
  readonly dirCount: number
  readonly fileCount: number
  readonly stubCount: number
  /** Entries: rows that are not stubs. */
  readonly entryCount: number
  readonly fileBytes: number
}

export interface SegmentOptions {
  /** A substring in more blocks than this gets a stored total (HEAVY_BLOCKS). */
  readonly heavyBlocks?: number
  /** Run the loops; `plainKernels` if left out. */
  readonly kernels?: BuildKernels
  /** False: no list of words, which takes about as long as all the rest; whoever needs it gathers the words from the names. */
  readonly words?: boolean
}

/** Writes a segment. Deterministic: equal specs and options give equal bytes, whatever the kernels. */
export function writeSegment(spec: SegmentSpec, sink: SegmentSink, options: SegmentOptions = {}): SegmentStats {
  const kernels = options.kernels ?? plainKernels
  const out = new SectionWriter(sink, kernels)
  const { dirCount, fileCount } = spec
  let stubCount = 0
  for (let local = 0; local < dirCount; local++) stubCount += spec.stubs[local]

  out.section(KEY_RULES_TAG, new TextEncoder().encode(KEY_RULES), 1)
  kernels.scope(() => writeTree(out, spec, kernels))
  const words = options.words === false ? undefined : new WordCollector()
  kernels.scope(() => writeTable(out, 'd', spec.takeNames('d'), spec.stubs, kernels, words, options.heavyBlocks))
  kernels.scope(() => writeTable(out, 'f', spec.takeNames('f'), undefined, kernels, words, options.heavyBlocks))
  if (words) writeWords(out, words.finish())
  kernels.scope(() => writeColumns(out, spec, 'd', dirCount, kernels))
  kernels.scope(() => writeColumns(out, spec, 'f', fileCount, kernels))
  kernels.scope(() => writeRefOrder(out, spec, kernels))
  const fileBytes = out.finish({ dirCount, fileCount, stubCount })
  return { dirCount, fileCount, stubCount, entryCount: dirCount - stubCount + fileCount, fileBytes }
}

function writeTree(out: SectionWriter, spec: SegmentSpec, kernels: BuildKernels): void {
  const { dirCount, fileCount } = spec
  const packed = (tag: string, values: Uint32Array, count: number, max: number): void => {
    const width = bitsFor(max)
    out.section(tag, kernels.packArray(values, count, width), count, width)
  }
  let maxId = 0
  for (let local = 0; local < dirCount; local++) maxId = Math.max(maxId, spec.dirIds[local])
  packed(TREE_SECTIONS.dirIds, spec.dirIds, dirCount, maxId)
  packed(TREE_SECTIONS.dirEnds, spec.dirEnds, dirCount, dirCount)
  packed(TREE_SECTIONS.dirParents, spec.dirParents, dirCount, dirCount)
  packed(TREE_SECTIONS.dirFirstFiles, spec.dirFirstFiles, dirCount + 1, fileCount)
  packed(TREE_SECTIONS.stubs, Uint32Array.from(spec.stubs), dirCount, 1)
  packed(TREE_SECTIONS.dirsById, kernels.radixOrder([spec.dirIds], dirCount), dirCount, Math.max(0, dirCount - 1))
}

type WriteSection = (name: TableSection, bytes: Uint8Array, items: number, param?: number) => void

/** Dictionary, inverse, grams and postings of one table. Rows with `stubs[row] = 1` are listed but not counted. */
function writeTable(
  out: SectionWriter,
  table: Table,
  { names, nameIds }: NamedRows,
  stubs: Uint8Array | undefined,
  kernels: BuildKernels,
  words: WordCollector | undefined,
  heavyBlocks: number | undefined,
): void {
  words?.add(names)
  const section: WriteSection = (name, bytes, items, param = 0) =>
    out.section(tableTag(table, name), bytes, items, param)
  const blocks = Math.ceil(names.count / BLOCK_NAMES)

  section('names', names.bytes, names.count)
  section('nameBlockOffsets', bytesOf(names.blockOffsets), blocks + 1)
  const weights = kernels.words(names.count)
  kernels.scope(() => weights.set(writeRowsOfNames(section, names.count, nameIds, kernels)))
  if (stubs) for (let row = 0; row < stubs.length; row++) if (stubs[row] === 1) weights[nameIds[row]]--
  const grams = kernels.encodeGrams(names, weights)
  section('gramKeys', bytesOf(grams.keys), grams.count)
  section('gramOffsets', bytesOf(grams.offsets), grams.count + 1)
  section('gramBlocks', bytesOf(grams.blockCounts), grams.count)
  section('gramTotals', bytesOf(grams.totals), grams.count)
  section('postings', grams.postings, grams.count)
  const heavy = kernels.findHeavySubstrings(names, weights, grams, heavyBlocks)
  section('heavy', encodeHeavyTable(heavy), heavy.length)
}

function writeWords(out: SectionWriter, words: WordList): void {
  out.section(TREE_SECTIONS.words, encodeWordList(words), words.count, words.suffixes.length)
}

/** Names of rows and rows of names. @returns how many rows each name has */
function writeRowsOfNames(
  section: WriteSection,
  nameCount: number,
  nameIds: Uint32Array,
  kernels: BuildKernels,
): Uint32Array {
  const count = nameIds.length
  const rows = kernels.rowsOfNames(nameIds, nameCount)
  section('nameCounts', rows.counts, nameCount)
  section('nameCountOverflow', bytesOf(rows.overflow), rows.overflow.length / 2)
  section('inverseBlockStarts', bytesOf(rows.blockStarts), rows.blockStarts.length)
  const packed = (name: TableSection, values: Uint32Array, max: number): void => {
    const width = bitsFor(max)
    kernels.scope(() => section(name, kernels.packArray(values, count, width), count, width))
  }
  packed('inverse', rows.inverse, Math.max(0, count - 1))
  packed('nameIds', nameIds, Math.max(0, nameCount - 1))
  return rows.weights
}

/** Columns of one table. One array holds the wide ones in turn; others are there as long as they are needed. */
function writeColumns(out: SectionWriter, spec: SegmentSpec, table: Table, count: number, kernels: BuildKernels): void {
  const values = kernels.doubles(count)
  const list = (tag: string, rows: Uint32Array): void => out.section(tag, bytesOf(rows), rows.length)
  const grouped = (column: NumberColumn, section: TableSection | AccessSection, omitted?: 'zeros'): void => {
    kernels.scope(() => {
      const numbers = kernels.words(count)
      if (!spec.fill(table, column, numbers)) return
      if (omitted === 'zeros' && !kernels.anySet(numbers)) return
      const tag =
        section in ACCESS_SECTIONS
          ? ACCESS_SECTIONS[section as AccessSection]
          : tableTag(table, section as TableSection)
      out.section(tag, kernels.encodeGroupedColumn(numbers, count), count)
    })
  }
  if (table === 'f') {
    kernels.scope(() => {
      if (!spec.fill(table, 'size', values)) return
      kernels.limitSizes(values)
      const unknown = kernels.countUnknown(values)
      kernels.scope(() => out.section(FILE_SECTIONS.size, kernels.encodeSizeColumn(values, count), count, unknown))
      list(FILE_SECTIONS.largest, kernels.largestRows(values))
      // Empty files are often more than a list holds, and need no order among themselves.
      kernels.dropZeros(values)
      list(FILE_SECTIONS.smallest, kernels.smallestRows(values))
    })
    // A list knows of files only, and a merge fills what an input does not have with zeros.
    grouped('kind', 'kind', 'zeros')
  }
  const stubs = table === 'd' ? spec.stubs : undefined
  for (const column of TIME_COLUMNS) {
    kernels.scope(() => {
      if (!spec.fill(table, `${column}Seconds`, values)) return
      const unknown = kernels.countUnknown(values)
      // A column of which nothing is known (lists have one for creation, and seldom a value) would cost 4 bytes a row.
      if (unknown === count && count > 0) return
      kernels.scope(() => {
        const { raw, exceptions } = kernels.encodeSeconds(values)
        out.section(timeTag(table, column, 'SC'), bytesOf(raw), count, unknown)
        out.section(timeTag(table, column, 'EX'), exceptions, exceptions.length / TIME_EXCEPTION_BYTES)
      })
      const numbers = kernels.words(count)
      if (!spec.fill(table, `${column}Ticks`, numbers)) numbers.fill(0)
      else if (kernels.anySet(numbers)) {
        kernels.scope(() =>
          out.section(timeTag(table, column, 'TK'), kernels.encodeGroupedColumn(numbers, count), count),
        )
      }
      if (column === 'modified') {
        list(tableTag(table, 'newest'), kernels.largestRows(values, numbers, stubs))
        list(tableTag(table, 'oldest'), kernels.smallestRows(values, numbers, stubs))
      }
    })
  }
  grouped('attributes', 'attributes')
  // A tree that belongs to root has no other owners.
  if (table === 'd') for (const column of ['mode', 'user', 'group'] as const) grouped(column, column, 'zeros')
  grouped('refLow', 'refLow')
  grouped('refHigh', 'refHigh')
  grouped('refBirth', 'refBirth')
}

/** Permutation of all entries by (high, low, birth), for looking up a node's entries. */
function writeRefOrder(out: SectionWriter, spec: SegmentSpec, kernels: BuildKernels): void {
  const total = spec.dirCount + spec.fileCount
  const numbers = kernels.words(total)
  const fill = (column: NumberColumn): boolean =>
    spec.fill('d', column, numbers.subarray(0, spec.dirCount)) &&
    spec.fill('f', column, numbers.subarray(spec.dirCount))
  const columns: NumberColumn[] = ['refBirth', 'refLow', 'refHigh']
  if (!columns.every(fill)) return
  const order = kernels.radixOrder(filled(columns, fill, numbers), total)
  const width = bitsFor(Math.max(0, total - 1))
  out.section(TREE_SECTIONS.entriesByRef, kernels.packArray(order, total, width), total, width)
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
