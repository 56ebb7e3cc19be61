import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.js'
import { MemorySink } from './memory-sink.js'
import { buildSegment } from './segment-builder.js'
import { PAGE_SIZE } from './segment-layout.js'
import { SegmentReader } from './segment-reader.js'

const file = new URL('../fixtures/segment-1.0.seg.gz', import.meta.url)
const bytes = new Uint8Array(gunzipSync(readFileSync(file)))

/** A reader, the pages that it asked for, in order, and those that it came to without having asked. */
function watched(file: Uint8Array = bytes): { reader: SegmentReader; asked: number[]; waits: number[] } {
  const asked: number[] = []
  const waits: number[] = []
  const ahead = new Set<number>()
  const crc = (all: Uint8Array, start: number, end: number): number => {
    if (!ahead.has(start / PAGE_SIZE)) waits.push(start / PAGE_SIZE)
    return crc32c(all, start, end)
  }
  const reader = new SegmentReader('watched.seg', file, crc, (offset, length) => {
    expect(offset % PAGE_SIZE).toBe(0)
    expect(length % PAGE_SIZE).toBe(0)
    expect(offset + length).toBeLessThanOrEqual(file.length)
    for (let at = offset; at < offset + length; at += PAGE_SIZE) {
      asked.push(at / PAGE_SIZE)
      ahead.add(at / PAGE_SIZE)
    }
  })
  return { reader, asked, waits }
}

/** A directory with files of these names. */
function segmentOf(names: readonly Buffer[]): Uint8Array {
  const all = [Buffer.alloc(0), ...names]
  const nameOffsets = new Uint32Array(all.length + 1)
  all.forEach((name, i) => {
    nameOffsets[i + 1] = nameOffsets[i] + name.length
  })
  const sink = new MemorySink()
  buildSegment(
    {
      count: all.length,
      parent: Uint32Array.from(all, (_, i) => (i === 0 ? 0 : 1)),
      directory: Uint32Array.from(all, (_, i) => (i === 0 ? 1 : 0)),
      kind: Uint8Array.from(all, (_, i) => (i === 0 ? Kind.directory : Kind.file)),
      nameOffsets,
      names: Buffer.concat(all),
      size: new Float64Array(all.length),
    },
    sink,
  )
  return sink.bytes()
}

describe('reading ahead', () => {
  it('asks for pages in order, a gap of few pages with them, and for each one once', () => {
    const { reader, asked } = watched()
    const { frame } = reader
    asked.length = 0
    frame.expect(9 * PAGE_SIZE + 5, 1)
    frame.expect(5 * PAGE_SIZE, PAGE_SIZE + 1)
    frame.expect(8 * PAGE_SIZE, 10)
    expect(asked).toEqual([])
    frame.fetchExpected()
    expect(asked).toEqual([5, 6, 7, 8, 9])
    frame.expect(5 * PAGE_SIZE, 2 * PAGE_SIZE)
    frame.fetchExpected()
    expect(asked).toHaveLength(5)
  })

  it('ignores what lies outside of the file', () => {
    const { reader, asked } = watched()
    asked.length = 0
    reader.frame.expect(bytes.length * 2, 100)
    reader.frame.expect(0, -1)
    reader.frame.fetchExpected()
    expect(asked).toEqual([])
  })

  it('is over when the pages have been seen', () => {
    const { reader } = watched()
    expect(reader.frame.isCold).toBe(true)
    reader.verify()
    expect(reader.frame.isCold).toBe(false)
    expect(new SegmentReader('plain.seg', bytes).frame.isCold).toBe(false)
  })

  it('asks for values of a column so that none is waited for', () => {
    const { reader, waits } = watched()
    const rows = Uint32Array.from({ length: reader.fileCount }, (_, i) => i)
    reader.expectTables()
    reader.expectValues('f', 'size', rows)
    reader.expectValues('f', 'modified', rows)
    waits.length = 0
    const times = reader.timeColumn('f', 'modified')
    for (const row of rows) {
      reader.sizes?.at(row)
      times?.secondsAt(row)
      times?.ticksAt(row)
    }
    expect(waits).toEqual([])
  })

  it('asks for the names that some steps of halving can come to', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`name ${(i * 7_919) % 20_000}`))
    const { reader, waits } = watched(segmentOf(names))
    reader.expectTables()
    waits.length = 0
    const name = Buffer.from('name 12345')
    expect(reader.files.nameAt(reader.files.lowerBound(name))).toEqual(new Uint8Array(name))
    expect(reader.files.find(name)).toBeGreaterThanOrEqual(0)
    // The block that is found need not be one whose first name was looked at last.
    expect(waits.length).toBeLessThanOrEqual(1)
  })

  it('asks for the tables and for the columns of rows, and changes no answer', () => {
    const { reader, asked } = watched()
    reader.expectTables()
    expect(asked.length).toBeGreaterThan(0)
    const before = asked.length
    reader.expectRows(Uint32Array.from({ length: reader.rowCount }, (_, i) => i))
    expect(asked.length).toBeGreaterThan(before)
    const blocks = Uint32Array.from({ length: reader.files.blockCount }, (_, i) => i)
    reader.files.expectBlocks(blocks)
    reader.files.touchRowsOfBlocks(blocks)
    reader.files.expectRowsOf([0, 1, 2])
    const plain = new SegmentReader('plain.seg', bytes)
    for (let entry = 0; entry < plain.rowCount; entry++) expect(reader.readRow(entry)).toEqual(plain.readRow(entry))
  })
})
