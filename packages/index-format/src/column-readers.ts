import { CorruptFileError } from '@hotpath/model'
import { groupedColumnParts } from './grouped-column.js'
import type { NumberColumnView, Section, SegmentFile } from './segment-file.js'
import { GROUP_ENTRIES, PAGE_SIZE, TIME_EXCEPTION, TIME_EXCEPTION_BYTES } from './segment-layout.js'
import { SIZE_CODE_BYTES, SIZE_CODE_LENGTHS } from './size-column.js'

const GROUP_SHIFT = Math.log2(GROUP_ENTRIES)
const PAGE_SHIFT = Math.log2(PAGE_SIZE)

/** Random access to a grouped column (see grouped-column.ts). */
export class GroupedColumn {
  private readonly view: DataView
  private readonly parts: ReturnType<typeof groupedColumnParts>
  private readonly wordCount: number
  private readonly checked: Uint8Array

  constructor(
    private readonly file: SegmentFile,
    private readonly section: Section,
    private readonly count: number,
  ) {
    this.parts = groupedColumnParts(count)
    if (section.items !== count || section.length < this.parts.words + 4) {
      throw new CorruptFileError(
        file.file,
        section.offset,
        `${count} values in ${section.tag}`,
        `${section.length} bytes`,
      )
    }
    this.checked = file.checked
    this.wordCount = (section.length - this.parts.words) >>> 2
    this.view = new DataView(file.bytes.buffer, file.bytes.byteOffset + section.offset, section.length)
  }

  /** See SegmentFile.expect: what is needed to find a value, then the value, once the first has been read. */
  expectPlace(index: number): void {
    const { file, section, parts } = this
    const group = index >>> GROUP_SHIFT
    file.expect(section.offset + group * 4, 4)
    file.expect(section.offset + parts.starts + group * 4, 4)
    file.expect(section.offset + parts.widths + group, 1)
  }

  expectValue(index: number): void {
    const { file, section, parts, view } = this
    const group = index >>> GROUP_SHIFT
    this.touchByte(section.offset + parts.starts + group * 4)
    this.touchByte(section.offset + parts.widths + group)
    const bit = (index & (GROUP_ENTRIES - 1)) * view.getUint8(parts.widths + group)
    const word = view.getUint32(parts.starts + group * 4, true) + (bit >>> 5)
    if (view.getUint8(parts.widths + group) > 0) file.expect(section.offset + parts.words + word * 4, 8)
  }

  at(index: number): number {
    const { file, section, parts, view } = this
    if (!(index < this.count)) throw noSuchRow(file, section, this.count, index)
    const group = index >>> GROUP_SHIFT
    this.touchByte(section.offset + group * 4)
    this.touchByte(section.offset + parts.starts + group * 4)
    this.touchByte(section.offset + parts.widths + group)
    const base = view.getUint32(group * 4, true)
    const width = view.getUint8(parts.widths + group)
    if (width === 0) return base
    const bit = (index & (GROUP_ENTRIES - 1)) * width
    const word = view.getUint32(parts.starts + group * 4, true) + (bit >>> 5)
    if (width > 32 || word + 1 >= this.wordCount) {
      throw new CorruptFileError(file.file, section.offset, `a word below ${this.wordCount}`, `${word}, ${width} bits`)
    }
    const at = parts.words + word * 4
    this.touchByte(section.offset + at)
    this.touchByte(section.offset + at + 7)
    const shift = bit & 31
    let value = view.getUint32(at, true) >>> shift
    if (shift + width > 32) value |= view.getUint32(at + 4, true) << (32 - shift)
    if (width < 32) value &= (1 << width) - 1
    return (base + (value >>> 0)) >>> 0
  }

  /** All values into `out`: the sequential form. */
  read(out: Uint32Array | Float64Array): void {
    const { file, section, parts, view, wordCount } = this
    file.touch(section.offset, section.length)
    for (let group = 0; group < parts.groups; group++) {
      const from = group * GROUP_ENTRIES
      const to = Math.min(this.count, from + GROUP_ENTRIES)
      const base = view.getUint32(group * 4, true)
      const width = view.getUint8(parts.widths + group)
      if (width === 0) {
        out.fill(base, from, to)
        continue
      }
      const first = view.getUint32(parts.starts + group * 4, true)
      // The last value's word and the one after it are read at most.
      if (width > 32 || first + (((to - from - 1) * width) >>> 5) + 1 >= wordCount) {
        throw new CorruptFileError(file.file, section.offset, `words below ${wordCount}`, `${first}, ${width} bits`)
      }
      const mask = width === 32 ? 0xffffffff : (1 << width) - 1
      for (let i = from, bit = 0; i < to; i++, bit += width) {
        const at = parts.words + (first + (bit >>> 5)) * 4
        const shift = bit & 31
        let value = view.getUint32(at, true) >>> shift
        if (shift + width > 32) value |= view.getUint32(at + 4, true) << (32 - shift)
        out[i] = (base + ((value & mask) >>> 0)) >>> 0
      }
    }
  }

  /** Checks the page of one byte; a u32 on a multiple of four does not cross pages. */
  private touchByte(offset: number): void {
    const page = offset >>> PAGE_SHIFT
    if (this.checked[page] === 0) this.file.check(page)
  }
}

/** Bytes of a group of sizes as a rule: its codes, and values of two or three bytes. */
const SIZE_GROUP_BYTES = SIZE_CODE_BYTES + GROUP_ENTRIES * 3

/** Random access to sizes (see size-column.ts). */
export class SizeColumn {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly data: number
  private readonly end: number

  constructor(
    private readonly file: SegmentFile,
    readonly section: Section,
    readonly count: number,
  ) {
    const groups = Math.ceil(count / GROUP_ENTRIES)
    this.data = section.offset + groups * 4
    this.end = section.offset + section.length
    if (section.items !== count || section.length < groups * (4 + SIZE_CODE_BYTES)) {
      throw new CorruptFileError(
        file.file,
        section.offset,
        `${count} sizes in ${section.tag}`,
        `${section.length} bytes`,
      )
    }
    this.bytes = file.bytes
    this.view = new DataView(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length)
  }

  /** See SegmentFile.expect: the size of a row. First where it is; `expectValue` once that has been read. */
  expectPlace(index: number): void {
    this.file.expect(this.section.offset + (index >>> GROUP_SHIFT) * 4, 4)
  }

  expectValue(index: number): void {
    const group = this.section.offset + (index >>> GROUP_SHIFT) * 4
    this.file.touch(group, 4)
    const codes = this.data + this.view.getUint32(group, true)
    if (codes + SIZE_GROUP_BYTES <= this.end) this.file.expect(codes, SIZE_GROUP_BYTES)
  }

  /** How many of the sizes are unknown. */
  get unknownCount(): number {
    return this.section.param
  }

  /** Bytes; NaN if unknown. Cost: the sum of the lengths of up to 63 values before it, a word of 16 at a time. */
  at(index: number): number {
    const { file, bytes } = this
    if (!(index < this.count)) throw noSuchRow(file, this.section, this.count, index)
    const group = index >>> GROUP_SHIFT
    file.touch(this.section.offset + group * 4, 4)
    const codes = this.data + this.view.getUint32(this.section.offset + group * 4, true)
    if (codes + SIZE_CODE_BYTES > this.end) this.fail(codes)
    file.touch(codes, SIZE_CODE_BYTES)
    const lane = index & (GROUP_ENTRIES - 1)
    let at = codes + SIZE_CODE_BYTES
    for (let first = 0; first < lane; first += 16) {
      const word = this.view.getUint32(codes + (first >> 2), true)
      at += lengthSum(lane - first < 16 ? word & ((1 << ((lane - first) * 2)) - 1) : word, Math.min(16, lane - first))
    }
    const length = SIZE_CODE_LENGTHS[(bytes[codes + (lane >> 2)] >> ((lane & 3) * 2)) & 3]
    if (at + length > this.end) this.fail(at)
    file.touch(at, length)
    let stored = 0
    for (let b = length - 1; b >= 0; b--) stored = stored * 256 + bytes[at + b]
    return stored === 0 ? Number.NaN : stored - 1
  }

  /** Sizes of [from, to) into `out`: the sequential form. Checks the pages of these alone. */
  read(from: number, to: number, out: Float64Array | Uint32Array): void {
    const { file, bytes } = this
    if (to <= from) return
    if (!(to <= this.count)) throw noSuchRow(file, this.section, this.count, to - 1)
    const groups = (this.data - this.section.offset) / 4
    const first = from >>> GROUP_SHIFT
    const past = ((to - 1) >>> GROUP_SHIFT) + 1
    file.touch(this.section.offset + first * 4, (Math.min(past + 1, groups) - first) * 4)
    const begin = this.codesOf(first)
    const end = past < groups ? this.codesOf(past) : this.end
    if (begin > end || end > this.end) this.fail(Math.max(begin, end))
    file.touch(begin, end - begin)
    let written = 0
    for (let index = from; index < to; ) {
      const codes = this.codesOf(index >>> GROUP_SHIFT)
      if (codes < begin || codes + SIZE_CODE_BYTES > end) this.fail(codes)
      let at = codes + SIZE_CODE_BYTES
      const groupFirst = index - (index & (GROUP_ENTRIES - 1))
      const groupEnd = Math.min(to, groupFirst + GROUP_ENTRIES)
      for (let i = groupFirst; i < groupEnd; i++) {
        const lane = i & (GROUP_ENTRIES - 1)
        const length = SIZE_CODE_LENGTHS[(bytes[codes + (lane >> 2)] >> ((lane & 3) * 2)) & 3]
        if (at + length > end) this.fail(at)
        if (i >= from) {
          let stored = bytes[at]
          if (length > 1) stored += bytes[at + 1] * 0x100
          if (length > 2) stored += bytes[at + 2] * 0x10000
          if (length > 3) {
            for (let b = 3, scale = 0x1000000; b < length; b++, scale *= 256) stored += bytes[at + b] * scale
          }
          out[written++] = stored === 0 ? Number.NaN : stored - 1
        }
        at += length
      }
      index = groupEnd
    }
  }

  /** Where a group begins; the page of its start must have been checked. */
  private codesOf(group: number): number {
    return this.data + this.view.getUint32(this.section.offset + group * 4, true)
  }

  private fail(at: number): never {
    throw new CorruptFileError(this.file.file, at, `an offset below ${this.end}`, `${at}`)
  }
}

/** Sum of the lengths of `count` values by their codes; the other codes of the word are 0. */
function lengthSum(word: number, count: number): number {
  const low = word & 0x55555555
  const high = (word >>> 1) & 0x55555555
  // 1, 2, 3, 7: one, and one for the low bit, two for the high one, three more for both.
  return count + bitCount(low) + 2 * bitCount(high) + 3 * bitCount(low & high)
}

/** Bits set among the even ones of a word. */
function bitCount(word: number): number {
  let bits = (word & 0x11111111) + ((word >>> 2) & 0x11111111)
  bits = (bits & 0x0f0f0f0f) + ((bits >>> 4) & 0x0f0f0f0f)
  return Math.imul(bits, 0x01010101) >>> 24
}

/** The exceptions of a time column: 12 bytes each (see segment-writer.ts). @throws CorruptFileError */
export function openExceptions(file: SegmentFile, tag: string): Uint8Array {
  const bytes = file.wholeSection(tag)
  if (bytes.length % TIME_EXCEPTION_BYTES !== 0) {
    throw new CorruptFileError(
      file.file,
      file.section(tag).offset,
      `exceptions of ${TIME_EXCEPTION_BYTES} bytes in ${tag}`,
      `${bytes.length} bytes`,
    )
  }
  return bytes
}

function noSuchRow(file: SegmentFile, section: Section, count: number, index: number): CorruptFileError {
  return new CorruptFileError(file.file, section.offset, `a row below ${count} in ${section.tag}`, `${index}`)
}

/** Random access to a time column: raw seconds, exceptions, ticks. */
export class TimeColumnReader {
  constructor(
    readonly seconds: NumberColumnView,
    private readonly exceptions: Uint8Array,
    private readonly tickColumn: GroupedColumn | undefined,
  ) {}

  /** See GroupedColumn.expectPlace. */
  expectPlace(index: number): void {
    this.seconds.expect(index)
    this.tickColumn?.expectPlace(index)
  }

  expectValue(index: number): void {
    this.tickColumn?.expectValue(index)
  }

  /** How many of the times are unknown. */
  get unknownCount(): number {
    return this.seconds.section.param
  }

  /** Seconds since 1970, NaN if unknown. */
  secondsAt(index: number): number {
    const raw = this.seconds.at(index)
    return raw === TIME_EXCEPTION ? this.exceptionAt(index) : raw
  }

  ticksAt(index: number): number {
    return this.tickColumn === undefined ? 0 : this.tickColumn.at(index)
  }

  /** True if every value of ticks is zero. */
  get wholeSeconds(): boolean {
    return this.tickColumn === undefined
  }

  /** Visits the rows whose known seconds do not fit in 32 bits. */
  forEachException(visit: (row: number, seconds: number) => void): void {
    const view = new DataView(this.exceptions.buffer, this.exceptions.byteOffset, this.exceptions.length)
    for (let at = 0; at + 12 <= view.byteLength; at += 12)
      visit(view.getUint32(at, true), view.getFloat64(at + 4, true))
  }

  /** All seconds into `out`: the sequential form. */
  readSeconds(out: Float64Array | Uint32Array): void {
    const raw = this.seconds.all()
    out.set(raw)
    for (let i = raw.indexOf(TIME_EXCEPTION); i >= 0; i = raw.indexOf(TIME_EXCEPTION, i + 1)) out[i] = Number.NaN
    this.forEachException((row, seconds) => {
      if (raw[row] === TIME_EXCEPTION) out[row] = seconds
    })
  }

  /** All ticks into `out`: the sequential form. */
  readTicks(out: Float64Array | Uint32Array): void {
    if (this.tickColumn === undefined) out.fill(0, 0, this.seconds.length)
    else this.tickColumn.read(out)
  }

  private exceptionAt(index: number): number {
    const view = new DataView(this.exceptions.buffer, this.exceptions.byteOffset, this.exceptions.length)
    let low = 0
    let high = this.exceptions.length / TIME_EXCEPTION_BYTES
    while (low < high) {
      const middle = (low + high) >>> 1
      const row = view.getUint32(middle * TIME_EXCEPTION_BYTES, true)
      if (row === index) return view.getFloat64(middle * TIME_EXCEPTION_BYTES + 4, true)
      if (row < index) low = middle + 1
      else high = middle
    }
    return Number.NaN
  }
}
