import { isWindowsFailure, WindowsCallError, WindowsCode } from './errors.js'
import type { VolumeCalls } from './kernel32.js'
import type { VolumeName } from './volume-name.js'

const INVALID_HANDLE = -1
const FILE_LIST_DIRECTORY = 1
const SHARE_ALL = 7
/** Else no directory is opened. */
const FILE_FLAG_BACKUP_SEMANTICS = 0x0200_0000
/** A junction itself, not where it leads. */
const FILE_FLAG_OPEN_REPARSE_POINT = 0x0020_0000
/** FILE_INFO_BY_HANDLE_CLASS. */
const FILE_ID_BOTH_DIRECTORY_INFO = 10
/** FILE_ID_DESCRIPTOR: u32 its size, u32 FileIdType, u64 FileId; a GUID would take more. */
const DESCRIPTOR = { bytes: 24, id: 8 } as const

/** A directory that is open, to be listed once. */
export class DirectoryHandle {
  readonly #handle: number
  #isOpen = true

  /**
   * @param volume handle of the volume that it is on
   * @param reference record and sequence number (48 and 16 bits)
   * @throws WindowsCallError: it is not there (any more), or may not be listed
   */
  constructor(
    private readonly name: VolumeName,
    volume: number,
    reference: bigint,
    private readonly calls: VolumeCalls,
  ) {
    const id = new Uint8Array(DESCRIPTOR.bytes)
    const view = new DataView(id.buffer)
    view.setUint32(0, DESCRIPTOR.bytes, true)
    view.setBigUint64(DESCRIPTOR.id, reference, true)
    const flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT
    this.#handle = calls.OpenFileById(volume, id, FILE_LIST_DIRECTORY, SHARE_ALL, null, flags)
    if (this.#handle === INVALID_HANDLE) throw this.#failure('OpenFileById')
  }

  /** Fills `into` with the next FILE_ID_BOTH_DIR_INFO, as many as it holds; false: there are no more. Throws WindowsCallError. */
  next(into: Uint8Array): boolean {
    if (this.calls.GetFileInformationByHandleEx(this.#handle, FILE_ID_BOTH_DIRECTORY_INFO, into, into.length) !== 0)
      return true
    const failure = this.#failure('GetFileInformationByHandleEx')
    // A root without anything in it has no entry at all, not even for itself.
    if (isWindowsFailure(failure, WindowsCode.noMoreFiles, WindowsCode.fileNotFound)) return false
    throw failure
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.calls.CloseHandle(this.#handle)
  }

  #failure(call: string): WindowsCallError {
    return new WindowsCallError(call, this.calls.GetLastError(), this.name.name)
  }
}
