import { CorruptFileError, InvalidInputError, UnsupportedVersionError } from '@hotpath/model'
import { crc32c } from './crc32c.js'
import { headerChecksum } from './header-checksum.js'
import { bitsFor, packedBytes } from './packed-array.js'
import {
  HEADER_FIELDS,
  PAGE_SIZE,
  SECTION_PADDING,
  SEGMENT_MAGIC,
  SEGMENT_MAJOR,
  TOC_ENTRY_SIZE,
  TOC_FIELDS,
} from './segment-layout.js'

/** CRC32C of bytes[start … end): the TypeScript one, or a kernel that computes the same faster. */
export type Crc32c = (bytes: Uint8Array, start: number, end: number) => number

/** Starts to read [offset, offset + length) of the file, and returns before it is there; whole pages. */
export type Prefetch = (offset: number, length: number) => void

/** Pages between two expected ones that are read along: one larger read costs less than two. */
const PREFETCH_GAP_PAGES = 2
/** Share of pages never looked at from which a file counts as cold. */
const COLD_SHARE = 0.25

/** Where a section is in the file. */
export interface Section {
  readonly tag: string
  readonly param: number
  readonly offset: number
  readonly length: number
  readonly items: number
}

/**
 * A segment file's frame: header, table of contents, pages that are checked when they are first touched.
 * `bytes` is the whole file, mapped or read, starting on a multiple of four bytes. Nothing else of this package reads a
 * section's bytes before the pages under it were checked.
 */
export class SegmentFile {
  readonly dirCount: number
  readonly fileCount: number
  readonly stubCount: number
  readonly sections: ReadonlyMap<string, Section>
  /** 1 for each page whose checksum was right. */
  readonly checked: Uint8Array
  private readonly pageCrcs: number
  private readonly view: DataView
  /** 1 for each page that was touched, or is being read; undefined if nobody reads ahead. */
  private readonly asked: Uint8Array | undefined
  private askedCount = 0
  private expected: number[] = []

  /**
   * Checks header and table of contents.
   * @throws CorruptFileError, UnsupportedVersionError; InvalidInputError if `bytes` does not start on a multiple of four
   */
  constructor(
    readonly file: string,
    readonly bytes: Uint8Array,
    private readonly crc: Crc32c = crc32c,
    private readonly prefetch?: Prefetch,
  ) {
    const fail = (offset: number, expected: string, found: string): never => {
      throw new CorruptFileError(file, offset, expected, found)
    }
    if (bytes.byteOffset % 4 !== 0) {
      throw new InvalidInputError('segment bytes', 'a start on a multiple of four bytes', `${bytes.byteOffset}`)
    }
    if (bytes.length < PAGE_SIZE) fail(0, `at least ${PAGE_SIZE} bytes`, `${bytes.length}`)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const u32 = (field: keyof typeof HEADER_FIELDS): number => this.view.getUint32(HEADER_FIELDS[field][0], true)
    for (let i = 0; i < SEGMENT_MAGIC.length; i++) {
      if (bytes[i] !== SEGMENT_MAGIC[i]) fail(0, 'the magic number of a segment', `byte ${bytes[i]} at ${i}`)
    }
    const headerCrc = headerChecksum(bytes)
    if (headerCrc !== u32('headerCrc')) fail(HEADER_FIELDS.headerCrc[0], `checksum ${headerCrc}`, `${u32('headerCrc')}`)
    const major = this.view.getUint16(HEADER_FIELDS.major[0], true)
    if (major !== SEGMENT_MAJOR)
      throw new UnsupportedVersionError(`segment ${JSON.stringify(file)}`, major, `${SEGMENT_MAJOR}`)
    const fileLength = u32('fileLength')
    if (fileLength !== bytes.length) fail(HEADER_FIELDS.fileLength[0], `${bytes.length} bytes`, `${fileLength}`)
    const tocOffset = u32('tocOffset')
    const tocLength = u32('tocLength')
    const sectionCount = u32('sectionCount')
    const pages = tocOffset / PAGE_SIZE
    if (tocOffset < PAGE_SIZE || tocOffset % PAGE_SIZE !== 0 || tocOffset + tocLength !== fileLength) {
      fail(HEADER_FIELDS.tocOffset[0], 'a table of contents at the end of the file', `${tocOffset} + ${tocLength}`)
    }
    if (tocLength !== sectionCount * TOC_ENTRY_SIZE + pages * 4) {
      fail(HEADER_FIELDS.tocLength[0], `${sectionCount} sections and ${pages} pages`, `${tocLength} bytes`)
    }
    const tocCrc = crc32c(bytes, tocOffset, fileLength)
    if (tocCrc !== u32('tocCrc')) fail(tocOffset, `checksum ${u32('tocCrc')}`, `${tocCrc}`)
    this.dirCount = u32('dirCount')
    this.fileCount = u32('fileCount')
    this.stubCount = u32('stubCount')
    if (this.stubCount > this.dirCount) {
      fail(HEADER_FIELDS.stubCount[0], `at most ${this.dirCount} stubs`, `${this.stubCount}`)
    }
    const sections = new Map<string, Section>()
    for (let i = 0; i < sectionCount; i++) {
      const at = tocOffset + i * TOC_ENTRY_SIZE
      const field = (name: keyof typeof TOC_FIELDS): number => this.view.getUint32(at + TOC_FIELDS[name][0], true)
      const tag = String.fromCharCode(...bytes.subarray(at, at + 4))
      const offset = field('offset')
      const length = field('length')
      if (offset % PAGE_SIZE !== 0 || offset < PAGE_SIZE || offset + length + SECTION_PADDING > tocOffset) {
        fail(at + TOC_FIELDS.offset[0], 'a section inside the file', `${offset} + ${length}`)
      }
      if (sections.has(tag)) fail(at, 'each tag once', tag)
      sections.set(tag, { tag, param: field('param'), offset, length, items: field('items') })
    }
    this.sections = sections
    this.checked = new Uint8Array(pages)
    this.checked[0] = 1
    this.asked = prefetch && new Uint8Array(pages)
    this.pageCrcs = tocOffset + sectionCount * TOC_ENTRY_SIZE
  }

  /** @throws CorruptFileError if the section is missing */
  section(tag: string): Section {
    const section = this.sections.get(tag)
    if (section === undefined) {
      throw new CorruptFileError(this.file, this.bytes.length, `a section ${tag}`, 'none')
    }
    return section
  }

  /** Checks one page. @throws CorruptFileError */
  check(page: number): void {
    const start = page * PAGE_SIZE
    const stored = this.view.getUint32(this.pageCrcs + page * 4, true)
    const found = this.crc(this.bytes, start, start + PAGE_SIZE)
    if (found !== stored) throw new CorruptFileError(this.file, start, `checksum ${stored} of the page`, `${found}`)
    this.checked[page] = 1
    if (this.asked?.[page] === 0) {
      this.asked[page] = 1
      this.askedCount++
    }
  }

  /**
   * True while a good part of the file was not looked at through this reader, so that its pages are probably on disk. Who
   * has more to do than to touch pages for saying what is expected asks this first.
   */
  get isCold(): boolean {
    return this.asked !== undefined && this.askedCount < this.asked.length * (1 - COLD_SHARE)
  }

  /** The pages under [offset, offset + length) will be touched soon: `fetchExpected` has them read together. */
  expect(offset: number, length: number): void {
    const { asked } = this
    if (asked === undefined || length <= 0) return
    const last = Math.min(asked.length - 1, (offset + length - 1) >>> 12)
    for (let page = offset >>> 12; page <= last; page++) {
      if (asked[page] !== 0) continue
      asked[page] = 1
      this.askedCount++
      this.expected.push(page)
    }
  }

  /** Starts to read what was expected, each page once in the life of this reader. */
  fetchExpected(): void {
    const { expected } = this
    if (expected.length === 0 || this.prefetch === undefined) return
    this.expected = []
    expected.sort((a, b) => a - b)
    let first = expected[0]
    let last = first
    for (const page of expected) {
      if (page > last + 1 + PREFETCH_GAP_PAGES) {
        this.prefetch(first * PAGE_SIZE, (last - first + 1) * PAGE_SIZE)
        first = page
      }
      last = page
    }
    this.prefetch(first * PAGE_SIZE, (last - first + 1) * PAGE_SIZE)
  }

  /** Makes sure that the pages under [offset, offset + length) were checked. */
  touch(offset: number, length: number): void {
    if (length === 0) return
    const last = (offset + length - 1) >>> 12
    for (let page = offset >>> 12; page <= last; page++) {
      if (this.checked[page] === 0) {
        this.checkUpTo(page, last)
        return
      }
    }
  }

  private checkUpTo(first: number, last: number): void {
    if (first < last) {
      this.expect(first * PAGE_SIZE, (last - first + 1) * PAGE_SIZE)
      this.fetchExpected()
    }
    for (let page = first; page <= last; page++) if (this.checked[page] === 0) this.check(page)
  }

  /** Reads every checksum. @throws CorruptFileError at the first wrong one */
  verify(): void {
    for (let page = 1; page < this.checked.length; page++) {
      this.checked[page] = 0
      this.check(page)
    }
  }

  /** The section's bytes, all pages checked: for small sections that are used whole. */
  wholeSection(tag: string): Uint8Array {
    const { offset, length } = this.section(tag)
    this.touch(offset, length)
    return this.bytes.subarray(offset, offset + length)
  }

  /** The section as u32 words over the mapped file; pages are not checked here. */
  words(section: Section): Uint32Array {
    return new Uint32Array(this.bytes.buffer, this.bytes.byteOffset + section.offset, section.length >>> 2)
  }

  /**
   * A packed array over a section whose length must be that of `count` values.
   * @param max if given, the width must be that of values 0 … `max`: it ties the counts of the header to the file's size
   * @throws CorruptFileError
   */
  packed(tag: string, count: number, max?: number): PackedColumn {
    const section = this.section(tag)
    const width = max === undefined ? section.param : bitsFor(max)
    if (
      section.items !== count ||
      section.param > 32 ||
      section.param !== width ||
      section.length !== packedBytes(count, width)
    ) {
      throw new CorruptFileError(
        this.file,
        section.offset,
        `${count} values of ${width} bits in ${tag}`,
        `${section.items} of ${section.param} bits in ${section.length} bytes`,
      )
    }
    return new PackedColumn(this, section)
  }

  /** A u32 array over a section of `count` values. @throws CorruptFileError */
  numbers(tag: string, count: number): NumberColumnView {
    const section = this.section(tag)
    if (section.items !== count || section.length !== count * 4) {
      throw new CorruptFileError(this.file, section.offset, `${count} numbers in ${tag}`, `${section.length} bytes`)
    }
    return new NumberColumnView(this, section)
  }
}

/** Random access to a packed array; checks pages as it goes. An index past the end gives zero. */
export class PackedColumn {
  private readonly words: Uint32Array
  private readonly checked: Uint8Array
  private readonly base: number
  readonly width: number
  private readonly mask: number

  constructor(
    private readonly file: SegmentFile,
    readonly section: Section,
  ) {
    this.words = file.words(section)
    this.checked = file.checked
    this.base = section.offset >>> 2
    this.width = section.param
    this.mask = section.param === 32 ? 0xffffffff : (1 << section.param) - 1
  }

  /** Where values [index, index + count) are in the file, with the word that may be loaded after them. */
  byteRange(index: number, count: number): { offset: number; length: number } {
    const from = Math.floor((index * this.width) / 32) * 4
    const to = Math.min(this.section.length, (Math.floor(((index + count) * this.width) / 32) + 2) * 4)
    return { offset: this.section.offset + from, length: to - from }
  }

  /** See SegmentFile.expect: values [index, index + count). */
  expect(index: number, count: number): void {
    const { offset, length } = this.byteRange(index, count)
    this.file.expect(offset, length)
  }

  at(index: number): number {
    const bit = index * this.width
    const word = Math.floor(bit / 32)
    const shift = bit & 31
    const page = (this.base + word) >>> 10
    if (this.checked[page] === 0) this.file.check(page)
    let value = this.words[word] >>> shift
    if (shift + this.width > 32) {
      const next = (this.base + word + 1) >>> 10
      if (this.checked[next] === 0) this.file.check(next)
      value |= this.words[word + 1] << (32 - shift)
    }
    return (value & this.mask) >>> 0
  }

  /** Values 0 … out.length - 1, every page checked: the sequential form. */
  read(out: Uint32Array): void {
    const { words, width, mask } = this
    this.file.touch(this.section.offset, this.section.length)
    let word = 0
    let shift = 0
    for (let i = 0; i < out.length; i++) {
      let value = words[word] >>> shift
      if (shift + width > 32) value |= words[word + 1] << (32 - shift)
      out[i] = value & mask
      shift += width
      if (shift >= 32) {
        shift -= 32
        word++
      }
    }
  }
}

/** Random access to plain u32 values; checks pages as it goes. */
export class NumberColumnView {
  private readonly words: Uint32Array
  private readonly checked: Uint8Array
  private readonly base: number

  constructor(
    private readonly file: SegmentFile,
    readonly section: Section,
  ) {
    this.words = file.words(section)
    this.checked = file.checked
    this.base = section.offset >>> 2
  }

  get length(): number {
    return this.words.length
  }

  /** See SegmentFile.expect. */
  expect(index: number): void {
    this.file.expect(this.section.offset + index * 4, 4)
  }

  /** @throws CorruptFileError if there is no such value */
  at(index: number): number {
    const page = (this.base + index) >>> 10
    if (this.checked[page] === 0) this.file.check(page)
    const value = this.words[index]
    if (value === undefined) {
      const { tag, offset } = this.section
      throw new CorruptFileError(this.file.file, offset, `an index below ${this.words.length} in ${tag}`, `${index}`)
    }
    return value
  }

  /** All values, every page checked. */
  all(): Uint32Array {
    this.file.touch(this.section.offset, this.section.length)
    return this.words
  }
}
