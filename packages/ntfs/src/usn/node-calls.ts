import { damage } from '../damage.js'
import type { FoundFile } from '../directory-index.js'
import { redoFixUps } from '../fix-up.js'
import { ALIGNMENT, DirectoryEntry, RecordReply } from './usn-layout.js'

const RECORD_BITS = 48n
const RECORD_NUMBER = (1n << RECORD_BITS) - 1n
const DOT_NAMES: readonly string[] = ['.', '..']

/** Record and sequence number as Windows writes them in one: FileReferenceNumber, FileId. */
export function referenceOf(record: number, sequence: number): bigint {
  return (BigInt(sequence) << RECORD_BITS) | BigInt(record)
}

/** What FSCTL_GET_NTFS_FILE_RECORD is asked with: NTFS_FILE_RECORD_INPUT_BUFFER. */
export function recordRequest(number: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number), true)
  return bytes
}

/** Bytes that a reply with a record has: what Microsoft's page says, `sizeof (NTFS_FILE_RECORD_OUTPUT_BUFFER)` and one record, less one. */
export function recordReplyBytes(recordBytes: number): number {
  return Math.ceil((RecordReply.record + 1) / ALIGNMENT) * ALIGNMENT + recordBytes - 1
}

/**
 * The record in a reply of FSCTL_GET_NTFS_FILE_RECORD, as a volume stores it; zeros: it is not in use, for then the reply has the next lower
 * one that is. Whether the fix-ups of a record are undone in a reply is not documented: it is taken both ways.
 *
 * @param file the volume and the call, for messages
 * @throws CorruptFileError
 */
export function parseRecordReply(file: string, bytes: Uint8Array, number: number, recordBytes: number): Uint8Array {
  const reply = { file, bytes, offset: 0 }
  const least = RecordReply.record
  if (bytes.length < least) throw damage(reply, 0, `${least} bytes or more`, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const found = Number(view.getBigUint64(RecordReply.reference, true) & RECORD_NUMBER)
  if (found > number) throw damage(reply, RecordReply.reference, `record ${number} or a lower one`, found)
  if (found < number) return new Uint8Array(recordBytes)
  const length = view.getUint32(RecordReply.length, true)
  if (length !== recordBytes || least + length > bytes.length)
    throw damage(reply, RecordReply.length, `a record of ${recordBytes} bytes inside of ${bytes.length}`, length)
  const record = bytes.slice(least, least + length)
  redoFixUps(new Uint16Array(record.buffer), 0, length)
  return record
}

/**
 * The files in what GetFileInformationByHandleEx gives for FileIdBothDirectoryInfo, one for each name; not `.` and `..`.
 *
 * @param file the volume and the call, for messages
 * @throws CorruptFileError
 */
export function parseDirectoryEntries(file: string, bytes: Uint8Array): FoundFile[] {
  const reply = { file, bytes, offset: 0 }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const files: FoundFile[] = []
  for (let at = 0; ; ) {
    const left = bytes.length - at
    if (left < DirectoryEntry.name) throw damage(reply, at, 'an entry', `${left} bytes`)
    const nameBytes = view.getUint32(at + DirectoryEntry.nameBytes, true)
    if (nameBytes > left - DirectoryEntry.name)
      throw damage(
        reply,
        at + DirectoryEntry.nameBytes,
        `a name of at most ${left - DirectoryEntry.name} bytes`,
        nameBytes,
      )
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + DirectoryEntry.name, nameBytes)
    if (!DOT_NAMES.includes(name.toString('utf16le'))) {
      const reference = view.getBigUint64(at + DirectoryEntry.reference, true)
      files.push({ record: Number(reference & RECORD_NUMBER), sequence: Number(reference >> RECORD_BITS) })
    }
    const next = view.getUint32(at + DirectoryEntry.next, true)
    if (next === 0) return files
    if (next < DirectoryEntry.name + nameBytes || next % ALIGNMENT !== 0)
      throw damage(reply, at, `a multiple of 8 of at least ${DirectoryEntry.name + nameBytes}`, next)
    at += next
  }
}
