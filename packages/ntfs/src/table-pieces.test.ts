import { describe, expect, it } from 'vitest'
import { AttributeType } from './layout.js'
import { SPARSE } from './run-list.js'
import { drive, type ReadRequest } from './stream.js'
import { tablePieces } from './table-pieces.js'
import { nonResident, resident, runList } from './testing/record-builder.js'
import { type BuiltVolume, buildVolume, extents, readerOf } from './testing/volume-builder.js'
import { Volume } from './volume.js'

const { data, bitmap } = AttributeType
/** Records of 1,024 bytes in a piece. */
const PIECE = 1024
const RECORDS = 3 * PIECE + 100
const CLUSTER = 65_536
const TABLE_CLUSTERS = Math.ceil((RECORDS * 1024) / CLUSTER)
const BITS = Math.ceil(RECORDS / 8)

const tableData = nonResident(data, {
  runs: runList(extents([16, TABLE_CLUSTERS])),
  dataBytes: RECORDS * 1024,
})

/** A table of a bit more than three pieces, and one cluster behind it that holds `spare`. */
function volumeWith(attributes: readonly Uint8Array[], spare: Uint8Array = new Uint8Array(0)): BuiltVolume {
  const built = buildVolume(new Map(), {
    clusterBytes: CLUSTER,
    records: RECORDS,
    spareClusters: 1,
    tableAttributes: [tableData, ...attributes],
  })
  built.bytes.set(spare, built.spareCluster * CLUSTER)
  return built
}

function piecesOf({ bytes }: BuiltVolume): [first: number, count: number][] {
  const read = readerOf(bytes)
  const volume = drive(Volume.open('disk'), read)
  return drive(tablePieces(volume), read).map(({ first, count }) => [first, count])
}

function bitsOf(...records: readonly number[]): Uint8Array {
  const bits = new Uint8Array(BITS)
  for (const record of records) bits[record >> 3]! |= 1 << (record & 7)
  return bits
}

/** A bitmap that lies outside of its record, as those of real volumes do. */
function mapped(
  bits: Uint8Array,
  runs = runList(extents([16 + TABLE_CLUSTERS, 1])),
  dataBytes = bits.length,
): BuiltVolume {
  return volumeWith([nonResident(bitmap, { runs, dataBytes })], bits)
}

const ALL: [number, number][] = [
  [0, PIECE],
  [PIECE, PIECE],
  [2 * PIECE, PIECE],
  [3 * PIECE, 100],
]

describe('pieces of the table', () => {
  it.each([
    ['one record', [0], [[0, 1]]],
    ['records from the first to the last that are used', [0, 5, 30], [[0, 31]]],
    [
      'pieces without those that are not used',
      [0, 2 * PIECE + 7, 2 * PIECE + 9],
      [
        [0, 1],
        [2 * PIECE + 7, 3],
      ],
    ],
    [
      'both sides of a border',
      [0, PIECE - 1, PIECE],
      [
        [0, PIECE],
        [PIECE, 1],
      ],
    ],
    [
      'the last record',
      [0, RECORDS - 1],
      [
        [0, 1],
        [RECORDS - 1, 1],
      ],
    ],
  ])('are %s', (_what, records, expected) => expect(piecesOf(mapped(bitsOf(...records)))).toEqual(expected))

  it('are in the bitmap of the record itself, too', () => {
    const bits = bitsOf(0, 30).subarray(0, 150)
    // What it does not reach may be in use.
    expect(piecesOf(volumeWith([resident(bitmap, bits)]))).toEqual([
      [0, 31],
      [1200, 848],
      [2 * PIECE, PIECE],
      [3 * PIECE, 100],
    ])
  })

  it.each([
    ['there is no bitmap', volumeWith([])],
    ['it does not know the table itself', mapped(bitsOf(5))],
    ['it is empty', volumeWith([resident(bitmap, new Uint8Array(0))])],
    ['its map is damaged', mapped(bitsOf(0), Uint8Array.of(0x11, 0, 1, 0))],
    ['its map ends at once', mapped(bitsOf(0), Uint8Array.of(0))],
    ['nothing of it is stored', mapped(bitsOf(0), runList(extents([SPARSE, 1])))],
  ])('are all of it where %s', (_what, volume) => expect(piecesOf(volume)).toEqual(ALL))

  it('are all of it where the bitmap cannot be read', () => {
    const { bytes, spareCluster } = mapped(bitsOf(0))
    const read = readerOf(bytes.subarray(0, spareCluster * CLUSTER))
    const volume = drive(Volume.open('disk'), read)
    expect(drive(tablePieces(volume), read)).toHaveLength(ALL.length)
  })

  it('take one reading of the bitmap for half a million records', () => {
    const { bytes } = mapped(bitsOf(0, RECORDS - 1))
    const read = readerOf(bytes)
    const volume = drive(Volume.open('disk'), read)
    const requests: ReadRequest[] = []
    drive(tablePieces(volume), request => {
      requests.push(request)
      return read(request)
    })
    // The table's own record, the bitmap's beginning, the bitmap.
    expect(requests.map(({ length }) => length)).toEqual([1024, BITS, BITS])
  })
})
