import { InvalidInputError, TIME_COLUMNS } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { MemorySink } from './memory-sink.js'
import { MAX_NAME_BYTES } from './names-block.js'
import { buildSegment } from './segment-builder.js'
import { SegmentReader } from './segment-reader.js'
import { checkLists, checkSegment } from './testing/check-segment.js'
import {
  ALL_COLUMNS,
  columnsOf,
  directoryRow,
  fileRow,
  type ModelColumns,
  type ModelRow,
} from './testing/model-rows.js'
import { NASTY_NAMES, Random, randomMetadata, randomTree } from './testing/random-rows.js'
import { oracleTree } from './testing/tree-oracle.js'

const runs = process.env.SOAK ? 3_000 : 30
if (process.env.SOAK) vi.setConfig({ testTimeout: 3_600_000 })
const MINIMAL: ModelColumns = { times: [], attributes: false, refs: false }

function build(rows: readonly ModelRow[], columns: ModelColumns, heavyBlocks?: number): SegmentReader {
  const sink = new MemorySink()
  const stats = buildSegment(columnsOf(rows, columns), sink, { heavyBlocks })
  const bytes = sink.bytes()
  expect(stats.fileBytes).toBe(bytes.length)
  const reader = new SegmentReader('test.seg', bytes)
  expect(stats).toMatchObject({ dirCount: reader.dirCount, fileCount: reader.fileCount, stubCount: reader.stubCount })
  expect(stats.entryCount).toBe(reader.rowCount - reader.stubCount)
  return reader
}

function check(rows: readonly ModelRow[], columns = ALL_COLUMNS, heavyBlocks?: number): SegmentReader {
  const reader = build(rows, columns, heavyBlocks)
  checkSegment(reader, rows, columns)
  return reader
}

describe('a segment answers as its rows say', () => {
  it('for random trees', () => {
    const shape = fc.record({
      directories: fc.integer({ min: 1, max: 150 }),
      files: fc.integer({ min: 0, max: 400 }),
      depth: fc.constantFrom(0, 0.3, 0.95),
      stubs: fc.constantFrom(0, 0.3, 1),
      repeats: fc.constantFrom(0, 0.2),
    })
    const columns = fc.record({
      times: fc.subarray([...TIME_COLUMNS]),
      attributes: fc.boolean(),
      refs: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.integer(), shape, columns, fc.integer({ min: 1, max: 6 }), (seed, tree, given, heavyBlocks) => {
        check(randomTree(new Random(seed), tree), given, heavyBlocks)
      }),
      { numRuns: runs },
    )
  })

  it('for every nasty name, in one directory and alone', () => {
    const rows = [directoryRow(1, 0, '')]
    NASTY_NAMES.forEach((name, i) => {
      rows.push(directoryRow(2 + i, 1, name), fileRow(1, name, { size: i }))
    })
    check(rows)
    for (const name of NASTY_NAMES) check([directoryRow(9, 0, name), fileRow(9, name)])
  })

  it('for a root alone', () => {
    for (const columns of [ALL_COLUMNS, MINIMAL]) {
      check([directoryRow(1, 0, '')], columns)
      check([directoryRow(0xffffffff, 0, 'root', { stub: true })], columns)
    }
  })

  it('for a chain of 3,000 directories', () => {
    const rows = Array.from({ length: 3_000 }, (_, i) => directoryRow(i + 1, i, i % 2 ? 'x' : `d${i}`))
    const reader = check([...rows, fileRow(3_000, 'leaf')], MINIMAL)
    let depth = 0
    for (let at = reader.directoryOf(reader.dirCount); at >= 0; at = reader.parentOf(at)) depth++
    expect(depth).toBe(3_000)
  })

  it('for names that repeat 254, 255, 256 and 70,000 times', () => {
    const random = new Random(1)
    for (const count of [254, 255, 256]) {
      const rows = [directoryRow(1, 0, '')]
      for (let i = 0; i < count; i++) {
        rows.push(directoryRow(i + 2, 1, `d${i}`, { stub: i % 3 === 0 }), directoryRow(1000 + i, i + 2, 'same'))
        rows.push(fileRow(i + 2, 'Same', randomMetadata(random)), fileRow(i + 2, `other${i}`))
      }
      check(rows)
    }
    const wide = [directoryRow(1, 0, '')]
    for (let i = 2; i < 70_002; i++)
      wide.push(directoryRow(i, 1, `d${i % 5}-${i}`), fileRow(i, 'index.html', { size: i }))
    const reader = build(wide, MINIMAL)
    expect(reader.files.nameCount).toBe(1)
    expect(reader.files.rowCountOf(0)).toBe(70_000)
    let rows = 0
    reader.files.forEachRow(0, row => {
      expect(row).toBe(rows++)
    })
    expect(rows).toBe(70_000)
    expect(reader.files.gram(0x2f696e)).toMatchObject({ blocks: 1, total: 70_000 })
  })

  it('for sizes around every length of the code', () => {
    const sizes = [
      0,
      1,
      254,
      255,
      256,
      65_533,
      65_534,
      65_535,
      65_536,
      0xfffffd,
      0xfffffe,
      0xffffff,
      2 ** 32,
      2 ** 53 - 2,
    ]
    const rows = [directoryRow(1, 0, '')]
    for (let i = 0; i < 500; i++) {
      rows.push(fileRow(1, `${i}`, { size: i % 17 === 0 ? Number.NaN : sizes[(i * 5) % sizes.length] }))
    }
    check(rows, MINIMAL)
  })

  it('with sizes that are none as unknown, and the largest as 2^53 - 2', () => {
    const sizes = [-1, Number.NEGATIVE_INFINITY, Number.NaN, 2 ** 53, 2 ** 60, Number.POSITIVE_INFINITY]
    const reader = build([directoryRow(1, 0, ''), ...sizes.map((size, i) => fileRow(1, `${i}`, { size }))], MINIMAL)
    const unknown = Number.NaN
    const largest = 2 ** 53 - 2
    expect(sizes.map((_, i) => reader.sizeOf(1 + i))).toEqual([unknown, unknown, unknown, largest, largest, largest])
    expect([...(reader.largest() ?? [])]).toEqual([3, 4, 5])
  })

  it('for lists of newest, oldest, largest and smallest that leave rows out', () => {
    const random = new Random(2)
    const rows = [directoryRow(1, 0, '')]
    for (let i = 0; i < 6_000; i++) {
      rows.push(fileRow(1, `${i}`, { ...randomMetadata(random), size: i % 7 === 0 ? Number.NaN : random.below(3_000) }))
      rows.push(directoryRow(i + 2, 1, `d${i}`, { ...randomMetadata(random), stub: i % 5 === 0 }))
    }
    const columns: ModelColumns = { times: ['modified'], attributes: false, refs: false }
    const reader = build(rows, columns)
    checkLists(reader, oracleTree(rows), columns)
    const lists = [reader.largest(), reader.newest('d'), reader.newest('f')]
    for (const list of [...lists, reader.smallest(), reader.oldest('d'), reader.oldest('f')]) {
      expect(list?.length).toBeGreaterThan(3_500)
      expect(list?.length).toBeLessThanOrEqual(4_096)
    }
  })

  it('for heavy substrings of a real number of blocks', () => {
    const rows = [directoryRow(1, 0, '')]
    for (let i = 0; i < 42_000; i++) rows.push(fileRow(1, `${(i * 7919) % 100_003}-Report.txt`))
    for (let i = 0; i < 1_000; i++) rows.push(fileRow(1, `zz-report-${i}`))
    const reader = build(rows, MINIMAL)
    const total = (text: string): number | undefined => reader.files.heavyTotal(new TextEncoder().encode(text))
    expect(total('-report.txt')).toBe(42_000)
    expect(total('report')).toBe(43_000)
    expect(total('.txt/')).toBe(42_000)
    expect(total('-report.txt/')).toBe(42_000)
    expect(total('report-')).toBeUndefined()
    expect(reader.files.heavyCount).toBeGreaterThan(40)
    for (const known of ['t.tx', 'epor']) expect(total(known)).toBeGreaterThanOrEqual(42_000)
  })

  it('with the same bytes for the same rows in any order', () => {
    const rows = randomTree(new Random(3), { directories: 80, files: 300, depth: 0.3, stubs: 0.2, repeats: 0 })
    const places = new Set<string>()
    const distinct = rows.filter(row => {
      const place = `${row.parent}/${Buffer.from(row.name).toString('hex')}`
      return !places.has(place) && places.add(place)
    })
    const bytesOf = (list: readonly ModelRow[]): Uint8Array => build(list, ALL_COLUMNS).frame.bytes
    expect(Buffer.compare(bytesOf(distinct), bytesOf([...distinct].reverse()))).toBe(0)
  })
})

describe('what is no tree is refused', () => {
  const refused = (rows: readonly ModelRow[], message: RegExp): void => {
    const run = (): unknown => buildSegment(columnsOf(rows, MINIMAL), new MemorySink())
    expect(run).toThrow(InvalidInputError)
    expect(run).toThrow(message)
  }

  it.each<[string, ModelRow[], RegExp]>([
    ['nothing at all', [], /one root/],
    ['no root', [directoryRow(1, 2, 'a'), directoryRow(2, 1, 'b')], /one root/],
    ['two roots', [directoryRow(1, 0, 'a'), directoryRow(2, 0, 'b')], /two roots/],
    ['a cycle beside the root', [directoryRow(1, 0, ''), directoryRow(2, 3, 'a'), directoryRow(3, 2, 'b')], /cycle/],
    ['a directory in itself', [directoryRow(1, 0, ''), directoryRow(2, 2, 'a')], /itself/],
    ['a directory without an id', [directoryRow(1, 0, ''), directoryRow(0, 1, 'a')], /directory id/],
    ['a file without a directory', [directoryRow(1, 0, ''), fileRow(0, 'a')], /directory/],
    ['a file in a directory that is not there', [directoryRow(1, 0, ''), fileRow(7, 'a')], /directory 7/],
    ['a directory in one that is not there', [directoryRow(1, 0, ''), directoryRow(2, 7, 'a')], /directory 7/],
    ['a long name', [directoryRow(1, 0, ''), fileRow(1, 'x'.repeat(MAX_NAME_BYTES + 1))], /4096 bytes/],
  ])('%s', (_what, rows, message) => refused(rows, message))
})
