import { Attribute, AttributeType, FILE_MAGIC, FileName, ListEntry, Record, RecordFlag, STRIDE } from '../layout.js'
import { type Extent, SPARSE } from '../run-list.js'

/** A record number and how often it was used. */
export interface Reference {
  readonly record: number
  readonly sequence: number
}

export interface RecordParts {
  readonly sequence?: number
  readonly isDirectory?: boolean
  readonly isUnused?: boolean
  /** Of which record it holds further attributes. */
  readonly base?: Reference
  /** Whole attributes, in order. */
  readonly attributes: readonly Uint8Array[]
}

const FIX_UPS_AT = 48

/** A record as it lies on a disk. Throws if the attributes do not fit. */
export function recordOf(parts: RecordParts, recordBytes = 1024): Uint8Array {
  const bytes = new Uint8Array(recordBytes)
  const view = new DataView(bytes.buffer)
  const words = recordBytes / STRIDE + 1
  const first = (FIX_UPS_AT + 2 * words + 7) & ~7
  let at = first
  for (const attribute of parts.attributes) {
    bytes.set(attribute, at)
    at += attribute.length
  }
  view.setUint32(at, AttributeType.end, true)
  view.setUint32(Record.magic, FILE_MAGIC, true)
  view.setUint16(Record.fixUpOffset, FIX_UPS_AT, true)
  view.setUint16(Record.fixUpCount, words, true)
  view.setUint16(Record.sequence, parts.sequence ?? 1, true)
  view.setUint16(Record.firstAttribute, first, true)
  view.setUint16(
    Record.flags,
    (parts.isUnused ? 0 : RecordFlag.inUse) | (parts.isDirectory ? RecordFlag.directory : 0),
    true,
  )
  view.setUint32(Record.usedBytes, at + 8, true)
  if (parts.base !== undefined) putReference(view, Record.base, parts.base)
  protect(bytes)
  return bytes
}

/** Puts an update sequence into a record in which the real words stand, as a write does. */
export function protect(bytes: Uint8Array, written = 0x0101): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setUint16(FIX_UPS_AT, written, true)
  for (let stride = 1; stride <= bytes.length / STRIDE; stride++) {
    const end = stride * STRIDE - 2
    view.setUint16(FIX_UPS_AT + 2 * stride, view.getUint16(end, true), true)
    view.setUint16(end, written, true)
  }
}

export function resident(type: number, value: Uint8Array, name = ''): Uint8Array {
  const valueAt = round(Attribute.residentBytes + 2 * name.length)
  const { bytes, view } = attribute(type, name, valueAt + value.length, Attribute.residentBytes)
  view.setUint32(Attribute.valueLength, value.length, true)
  view.setUint16(Attribute.valueOffset, valueAt, true)
  bytes.set(value, valueAt)
  return bytes
}

export interface MappedPart {
  readonly runs: Uint8Array
  readonly dataBytes: number
  readonly name?: string
  readonly lowestVcn?: number
}

export function nonResident(type: number, { runs, dataBytes, name = '', lowestVcn = 0 }: MappedPart): Uint8Array {
  const runsAt = round(Attribute.nonResidentBytes + 2 * name.length)
  const { bytes, view } = attribute(type, name, runsAt + runs.length, Attribute.nonResidentBytes)
  bytes[Attribute.nonResident] = 1
  view.setBigUint64(Attribute.lowestVcn, BigInt(lowestVcn), true)
  view.setUint16(Attribute.runsOffset, runsAt, true)
  if (lowestVcn === 0) view.setBigUint64(Attribute.dataBytes, BigInt(dataBytes), true)
  bytes.set(runs, runsAt)
  return bytes
}

function attribute(type: number, name: string, length: number, nameAt: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(round(length))
  const view = new DataView(bytes.buffer)
  view.setUint32(Attribute.type, type, true)
  view.setUint32(Attribute.length, bytes.length, true)
  bytes[Attribute.nameUnits] = name.length
  view.setUint16(Attribute.nameOffset, nameAt, true)
  bytes.set(Buffer.from(name, 'utf16le'), nameAt)
  return { bytes, view }
}

/** Four times (FILETIME: created, modified, changed, accessed) and the flags of a file. */
export function standardInformation(times: readonly bigint[] = [], attributes = 0): Uint8Array {
  const value = new Uint8Array(48)
  const view = new DataView(value.buffer)
  for (const [i, time] of times.entries()) view.setBigUint64(8 * i, time, true)
  view.setUint32(32, attributes, true)
  return resident(AttributeType.standardInformation, value)
}

/** @param namespace 0 POSIX, 1 Win32, 2 DOS, 3 both */
export function fileName(parent: Reference, name: string, namespace = 1): Uint8Array {
  const value = new Uint8Array(FileName.name + 2 * name.length)
  putReference(new DataView(value.buffer), FileName.parent, parent)
  value[FileName.nameUnits] = name.length
  value[FileName.namespace] = namespace
  value.set(Buffer.from(name, 'utf16le'), FileName.name)
  return resident(AttributeType.fileName, value)
}

export function reparsePoint(tag: number): Uint8Array {
  const value = new Uint8Array(8)
  new DataView(value.buffer).setUint32(0, tag, true)
  return resident(AttributeType.reparsePoint, value)
}

export interface ListedPart extends Reference {
  readonly type: number
  readonly name?: string
  readonly lowestVcn?: number
}

/** The value of an `$ATTRIBUTE_LIST`. */
export function attributeList(parts: readonly ListedPart[]): Uint8Array {
  return Buffer.concat(
    parts.map(({ type, name = '', lowestVcn = 0, ...reference }) => {
      const bytes = new Uint8Array(round(ListEntry.bytes + 2 * name.length))
      const view = new DataView(bytes.buffer)
      view.setUint32(ListEntry.type, type, true)
      view.setUint16(ListEntry.length, bytes.length, true)
      bytes[ListEntry.nameUnits] = name.length
      bytes[ListEntry.nameUnits + 1] = ListEntry.bytes
      view.setBigUint64(ListEntry.lowestVcn, BigInt(lowestVcn), true)
      putReference(view, ListEntry.reference, reference)
      bytes.set(Buffer.from(name, 'utf16le'), ListEntry.bytes)
      return bytes
    }),
  )
}

/** Mapping pairs with fields that are as short as can be, or of `fieldBytes` bytes, and their end. */
export function runList(extents: readonly Extent[], fieldBytes?: number): Uint8Array {
  const bytes: number[] = []
  let before = 0
  for (const { cluster, clusters } of extents) {
    const length = fieldOf(clusters, fieldBytes)
    const offset = cluster === SPARSE ? [] : fieldOf(cluster - before, fieldBytes)
    if (cluster !== SPARSE) before = cluster
    bytes.push((offset.length << 4) | length.length, ...length, ...offset)
  }
  return Uint8Array.from([...bytes, 0])
}

/** A signed number, little-endian. */
function fieldOf(value: number, bytes = 0): number[] {
  const field: number[] = []
  let rest = value
  // The sign is the highest bit of the last byte.
  do {
    field.push(((rest % 256) + 256) % 256)
    rest = Math.floor(rest / 256)
  } while (field.length < bytes || rest !== (field.at(-1)! < 0x80 ? 0 : -1))
  return field
}

function putReference(view: DataView, at: number, { record, sequence }: Reference): void {
  view.setBigUint64(at, (BigInt(sequence) << 48n) | BigInt(record), true)
}

function round(bytes: number): number {
  return (bytes + 7) & ~7
}
