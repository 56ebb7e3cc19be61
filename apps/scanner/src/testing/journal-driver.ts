import type { VolumeCalls } from '@hotpath/platform'

export const JOURNAL_ID = '00000000000001d5'
export const RECORD_BYTES = 64

/** A driver with a journal of records of 64 bytes, and what a test makes of it. */
export class JournalDriver {
  id = BigInt(`0x${JOURNAL_ID}`)
  first = 0
  lowest = 0
  records = 0
  /** Error of each code, while it lasts. */
  readonly errors = new Map<number, number>()
  #error = 0
  reads = 0

  readonly calls: VolumeCalls = {
    CreateFileW: () => 7,
    ReadFile: () => 0,
    SetFilePointerEx: () => 0,
    CloseHandle: () => 1,
    OpenFileById: () => -1,
    GetFileInformationByHandleEx: () => 0,
    GetVolumeInformationW: () => 0,
    GetLastError: () => this.#error,
    DeviceIoControl: (_handle, code, input, _inputBytes, output, outputBytes, count) => {
      const error = this.errors.get(code)
      if (error !== undefined) return this.#fail(error)
      const view = new DataView(output.buffer, output.byteOffset, outputBytes)
      if (code === 0x900f4) {
        view.setBigUint64(0, this.id, true)
        for (const [at, value] of [
          [8, this.first],
          [16, this.records * RECORD_BYTES],
          [24, this.lowest],
        ] as const)
          view.setBigInt64(at, BigInt(value), true)
        count[0] = 56
        return 1
      }
      return this.#read(new DataView(input!.buffer), view, count)
    },
  }

  #read(request: DataView, view: DataView, count: Uint32Array): number {
    this.reads++
    if (request.getBigUint64(32, true) !== this.id) return this.#fail(87)
    // Who waits here may never end.
    if (request.getBigUint64(24, true) !== 0n) return this.#fail(50)
    const start = Number(request.getBigInt64(0, true))
    if (start !== 0 && start < this.first) return this.#fail(1181)
    if (start > this.records * RECORD_BYTES) return this.#fail(87)
    let at = 8
    let usn = Math.max(start, this.first)
    for (; usn < this.records * RECORD_BYTES && at + RECORD_BYTES <= view.byteLength; usn += RECORD_BYTES) {
      view.setUint32(at, RECORD_BYTES, true)
      view.setUint16(at + 4, 2, true)
      view.setUint32(at + 8, 30 + usn / RECORD_BYTES, true)
      view.setBigInt64(at + 24, BigInt(usn), true)
      view.setUint16(at + 56, 2, true)
      view.setUint16(at + 58, 60, true)
      view.setUint16(at + 60, 97, true)
      at += RECORD_BYTES
    }
    view.setBigInt64(0, BigInt(usn), true)
    count[0] = at
    return 1
  }

  #fail(error: number): 0 {
    this.#error = error
    return 0
  }
}
