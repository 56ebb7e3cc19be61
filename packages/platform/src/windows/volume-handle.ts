import { DirectoryHandle } from './directory-handle.js'
import { isWindowsFailure, WindowsCallError, WindowsCode } from './errors.js'
import { kernel32, type VolumeCalls } from './kernel32.js'
import { SectorReads } from './sector-reads.js'
import type { VolumeName } from './volume-name.js'

const INVALID_HANDLE = -1
const GENERIC_READ = 0x8000_0000
/** Access with which the file system answers. With less than that a volume is opened below it, and only its disk does. */
const FILE_TRAVERSE = 0x20
/** "Query certain metadata, even if GENERIC_READ would have been denied" (Microsoft, CreateFileW). */
const NO_ACCESS = 0
/** Others may go on reading, writing and deleting. */
const SHARE_ALL = 7
const OPEN_EXISTING = 3
const FROM_START = 0

const TAKES_ADMINISTRATOR = 'reading a volume takes an administrator'

/** Sectors are never larger, and a multiple of this is one of all. */
const LARGEST_SECTOR_BYTES = 4_096
/** In the boot sector: u16 bytes of a sector. */
const SECTOR_BYTES_AT = 11

/** A volume of Windows whose drivers can be asked. */
export interface VolumeControl {
  readonly volume: VolumeName
  /**
   * Asks a driver, and returns when it has answered.
   *
   * @param call name of the code, for messages
   * @param output takes the reply; begins on a multiple of 8 bytes
   * @returns the part of it that the reply fills
   * @throws WindowsCallError
   */
  control(call: string, code: number, input: Uint8Array | null, output: Uint8Array): Uint8Array
}

/** A volume of Windows that is open. Every call returns when it is done. */
export class VolumeHandle implements VolumeControl {
  readonly #handle: number
  readonly #count = new Uint32Array(1)
  #reads: SectorReads | undefined
  #isOpen = true

  private constructor(
    readonly volume: VolumeName,
    access: number,
    private readonly calls: VolumeCalls,
  ) {
    this.#handle = calls.CreateFileW(volume.device, access, SHARE_ALL, null, OPEN_EXISTING, 0, 0)
    if (this.#handle === INVALID_HANDLE) throw this.#failure('CreateFileW')
  }

  /** To be read, and asked. Throws WindowsCallError (5: may not be read, 2: is not there), NativeUnavailableError. */
  static toRead(volume: VolumeName, calls: VolumeCalls = kernel32()): VolumeHandle {
    return new VolumeHandle(volume, GENERIC_READ, calls)
  }

  /** Only to be asked. Throws as `toRead`; whether a question is answered is another matter. */
  static toAsk(volume: VolumeName, calls: VolumeCalls = kernel32()): VolumeHandle {
    try {
      return new VolumeHandle(volume, FILE_TRAVERSE, calls)
    } catch (error) {
      if (!isWindowsFailure(error, WindowsCode.accessDenied)) throw error
      return new VolumeHandle(volume, NO_ACCESS, calls)
    }
  }

  /**
   * Fills an array with the bytes from `offset` on, any place and length: whole sectors are read. Returns the bytes that are filled, fewer only
   * where the volume ends. Throws WindowsCallError.
   */
  read(offset: number, into: Uint8Array): number {
    this.#reads ??= new SectorReads(this.#sectorBytes(), this.#readSectors)
    return this.#reads.read(offset, into)
  }

  control(call: string, code: number, input: Uint8Array | null, output: Uint8Array): Uint8Array {
    const inputBytes = input?.length ?? 0
    const done = this.calls.DeviceIoControl(
      this.#handle,
      code,
      input,
      inputBytes,
      output,
      output.length,
      this.#count,
      null,
    )
    if (done === 0) throw this.#failure(call)
    // The count is written by whoever answers: it is not to be believed beyond the array.
    return output.subarray(0, Math.min(this.#count[0]!, output.length))
  }

  /** A directory of this volume. Throws WindowsCallError. @param reference record and sequence number (48 and 16 bits) */
  directory(reference: bigint): DirectoryHandle {
    return new DirectoryHandle(this.volume, this.#handle, reference, this.calls)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.calls.CloseHandle(this.#handle)
  }

  readonly #readSectors = (offset: number, into: Uint8Array): number => {
    if (this.calls.SetFilePointerEx(this.#handle, BigInt(offset), null, FROM_START) === 0)
      throw this.#failure('SetFilePointerEx')
    if (this.calls.ReadFile(this.#handle, into, into.length, this.#count, null) === 0) throw this.#failure('ReadFile')
    return this.#count[0]!
  }

  #sectorBytes(): number {
    const sector = new Uint8Array(LARGEST_SECTOR_BYTES)
    this.#readSectors(0, sector)
    const found = new DataView(sector.buffer).getUint16(SECTOR_BYTES_AT, true)
    const isOne = found >= 512 && found <= LARGEST_SECTOR_BYTES && (found & (found - 1)) === 0
    return isOne ? found : LARGEST_SECTOR_BYTES
  }

  /** To be called next after what has failed. */
  #failure(call: string): WindowsCallError {
    const code = this.calls.GetLastError()
    return new WindowsCallError(
      call,
      code,
      this.volume.name,
      code === WindowsCode.accessDenied ? TAKES_ADMINISTRATOR : '',
    )
  }
}

/** What a volume is formatted with, and its label. Throws WindowsCallError. */
export function volumeInformation(
  volume: VolumeName,
  calls: VolumeCalls = kernel32(),
): { readonly fileSystem: string; readonly label: string } {
  const units = 261
  const label = new Uint16Array(units)
  const fileSystem = new Uint16Array(units)
  if (calls.GetVolumeInformationW(volume.root, label, units, null, null, null, fileSystem, units) === 0)
    throw new WindowsCallError('GetVolumeInformationW', calls.GetLastError(), volume.name)
  return { fileSystem: textOf(fileSystem), label: textOf(label) }
}

function textOf(units: Uint16Array): string {
  const end = units.indexOf(0)
  return String.fromCharCode(...units.subarray(0, end < 0 ? units.length : end))
}
