import { describe, expect, it } from 'vitest'
import { AttributeType } from './layout.js'
import { listVolume, rowsOfRecord } from './list-volume.js'
import { ListingBatches } from './listing-batches.js'
import { MftParser } from './mft-parser.js'
import { SPARSE } from './run-list.js'
import { drive, type ReadRequest, readStream, Stream } from './stream.js'
import { TableListing } from './table-listing.js'
import { damageIn } from './testing/failure.js'
import { listLines } from './testing/listing-lines.js'
import {
  attributeList,
  fileName,
  type ListedPart,
  nonResident,
  type RecordParts,
  recordOf,
  resident,
  runList,
  standardInformation,
} from './testing/record-builder.js'
import { type BuiltVolume, buildVolume, extents, file, ROOT, readerOf } from './testing/volume-builder.js'
import { Volume } from './volume.js'

const { data, attributeList: listType, fileName: nameType } = AttributeType
const open = (bytes: Uint8Array) => drive(Volume.open('disk'), readerOf(bytes))

describe('opening a volume', () => {
  const KILO = 1024
  const withRuns = (runs: Uint8Array, records = 24, spareClusters = 0): BuiltVolume =>
    buildVolume(new Map(), {
      records: 24,
      spareClusters,
      tableAttributes: [nonResident(data, { runs, dataBytes: records * KILO })],
    })

  it('finds its table', () => {
    const { bytes } = buildVolume(new Map())
    expect(open(bytes)).toMatchObject({ records: 25, file: 'disk', geometry: { recordBytes: KILO } })
    expect([open(bytes).offsetOf(5), open(bytes).offsetOf(25)]).toEqual([21 * KILO, 0])
  })

  it.each([
    ['without its mark', 0],
    ['that was torn', 510],
    ['that is an extension', 32],
  ])('uses the copy of a first record %s', (_what, at) => {
    const { bytes, tableAt } = buildVolume(new Map())
    bytes[tableAt + at]! ^= 1
    expect(open(bytes).records).toBe(25)
    bytes[KILO + at]! ^= 1
    // Of the first of both.
    expect(damageIn(() => open(bytes)).offset).toBe(tableAt + (at === 510 ? 4 : at))
  })

  it('says of which record what it reads is, so that newer ones are used, also of the table itself', () => {
    const old = buildVolume(new Map(), { records: 24, spareClusters: 20 })
    // The table has grown, and a record is now there.
    const grown = buildVolume(new Map([[30, file(1, [[ROOT, 'new']])]]), { records: 40, spareClusters: 4 })
    const wider = new Uint8Array(grown.bytes.length)
    wider.set(old.bytes)
    const parts: string[] = []
    const read = ({ offset, length, record }: ReadRequest) => {
      if (record === undefined) return wider.slice(offset, offset + length)
      parts.push(`${record.number} ${record.at} ${record.bytes} ${length}`)
      const at = grown.tableAt + record.number * record.bytes + record.at
      return grown.bytes.slice(at, at + length)
    }
    const volume = drive(Volume.open('disk'), read)
    expect(volume.records).toBe(40)
    const rows = drive(rowsOfRecord(volume, 30, new MftParser(KILO)), read)
    expect(rows?.count).toBe(1)
    expect(new Set(parts)).toEqual(new Set(['0 0 1024 1024', '30 0 1024 1024']))
  })

  it('says it of the parts of a record that lies in several places', () => {
    const { bytes } = buildVolume(new Map(), { clusterBytes: 512 })
    const volume = drive(Volume.open('disk'), readerOf(bytes))
    // Two runs of an odd number of clusters.
    const table = volume.table.extents[0]!
    const split = new Stream(512, volume.table.bytes)
    split.append([
      { cluster: table.cluster, clusters: 11 },
      { cluster: table.cluster + 11, clusters: table.clusters - 11 },
    ])
    Object.assign(volume, { table: split })
    const parts: unknown[] = []
    const record = drive(volume.storedRecord(5), request => {
      parts.push(request.record)
      return readerOf(bytes)(request)
    })
    expect(parts).toEqual([
      { number: 5, at: 0, bytes: KILO },
      { number: 5, at: 512, bytes: KILO },
    ])
    const at = volume.offsetOf(5)
    expect(Buffer.compare(record, bytes.subarray(at, at + KILO))).toBe(0)
  })

  it('uses the copy where the first record cannot be read', () => {
    const { bytes, tableAt } = buildVolume(new Map())
    const read = readerOf(bytes)
    const requests: number[] = []
    const volume = drive(Volume.open('disk'), request => {
      requests.push(request.offset)
      if (request.offset === tableAt && requests.length === 2) throw new Error('EIO')
      return read(request)
    })
    expect(volume.records).toBe(25)
    expect(requests.slice(0, 3)).toEqual([0, tableAt, KILO])
  })

  it.each([
    ['no data', [], 'the data of $MFT'],
    ['data of its own', [resident(data, new Uint8Array(9))], 'the data of $MFT'],
    [
      'only later data',
      [nonResident(data, { runs: Uint8Array.of(0), dataBytes: 0, lowestVcn: 3 })],
      'the data of $MFT',
    ],
  ])('refuses a table with %s', (_what, tableAttributes, expected) =>
    expect(damageIn(() => open(buildVolume(new Map(), { tableAttributes }).bytes))).toMatchObject({ expected }),
  )

  it.each([
    ['less than it has', extents([16, 23]), 24, '24576 bytes of $MFT', 'places of 23 clusters'],
    ['nothing', [], 0, 'clusters of $MFT', 'none'],
    ['a hole', extents([16, 8], [SPARSE, 16]), 24, '$MFT without holes', 'a hole of 16 clusters'],
    [
      'a hole of 2^32 records',
      extents([16, 24], [SPARSE, 2 ** 32]),
      2 ** 32,
      '$MFT without holes',
      'a hole of 4294967296 clusters',
    ],
    ['clusters twice', extents([16, 24], [16, 24]), 48, 'clusters that are used once', 'cluster 16 twice'],
    [
      'clusters that are also others',
      extents([30, 4], [16, 15]),
      19,
      'clusters that are used once',
      'cluster 30 twice',
    ],
  ])('refuses a map of %s', (_what, parts, records, expected, found) =>
    expect(damageIn(() => open(withRuns(runList(parts), records).bytes))).toMatchObject({ expected, found }),
  )

  it('refuses a table that ends behind the volume', () => {
    const { bytes } = withRuns(runList(extents([16, 24 + 10])), 34, 10)
    expect(open(bytes).records).toBe(34)
    expect(damageIn(() => open(bytes.slice(0, -1)))).toMatchObject({ expected: '1024 bytes', found: '1023' })
  })

  it.each([512, 4096, 65_536])('of clusters of %i bytes, and records that are smaller or larger', clusterBytes => {
    for (const recordBytes of [1024, 4096]) {
      const { bytes } = buildVolume(new Map([[30, file(1, [[ROOT, 'f']], 300)]]), { clusterBytes, recordBytes })
      expect(listLines(readerOf(bytes)).lines.map(line => line.split('\t').slice(0, 2))).toEqual([['f', '300']])
    }
  })
})

describe('a stream of a file', () => {
  const BASE = { record: 30, sequence: 3 }
  const listOf = (parts: readonly ListedPart[]) => resident(listType, attributeList(parts))
  const part = (clusters: [number, number][], lowestVcn: number, name = '$J') =>
    nonResident(data, { runs: runList(extents(...clusters)), dataBytes: 5000, name, lowestVcn })
  const extension = (...attributes: readonly Uint8Array[]): RecordParts => ({ sequence: 1, base: BASE, attributes })
  const listed = (record: number, lowestVcn: number, name = '$J') => ({
    type: data,
    record,
    sequence: 1,
    name,
    lowestVcn,
  })

  function streamOf(records: [number, RecordParts][], type: number = data, name = '$J') {
    const { bytes } = buildVolume(new Map(records))
    const volume = open(bytes)
    return drive(volume.stream(BASE.record, type, name), readerOf(bytes))
  }
  const base = (...attributes: readonly Uint8Array[]): [number, RecordParts] => [30, { sequence: 3, attributes }]

  it('is a value of its record, or none', () => {
    const records = [base(resident(data, Uint8Array.of(1, 2)), resident(data, Uint8Array.of(3), '$J'))]
    expect(streamOf(records)).toEqual(Uint8Array.of(3))
    expect(streamOf(records, data, '')).toEqual(Uint8Array.of(1, 2))
    expect(streamOf(records, data, 'other')).toBeUndefined()
    expect(streamOf(records, AttributeType.bitmap)).toBeUndefined()
  })

  it('lies in all of its parts, whatever their order', () => {
    const list = listOf([listed(33, 5), listed(31, 0, 'x'), listed(32, 3), listed(31, 0)])
    const found = streamOf([
      base(list),
      [31, extension(part([[20, 3]], 0), part([[9, 1]], 0, 'x'))],
      [32, extension(part([[SPARSE, 2]], 3))],
      [
        33,
        extension(
          part(
            [
              [7, 1],
              [9, 2],
            ],
            5,
          ),
        ),
      ],
    ]) as Stream
    expect(found.extents).toEqual(extents([20, 3], [SPARSE, 2], [7, 1], [9, 2]))
    expect(found.bytes).toBe(5000)
  })

  it('is a value in another record', () =>
    expect(streamOf([base(listOf([listed(31, 0)])), [31, extension(resident(data, Uint8Array.of(7), '$J'))]])).toEqual(
      Uint8Array.of(7),
    ))

  it.each([
    [
      'of another file',
      [31, { ...extension(part([[9, 1]], 3)), base: { record: 29, sequence: 3 } }],
      'a continuation of record 30',
    ],
    [
      'of an earlier file',
      [31, { ...extension(part([[9, 1]], 3)), base: { record: 30, sequence: 2 } }],
      'a continuation of record 30',
    ],
    ['without clusters', [31, extension(part([], 3))], 'clusters of a stream'],
    ['that is not there', [31, extension(part([[9, 1]], 4))], 'the part of 30 from cluster 3 on'],
    ['that is not in use', [31, { ...extension(part([[9, 1]], 3)), isUnused: true }], 'a record in use'],
  ] as [string, [number, RecordParts], string][])('is refused with a part %s', (_what, record, expected) => {
    const records = [base(listOf([listed(30, 0), listed(31, 3)]), part([[20, 3]], 0)), record]
    expect(damageIn(() => streamOf(records))).toMatchObject({ expected })
  })

  it('is refused with a part that is missing, or behind the table', () => {
    const own = part([[20, 3]], 0)
    const late = [base(listOf([listed(31, 4)]), own), [31, extension(part([[9, 1]], 4))]] as [number, RecordParts][]
    expect(damageIn(() => streamOf(late))).toMatchObject({
      expected: 'the part from cluster 3 on',
      found: 'one from 4 on',
    })
    const behind = [base(listOf([listed(2 ** 40, 3)]), own)]
    expect(damageIn(() => streamOf(behind))).toMatchObject({
      expected: `record ${2 ** 40} of $MFT`,
      found: '31 records',
    })
  })
})

describe('nodes of several records', () => {
  const RECORDS = 6000
  const BASE = { record: 30, sequence: 3 }
  const LIST_CLUSTERS = 300

  /** A file whose names are in other records; its attribute list lies outside of the table. */
  function volumeOf(names: number, isOurs: (record: number) => boolean, type: number = nameType) {
    const first = 100
    const parts = Array.from({ length: names }, (_, i) => ({ type, record: first + i, sequence: 1 }))
    const list = attributeList(parts)
    const runs = runList(extents([16 + RECORDS, LIST_CLUSTERS]))
    const records = new Map<number, RecordParts>([
      [
        30,
        {
          sequence: 3,
          attributes: [
            standardInformation(),
            nonResident(listType, { runs, dataBytes: list.length }),
            fileName(ROOT, 'first'),
          ],
        },
      ],
    ])
    for (const { record } of parts)
      records.set(record, {
        base: isOurs(record) ? BASE : { record: 31, sequence: 1 },
        attributes: [fileName(ROOT, `name-${record}`)],
      })
    const built = buildVolume(records, { records: RECORDS, spareClusters: LIST_CLUSTERS })
    built.bytes.set(list, built.spareCluster * 1024)
    return built
  }

  function rowsOf({ bytes }: BuiltVolume) {
    const volume = open(bytes)
    const parser = new MftParser(1024)
    const requests: ReadRequest[] = []
    const read = readerOf(bytes)
    const rows = drive(rowsOfRecord(volume, BASE.record, parser), request => {
      requests.push(request)
      return read(request)
    })
    return { rows: rows!.count, reads: requests.length, damaged: parser.stats.damaged }
  }

  it('have the names of all of them', () => {
    // The record itself is read twice, and its list.
    expect(rowsOf(volumeOf(1_500, () => true))).toEqual({ rows: 1_501, reads: 1_503, damaged: 0 })
    const { lines } = listLines(readerOf(volumeOf(1_500, () => true).bytes))
    expect(lines.map(line => line.split('\t')[0]).sort()).toEqual(
      ['first', ...Array.from({ length: 1_500 }, (_, i) => `name-${100 + i}`)].sort(),
    )
  })

  it('have some records of others, but not many', () => {
    expect(rowsOf(volumeOf(100, record => record >= 116))).toEqual({ rows: 85, reads: 103, damaged: 0 })
    expect(rowsOf(volumeOf(5_000, record => record < 200))).toEqual({ rows: 101, reads: 120, damaged: 1 })
  })

  it('have at most 4 MiB of records', () =>
    expect(rowsOf(volumeOf(5_000, () => true))).toEqual({ rows: 4_097, reads: 4_099, damaged: 1 }))

  it('are read where something is known from them', () =>
    expect(rowsOf(volumeOf(100, () => true, AttributeType.bitmap))).toEqual({ rows: 1, reads: 3, damaged: 0 }))

  it('are counted where they are damaged, and once', () => {
    const records = new Map<number, RecordParts>([
      // Waits, so that it is read twice.
      [30, file(1, [[{ record: 40, sequence: 1 }, 'f']])],
      [31, { attributes: [resident(listType, Uint8Array.from([...attributeList([]), ...Array(32).fill(255)]))] }],
      [32, { attributes: [] }],
      [40, { ...file(1, [[ROOT, 'd']]), isDirectory: true }],
    ])
    const { bytes, tableAt } = buildVolume(records)
    bytes[tableAt + 32 * 1024 + 510]! ^= 1
    const volume = open(bytes)
    const parser = new MftParser(1024)
    const batches = new ListingBatches(Buffer.from('/mnt'))
    drive(listVolume(volume, parser, new TableListing(volume.records, batches)), readerOf(bytes))
    batches.end()
    expect(parser.stats).toMatchObject({ torn: 1, damaged: 1 })
    expect([batches.entries, batches.directories]).toEqual([3, 2])
    const [{ entries, directories }] = batches.take() as [ReturnType<typeof batches.take>[number]]
    expect(Buffer.from(entries.names).toString()).toBe('/mntdf')
    expect([...directories]).toEqual([1, 2])
    expect(batches.take()).toEqual([])
  })
})

describe('reading a stream of a volume', () => {
  it('gives zeros for holes', () => {
    const runs = runList(extents([16, 1], [SPARSE, 1], [17, 1]))
    const { bytes } = buildVolume(new Map([[30, { attributes: [nonResident(data, { runs, dataBytes: 2500 })] }]]))
    const read = readerOf(bytes)
    const stream = drive(open(bytes).stream(30, data, ''), read) as Stream
    const expected = Buffer.concat([
      bytes.subarray(16_384, 17_408),
      new Uint8Array(1024),
      bytes.subarray(17_408, 17_860),
    ])
    expect(Buffer.compare(drive(readStream(stream, 0, 9_999), read), expected)).toBe(0)
    expect(recordOf({ attributes: [] })).toHaveLength(1024)
  })
})
