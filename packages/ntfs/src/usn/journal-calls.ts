import { damage } from '../damage.js'
import type { JournalNow } from './journal-state.js'
import { EnumRequestV1, JournalData, ReadRequestV1, VolumeData } from './usn-layout.js'

/** V2 and V3: what has rows. V4 is sent only to who asks for it. */
const MIN_MAJOR = 2
const MAX_MAJOR = 3
const ALL_REASONS = 0xffffffff
const LAST_USN = 0x7fff_ffff_ffff_ffffn

/** USN_JOURNAL_DATA: what FSCTL_QUERY_USN_JOURNAL says. */
export interface JournalDescription extends JournalNow {
  /** Behind the last record: `size` is the same. */
  readonly nextUsn: number
  /** Bytes that it may grow to. */
  readonly maximumSize: number
  /** Bytes by which its front is given back. */
  readonly allocationDelta: number
  /** Versions of records that it can give; V0 says nothing of them. */
  readonly versions: { readonly min: number; readonly max: number } | undefined
  /** Ranges that were written are tracked, too (V2). */
  readonly tracksRanges: boolean
}

/**
 * Reads a reply of FSCTL_QUERY_USN_JOURNAL: V0, V1 or V2, which its length tells apart.
 *
 * @param file the volume and the call, for messages
 * @throws CorruptFileError
 */
export function parseJournalData(file: string, bytes: Uint8Array): JournalDescription {
  const reply = { file, bytes, offset: 0 }
  if (bytes.length < JournalData.v0Bytes) throw damage(reply, 0, `${JournalData.v0Bytes} bytes or more`, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const position = (at: number): number => {
    const found = view.getBigInt64(at, true)
    if (found < 0n || found > BigInt(Number.MAX_SAFE_INTEGER)) throw damage(reply, at, 'a position', found)
    return Number(found)
  }
  const firstUsn = position(JournalData.firstUsn)
  const nextUsn = position(JournalData.nextUsn)
  if (nextUsn < firstUsn) throw damage(reply, JournalData.nextUsn, `a position of ${firstUsn} or more`, nextUsn)
  const isV1 = bytes.length >= JournalData.v1Bytes
  return {
    id: view.getBigUint64(JournalData.id, true).toString(16).padStart(16, '0'),
    firstUsn,
    nextUsn,
    size: nextUsn,
    lowestValidUsn: position(JournalData.lowestValidUsn),
    maximumSize: Number(view.getBigUint64(JournalData.maximumSize, true)),
    allocationDelta: Number(view.getBigUint64(JournalData.allocationDelta, true)),
    versions: isV1
      ? { min: view.getUint16(JournalData.minMajor, true), max: view.getUint16(JournalData.maxMajor, true) }
      : undefined,
    tracksRanges: bytes.length >= JournalData.bytes && (view.getUint32(JournalData.flags, true) & 1) !== 0,
  }
}

/**
 * What FSCTL_READ_USN_JOURNAL is asked with: all reasons, V2 and V3, and never to wait. Microsoft's pages say when the journal is looked at
 * again while a call waits, and not that it returns without a record: whoever waits there may never end.
 *
 * @param id 16 hexadecimal digits
 */
export function readRequest(id: string, from: number): Uint8Array {
  const bytes = new Uint8Array(ReadRequestV1.bytes)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(ReadRequestV1.startUsn, BigInt(from), true)
  view.setUint32(ReadRequestV1.reasonMask, ALL_REASONS, true)
  view.setBigUint64(ReadRequestV1.id, BigInt(`0x${id}`), true)
  view.setUint16(ReadRequestV1.minMajor, MIN_MAJOR, true)
  view.setUint16(ReadRequestV1.maxMajor, MAX_MAJOR, true)
  return bytes
}

/** What FSCTL_ENUM_USN_DATA is asked with: all files from a reference on, whenever they were changed. */
export function enumRequest(start: bigint): Uint8Array {
  const bytes = new Uint8Array(EnumRequestV1.bytes)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(EnumRequestV1.start, start, true)
  view.setBigInt64(EnumRequestV1.highUsn, LAST_USN, true)
  view.setUint16(EnumRequestV1.minMajor, MIN_MAJOR, true)
  view.setUint16(EnumRequestV1.maxMajor, MAX_MAJOR, true)
  return bytes
}

/** What FSCTL_GET_NTFS_VOLUME_DATA says of a volume whose boot sector may not be read. */
export interface VolumeDescription {
  /** 16 hexadecimal digits, as in the boot sector. */
  readonly serial: string
  /** Records that the master file table has. */
  readonly records: number
}

/** Throws CorruptFileError. */
export function parseVolumeData(file: string, bytes: Uint8Array): VolumeDescription {
  const reply = { file, bytes, offset: 0 }
  if (bytes.length < VolumeData.bytes) throw damage(reply, 0, `${VolumeData.bytes} bytes or more`, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const recordBytes = view.getUint32(VolumeData.recordBytes, true)
  const tableBytes = Number(view.getBigInt64(VolumeData.tableBytes, true))
  const records = Math.floor(tableBytes / recordBytes)
  if (!(records >= 1 && records < 2 ** 32))
    throw damage(reply, VolumeData.tableBytes, `a table of records of ${recordBytes} bytes`, tableBytes)
  return { serial: view.getBigUint64(VolumeData.serial, true).toString(16).padStart(16, '0'), records }
}
