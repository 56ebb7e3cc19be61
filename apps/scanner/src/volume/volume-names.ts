import { Kind } from '@hotpath/model'
import {
  enumRequest,
  MftRows,
  parseVolumeData,
  ROOT_RECORD,
  UsnReplies,
  UsnRows,
  type VolumeDescription,
} from '@hotpath/ntfs'
import { enumUsnData, ntfsVolumeData, VolumeHandle, type VolumeName } from '@hotpath/platform'

/** Replies are some hundred records. */
const REPLY_BYTES = 64 * 1024
const DIRECTORY = 0x10

/** What is asked for names: a handle of Windows, or a test. */
export interface NameCalls {
  /** NTFS_VOLUME_DATA_BUFFER. */
  describe(): Uint8Array
  /** A reply of FSCTL_ENUM_USN_DATA, valid until the next call; undefined: there are no more files. */
  enumerate(request: Uint8Array): Uint8Array | undefined
  close(): void
}

/** Throws WindowsCallError. */
export function openNames(volume: VolumeName, handle = VolumeHandle.toAsk(volume)): NameCalls {
  const output = new Uint8Array(REPLY_BYTES)
  return {
    describe: () => ntfsVolumeData(handle),
    enumerate: request => enumUsnData(handle, request, output),
    close: () => handle.close(),
  }
}

/** The names of a volume as Windows tells them to who may not read it: one of each file, without sizes and times. */
export class VolumeNames {
  readonly volume: VolumeDescription
  /** Files that were told in all passes. */
  told = 0

  /**
   * @param file for messages
   * @throws WindowsCallError: not NTFS, or not allowed either; CorruptFileError
   */
  constructor(
    private readonly file: string,
    private readonly calls: NameCalls,
  ) {
    this.volume = parseVolumeData(`${file} FSCTL_GET_NTFS_VOLUME_DATA`, calls.describe())
  }

  /** All files in the order of their records, some at a time, valid until the next. Throws WindowsCallError, CorruptFileError. */
  *rows(): Generator<MftRows> {
    const replies = new UsnReplies(`${this.file} FSCTL_ENUM_USN_DATA`)
    const told = UsnRows.forPiece(REPLY_BYTES)
    const rows = new MftRows(told.record.length, told.names.length, 0)
    for (let start = 0n; ; ) {
      const reply = this.calls.enumerate(enumRequest(start))
      if (reply === undefined) return
      told.clear()
      start = replies.names(reply, start, told)
      this.told += told.count
      putRows(told, rows)
      yield rows
    }
  }

  close(): void {
    this.calls.close()
  }
}

/** A row for the root: its record is 5, and its sequence number, too. No enumeration needs to tell it. */
export function rootRow(): MftRows {
  const rows = new MftRows(1, 0, 0)
  rows.count = 1
  rows.record[0] = ROOT_RECORD
  rows.sequence[0] = ROOT_RECORD
  rows.parent[0] = ROOT_RECORD
  rows.parentSequence[0] = ROOT_RECORD
  describeRow(rows, 0, DIRECTORY)
  return rows
}

function putRows(from: UsnRows, to: MftRows): void {
  const { count } = from
  to.clear()
  to.names.set(from.names.subarray(0, from.nameOffsets[count]))
  to.nameOffsets.set(from.nameOffsets.subarray(0, count + 1))
  for (const column of ['record', 'sequence', 'parent', 'parentSequence'] as const)
    to[column].set(from[column].subarray(0, count))
  for (let row = 0; row < count; row++) describeRow(to, row, from.attributes[row]!)
  to.count = count
}

/** What the table of a volume knows more of is unknown. */
function describeRow(rows: MftRows, row: number, attributes: number): void {
  const isDirectory = (attributes & DIRECTORY) !== 0
  rows.kind[row] = isDirectory ? Kind.directory : Kind.file
  rows.size[row] = isDirectory ? 0 : Number.NaN
  rows.attributes[row] = attributes
  for (const time of [rows.created, rows.modified, rows.changed, rows.accessed]) {
    time.seconds[row] = Number.NaN
    time.ticks[row] = 0
  }
}
