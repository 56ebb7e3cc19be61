import { describe, expect, it } from 'vitest'
import { attributesOf, extentsOf, isExtensionOf, openRecord, parseAttributeList, residentValue } from './attribute.js'
import { AttributeType } from './layout.js'
import { SPARSE } from './run-list.js'
import { damageIn } from './testing/failure.js'
import { attributeList, nonResident, protect, recordOf, resident, runList } from './testing/record-builder.js'
import { extents } from './testing/volume-builder.js'

const AT = 65_536
const { data, bitmap } = AttributeType
const VALUE = Uint8Array.of(1, 2, 3)
const RUNS = runList(extents([20, 3], [SPARSE, 4]))
/** Where the first attribute of a record of 1,024 bytes begins. */
const FIRST = 56

const volumeBytes = (bytes: Uint8Array) => ({ file: 'disk', bytes, offset: AT })

/** A record of three attributes, as a disk has it. */
function sample(): Uint8Array {
  return recordOf({
    attributes: [
      resident(data, VALUE),
      resident(data, VALUE, 'Zone.Identifier'),
      nonResident(bitmap, { runs: RUNS, dataBytes: 2 ** 40 + 7, name: '$I30' }),
    ],
  })
}

function opened(change: (view: DataView) => void = () => {}): ReturnType<typeof volumeBytes> {
  const record = volumeBytes(sample())
  openRecord(record)
  change(new DataView(record.bytes.buffer))
  return record
}

describe('opening a record', () => {
  it.each([
    ['without its mark', 0, 'the mark FILE', '0x44414142', (view: DataView) => view.setUint32(0, 0x44414142, true)],
    [
      'that was torn',
      4,
      'the same word at the end of all sectors',
      'others: a torn write',
      (view: DataView) => view.setUint16(1022, 7, true),
    ],
    ['that is not in use', 22, 'a record in use', 'flags 2', (view: DataView) => view.setUint16(22, 2, true)],
  ])('refuses one %s', (_what, at, expected, found, change) => {
    const bytes = sample()
    change(new DataView(bytes.buffer))
    expect(damageIn(() => openRecord(volumeBytes(bytes)))).toMatchObject({
      file: 'disk',
      offset: AT + at,
      expected,
      found,
    })
  })
})

describe('attributes', () => {
  it('are found with their names, sizes and values', () => {
    const record = opened()
    const [unnamed, named, mapped] = [...attributesOf(record)]
    expect(unnamed).toMatchObject({ type: data, name: '', at: FIRST, length: 32, isResident: true, dataBytes: 3 })
    expect(named).toMatchObject({ name: 'Zone.Identifier', isResident: true, lowestVcn: 0 })
    expect(mapped).toMatchObject({ type: bitmap, name: '$I30', isResident: false, dataBytes: 2 ** 40 + 7 })
    expect(residentValue(record, named!)).toEqual(VALUE)
    expect(extentsOf(record, mapped!, 100)).toEqual(extents([20, 3], [SPARSE, 4]))
  })

  it('that map a later part do not say how large a stream is', () => {
    const part = nonResident(data, { runs: RUNS, dataBytes: 0, lowestVcn: 2 ** 33 })
    const record = volumeBytes(recordOf({ attributes: [part] }))
    openRecord(record)
    new DataView(record.bytes.buffer).setBigUint64(FIRST + 48, 99n, true)
    expect([...attributesOf(record)]).toMatchObject([{ lowestVcn: 2 ** 33, dataBytes: 0 }])
  })

  it.each([0, 1024, 65_535])('without a name may have it anywhere: at %i', nameAt => {
    const record = opened(view => view.setUint16(FIRST + 10, nameAt, true))
    expect([...attributesOf(record)][0]).toMatchObject({ name: '' })
  })

  it.each([
    [
      'first one behind the record',
      1100,
      'an attribute or the end mark',
      'the end of the record',
      (view: DataView) => view.setUint16(20, 1100, true),
    ],
    ['end mark missing', 0x3f8, 'a whole attribute', '8 bytes', (view: DataView) => fillTo(view, 0x3f8)],
    [
      'length of 0',
      FIRST + 4,
      'a length of 24 to 184 bytes',
      '0',
      (view: DataView) => view.setUint32(FIRST + 4, 0, true),
    ],
    [
      'length that is odd',
      FIRST + 4,
      'a length of 24 to 184 bytes',
      '33',
      (view: DataView) => view.setUint32(FIRST + 4, 33, true),
    ],
    [
      'length behind the record',
      FIRST + 4,
      'a length of 24 to 184 bytes',
      '192',
      (view: DataView) => view.setUint32(FIRST + 4, 192, true),
    ],
    [
      'length of 2^32 - 1',
      FIRST + 4,
      'a length of 24 to 184 bytes',
      '4294967288',
      (view: DataView) => view.setUint32(FIRST + 4, 0xfffffff8, true),
    ],
    [
      'length too short for a map',
      FIRST + 4,
      'a length of 64 to 184 bytes',
      '32',
      (view: DataView) => view.setUint8(FIRST + 8, 1),
    ],
    [
      'name behind it',
      FIRST + 10,
      'a name inside of the attribute',
      '24',
      (view: DataView) => view.setUint8(FIRST + 9, 5),
    ],
  ])('are refused: %s', (_what, at, expected, found, change) =>
    expect(damageIn(() => [...attributesOf(opened(change))])).toMatchObject({
      file: 'disk',
      offset: AT + at,
      expected,
      found,
    }),
  )

  it.each([
    [
      'value longer than it',
      FIRST + 16,
      'a value inside of the attribute',
      '9',
      (view: DataView) => view.setUint32(FIRST + 16, 9, true),
    ],
    [
      'value behind it',
      FIRST + 16,
      'a value inside of the attribute',
      '3',
      (view: DataView) => view.setUint16(FIRST + 20, 30, true),
    ],
  ])('are refused: %s', (_what, at, expected, found, change) => {
    const record = opened(change)
    const [first] = [...attributesOf(record)]
    expect(damageIn(() => residentValue(record, first!))).toMatchObject({ offset: AT + at, expected, found })
  })

  it.each([0, 63, 97, 65_535])('are refused: a map at %i', runsAt => {
    const record = opened()
    const mapped = [...attributesOf(record)].at(-1)!
    new DataView(record.bytes.buffer).setUint16(mapped.at + 32, runsAt, true)
    expect(damageIn(() => extentsOf(record, mapped, 100))).toMatchObject({
      offset: AT + mapped.at + 32,
      expected: 'a run list inside of the attribute',
      found: `${runsAt}`,
    })
  })
})

/** The first attribute reaches nearly to the end of the record, and another one begins there. */
function fillTo(view: DataView, end: number): void {
  view.setUint32(24, view.byteLength, true)
  view.setUint32(FIRST + 4, end - FIRST, true)
  view.setUint32(end, data, true)
}

describe('attribute list', () => {
  const entries = [
    { type: AttributeType.standardInformation, record: 40, sequence: 2 },
    { type: data, record: 2 ** 47 + 1, sequence: 0xffff, name: '$J', lowestVcn: 2 ** 40 },
  ]
  const parse = (bytes: Uint8Array) => parseAttributeList(volumeBytes(bytes))

  it('says which record holds what', () =>
    expect(parse(attributeList(entries))).toEqual([{ name: '', lowestVcn: 0, ...entries[0] }, entries[1]]))

  it('ends where a length is 0, and where no entry has room', () => {
    const bytes = attributeList(entries)
    expect(parse(Buffer.concat([bytes, new Uint8Array(64)]))).toHaveLength(2)
    expect(parse(Buffer.concat([bytes, Buffer.alloc(25, 0xff)]))).toHaveLength(2)
    expect(parse(new Uint8Array(0))).toEqual([])
  })

  it('has no name wherever it is said to be', () => {
    const bytes = Uint8Array.from(attributeList(entries.slice(0, 1)))
    bytes[7] = 255
    expect(parse(bytes)).toHaveLength(1)
  })

  it.each([
    ['shorter than its fields', 4, '24', (view: DataView) => view.setUint16(4, 24, true)],
    ['longer than the list', 4, '80', (view: DataView) => view.setUint16(4, 80, true)],
    ['whose name is outside of it', 4, '32', (view: DataView) => view.setUint8(6, 4)],
  ])('is refused with an entry %s', (_what, at, found, change) => {
    const bytes = Uint8Array.from(attributeList(entries))
    change(new DataView(bytes.buffer))
    expect(damageIn(() => parse(bytes))).toMatchObject({
      file: 'disk',
      offset: AT + at,
      expected: 'a whole entry',
      found,
    })
  })

  it('is refused when it is larger than any', () => {
    const full = new Uint8Array(256 * 1024)
    expect(parse(full)).toEqual([])
    expect(damageIn(() => parse(new Uint8Array(full.length + 1)))).toMatchObject({
      offset: AT,
      expected: 'at most 262144 bytes of a list',
      found: '262145',
    })
  })
})

describe('continuations', () => {
  it('name their base record and how often it was used', () => {
    const bytes = recordOf({ attributes: [], base: { record: 0xfedcba98, sequence: 0xabcd } })
    expect(isExtensionOf(bytes, 0xfedcba98, 0xabcd)).toBe(true)
    expect(isExtensionOf(bytes, 0xfedcba99, 0xabcd)).toBe(false)
    expect(isExtensionOf(bytes, 0xfedcba98, 0xabce)).toBe(false)
    // A record of more than 32 bits is another one.
    new DataView(bytes.buffer).setUint16(36, 1, true)
    expect(isExtensionOf(bytes, 0xfedcba98, 0xabcd)).toBe(false)
    protect(bytes)
    expect(isExtensionOf(recordOf({ attributes: [] }), 0, 1)).toBe(false)
  })
})
