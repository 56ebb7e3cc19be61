import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { AttributeType } from './layout.js'
import { listVolume } from './list-volume.js'
import { ListingBatches } from './listing-batches.js'
import { MftParser } from './mft-parser.js'
import { drive } from './stream.js'
import { TableListing } from './table-listing.js'
import {
  attributeList,
  fileName,
  nonResident,
  type RecordParts,
  resident,
  runList,
  standardInformation,
} from './testing/record-builder.js'
import { buildVolume, extents, ROOT, readerOf } from './testing/volume-builder.js'
import { Volume } from './volume.js'

const SYMLINK = 0xa000000c
const CLOUD = 0x9000001a
const SPARE = 16 + 41
const VALUE_BYTES = 900
const TAGGED = 0x400

/** A reparse point whose value lies in the n-th spare cluster. */
const distant = (cluster: number, dataBytes = VALUE_BYTES): Uint8Array =>
  nonResident(AttributeType.reparsePoint, { runs: runList(extents([SPARE + cluster, 1])), dataBytes })

const node = (name: string, ...more: readonly Uint8Array[]): RecordParts => ({
  attributes: [standardInformation([], TAGGED), fileName(ROOT, name), ...more],
})

/** Kinds by name, and what was counted. @param tags of the spare clusters */
function kindsOf(records: ReadonlyMap<number, RecordParts>, tags: readonly number[]) {
  const built = buildVolume(records, { records: 41, spareClusters: tags.length })
  expect(built.spareCluster).toBe(SPARE)
  const view = new DataView(built.bytes.buffer)
  for (const [i, tag] of tags.entries()) view.setUint32((SPARE + i) * built.clusterBytes, tag, true)
  const read = readerOf(built.bytes)
  const volume = drive(Volume.open('disk'), read)
  const parser = new MftParser(built.recordBytes)
  const batches = new ListingBatches(new Uint8Array(0))
  drive(listVolume(volume, parser, new TableListing(volume.records, batches)), read)
  batches.end()
  const kinds: Record<string, number> = {}
  for (const { entries } of batches.take())
    for (let row = 1; row < entries.count; row++) {
      const name = entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!)
      kinds[Buffer.from(name).toString()] = entries.kind[row]!
    }
  return { kinds, stats: parser.stats }
}

describe('reparse points whose value lies in clusters of its own', () => {
  it('are links by their tag', () => {
    const records = new Map<number, RecordParts>([
      [30, node('link', fileName(ROOT, 'same link'), distant(0))],
      [31, node('cloud', distant(1))],
      [32, { ...node('directory', distant(0)), isDirectory: true }],
      [33, node('plain')],
    ])
    const { kinds, stats } = kindsOf(records, [SYMLINK, CLOUD])
    expect(kinds).toEqual({
      link: Kind.symlink,
      'same link': Kind.symlink,
      cloud: Kind.file,
      directory: Kind.directory,
      plain: Kind.file,
    })
    expect(stats).toMatchObject({ torn: 0, damaged: 0 })
  })

  it('may be described in another record', () => {
    const list = attributeList([
      { type: AttributeType.fileName, record: 30, sequence: 1 },
      { type: AttributeType.reparsePoint, record: 31, sequence: 1 },
    ])
    const records = new Map<number, RecordParts>([
      [30, node('link', resident(AttributeType.attributeList, list))],
      [31, { base: { record: 30, sequence: 1 }, attributes: [distant(0)] }],
    ])
    expect(kindsOf(records, [SYMLINK]).kinds).toEqual({ link: Kind.symlink })
  })

  it('are files where their tag cannot be read, and counted once', () => {
    const records = new Map<number, RecordParts>([
      [30, node('short', distant(0, 3))],
      [31, node('outside', distant(1_000))],
      // Waits, so that it is read twice.
      [32, { attributes: [standardInformation(), fileName({ record: 34, sequence: 1 }, 'empty'), distant(0, 0)] }],
      [34, { ...node('d'), isDirectory: true }],
    ])
    const { kinds, stats } = kindsOf(records, [SYMLINK])
    expect(kinds).toEqual({ short: Kind.file, outside: Kind.file, empty: Kind.file, d: Kind.directory })
    expect(stats).toMatchObject({ damaged: 3 })
  })

  it('are files where something behind them is damaged, which is all that is said', () => {
    const broken = Uint8Array.from(resident(AttributeType.data, new Uint8Array(8)))
    new DataView(broken.buffer).setUint32(4, 0xffff, true)
    const { kinds, stats } = kindsOf(new Map([[30, node('f', distant(0), broken)]]), [SYMLINK])
    expect(kinds).toEqual({ f: Kind.file })
    expect(stats).toMatchObject({ damaged: 1 })
  })
})
