import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { NO_RECORD } from '../mft-parser.js'
import { aligned, type RecordSpec, usnBytes, usnRecord } from '../testing/usn-bytes.js'
import { usnLine } from '../testing/usn-lines.js'
import { PAGE } from './usn-layout.js'
import { UsnParser } from './usn-parser.js'
import { UsnRows } from './usn-rows.js'

const FILE = 'image:$J'

function parse(bytes: Uint8Array, usn = 0, rows = UsnRows.forPiece(bytes.length)) {
  const parser = new UsnParser(FILE)
  const next = parser.parse(aligned(bytes), usn, rows)
  const names = Array.from({ length: rows.count }, (_, row) =>
    Buffer.from(rows.names.subarray(rows.nameOffsets[row]!, rows.nameOffsets[row + 1]!)).toString(),
  )
  return { parser, next, rows, names, usns: [...rows.usn.subarray(0, rows.count)] }
}

describe('records of a change journal', () => {
  const spec: RecordSpec = {
    record: 0xfffffffe,
    sequence: 0xffff,
    parent: 5,
    parentSequence: 0x8001,
    time: 0x01da_498a_ed83_c001n,
    reasons: 0x80002000,
    sourceInfo: 2,
    attributes: 0x10,
    name: 'Grüße 😀',
  }
  const line = [
    8192,
    0xfffffffe,
    0xffff,
    5,
    0x8001,
    133500000000000001n,
    '0x80002000',
    2,
    '0x10',
    'Gr\\xfc\\xdfe \\U0001f600',
  ].join('\t')

  it.each([2, 3] as const)('reads all fields of version %i', version => {
    const { rows, parser, next } = parse(usnRecord({ ...spec, version }, 8192), 8192)
    expect(usnLine(rows, 0)).toBe(line)
    expect(parser.stats).toEqual({ records: 1, ranges: 0, unknown: 0, damaged: 0 })
    expect(next).toBe(8192 + usnRecord({ ...spec, version }, 0).length)
    expect(parser.nextUsn).toBe(next)
  })

  it('finds the name where the record says it is', () => {
    const { names } = parse(
      usnBytes([
        { name: 'a', gap: 4 },
        { version: 3, name: 'b', gap: 20 },
      ]).bytes,
    )
    expect(names).toEqual(['a', 'b'])
  })

  it.each([
    ['of 255 units', '漢'.repeat(255)],
    ['with half a pair', '\ud83d'],
    ['without units', ''],
  ])('reads a name %s', (_, name) => {
    const { rows, parser } = parse(usnBytes([{ name }, { name: 'x' }]).bytes)
    const bytes = rows.names.subarray(0, rows.nameOffsets[1])
    expect(parser.damage).toBeUndefined()
    expect(Buffer.from(bytes).toString('hex')).toBe(name === '\ud83d' ? 'eda0bd' : Buffer.from(name).toString('hex'))
    expect(rows.count).toBe(2)
  })

  it('says which references are none of a master file table', () => {
    const specs: RecordSpec[] = [
      { record: 2n ** 32n, parent: 7 },
      { version: 3, record: 1, high: 1n, parent: 7 },
      { version: 3, record: 1, high: 1n << 32n, parent: 7 },
      { version: 3, record: 1, parent: 7, parentHigh: 1n },
      { version: 3, record: 1, parent: 2n ** 47n },
      { version: 3, record: 1, parent: 7 },
    ]
    const { rows } = parse(usnBytes(specs).bytes)
    expect([...rows.record.subarray(0, 6)]).toEqual([NO_RECORD, NO_RECORD, NO_RECORD, 1, 1, 1])
    expect([...rows.parent.subarray(0, 6)]).toEqual([7, 7, 7, NO_RECORD, NO_RECORD, 7])
  })

  it('takes records that are filled up with more than they need', () => {
    const first = new Uint8Array(128)
    first.set(usnRecord({ name: 'a' }, 0))
    new DataView(first.buffer).setUint32(0, 128, true)
    expect(parse(Buffer.concat([first, usnRecord({ name: 'b' }, 128)])).names).toEqual(['a', 'b'])
  })

  it('counts and steps over versions without names', () => {
    const other = usnRecord({ name: 'new' }, 0)
    new DataView(other.buffer, other.byteOffset).setUint16(4, 9, true)
    const first = usnRecord({ version: 4, extents: 3 }, 0)
    const at = first.length + other.length
    const { names, parser } = parse(Buffer.concat([first, other, usnRecord({ name: 'last' }, at)]))
    expect(names).toEqual(['last'])
    expect(parser.stats).toEqual({ records: 1, ranges: 1, unknown: 1, damaged: 0 })
  })

  it('keeps positions exact beyond 32 bits', () => {
    const from = 2 ** 50 + 4096
    const { usns, next } = parse(usnBytes([{ name: 'a' }, { name: 'b' }], from).bytes, from)
    expect(usns).toEqual([from, from + 64])
    expect(next).toBe(from + 128)
  })

  it('refuses positions that no record has', () => {
    expect(() => parse(new Uint8Array(64), 4)).toThrow(RangeError)
    expect(() => new UsnParser(FILE).parse(new Uint8Array(64).subarray(4), 0, UsnRows.forPiece(64))).toThrow(RangeError)
  })
})

describe('pages of a change journal', () => {
  const many = Array.from(
    { length: 200 },
    (_, i): RecordSpec => ({ name: `file ${i}`, record: i, version: i % 3 === 0 ? 3 : 2 }),
  )

  it('passes over zeros to the end of a page', () => {
    const { bytes, usns } = usnBytes(many)
    const found = parse(bytes)
    expect(found.usns).toEqual(usns)
    expect(found.next).toBe(bytes.length)
    expect(found.parser.damage).toBeUndefined()
    expect(bytes.length).toBeGreaterThan(4 * PAGE)
  })

  it('takes records that cross the end of a page', () => {
    const parts: Uint8Array[] = []
    let usn = 0
    for (const spec of many) {
      parts.push(usnRecord(spec, usn))
      usn += parts.at(-1)!.length
    }
    const { rows, parser, next } = parse(Buffer.concat(parts))
    expect(rows.count).toBe(many.length)
    expect(next).toBe(usn)
    expect(parser.stats.damaged).toBe(0)
  })

  it('passes over pages of zeros, and keeps the place of the last record', () => {
    const { bytes, usns } = usnBytes([{ name: 'a' }])
    const gap = 3 * PAGE
    const later = usnRecord({ name: 'b' }, gap)
    const both = new Uint8Array(gap + PAGE + 100)
    both.set(bytes)
    both.set(later, gap)
    const found = parse(both)
    expect(found.usns).toEqual([...usns, gap])
    expect(found.parser.nextUsn).toBe(gap + later.length)
    // Behind the page in which the piece ends: nothing more can begin in it.
    expect(found.next).toBe(gap + 2 * PAGE)
    const empty = parse(new Uint8Array(2 * PAGE), PAGE)
    expect(empty.parser.nextUsn).toBe(0)
    expect(empty.next).toBe(3 * PAGE)
  })

  it('ends before a record that is cut, wherever it is, without a complaint', () => {
    const { bytes, usns } = usnBytes(many.slice(0, 3))
    for (let length = 0; length <= bytes.length; length++) {
      const { rows, next, parser } = parse(bytes.subarray(0, length))
      const whole = usns.filter((_, i) => (usns[i + 1] ?? bytes.length) <= length).length
      expect(rows.count).toBe(whole)
      expect(next).toBe(usns[whole] ?? bytes.length)
      expect(parser.damage).toBeUndefined()
    }
  })

  it('goes on where it ended, whatever the pieces', () => {
    const { bytes, usns } = usnBytes(many, PAGE)
    for (const pieceBytes of [4096, 4104, 5000, 8192, 100_000]) {
      const parser = new UsnParser(FILE)
      const rows = UsnRows.forPiece(pieceBytes)
      const found: number[] = []
      for (let at = 0; at < bytes.length; ) {
        rows.clear()
        const next = parser.parse(aligned(bytes.subarray(at, at + pieceBytes)), PAGE + at, rows)
        found.push(...rows.usn.subarray(0, rows.count))
        expect(next).toBeGreaterThan(PAGE + at)
        at = next - PAGE
      }
      expect(found).toEqual(usns)
    }
  })

  it('ends where the rows are full, and goes on from there', () => {
    const { bytes, usns } = usnBytes(many)
    const rows = new UsnRows(7, 10_000)
    const parser = new UsnParser(FILE)
    const found: number[] = []
    for (let at = 0; at < bytes.length; ) {
      rows.clear()
      at = parser.parse(aligned(bytes.subarray(at)), at, rows)
      found.push(...rows.usn.subarray(0, rows.count))
      expect(rows.count).toBeLessThanOrEqual(7)
    }
    expect(found).toEqual(usns)
    const fewNames = new UsnRows(100, 800)
    parser.parse(aligned(bytes), 0, fewNames)
    expect(fewNames.count).toBeGreaterThan(0)
    expect(fewNames.nameOffsets[fewNames.count]).toBeLessThanOrEqual(800)
  })
})

describe('places that are no record', () => {
  const cases: [string, (view: DataView) => void, number, string, string][] = [
    ['a length that is no multiple of 8', view => view.setUint32(0, 65, true), 0, 'multiple of 8', '65'],
    ['a length beyond a page', view => view.setUint32(0, 8192, true), 0, 'at most 4096', '8192'],
    ['a length without room for the fields', view => view.setUint32(0, 56, true), 0, '60 bytes or more', '56'],
    ['a version that was never written', view => view.setUint16(4, 1, true), 4, 'a version from 2 on', '1'],
    ['another position', view => view.setUint32(24, 8, true), 24, 'the position 64', '8'],
    ['a name of half units', view => view.setUint16(56, 3, true), 56, 'a name of 255 units', '3 bytes'],
    ['a name that is too long', view => view.setUint16(56, 512, true), 56, 'a name of 255 units', '512 bytes'],
    ['a name behind the record', view => view.setUint16(56, 300, true), 58, 'inside of the 64 bytes', '300 from 60 on'],
    ['a name in the fields', view => view.setUint16(58, 58, true), 58, 'inside of the 64 bytes', '2 from 58 on'],
    [
      'a length that swallows a record',
      view => view.setUint32(0, 128, true),
      64,
      'zeros behind the last field',
      '0x40',
    ],
    ['a name at an odd place', view => view.setUint16(58, 61, true), 58, 'inside of the 64 bytes', '2 from 61 on'],
  ]

  it.each(cases)('says where: %s', (_, change, field, expected, found) => {
    const { bytes } = usnBytes([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    const page = new Uint8Array(PAGE + 64)
    page.set(bytes)
    page.set(usnRecord({ name: 'd' }, PAGE), PAGE)
    change(new DataView(page.buffer, 64))
    const { names, parser, next } = parse(page)
    expect(names).toEqual(['a', 'd'])
    expect(parser.stats).toMatchObject({ records: 2, damaged: 1 })
    expect(next).toBe(PAGE + 64)
    expect(parser.damage).toBeInstanceOf(CorruptFileError)
    expect(parser.damage).toMatchObject({ file: FILE, offset: 64 + field, found })
    expect(parser.damage!.expected).toContain(expected)
  })

  it('takes no record of a version that is not known across the end of a page', () => {
    const { bytes } = usnBytes([{ name: 'a' }])
    const pages = new Uint8Array(2 * PAGE)
    pages.set(bytes, PAGE - 64)
    pages.set(usnRecord({ name: 'b' }, PAGE), PAGE)
    const view = new DataView(pages.buffer, PAGE - 64)
    view.setUint32(0, 128, true)
    view.setUint16(4, 9, true)
    const { names, parser } = parse(pages.subarray(PAGE - 64), PAGE - 64)
    expect(names).toEqual(['b'])
    expect(parser.stats).toMatchObject({ unknown: 0, damaged: 1 })
  })

  it('does not take a V4 record that is short or displaced for one', () => {
    for (const [at, value] of [
      [0, 56],
      [40, 8],
      [60, 0x00100002],
    ] as const) {
      const bytes = usnRecord({ version: 4 }, 0)
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true)
      const { parser } = parse(bytes)
      expect(parser.stats).toMatchObject({ ranges: 0, damaged: 1 })
    }
  })

  it('forgets damage with the next piece', () => {
    const parser = new UsnParser(FILE)
    const rows = UsnRows.forPiece(PAGE)
    parser.parse(new Uint8Array(PAGE).fill(0xff), 0, rows)
    expect(parser.damage).toBeDefined()
    parser.parse(new Uint8Array(PAGE), PAGE, rows)
    expect(parser.damage).toBeUndefined()
    expect(parser.stats.damaged).toBe(1)
  })
})
