import {
  type FoundFile,
  parseDirectoryEntries,
  parseRecordReply,
  type ReadRequest,
  type RecordPart,
  recordReplyBytes,
  recordRequest,
  referenceOf,
  type Volume,
} from '@hotpath/ntfs'
import {
  kernel32,
  ntfsFileRecord,
  type VolumeCalls,
  type VolumeControl,
  VolumeHandle,
  type VolumeName,
  WindowsCallError,
} from '@hotpath/platform'
import { VolumeFile } from '@hotpath/scanner'
import { VolumeImage } from './volume-image.js'

/** Some five hundred entries. */
const ENTRIES_BYTES = 64 * 1024

/**
 * A volume of Windows that is looked at and whose journal is asked for, through one handle. It is open only while it is looked at: a handle
 * that stays open would keep others from locking the volume, as who ejects or checks it does.
 *
 * What the journal names is not on the volume yet: Windows writes the table and directories some seconds later. So records and entries of
 * directories are asked for, and only what Windows does not give is read.
 */
export class WindowsVolume extends VolumeImage implements VolumeControl {
  #handle: VolumeHandle | undefined
  #givesRecords = true
  #record = new Uint8Array(0)

  constructor(
    path: string,
    readonly volume: VolumeName,
    private readonly calls: VolumeCalls = kernel32(),
  ) {
    super(path)
  }

  /** Throws WindowsCallError, also if the volume cannot be opened. */
  control(call: string, code: number, input: Uint8Array | null, output: Uint8Array): Uint8Array {
    return this.#opened().control(call, code, input, output)
  }

  override close(): void {
    super.close()
    this.#handle?.close()
    this.#handle = undefined
  }

  /** Nothing says so but its journal. */
  override mayHaveChanged(): boolean {
    return true
  }

  override filesIn(volume: Volume, directory: FoundFile, most: number): FoundFile[] | undefined {
    try {
      return this.#entriesOf(directory, most)
    } catch (error) {
      if (!(error instanceof WindowsCallError)) throw error
      // It may not be listed, even by an administrator, as `System Volume Information`; or whatever drives the volume knows no references.
      return super.filesIn(volume, directory, most)
    }
  }

  protected override readNow(request: ReadRequest): Uint8Array {
    const { record, length } = request
    const found = record !== undefined && this.#givesRecords ? this.#recordOf(record) : undefined
    return record === undefined || found === undefined
      ? super.readNow(request)
      : found.slice(record.at, record.at + length)
  }

  protected override open(): VolumeFile {
    return new VolumeFile(this.path, this.#opened())
  }

  /** A record as Windows has it; undefined: it has none to give. */
  #recordOf({ number, bytes }: RecordPart): Uint8Array | undefined {
    const replyBytes = recordReplyBytes(bytes)
    if (this.#record.length !== replyBytes) this.#record = new Uint8Array(replyBytes)
    const reply = ntfsFileRecord(this, recordRequest(number), this.#record)
    if (reply === 'unsupported') this.#givesRecords = false
    if (typeof reply === 'string') return undefined
    return parseRecordReply(`${this.volume.name} FSCTL_GET_NTFS_FILE_RECORD`, reply, number, bytes)
  }

  #entriesOf({ record, sequence }: FoundFile, most: number): FoundFile[] | undefined {
    const directory = this.#opened().directory(referenceOf(record, sequence))
    try {
      const found = new Map<bigint, FoundFile>()
      const entries = new Uint8Array(ENTRIES_BYTES)
      while (directory.next(entries)) {
        for (const file of parseDirectoryEntries(`${this.volume.name} FileIdBothDirectoryInfo`, entries))
          found.set(referenceOf(file.record, file.sequence), file)
        if (found.size > most) return undefined
      }
      return [...found.values()]
    } finally {
      directory.close()
    }
  }

  #opened(): VolumeHandle {
    this.#handle ??= VolumeHandle.toRead(this.volume, this.calls)
    return this.#handle
  }
}
