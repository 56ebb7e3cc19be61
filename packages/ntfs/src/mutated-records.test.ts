import { MUTATION_TIMEOUT_MS, mutatedFile, tryMutations, unlessRefused } from '@hotpath/index-format/testing'
import { describe, expect, it } from 'vitest'
import {
  type AttributeHeader,
  attributesOf,
  extentsOf,
  openRecord,
  parseAttributeList,
  residentValue,
} from './attribute.js'
import { parseBootSector } from './boot-sector.js'
import type { VolumeBytes } from './damage.js'
import { AttributeType, FILE_MAGIC } from './layout.js'
import { MftParser, type MftStats } from './mft-parser.js'
import { MftRows } from './mft-rows.js'
import { parseRunList } from './run-list.js'
import { drive, readStream, Stream } from './stream.js'
import type { StreamRows } from './stream-rows.js'
import { FIXTURES, type Fixture, readFixture } from './testing/fixture.js'
import { Volume } from './volume.js'

const INPUTS = process.env.SOAK ? 700_000 : 15_000
const SMALL_INPUTS = process.env.SOAK ? 100_000 : 5_000
const MAX_MEBIBYTES = 256
const CLUSTERS = 131_072
/** Records of a piece. */
const PIECE = 4
/** Number of its first record. */
const FIRST = 70

interface Sample {
  readonly recordBytes: number
  readonly boot: Uint8Array
  /** In use. */
  readonly records: readonly Uint8Array[]
  /** Values of attribute lists, and run lists: of whole attributes. */
  readonly lists: readonly Uint8Array[]
  readonly runs: readonly Uint8Array[]
}

/** The value of an attribute list. */
function listOf(volume: Volume, record: VolumeBytes, list: AttributeHeader, read: Fixture['read']): Uint8Array {
  if (list.isResident) return residentValue(record, list).slice()
  const stream = new Stream(volume.geometry.clusterBytes, list.dataBytes)
  stream.append(extentsOf(record, list, volume.geometry.clusters))
  return drive(readStream(stream, 0, list.dataBytes), read)
}

/** Real records of a fixture: all with an attribute list, and some of the others. */
function sampleOf(name: string): Sample {
  const { read } = readFixture(name)
  const volume = drive(Volume.open(name), read)
  const { recordBytes } = volume.geometry
  const [records, lists, runs]: Uint8Array[][] = [[], [], []]
  for (let number = 0; number < Math.min(volume.records, 1_500); number++) {
    const bytes = drive(readStream(volume.table, number * recordBytes, recordBytes), read)
    if (new DataView(bytes.buffer).getUint32(0, true) !== FILE_MAGIC) continue
    const record = { file: name, bytes: bytes.slice(), offset: 0 }
    if (unlessRefused(() => openRecord(record) ?? true) === undefined) continue
    const attributes = [...attributesOf(record)]
    const list = attributes.find(({ type }) => type === AttributeType.attributeList)
    if (list !== undefined) lists.push(listOf(volume, record, list, read))
    for (const { at, length, isResident } of attributes) {
      const runsAt = at + new DataView(record.bytes.buffer).getUint16(at + 32, true)
      if (!isResident) runs.push(record.bytes.slice(runsAt, at + length))
    }
    if (list !== undefined || number % 5 === 0) records.push(bytes)
  }
  return { recordBytes, boot: read({ offset: 0, length: 512 }), records, lists, runs }
}

const SAMPLES = FIXTURES.map(sampleOf)

/** To make room for rows costs more than to fill it. */
const ROOM = new Map<string, MftRows>()

function roomFor(bytes: number, recordBytes: number): MftRows {
  const key = `${bytes} of ${recordBytes}`
  const known = ROOM.get(key)
  known?.clear()
  if (known !== undefined) return known
  const rows = MftRows.forPiece(bytes, recordBytes, { streams: true })
  if (bytes === recordBytes || bytes === PIECE * recordBytes) ROOM.set(key, rows)
  return rows
}

interface Parsed {
  readonly rows: MftRows
  readonly lines: string
  readonly streamLines: string
  readonly stats: MftStats
}

/** Parses a piece, which is changed. */
function parse(bytes: Uint8Array, recordBytes: number, first: number): Parsed {
  const parser = new MftParser(recordBytes)
  const rows = roomFor(bytes.length, recordBytes)
  parser.parse(bytes, first, rows)
  const streams = rows.streams!
  const isInside =
    rows.count <= rows.record.length &&
    rows.scatteredCount <= rows.scattered.length &&
    rows.nameOffsets[rows.count]! <= rows.names.length &&
    streams.count <= streams.record.length &&
    streams.nameOffsets[streams.count]! <= streams.names.length
  if (!isInside)
    throw new Error(
      `${rows.count} rows, ${rows.scatteredCount} scattered, ${streams.count} streams, of ${bytes.length} bytes`,
    )
  return { rows, lines: linesOf(rows), streamLines: streamLinesOf(streams), stats: parser.stats }
}

/** Rows as text: some columns of each kind. */
function linesOf(rows: MftRows): string {
  let lines = ''
  for (let row = 0; row < rows.count; row++) {
    const name = Buffer.from(rows.names.subarray(rows.nameOffsets[row], rows.nameOffsets[row + 1]))
    const { record, sequence, parent, parentSequence, kind, size, modified } = rows
    lines += `${record[row]} ${sequence[row]} ${parent[row]} ${parentSequence[row]} ${kind[row]} ${size[row]} `
    lines += `${modified.seconds[row]} ${modified.ticks[row]} ${name.toString('latin1')}\n`
  }
  return lines
}

function streamLinesOf({ count, record, size, nameOffsets, names }: StreamRows): string {
  let lines = ''
  for (let i = 0; i < count; i++) {
    const name = Buffer.from(names.subarray(nameOffsets[i], nameOffsets[i + 1]))
    lines += `${record[i]} :${name.toString('latin1')} ${size[i]}\n`
  }
  return lines
}

/** Ends of sectors as a write leaves them. */
function repairFixUps(bytes: Uint8Array, recordBytes: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
    const array = at + view.getUint16(at + 4, true)
    if (array + 2 > bytes.length) continue
    for (let end = at + 510; end < at + recordBytes; end += 512) view.setUint16(end, view.getUint16(array, true), true)
  }
}

/** All that is to be known of the attributes of a record. */
function readAttributes(bytes: Uint8Array): number {
  const record = { file: 'mutated', bytes, offset: 0 }
  openRecord(record)
  let count = 0
  for (const attribute of attributesOf(record)) {
    count++
    unlessRefused(() => {
      if (!attribute.isResident) return extentsOf(record, attribute, CLUSTERS)
      const value = residentValue(record, attribute)
      if (attribute.type !== AttributeType.attributeList) return value
      return parseAttributeList({ file: 'mutated', bytes: value, offset: 0 })
    })
  }
  return count
}

const READERS: readonly { good: readonly Uint8Array[]; read: (bytes: Uint8Array) => unknown }[] = [
  {
    good: SAMPLES.map(({ boot }) => boot),
    read: bytes => parseBootSector({ file: 'mutated', bytes, offset: 0 }),
  },
  {
    good: SAMPLES.flatMap(({ lists }) => lists),
    read: bytes => parseAttributeList({ file: 'mutated', bytes, offset: 0 }),
  },
  {
    good: SAMPLES.flatMap(({ runs }) => runs),
    read: bytes => parseRunList({ file: 'mutated', bytes, offset: 0 }, 0, bytes.length, CLUSTERS),
  },
]

describe('mutated records', () => {
  it(`are counted, and no other is lost, ${INPUTS} pieces of ${PIECE}`, { timeout: MUTATION_TIMEOUT_MS }, () => {
    const count = { rows: 0, streams: 0, damaged: 0, torn: 0, attributes: 0 }
    tryMutations({ maxMebibytes: MAX_MEBIBYTES, inputs: INPUTS }, (random, note) => {
      const sample = random.pick(SAMPLES)
      const { recordBytes } = sample
      const piece = () =>
        Uint8Array.from(Buffer.concat(Array.from({ length: PIECE }, () => random.pick(sample.records))))
      const good = { bytes: piece(), other: piece(), unit: recordBytes, resizing: 0.1 }
      const { bytes, changes } = mutatedFile(random, good)
      note(`records of ${recordBytes}: ${changes.join(', ')}`)
      if (random.chance(0.6)) repairFixUps(bytes, recordBytes)
      // As each of them gives by itself.
      const records = Math.floor(bytes.length / recordBytes)
      const alone = Array.from({ length: records }, (_, i) => {
        const record = bytes.slice(i * recordBytes, (i + 1) * recordBytes)
        const { lines, streamLines } = parse(record, recordBytes, FIRST + i)
        return { lines, streamLines }
      })
      const { rows, lines, streamLines, stats } = parse(bytes.slice(), recordBytes, FIRST)
      expect(lines).toBe(alone.map(one => one.lines).join(''))
      expect(streamLines).toBe(alone.map(one => one.streamLines).join(''))
      if (streamLines !== '') count.streams++
      count.rows += rows.count
      count.damaged += stats.damaged
      count.torn += stats.torn
      if (records === 0) return
      const numbers = Array.from({ length: records }, (_, i) => FIRST + i)
      const scattered = bytes.slice(0, recordBytes * records)
      new MftParser(recordBytes).parseScattered(scattered, numbers, roomFor(scattered.length, recordBytes))
      const first = bytes.slice(0, recordBytes)
      count.attributes += unlessRefused(() => readAttributes(first)) ?? 0
    })
    // All of these happen.
    for (const times of Object.values(count)) expect(times).toBeGreaterThan(INPUTS / 50)
    if (process.env.SOAK) console.log(JSON.stringify(count))
  })

  it(`have lists and boot sectors that are refused or read, ${SMALL_INPUTS} of them`, {
    timeout: MUTATION_TIMEOUT_MS,
  }, () => {
    const count = { refused: 0, read: 0 }
    tryMutations({ maxMebibytes: MAX_MEBIBYTES, inputs: SMALL_INPUTS }, (random, note) => {
      const kind = random.below(READERS.length)
      const { good, read } = READERS[kind]!
      const { bytes, changes } = mutatedFile(random, { bytes: random.pick(good), other: random.pick(good) })
      note(`${kind}: ${changes.join(', ')}`)
      count[unlessRefused(() => read(bytes) ?? true) === undefined ? 'refused' : 'read']++
    })
    for (const times of Object.values(count)) expect(times).toBeGreaterThan(SMALL_INPUTS / 50)
    if (process.env.SOAK) console.log(JSON.stringify(count))
  })
})
