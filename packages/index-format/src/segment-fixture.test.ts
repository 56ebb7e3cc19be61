import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { MemorySink } from './memory-sink.js'
import { buildSegment } from './segment-builder.js'
import { KEY_RULES_TAG, SEGMENT_MAJOR, SEGMENT_MINOR, TREE_SECTIONS } from './segment-layout.js'
import { SegmentReader } from './segment-reader.js'
import { checkSegment } from './testing/check-segment.js'
import { ALL_COLUMNS, columnsOf } from './testing/model-rows.js'
import { rowFromJson } from './testing/row-json.js'

const fixtures = new URL('../fixtures/', import.meta.url)

function fixture(): { bytes: Uint8Array; rows: ReturnType<typeof rowFromJson>[]; heavyBlocks: number } {
  const [{ heavyBlocks }, ...rows] = readFileSync(new URL('segment-1.0.ndjson', fixtures), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  const bytes = new Uint8Array(gunzipSync(readFileSync(new URL('segment-1.0.seg.gz', fixtures))))
  return { bytes, rows: rows.map(rowFromJson), heavyBlocks }
}

/** Directories did not say who may list them. */
const OF_1_0 = { ...ALL_COLUMNS, access: false }

describe('the committed segment of version 1.0', () => {
  it('is read as the rows it was made of', () => {
    const { bytes, rows } = fixture()
    const reader = new SegmentReader('segment-1.0.seg', bytes)
    checkSegment(reader, rows, OF_1_0)
    expect(reader.files.heavyCount).toBeGreaterThan(10)
    expect(reader.files.rowCountOf(reader.files.find(Buffer.from('same name')))).toBe(260)
  })

  it('has words although it has no list of them', () => {
    const { bytes, rows, heavyBlocks } = fixture()
    const sink = new MemorySink()
    buildSegment(columnsOf(rows, OF_1_0), sink, { heavyBlocks })
    const words = new SegmentReader('segment-1.0.seg', bytes).words()
    expect(words.count).toBeGreaterThan(10)
    expect(words).toEqual(new SegmentReader('now.seg', sink.bytes()).words())
    const without = new MemorySink()
    buildSegment(columnsOf(rows, OF_1_0), without, { heavyBlocks, words: false })
    const reader = new SegmentReader('without.seg', without.bytes())
    expect(reader.frame.sections.has(TREE_SECTIONS.words)).toBe(false)
    expect(reader.words()).toEqual(words)
  })

  it('is what the writer still makes of them', () => {
    expect([SEGMENT_MAJOR, SEGMENT_MINOR]).toEqual([1, 2])
    const { bytes, rows, heavyBlocks } = fixture()
    const sink = new MemorySink()
    buildSegment(columnsOf(rows, OF_1_0), sink, { heavyBlocks })
    const old = new SegmentReader('segment-1.0.seg', bytes).frame
    const now = new SegmentReader('now.seg', sink.bytes()).frame
    expect([...now.sections.keys()].filter(tag => tag !== TREE_SECTIONS.words)).toEqual([...old.sections.keys()])
    for (const [tag, section] of old.sections) {
      // The rules name the Unicode version of the engine; the names of the fixture have the same keys in all of them.
      if (tag === KEY_RULES_TAG) continue
      const { param, items } = now.section(tag)
      expect({ tag, param, items }).toEqual({ tag, param: section.param, items: section.items })
      expect(Buffer.compare(now.wholeSection(tag), old.wholeSection(tag)), tag).toBe(0)
    }
  })
})
