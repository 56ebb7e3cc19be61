import {
  BLOCK_NAMES,
  type GramInfo,
  MalformedBytesError,
  type NumberColumnView,
  type Section,
  type SegmentReader,
  type Table,
} from '@hotpath/index-format'
import type { IdList, Kernels, NameBlocks, NameCounts, NameRows, Span } from '@hotpath/kernels'
import { Bitset } from './bitset.js'
import { candidateBlocks, type PostingSets, prefixRange } from './candidate-blocks.js'
import { decideNonAscii, kernelDecider, type ProgramTarget } from './kernel-decider.js'
import type { NameExpression } from './name-expression.js'
import type { NameMatcher } from './name-matcher.js'
import { type BlockDecider, NameVerdicts } from './name-verdicts.js'
import { nearWordsOf } from './near-words.js'
import { NonAsciiBlocks } from './non-ascii-blocks.js'
import { RangeDecider, soleStart } from './range-decider.js'
import { RowSet } from './row-set.js'
import type { SearchWork } from './search-work.js'
import type { VerifyCrew } from './verify-crew.js'

/** Rows filtered in one call between two looks at whether the search was cancelled: some 2 ms; a multiple of 64. */
const SLICE_ROWS = 1 << 20
/** Blocks of names expanded in one call: some 2 ms where most names are expanded. */
const SLICE_BLOCKS = 16_384

/** Blocks whose names are read ahead when a search begins, though its page may end before them: some 400 KB. */
const EXPECTED_BLOCKS = 1_024
/** Blocks up to which only the rows of their names are read while the segment is cold, and not those of all names. */
const SCATTERED_BLOCKS = 4_096
/** Blocks up to which names are looked at one by one, and rows of theirs: under 100 µs. */
const FEW_BLOCKS = 128
const FEW_ROWS = 512

/**
 * Decides name expressions with the WebAssembly kernels, reading the segment where it is mapped in their memory.
 * Each call takes all scratch space for itself.
 */
export class KernelNameMatcher implements NameMatcher {
  private readonly nonAscii: NonAsciiBlocks

  constructor(
    private readonly kernels: Kernels,
    private readonly reader: SegmentReader,
    private readonly table: Table,
    private readonly crew?: VerifyCrew,
  ) {
    this.nonAscii = new NonAsciiBlocks(this.dictionary.blockCount, (blocks, words) =>
      decideNonAscii(
        this.target(() => {}),
        blocks,
        words,
      ),
    )
  }

  verdicts(expression: NameExpression, work: SearchWork): NameVerdicts {
    const { dictionary, crew, table } = this
    const candidates = candidateBlocks(dictionary, expression, this.postings)
    const start = soleStart(expression)
    if (start !== undefined) {
      const { from, to } = prefixRange(dictionary, start)
      return new NameVerdicts(dictionary.nameCount, candidates, new RangeDecider(from, to), work)
    }
    if (candidates && candidates.length <= EXPECTED_BLOCKS && this.reader.frame.isCold) {
      dictionary.expectBlocks(candidates)
    }
    const own = this.decider(expression, work.checkCancelled)
    const decider = crew ? crew.assist(own, { file: this.reader.file, table, expression }) : own
    return new NameVerdicts(dictionary.nameCount, candidates, decider, work)
  }

  decider(expression: NameExpression, checkCancelled: () => void = () => {}): BlockDecider {
    return kernelDecider(this.target(checkCancelled), expression)
  }

  private target(checkCancelled: () => void): ProgramTarget {
    const { kernels, dictionary, blocks, run, postings } = this
    return {
      kernels,
      dictionary,
      blocks,
      run,
      checkCancelled,
      nearWords: postings.nearWords,
      nonAsciiBlocks: found => this.nonAscii.of(found),
    }
  }

  rowsOf(verdicts: NameVerdicts, work: SearchWork): RowSet {
    const { kernels, dictionary } = this
    const names = verdicts.all()
    if (verdicts.candidateCount <= FEW_BLOCKS) {
      const few = this.rowsOfFew(verdicts)
      if (few) return few
    }
    const isScattered = this.reader.frame.isCold && verdicts.candidateCount <= SCATTERED_BLOCKS
    const blocks = isScattered ? verdicts.blocksFound() : undefined
    const span = blocks ? this.uncheckedSpan : this.checkedSpan
    const { section, width } = dictionary.inverseColumn
    const rows: NameRows = {
      starts: span(dictionary.inverseStartColumn.section),
      inverse: span(section),
      width,
      count: dictionary.rowCount,
    }
    const counts = this.counts(span)
    if (blocks) dictionary.touchRowsOfBlocks(blocks)
    kernels.scratch.reset()
    const bits = this.placeBits(names)
    const out = kernels.takeBits(roundedBits(rows.count))
    let count = 0
    this.forEachSlice(blocks, work, (from, to) => {
      count += this.run(() => kernels.expandNames(bits, counts, dictionary.nameCount, rows, from, to, out))
    })
    return this.rowSet(out, count)
  }

  /** Visits ranges of blocks: those given, neighbours together, or all, a slice at a time. */
  private forEachSlice(
    blocks: Uint32Array | undefined,
    work: SearchWork,
    visit: (from: number, to: number) => void,
  ): void {
    if (blocks === undefined) {
      const { blockCount } = this.dictionary
      for (let from = 0; from < blockCount; from += SLICE_BLOCKS) {
        work.checkCancelled()
        visit(from, Math.min(blockCount, from + SLICE_BLOCKS))
      }
      return
    }
    for (let i = 0; i < blocks.length; ) {
      const from = blocks[i++]
      let to = from + 1
      while (i < blocks.length && blocks[i] === to) {
        i++
        to++
      }
      visit(from, to)
    }
  }

  /** Rows of a few names, without bitmaps of all names and rows; undefined if they are many after all. */
  private rowsOfFew(verdicts: NameVerdicts): RowSet | undefined {
    const { dictionary } = this
    const ids: number[] = []
    let count = 0
    for (let id = verdicts.next(0); id >= 0; id = verdicts.next(id + 1)) {
      count += dictionary.rowCountOf(id)
      if (count > FEW_ROWS) return undefined
      ids.push(id)
    }
    if (dictionary.isCold) dictionary.expectRowsOf(ids)
    const rows: number[] = []
    for (const id of ids) {
      dictionary.forEachRow(id, row => {
        rows.push(row)
      })
    }
    return RowSet.ofList(dictionary.rowCount, Uint32Array.from(rows).sort())
  }

  countRows(verdicts: NameVerdicts, work: SearchWork): number {
    const { kernels, dictionary } = this
    const names = verdicts.all()
    const few = dictionary.isCold ? SCATTERED_BLOCKS : FEW_BLOCKS
    if (verdicts.candidateCount <= few) {
      let count = 0
      for (let id = verdicts.next(0); id >= 0; id = verdicts.next(id + 1)) count += dictionary.rowCountOf(id)
      return count
    }
    const counts = this.counts(this.checkedSpan)
    kernels.scratch.reset()
    const bits = this.placeBits(names)
    work.checkCancelled()
    return kernels.countRows(bits, counts, dictionary.nameCount, 0, dictionary.blockCount)
  }

  rowsNamed(names: Bitset, work: SearchWork): RowSet {
    const { kernels, dictionary } = this
    const { section, width } = dictionary.nameIdColumn
    work.checkCancelled()
    const packed = this.checkedSpan(section)
    kernels.scratch.reset()
    const bits = this.placeBits(names)
    const out = kernels.takeBits(roundedBits(dictionary.rowCount))
    const count = this.run(() =>
      kernels.selectPacked(packed, width, dictionary.rowCount, bits, dictionary.nameCount, out),
    )
    return this.rowSet(out, count)
  }

  placesByName(rows: Bitset, work: SearchWork): Bitset {
    const { kernels } = this
    const { section, width } = this.dictionary.inverseColumn
    work.checkCancelled()
    const packed = this.checkedSpan(section)
    kernels.scratch.reset()
    const bits = this.placeBits(rows)
    const out = kernels.takeBits(roundedBits(rows.size))
    this.run(() => kernels.selectPacked(packed, width, rows.size, bits, rows.size, out))
    return new Bitset(rows.size, new Uint32Array(kernels.buffer, out.at, rows.words.length).slice())
  }

  rowsInRange(column: NumberColumnView, low: number, high: number): RowSet {
    const { kernels } = this
    const span = this.checkedSpan(column.section)
    kernels.scratch.reset()
    const bits = kernels.takeBits(roundedBits(column.length))
    return this.rowSet(bits, kernels.filterU32Range(span, low, high, bits))
  }

  rowsOfSizes(min: number, max: number, work: SearchWork): RowSet {
    const { kernels } = this
    const { sizes } = this.reader
    if (sizes === undefined) return RowSet.none(this.dictionary.rowCount)
    const span = this.checkedSpan(sizes.section)
    kernels.scratch.reset()
    const bits = kernels.takeBits(roundedBits(sizes.count))
    let count = 0
    for (let from = 0; from < sizes.count; from += SLICE_ROWS) {
      work.checkCancelled()
      const to = Math.min(sizes.count, from + SLICE_ROWS)
      count += this.run(() => kernels.filterSizes(span, sizes.count, min, max, bits, from, to))
    }
    return this.rowSet(bits, count)
  }

  private readonly postings: PostingSets = {
    intersect: lists => this.combine(lists, spans => this.kernels.intersect(spans)),
    unite: lists => this.combine(lists, spans => this.kernels.unite(spans, this.dictionary.blockCount)),
    nearWords: run => nearWordsOf(this.reader, run),
  }

  private combine(lists: readonly GramInfo[], operation: (spans: Span[]) => IdList): Uint32Array {
    const { kernels } = this
    const { frame } = this.reader
    for (const list of lists) frame.expect(list.offset, list.length)
    frame.fetchExpected()
    for (const list of lists) frame.touch(list.offset, list.length)
    kernels.scratch.reset()
    const spans = lists.map(({ offset, length }) => ({ at: this.base + offset, length }))
    return kernels.ids(this.run(() => operation(spans))).slice()
  }

  /** Runs a kernel over the mapped file: damage behind right checksums is reported as the file's. */
  private readonly run = <T>(kernel: () => T): T => {
    try {
      return kernel()
    } catch (error) {
      if (error instanceof MalformedBytesError) throw error.inFile(this.reader.file, -this.base)
      throw error
    }
  }

  /** Bits of the scratch space as rows. */
  private rowSet(bits: Span, count: number): RowSet {
    const { kernels, dictionary } = this
    if (RowSet.prefersList(dictionary.rowCount, count)) {
      const list = kernels.listBits(bits, 0, dictionary.rowCount, kernels.takeIds(count))
      return RowSet.ofList(dictionary.rowCount, kernels.ids(list).slice())
    }
    const words = new Uint32Array(kernels.buffer, bits.at, bits.length >>> 2).slice()
    return RowSet.ofBits(new Bitset(dictionary.rowCount, words), count)
  }

  private placeBits(bits: Bitset): Span {
    const { words } = bits
    return this.kernels.place(new Uint8Array(words.buffer, words.byteOffset, words.byteLength))
  }

  private counts(span: (section: Section) => Span): NameCounts {
    const { dictionary } = this
    return { counts: span(dictionary.counts), overflow: span(dictionary.countOverflowSection) }
  }

  /** A section as a place in the memory, its pages checked: kernels read nothing that was not. */
  private readonly checkedSpan = (section: Section): Span => {
    this.reader.frame.touch(section.offset, section.length)
    return this.uncheckedSpan(section)
  }

  /** The same where only those pages are used that are checked by themselves. */
  private readonly uncheckedSpan = ({ offset, length }: Section): Span => ({ at: this.base + offset, length })

  /** The names; who reads blocks checks their pages. */
  private get blocks(): NameBlocks {
    const { names, nameCount, blockOffsets } = this.dictionary
    const { offset, length } = blockOffsets.section
    return {
      names: { at: this.base + names.offset, length: names.length },
      offsets: { at: this.base + offset, length },
      nameCount,
    }
  }

  private get base(): number {
    return this.reader.frame.bytes.byteOffset
  }

  private get dictionary() {
    return this.table === 'd' ? this.reader.dirs : this.reader.files
  }
}

/** Bits in whole words. */
function roundedBits(count: number): number {
  return Math.ceil(count / BLOCK_NAMES) * BLOCK_NAMES
}
