import { damage, type VolumeBytes } from './damage.js'
import { undoFixUps } from './fix-up.js'
import { Attribute, AttributeType, FILE_MAGIC, ListEntry, Record, RecordFlag } from './layout.js'
import { type Extent, parseRunList } from './run-list.js'

/** What NTFS allows: some 8,000 entries. */
export const MAX_LIST_BYTES = 256 * 1024

/** An attribute of a record whose fix-ups are undone. */
export interface AttributeHeader {
  readonly type: number
  readonly name: string
  /** Position in the record. */
  readonly at: number
  readonly length: number
  readonly isResident: boolean
  /**
   * Non-resident: first cluster of the stream that this attribute maps, and the bytes of the whole stream (0 unless it is the
   * first part); those from `validBytes` on were never written and read as zeros.
   */
  readonly lowestVcn: number
  readonly dataBytes: number
  readonly validBytes: number
}

/** Where a part of an attribute lies. */
export interface ListedAttribute {
  readonly type: number
  readonly name: string
  readonly lowestVcn: number
  readonly record: number
  readonly sequence: number
}

/**
 * Checks a record and undoes its fix-ups in place.
 *
 * @throws CorruptFileError: it is none, is not in use, or was torn
 */
export function openRecord(record: VolumeBytes): void {
  const { bytes } = record
  const view = viewOf(bytes)
  const magic = view.getUint32(Record.magic, true)
  if (magic !== FILE_MAGIC) throw damage(record, Record.magic, 'the mark FILE', `0x${magic.toString(16)}`)
  const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1)
  if (!undoFixUps(words, 0, bytes.length))
    throw damage(record, Record.fixUpOffset, 'the same word at the end of all sectors', 'others: a torn write')
  const flags = view.getUint16(Record.flags, true)
  if ((flags & RecordFlag.inUse) === 0) throw damage(record, Record.flags, 'a record in use', `flags ${flags}`)
}

/** The attributes of a record that was opened. Throws CorruptFileError at the first that cannot be. */
export function* attributesOf(record: VolumeBytes): Generator<AttributeHeader> {
  const { bytes } = record
  const view = viewOf(bytes)
  const end = Math.min(bytes.length, view.getUint32(Record.usedBytes, true))
  let at = view.getUint16(Record.firstAttribute, true)
  for (;;) {
    if (at + 4 > end) throw damage(record, at, 'an attribute or the end mark', 'the end of the record')
    const type = view.getUint32(at, true)
    if (type === AttributeType.end) return
    if (at + Attribute.residentBytes > end) throw damage(record, at, 'a whole attribute', `${end - at} bytes`)
    const length = view.getUint32(at + Attribute.length, true)
    const isResident = bytes[at + Attribute.nonResident] === 0
    const least = isResident ? Attribute.residentBytes : Attribute.nonResidentBytes
    if (length < least || (length & 7) !== 0 || length > end - at)
      throw damage(record, at + Attribute.length, `a length of ${least} to ${end - at} bytes`, length)
    const nameAt = at + view.getUint16(at + Attribute.nameOffset, true)
    const nameUnits = bytes[at + Attribute.nameUnits]!
    if (nameUnits > 0 && nameAt + 2 * nameUnits > at + length)
      throw damage(record, at + Attribute.nameOffset, 'a name inside of the attribute', nameAt - at)
    const lowestVcn = isResident ? 0 : safe(view, at + Attribute.lowestVcn)
    const dataBytes = isResident
      ? view.getUint32(at + Attribute.valueLength, true)
      : lowestVcn === 0
        ? safe(view, at + Attribute.dataBytes)
        : 0
    yield {
      type,
      name: nameOf(bytes, nameAt, nameUnits),
      at,
      length,
      isResident,
      lowestVcn,
      dataBytes,
      validBytes: isResident ? dataBytes : Math.min(dataBytes, safe(view, at + Attribute.validBytes)),
    }
    at += length
  }
}

/**
 * Whether a record continues the attributes of another one, of which it may have been taken meanwhile. Its fix-ups need not be undone.
 */
export function isExtensionOf(bytes: Uint8Array, base: number, baseSequence: number): boolean {
  const view = viewOf(bytes)
  const high = view.getUint32(Record.base + 4, true)
  return view.getUint32(Record.base, true) === base && high === (baseSequence << 16) >>> 0
}

/** How often a record was given to a file. */
export function sequenceOf(bytes: Uint8Array): number {
  return viewOf(bytes).getUint16(Record.sequence, true)
}

/** The value of a resident attribute, as a view. */
export function residentValue(record: VolumeBytes, { at, length, dataBytes }: AttributeHeader): Uint8Array {
  const offset = viewOf(record.bytes).getUint16(at + Attribute.valueOffset, true)
  if (offset + dataBytes > length)
    throw damage(record, at + Attribute.valueLength, 'a value inside of the attribute', dataBytes)
  return record.bytes.subarray(at + offset, at + offset + dataBytes)
}

/** Where the part of a stream that a non-resident attribute maps lies. @param clusters of the volume */
export function extentsOf(record: VolumeBytes, { at, length }: AttributeHeader, clusters: number): Extent[] {
  const offset = viewOf(record.bytes).getUint16(at + Attribute.runsOffset, true)
  if (offset < Attribute.nonResidentBytes || offset > length)
    throw damage(record, at + Attribute.runsOffset, 'a run list inside of the attribute', offset)
  return parseRunList(record, at + offset, at + length, clusters)
}

/** Reads the value of an `$ATTRIBUTE_LIST`: which record holds which attribute. Throws CorruptFileError. */
export function parseAttributeList(list: VolumeBytes): ListedAttribute[] {
  const { bytes } = list
  const found: ListedAttribute[] = []
  if (bytes.length > MAX_LIST_BYTES) throw damage(list, 0, `at most ${MAX_LIST_BYTES} bytes of a list`, bytes.length)
  const view = viewOf(bytes)
  for (let at = 0; at + ListEntry.bytes <= bytes.length; ) {
    const length = view.getUint16(at + ListEntry.length, true)
    // What is behind the last entry is not cleared.
    if (length === 0) break
    const nameUnits = bytes[at + ListEntry.nameUnits]!
    const nameAt = at + bytes[at + ListEntry.nameUnits + 1]!
    if (
      length < ListEntry.bytes ||
      at + length > bytes.length ||
      (nameUnits > 0 && nameAt + 2 * nameUnits > at + length)
    )
      throw damage(list, at + ListEntry.length, 'a whole entry', length)
    const high = view.getUint32(at + ListEntry.reference + 4, true)
    found.push({
      type: view.getUint32(at + ListEntry.type, true),
      name: nameOf(bytes, nameAt, nameUnits),
      lowestVcn: safe(view, at + ListEntry.lowestVcn),
      record: (high & 0xffff) * 2 ** 32 + view.getUint32(at + ListEntry.reference, true),
      sequence: high >>> 16,
    })
    at += length
  }
  return found
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function nameOf(bytes: Uint8Array, at: number, units: number): string {
  // Where nothing has no name its position may be anything.
  if (units === 0) return ''
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, 2 * units).toString('utf16le')
}

/** 64 bits as a double: what no volume can hold becomes inexact, and fails the checks that follow. */
function safe(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
}
