import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { AttributeType } from './layout.js'
import { MftParser, NO_RECORD } from './mft-parser.js'
import { MftRows } from './mft-rows.js'
import {
  attributeList,
  fileName,
  nonResident,
  type RecordParts,
  recordOf,
  reparsePoint,
  resident,
  runList,
  standardInformation,
} from './testing/record-builder.js'
import { extents, ROOT } from './testing/volume-builder.js'

const { data } = AttributeType
const TIMES = [1n, 2n ** 40n, 3n, 2n ** 63n]
const EPOCH = -11_644_473_600
/** Where the first attribute of a record begins, and its value. */
const FIRST = 56
const VALUE = FIRST + 24
const RUNS = runList(extents([20, 3]))

function parse(records: readonly Uint8Array[], first = 0) {
  const piece = Uint8Array.from(Buffer.concat(records))
  const parser = new MftParser(1024)
  const rows = MftRows.forPiece(piece.length, 1024)
  parser.parse(piece, first, rows)
  return { rows, stats: parser.stats, names: namesOf(rows) }
}

function namesOf(rows: MftRows): string[] {
  return Array.from({ length: rows.count }, (_, row) =>
    Buffer.from(rows.names.subarray(rows.nameOffsets[row], rows.nameOffsets[row + 1])).toString(),
  )
}

const NAME = fileName(ROOT, 'name')
const good = (...more: readonly Uint8Array[]): RecordParts => ({
  sequence: 7,
  attributes: [standardInformation(TIMES, 0x20), NAME, ...more],
})
const clean = { records: 1, unused: 0, extensions: 0, torn: 0, damaged: 0 }

describe('parsing records', () => {
  it('finds what is known of a file', () => {
    const { rows, stats, names } = parse([recordOf(good(resident(data, new Uint8Array(70))))], 1000)
    expect(names).toEqual(['name'])
    expect(stats).toEqual(clean)
    expect([rows.record[0], rows.sequence[0], rows.parent[0], rows.parentSequence[0]]).toEqual([1000, 7, 5, 5])
    expect([rows.kind[0], rows.size[0], rows.attributes[0]]).toEqual([Kind.file, 70, 0x20])
    expect(
      [rows.created, rows.modified, rows.changed, rows.accessed].map(time => [time.seconds[0], time.ticks[0]]),
    ).toEqual([
      [EPOCH, 1],
      [EPOCH + 109_951, 1_627_776],
      [EPOCH, 3],
      [EPOCH + 922_337_203_685, 4_775_808],
    ])
  })

  it.each([
    ['no data', [], 0],
    ['data of their own', [resident(data, new Uint8Array(3))], 3],
    ['data elsewhere', [nonResident(data, { runs: RUNS, dataBytes: 2 ** 40 + 5 })], 2 ** 40 + 5],
    [
      'other streams',
      [resident(data, new Uint8Array(9), 'stream'), nonResident(data, { runs: RUNS, dataBytes: 77, name: 's' })],
      0,
    ],
    ['other streams, too', [resident(data, new Uint8Array(3)), resident(data, new Uint8Array(9), 'stream')], 3],
    ['a later part', [nonResident(data, { runs: RUNS, dataBytes: 0, lowestVcn: 9 })], 0],
  ])('finds the size of files with %s', (_what, attributes, size) => {
    const { rows, stats } = parse([recordOf(good(...attributes))])
    expect(rows.size[0]).toBe(size)
    expect(stats).toEqual(clean)
  })

  it.each([
    ['a file', false, [], Kind.file],
    ['a directory', true, [], Kind.directory],
    ['a symbolic link', false, [reparsePoint(0xa000000c)], Kind.symlink],
    ['a symbolic link of Linux', false, [reparsePoint(0xa000001d)], Kind.symlink],
    ['a symbolic link to a directory', true, [reparsePoint(0xa000000c)], Kind.directory],
    ['a junction', true, [reparsePoint(0xa0000003)], Kind.directory],
    ['a file of a cloud', false, [reparsePoint(0x9000001a)], Kind.file],
    ['a compressed program', false, [reparsePoint(0x80000017)], Kind.file],
  ])('knows %s', (_what, isDirectory, attributes, kind) => {
    const { rows } = parse([recordOf({ ...good(...attributes), isDirectory })])
    expect([rows.kind[0], rows.size[0]]).toEqual([kind, 0])
  })

  it('makes a row of each name but DOS names', () => {
    const attributes = [
      fileName(ROOT, 'long name'),
      fileName(ROOT, 'LONGNA~1', 2),
      fileName({ record: 2 ** 31 + 9, sequence: 0xffff }, 'link', 0),
      fileName({ record: 2 ** 32 + 5, sequence: 5 }, 'BOTH', 3),
    ]
    const { rows, names } = parse([recordOf({ attributes }), recordOf({ attributes: [NAME] })], 40)
    expect(names).toEqual(['long name', 'link', 'BOTH', 'name'])
    expect([...rows.record.subarray(0, 4)]).toEqual([40, 40, 40, 41])
    expect([...rows.parent.subarray(0, 4)]).toEqual([5, 2 ** 31 + 9, NO_RECORD, 5])
    expect([...rows.parentSequence.subarray(0, 4)]).toEqual([5, 0xffff, 5, 5])
  })

  it('has room for as many names as fit, and the longest ones', () => {
    const short = Array.from({ length: 9 }, () => fileName(ROOT, 'x'))
    const long = [fileName(ROOT, '漢'.repeat(255))]
    const { names, stats } = parse([
      recordOf({ attributes: short }),
      recordOf({ attributes: long }),
      recordOf({ attributes: short }),
    ])
    expect(names).toEqual([...'xxxxxxxxx', '漢'.repeat(255), ...'xxxxxxxxx'])
    expect(stats.damaged).toBe(0)
  })

  it('takes no row of what is none', () => {
    const list = resident(AttributeType.attributeList, attributeList([]))
    const torn = recordOf(good())
    torn[1022]! ^= 1
    const bad = recordOf(good())
    bad.set(Buffer.from('BAAD'))
    const { rows, stats, names } = parse(
      [
        new Uint8Array(1024),
        recordOf({ ...good(), isUnused: true }),
        recordOf({ ...good(), base: { record: 40, sequence: 1 } }),
        recordOf({ ...good(), base: { record: 0, sequence: 1 } }),
        torn,
        bad,
        recordOf({ attributes: [standardInformation(), NAME, list] }),
        recordOf({ attributes: [fileName(ROOT, 'last')] }),
      ],
      100,
    )
    expect(names).toEqual(['last'])
    expect(stats).toEqual({ records: 2, unused: 2, extensions: 2, torn: 2, damaged: 0 })
    expect([...rows.scattered.subarray(0, rows.scatteredCount)]).toEqual([106])
  })

  it.each([
    ['attributes at an odd position', (view: DataView) => view.setUint16(20, FIRST + 1, true), []],
    ['attributes in the header', (view: DataView) => view.setUint16(20, 32, true), []],
    ['no end mark', (view: DataView) => view.setUint32(24, FIRST + 104 + 32, true), ['name']],
    ['no attribute at all', (view: DataView) => view.setUint32(24, 0, true), []],
    ['a length of 0', (view: DataView) => view.setUint32(FIRST + 104 + 4, 0, true), ['name']],
    ['a length of 2^32 - 8', (view: DataView) => view.setUint32(FIRST + 104 + 4, 0xfffffff8, true), ['name']],
    ['a value longer than its attribute', (view: DataView) => view.setUint32(FIRST + 16, 73, true), []],
    ['a value in the header of its attribute', (view: DataView) => view.setUint16(FIRST + 20, 16, true), []],
    ['a value at an odd position', (view: DataView) => view.setUint16(FIRST + 20, 25, true), []],
    ['a name elsewhere', (view: DataView) => view.setUint8(FIRST + 8, 1), []],
    ['a name without characters', (view: DataView) => view.setUint8(VALUE + 64, 0), []],
    ['a name longer than its value', (view: DataView) => view.setUint8(VALUE + 64, 5), []],
    ['data longer than its attribute', (view: DataView) => view.setUint32(FIRST + 104 + 16, 9, true), ['name']],
    ['a map that is too short', (view: DataView) => view.setUint8(FIRST + 104 + 8, 1), ['name']],
  ])('counts %s, and uses what stands before it', (_what, change, expected) => {
    const record = recordOf({ attributes: [NAME, resident(data, new Uint8Array(8))] })
    change(new DataView(record.buffer))
    const { stats, names, rows } = parse([record, recordOf({ attributes: [fileName(ROOT, 'next')] })])
    expect(names).toEqual([...expected, 'next'])
    expect(stats).toEqual({ ...clean, records: 2, damaged: 1 })
    expect([...rows.size.subarray(0, rows.count)].every(size => size <= 8)).toBe(true)
  })

  it('must have its pieces where words are', () =>
    expect(() => new MftParser(1024).parse(new Uint8Array(2048).subarray(4), 0, MftRows.forPiece(1024, 1024))).toThrow(
      RangeError,
    ))
})

describe('parsing a node of several records', () => {
  const list = resident(AttributeType.attributeList, attributeList([]))
  const base = recordOf({ sequence: 7, attributes: [standardInformation(TIMES), list, fileName(ROOT, 'first')] })
  const ours = { record: 40, sequence: 7 }
  const more = (reference: typeof ours, name: string, ...others: readonly Uint8Array[]) =>
    recordOf({ base: reference, attributes: [fileName(ROOT, name), ...others] })

  function parseScattered(records: readonly Uint8Array[]) {
    const bytes = Uint8Array.from(Buffer.concat(records))
    const parser = new MftParser(1024)
    const rows = MftRows.forPiece(bytes.length, 1024)
    const isUsed = parser.parseScattered(
      bytes,
      records.map((_, i) => 40 + i),
      rows,
    )
    return { isUsed, rows, stats: parser.stats, names: namesOf(rows) }
  }

  it('takes its names and its size from all of them', () => {
    const size = nonResident(data, { runs: RUNS, dataBytes: 5000 })
    const { rows, names, isUsed } = parseScattered([base, more(ours, 'second'), more(ours, 'third', size)])
    expect([isUsed, names]).toEqual([true, ['first', 'second', 'third']])
    expect([...rows.record.subarray(0, 3), ...rows.sequence.subarray(0, 3)]).toEqual([40, 40, 40, 7, 7, 7])
    expect([...rows.size.subarray(0, 3)]).toEqual([5000, 5000, 5000])
    expect(rows.modified.ticks[2]).toBe(1_627_776)
  })

  it('leaves out records that are not its own', () => {
    const torn = more(ours, 'torn')
    torn[510]! ^= 1
    const others = [
      more({ record: 41, sequence: 7 }, 'of another one'),
      more({ record: 40, sequence: 6 }, 'of an earlier one'),
      recordOf({ attributes: [fileName(ROOT, 'of itself')] }),
      recordOf({ base: ours, isUnused: true, attributes: [fileName(ROOT, 'gone')] }),
      torn,
    ]
    const { names, stats } = parseScattered([base, ...others, more(ours, 'second')])
    expect(names).toEqual(['first', 'second'])
    expect(stats).toMatchObject({ torn: 1, damaged: 0 })
  })

  it('says where its first record cannot be used', () => {
    const { isUsed, names } = parseScattered([new Uint8Array(1024), more(ours, 'second')])
    expect([isUsed, names]).toEqual([false, []])
  })
})
