import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { PAGE_SIZE } from './segment-layout.js'
import { SegmentReader } from './segment-reader.js'

const file = new URL('../fixtures/segment-1.0.seg.gz', import.meta.url)
const bytes = new Uint8Array(gunzipSync(readFileSync(file)))

/** A reader and the pages that it asked for, in order. */
function watched(): { reader: SegmentReader; asked: number[] } {
  const asked: number[] = []
  const reader = new SegmentReader('watched.seg', bytes, undefined, (offset, length) => {
    expect(offset % PAGE_SIZE).toBe(0)
    expect(length % PAGE_SIZE).toBe(0)
    expect(offset + length).toBeLessThanOrEqual(bytes.length)
    for (let at = offset; at < offset + length; at += PAGE_SIZE) asked.push(at / PAGE_SIZE)
  })
  return { reader, asked }
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
