import { InvalidInputError } from '@hotpath/model'
import type { BuildKernels } from './build-kernels.js'
import { crc32c } from './crc32c.js'
import { headerChecksum } from './header-checksum.js'
import {
  HEADER_FIELDS,
  MAX_SEGMENT_BYTES,
  PAGE_SIZE,
  SECTION_PADDING,
  SEGMENT_MAGIC,
  SEGMENT_MAJOR,
  SEGMENT_MINOR,
  TOC_ENTRY_SIZE,
  TOC_FIELDS,
} from './segment-layout.js'

/** Receives the bytes of a file in order. The header page comes last, for offset 0. */
export interface SegmentSink {
  /** Bytes that follow those written before; the first call is for offset PAGE_SIZE. The buffer may be reused after the call. */
  append(bytes: Uint8Array): void
  /** The header page, for offset 0. Called once, after everything else. */
  finish(header: Uint8Array): void
}

interface TocEntry {
  tag: number
  param: number
  offset: number
  length: number
  items: number
}

export function tagNumber(tag: string): number {
  return tag.charCodeAt(0) | (tag.charCodeAt(1) << 8) | (tag.charCodeAt(2) << 16) | (tag.charCodeAt(3) << 24)
}

/** Writes sections one after the other, and their checksums. */
export class SectionWriter {
  private readonly toc: TocEntry[] = []
  private crcs = new Uint32Array(1024)
  /** The last pages of a section, for one after the other. */
  private readonly tail = new Uint8Array(2 * PAGE_SIZE)
  private pages = 1
  private offset = PAGE_SIZE

  /** @param kernels compute the checksums */
  constructor(
    private readonly sink: SegmentSink,
    private readonly kernels: Pick<BuildKernels, 'crcPages'>,
  ) {}

  /** Bytes written so far, header included. */
  get length(): number {
    return this.offset
  }

  /** Adds a section. `param` is section-specific (a bit width, a count). Empty sections are recorded too. */
  section(tag: string, bytes: Uint8Array, items: number, param = 0): void {
    const padded = Math.ceil((bytes.length + SECTION_PADDING) / PAGE_SIZE) * PAGE_SIZE
    this.requireRoom(this.offset + padded)
    this.toc.push({ tag: tagNumber(tag), param, offset: this.offset, length: bytes.length, items })
    const whole = Math.floor(bytes.length / PAGE_SIZE) * PAGE_SIZE
    if (whole > 0) this.append(bytes.subarray(0, whole))
    const tail = this.tail.subarray(0, padded - whole).fill(0)
    tail.set(bytes.subarray(whole))
    this.append(tail)
    this.offset += padded
  }

  private requireRoom(fileLength: number): void {
    if (fileLength > MAX_SEGMENT_BYTES) {
      throw new InvalidInputError('segment', `at most ${MAX_SEGMENT_BYTES} bytes`, `${fileLength}`)
    }
  }

  /** Writes whole pages. */
  private append(bytes: Uint8Array): void {
    const pages = this.pages + bytes.length / PAGE_SIZE
    if (pages > this.crcs.length) {
      const larger = new Uint32Array(Math.max(pages, this.crcs.length * 2))
      larger.set(this.crcs)
      this.crcs = larger
    }
    this.kernels.crcPages(bytes, this.crcs, this.pages)
    this.pages = pages
    this.sink.append(bytes)
  }

  /** Writes the table of contents and the header. @returns length of the file in bytes */
  finish(counts: { dirCount: number; fileCount: number; stubCount: number }): number {
    const toc = new Uint8Array(this.toc.length * TOC_ENTRY_SIZE + this.pages * 4)
    const view = new DataView(toc.buffer)
    this.toc.forEach((entry, i) => {
      const base = i * TOC_ENTRY_SIZE
      view.setUint32(base + TOC_FIELDS.tag[0], entry.tag, true)
      view.setUint32(base + TOC_FIELDS.param[0], entry.param, true)
      view.setUint32(base + TOC_FIELDS.offset[0], entry.offset, true)
      view.setUint32(base + TOC_FIELDS.length[0], entry.length, true)
      view.setUint32(base + TOC_FIELDS.items[0], entry.items, true)
    })
    for (let page = 0; page < this.pages; page++) {
      view.setUint32(this.toc.length * TOC_ENTRY_SIZE + page * 4, this.crcs[page], true)
    }
    const fileLength = this.offset + toc.length
    this.requireRoom(fileLength)
    this.sink.append(toc)
    const header = new Uint8Array(PAGE_SIZE)
    const fields = new DataView(header.buffer)
    header.set(SEGMENT_MAGIC, HEADER_FIELDS.magic[0])
    fields.setUint16(HEADER_FIELDS.major[0], SEGMENT_MAJOR, true)
    fields.setUint16(HEADER_FIELDS.minor[0], SEGMENT_MINOR, true)
    fields.setUint32(HEADER_FIELDS.sectionCount[0], this.toc.length, true)
    fields.setUint32(HEADER_FIELDS.fileLength[0], fileLength, true)
    fields.setUint32(HEADER_FIELDS.tocOffset[0], this.offset, true)
    fields.setUint32(HEADER_FIELDS.tocLength[0], toc.length, true)
    fields.setUint32(HEADER_FIELDS.tocCrc[0], crc32c(toc, 0, toc.length), true)
    fields.setUint32(HEADER_FIELDS.dirCount[0], counts.dirCount, true)
    fields.setUint32(HEADER_FIELDS.fileCount[0], counts.fileCount, true)
    fields.setUint32(HEADER_FIELDS.stubCount[0], counts.stubCount, true)
    fields.setUint32(HEADER_FIELDS.headerCrc[0], headerChecksum(header), true)
    this.sink.finish(header)
    return fileLength
  }
}
