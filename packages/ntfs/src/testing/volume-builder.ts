import { AttributeType } from '../layout.js'
import type { Extent } from '../run-list.js'
import type { ReadRequest } from '../stream.js'
import {
  fileName,
  nonResident,
  type RecordParts,
  type Reference,
  recordOf,
  resident,
  runList,
  standardInformation,
} from './record-builder.js'

export const ROOT: Reference = { record: 5, sequence: 5 }
export const EXTEND: Reference = { record: 11, sequence: 11 }
const MFT_CLUSTER = 16
/** Of the copy of `$MFT`'s first record. */
const MIRROR_CLUSTER = 1
/** What fits into a record of 1,024 bytes. */
const MAX_BITMAP_BYTES = 512
const OEM_ID = 'NTFS    '

export interface VolumeOptions {
  readonly clusterBytes?: number
  readonly recordBytes?: number
  /** Of `$MFT`; the rest is not in use. By default, as many as it takes. */
  readonly records?: number
  /** Clusters behind the table, for what lies outside of it. */
  readonly spareClusters?: number
  /** Attributes of `$MFT` instead of its data and its bitmap. */
  readonly tableAttributes?: readonly Uint8Array[]
}

export interface BuiltVolume {
  readonly bytes: Uint8Array
  readonly clusterBytes: number
  readonly recordBytes: number
  /** First byte of `$MFT`. */
  readonly tableAt: number
  /** First cluster behind it. */
  readonly spareCluster: number
}

/** A small volume: a boot sector, `$MFT` in one piece, the root and `$Extend`, and the records that are given, by their number. */
export function buildVolume(given: ReadonlyMap<number, RecordParts>, options: VolumeOptions = {}): BuiltVolume {
  const { clusterBytes = 1024, recordBytes = 1024, spareClusters = 0 } = options
  const all = new Map<number, RecordParts>([
    [ROOT.record, directory(ROOT, ROOT, '.')],
    [EXTEND.record, directory(EXTEND, ROOT, '$Extend')],
    ...given,
  ])
  const records = options.records ?? Math.max(24, ...all.keys()) + 1
  const tableClusters = Math.ceil((records * recordBytes) / clusterBytes)
  const spareCluster = MFT_CLUSTER + tableClusters
  const clusters = spareCluster + spareClusters
  const bytes = new Uint8Array(clusters * clusterBytes)
  const tableAt = MFT_CLUSTER * clusterBytes
  const table = runList([{ cluster: MFT_CLUSTER, clusters: tableClusters }])
  const bitmap = new Uint8Array(Math.ceil(records / 64) * 8)
  for (const record of [0, ...all.keys()]) bitmap[record >> 3]! |= 1 << (record & 7)
  const attributes = options.tableAttributes ?? [
    nonResident(AttributeType.data, { runs: table, dataBytes: records * recordBytes }),
    // Without one, the whole table is in use.
    ...(bitmap.length <= MAX_BITMAP_BYTES ? [resident(AttributeType.bitmap, bitmap)] : []),
  ]
  const first = recordOf({ attributes: [standardInformation(), fileName(ROOT, '$MFT'), ...attributes] }, recordBytes)
  bytes.set(bootSector({ clusterBytes, recordBytes, clusters }))
  bytes.set(first, tableAt)
  bytes.set(first, MIRROR_CLUSTER * clusterBytes)
  for (const [record, parts] of all) bytes.set(recordOf(parts, recordBytes), tableAt + record * recordBytes)
  return { bytes, clusterBytes, recordBytes, tableAt, spareCluster }
}

/** A directory that has a name. */
export function directory({ sequence }: Reference, parent: Reference, name: string): RecordParts {
  return { sequence, isDirectory: true, attributes: [standardInformation(), fileName(parent, name)] }
}

/** A file of some bytes that has a name, or several. */
export function file(sequence: number, names: readonly (readonly [Reference, string])[], bytes = 0): RecordParts {
  const data = resident(AttributeType.data, new Uint8Array(bytes))
  return { sequence, attributes: [standardInformation(), ...names.map(name => fileName(...name)), data] }
}

export interface BootFields {
  readonly sectorBytes?: number
  readonly clusterBytes: number
  readonly recordBytes: number
  readonly clusters: number
}

export function bootSector({ sectorBytes = 512, clusterBytes, recordBytes, clusters }: BootFields): Uint8Array {
  const bytes = new Uint8Array(512)
  const view = new DataView(bytes.buffer)
  bytes.set(Buffer.from(OEM_ID, 'latin1'), 3)
  view.setUint16(11, sectorBytes, true)
  bytes[13] = clusterBytes / sectorBytes
  view.setBigUint64(40, BigInt((clusters * clusterBytes) / sectorBytes), true)
  view.setBigUint64(48, BigInt(MFT_CLUSTER), true)
  view.setBigUint64(56, BigInt(MIRROR_CLUSTER), true)
  bytes[64] = recordBytes >= clusterBytes ? recordBytes / clusterBytes : 256 - Math.log2(recordBytes)
  view.setBigUint64(72, 0x1234_5678_9abcn, true)
  return bytes
}

/** Reads a volume that lies in memory: less where it ends. */
export function readerOf(bytes: Uint8Array): (request: ReadRequest) => Uint8Array {
  return ({ offset, length }) => bytes.slice(offset, offset + length)
}

/** Extents from pairs of cluster and clusters. */
export function extents(...pairs: readonly (readonly [cluster: number, clusters: number])[]): Extent[] {
  return pairs.map(([cluster, clusters]) => ({ cluster, clusters }))
}
