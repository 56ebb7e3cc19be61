import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { CorruptFileError } from '@hotpath/model'
import { drive, type FoundFile, filesIn, type ReadRequest, UsnJournal, Volume } from '@hotpath/ntfs'
import type { VolumeCalls } from '@hotpath/platform'

const QUERY_USN_JOURNAL = 0x900f4
const READ_USN_JOURNAL = 0x900bb
const GET_NTFS_FILE_RECORD = 0x90068
/** What `errors` has for OpenFileById: no control code. */
export const OPEN_BY_ID = -1
/** Of FILE_ID_BOTH_DIR_INFO with a name of one letter. */
const ENTRY_BYTES = 112
const SEQUENCE_AT = 16
const REFERENCE = { number: (1n << 48n) - 1n, sequenceBits: 48n }
const PAGE = 4_096

/**
 * Calls of Windows for a volume that lies in a file: its driver tells what is in the journal there, in records and in directories. What is
 * read from the volume itself may be older (`holdBack`).
 */
export class ImageDriver {
  /** Codes with which questions fail, while they last. */
  readonly errors = new Map<number, number>()
  /** Called before records are read: the journal may change between a question and the next. */
  beforeRead: () => void = () => {}
  /** Handles that are open. */
  open = 0
  reads = 0
  /** Records and directories that were asked for. */
  records = 0
  listings = 0
  /** Records are given with their fix-ups, as they are stored. */
  keepsFixUps = false
  /** What is on the volume while the driver has not written what it knows. */
  #behind: Uint8Array | undefined
  readonly #directories = new Map<number, { readonly files: FoundFile[]; next: number }>()
  #error = 0
  #position = 0

  constructor(private readonly path: string) {}

  /** From now on nothing reaches the volume: reads of it get what is there now. */
  holdBack(): void {
    this.#behind = readFileSync(this.path)
  }

  readonly calls: VolumeCalls = {
    CreateFileW: () => {
      this.open++
      return 7
    },
    CloseHandle: handle => {
      this.open--
      this.#directories.delete(handle)
      return 1
    },
    SetFilePointerEx: (_handle, distance) => {
      this.#position = Number(distance)
      return 1
    },
    ReadFile: (_handle, into, length, count) => {
      const behind = this.#behind?.subarray(this.#position, this.#position + length)
      count[0] = behind?.length ?? this.#fill(into.subarray(0, length), this.#position)
      if (behind !== undefined) into.set(behind)
      return 1
    },
    OpenFileById: (_volume, id) => this.#openDirectory(new DataView(id.buffer).getBigUint64(8, true)),
    GetFileInformationByHandleEx: (handle, _kind, into, bytes) => this.#listDirectory(handle, into.subarray(0, bytes)),
    GetVolumeInformationW: () => this.#fail(50),
    GetLastError: () => this.#error,
    DeviceIoControl: (_handle, code, input, _inputBytes, output, outputBytes, count) => {
      const error = this.errors.get(code)
      if (error !== undefined) return this.#fail(error)
      if (code === READ_USN_JOURNAL) this.beforeRead()
      const journal = drive(UsnJournal.open(drive(Volume.open(this.path), this.#read)), this.#read)
      if (journal === 'absent') return this.#fail(1179)
      if (journal === 'inactive') return this.#fail(1178)
      const view = new DataView(output.buffer, output.byteOffset, outputBytes)
      if (code === GET_NTFS_FILE_RECORD) return this.#fileRecord(new DataView(input!.buffer), output, count)
      if (code === QUERY_USN_JOURNAL) count[0] = this.#describe(journal, view)
      else if (code === READ_USN_JOURNAL) return this.#records(journal, new DataView(input!.buffer), view, count)
      else return this.#fail(50)
      return 1
    },
  }

  /** USN_JOURNAL_DATA_V0. */
  #describe(journal: UsnJournal, view: DataView): number {
    const end = drive(journal.endOfRecords(), this.#read)
    view.setBigUint64(0, BigInt(`0x${journal.settings.id}`), true)
    for (const [at, value] of [
      [8, journal.firstUsn],
      [16, end],
      [24, journal.settings.lowestValidUsn],
    ] as const)
      view.setBigInt64(at, BigInt(value), true)
    return 56
  }

  /** Whole records, behind the position that follows them. */
  #records(journal: UsnJournal, request: DataView, view: DataView, count: Uint32Array): number {
    this.reads++
    if (request.getBigUint64(32, true) !== BigInt(`0x${journal.settings.id}`)) return this.#fail(87)
    const start = Number(request.getBigInt64(0, true))
    if (start !== 0 && start < journal.firstUsn) return this.#fail(1181)
    const end = drive(journal.endOfRecords(), this.#read)
    let usn = Math.max(start, journal.firstUsn)
    let at = 8
    while (usn < end) {
      const bytes = drive(journal.read(usn, Math.min(PAGE - (usn % PAGE), end - usn)), this.#read)
      const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true)
      // The rest of a page holds no record.
      if (length === 0) {
        usn += bytes.length
        continue
      }
      if (at + length > view.byteLength) break
      new Uint8Array(view.buffer, view.byteOffset + at, length).set(bytes.subarray(0, length))
      at += length
      usn += length
    }
    view.setBigInt64(0, BigInt(usn), true)
    count[0] = at
    return 1
  }

  /** NTFS_FILE_RECORD_OUTPUT_BUFFER: the record, or the next lower one that is in use. */
  #fileRecord(request: DataView, output: Uint8Array, count: Uint32Array): number {
    this.records++
    const volume = drive(Volume.open(this.path), this.#read)
    const { recordBytes } = volume.geometry
    let number = Number(request.getBigUint64(0, true) & REFERENCE.number)
    if (number >= volume.records) return this.#fail(87)
    while (this.#recordInUse(volume, number) === undefined) number--
    const stored = drive(volume.storedRecord(number), this.#read)
    const record = this.keepsFixUps ? stored : this.#recordInUse(volume, number)!
    const view = new DataView(output.buffer, output.byteOffset, output.length)
    view.setBigUint64(0, BigInt(number), true)
    view.setUint32(8, recordBytes, true)
    output.set(record, 12)
    count[0] = 12 + recordBytes
    return 1
  }

  #recordInUse(volume: Volume, number: number): Uint8Array | undefined {
    try {
      return drive(volume.record(number), this.#read).bytes
    } catch (error) {
      if (error instanceof CorruptFileError) return undefined
      throw error
    }
  }

  #openDirectory(reference: bigint): number {
    this.listings++
    const error = this.errors.get(OPEN_BY_ID)
    if (error !== undefined) return this.#fail(error) - 1
    const volume = drive(Volume.open(this.path), this.#read)
    const record = Number(reference & REFERENCE.number)
    const bytes = this.#recordInUse(volume, record)
    const sequence = bytes && new DataView(bytes.buffer, bytes.byteOffset).getUint16(SEQUENCE_AT, true)
    if (sequence !== Number(reference >> REFERENCE.sequenceBits)) return this.#fail(87) - 1
    const files = drive(filesIn(volume, record, Number.POSITIVE_INFINITY), this.#read) ?? []
    const handle = 100 + this.listings
    this.open++
    this.#directories.set(handle, { files, next: 0 })
    return handle
  }

  /** FILE_ID_BOTH_DIR_INFO, as many as there is room for; the first two are `.` and `..`. */
  #listDirectory(handle: number, into: Uint8Array): number {
    const directory = this.#directories.get(handle)
    if (directory === undefined) return this.#fail(6)
    const { files } = directory
    const self = { record: 5, sequence: 5 }
    const all = [{ ...self, name: '.' }, { ...self, name: '..' }, ...files.map(file => ({ ...file, name: 'n' }))]
    const part = all.slice(directory.next, directory.next + Math.floor(into.length / ENTRY_BYTES))
    if (part.length === 0) return this.#fail(18)
    directory.next += part.length
    into.fill(0xff)
    const view = new DataView(into.buffer, into.byteOffset, into.length)
    for (const [i, { record, sequence, name }] of part.entries()) {
      const at = i * ENTRY_BYTES
      view.setUint32(at, i + 1 < part.length ? ENTRY_BYTES : 0, true)
      view.setUint32(at + 60, 2 * name.length, true)
      view.setBigUint64(at + 96, (BigInt(sequence) << REFERENCE.sequenceBits) | BigInt(record), true)
      into.set(Buffer.from(name, 'utf16le'), at + 104)
    }
    return 1
  }

  readonly #read = ({ offset, length }: ReadRequest): Uint8Array => {
    const bytes = new Uint8Array(length)
    this.#fill(bytes, offset)
    return bytes
  }

  #fill(into: Uint8Array, position: number): number {
    const fd = openSync(this.path, 'r')
    try {
      return readSync(fd, into, 0, into.length, position)
    } finally {
      closeSync(fd)
    }
  }

  #fail(error: number): 0 {
    this.#error = error
    return 0
  }
}
