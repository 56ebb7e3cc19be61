import { type GoodFile, MUTATION_TIMEOUT_MS, mutatedFile, Random, tryMutations } from '@hotpath/index-format/testing'
import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { AttributeType, Record } from './layout.js'
import { listVolume } from './list-volume.js'
import { MftParser } from './mft-parser.js'
import { drive, type ReadRequest } from './stream.js'
import { TableListing } from './table-listing.js'
import { CheckingSink } from './testing/checking-sink.js'
import { randomVolume } from './testing/random-volume.js'
import { attributeList, nonResident, type RecordParts, resident, runList } from './testing/record-builder.js'
import { type BuiltVolume, buildVolume, extents, readerOf, type VolumeOptions } from './testing/volume-builder.js'
import { Volume } from './volume.js'

const INPUTS = process.env.SOAK ? 200_000 : 2_000
/** What a volume of some 80 KiB may cost at most. */
const MAX_READ_BYTES = 16 * 1024 * 1024
const MAX_READS = 5_000
const MAX_MEBIBYTES = 256
const MAX_NODES = 12
/** A third of what nodes and their continuations may have is in use. */
const RECORDS = 24 + 3 * MAX_NODES

const { data, attributeList: listType } = AttributeType

/** The second part of `$MFT` is described by another record. */
function fragmented(records: ReadonlyMap<number, RecordParts>): BuiltVolume {
  const part = (runs: [number, number][], lowestVcn: number) =>
    nonResident(data, { runs: runList(extents(...runs)), dataBytes: RECORDS * 1024, lowestVcn })
  const list = attributeList([
    { type: data, record: 0, sequence: 1 },
    { type: data, record: 15, sequence: 1, lowestVcn: 40 },
  ])
  const more = new Map(records).set(15, {
    base: { record: 0, sequence: 1 },
    attributes: [part([[16 + 40, RECORDS - 40]], 40)],
  })
  const tableAttributes = [
    resident(listType, list),
    part(
      [
        [16, 30],
        [46, 10],
      ],
      0,
    ),
  ]
  return buildVolume(more, { records: RECORDS, tableAttributes })
}

const OPTIONS: VolumeOptions[] = [
  { clusterBytes: 512 },
  { clusterBytes: 1024 },
  { clusterBytes: 4096 },
  { recordBytes: 512 },
]

const VOLUMES = Array.from({ length: 12 }, (_, seed) => {
  const { records } = randomVolume(new Random(seed), MAX_NODES)
  const options = OPTIONS[seed % OPTIONS.length]!
  const usable =
    options.recordBytes === 512 ? new Map([...records].filter(([, parts]) => sizeOf(parts) < 440)) : records
  const built = seed >= OPTIONS.length * 2 ? fragmented(records) : buildVolume(usable, { ...options, records: RECORDS })
  return { ...built, scratch: new Uint8Array(built.bytes.length), places: placesOf(built) }
})

function sizeOf({ attributes }: RecordParts): number {
  return attributes.reduce((sum, { length }) => sum + length, 0)
}

/** The fields of the boot sector, the table's own records and all others that are in use. */
function placesOf({ bytes, tableAt, recordBytes }: BuiltVolume): [number, number][] {
  const view = new DataView(bytes.buffer)
  const used: [number, number][] = []
  for (let at = tableAt; at + recordBytes <= bytes.length; at += recordBytes)
    if (view.getUint32(at, true) !== 0) used.push([at, at + view.getUint32(at + Record.usedBytes, true)])
  return [[11, 80], ...Array.from({ length: 5 }, () => used[0]!), ...used]
}

/** Puts the same word at the ends of all sectors of each record: damage of what was written, not by writing. */
function repairFixUps(bytes: Uint8Array, { tableAt, recordBytes }: BuiltVolume): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = tableAt; at + recordBytes <= bytes.length; at += recordBytes) {
    const array = at + view.getUint16(at + Record.fixUpOffset, true)
    if (array + 2 > bytes.length) continue
    for (let end = at + 510; end < at + recordBytes; end += 512) view.setUint16(end, view.getUint16(array, true), true)
  }
}

interface Listed {
  readonly entries: number
  readonly readBytes: number
  readonly reads: number
  readonly isRefused: boolean
  readonly damaged: number
}

function list(bytes: Uint8Array, note: (what: string) => void, streams: boolean): Listed {
  const read = readerOf(bytes)
  const sink = new CheckingSink()
  let [readBytes, reads, damaged, isRefused] = [0, 0, 0, false]
  const counted = (request: ReadRequest): Uint8Array => {
    const { offset, length } = request
    if (!Number.isSafeInteger(offset) || !(offset >= 0 && length > 0 && length <= MAX_READ_BYTES))
      throw new Error(`${length} bytes at ${offset} are wanted`)
    readBytes += length
    if (++reads > MAX_READS) throw new Error(`more than ${MAX_READS} readings`)
    return read(request)
  }
  try {
    const volume = drive(Volume.open('mutated'), counted)
    note(`${volume.records} records`)
    const parser = new MftParser(volume.geometry.recordBytes)
    drive(listVolume(volume, parser, new TableListing(volume.records, sink), { streams }), counted)
    damaged = parser.stats.damaged + parser.stats.torn
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    isRefused = true
  }
  return { entries: sink.entries, readBytes, reads, isRefused, damaged }
}

describe('mutated volumes', () => {
  it.each([true, false])(
    `are refused or listed, ${INPUTS / 2} of them (fix-ups right: %s)`,
    {
      timeout: MUTATION_TIMEOUT_MS,
    },
    isRepaired => {
      const count = { refused: 0, damaged: 0, whole: 0 }
      let most = 0
      tryMutations({ maxMebibytes: MAX_MEBIBYTES, inputs: INPUTS / 2 }, (random, note) => {
        const volume = random.pick(VOLUMES)
        const good: GoodFile = {
          ...volume,
          unit: volume.recordBytes,
          other: random.pick(VOLUMES).bytes,
          resizing: 0.05,
        }
        const { bytes, changes } = mutatedFile(random, good)
        note(`${VOLUMES.indexOf(volume)}: ${changes.join(', ')}`)
        if (isRepaired) repairFixUps(bytes, volume)
        const streams = random.chance(0.5)
        const { entries, readBytes, isRefused, damaged } = list(bytes, note, streams)
        expect(readBytes).toBeLessThan(MAX_READ_BYTES)
        // A name takes 96 bytes, and stands below two directories that may be missing; a stream takes 32, and stands beside several names.
        expect(entries).toBeLessThanOrEqual((3 * bytes.length) / (streams ? 24 : 96))
        most = Math.max(most, readBytes)
        count[isRefused ? 'refused' : damaged > 0 ? 'damaged' : 'whole']++
      })
      // All of these happen.
      for (const times of Object.values(count)) expect(times).toBeGreaterThan(INPUTS / 50)
      if (process.env.SOAK)
        console.log(`fix-ups right: ${isRepaired}, ${JSON.stringify(count)}, ${most} bytes read at most`)
    },
  )

  it('are made of volumes that are whole', () => {
    const found = VOLUMES.map(({ bytes }) => list(bytes, () => {}, true))
    expect(found.map(({ isRefused, damaged }) => [isRefused, damaged])).toEqual(VOLUMES.map(() => [false, 0]))
    expect(found.reduce((sum, { entries }) => sum + entries, 0)).toBeGreaterThan(50)
  })
})
