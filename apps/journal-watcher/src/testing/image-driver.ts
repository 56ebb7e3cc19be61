import { closeSync, openSync, readSync } from 'node:fs'
import { drive, type ReadRequest, UsnJournal, Volume } from '@hotpath/ntfs'
import type { VolumeCalls } from '@hotpath/platform'

const QUERY_USN_JOURNAL = 0x900f4
const READ_USN_JOURNAL = 0x900bb
const PAGE = 4_096

/** Calls of Windows for a volume that lies in a file: its driver tells what is in the journal there. */
export class ImageDriver {
  /** Codes with which questions fail, while they last. */
  readonly errors = new Map<number, number>()
  /** Called before records are read: the journal may change between a question and the next. */
  beforeRead: () => void = () => {}
  /** Handles that are open. */
  open = 0
  reads = 0
  #error = 0
  #position = 0

  constructor(private readonly path: string) {}

  readonly calls: VolumeCalls = {
    CreateFileW: () => {
      this.open++
      return 7
    },
    CloseHandle: () => {
      this.open--
      return 1
    },
    SetFilePointerEx: (_handle, distance) => {
      this.#position = Number(distance)
      return 1
    },
    ReadFile: (_handle, into, length, count) => {
      count[0] = this.#fill(into.subarray(0, length), this.#position)
      return 1
    },
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
