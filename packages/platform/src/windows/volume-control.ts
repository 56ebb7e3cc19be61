import type { StorageDevice } from '../storage-device.js'
import { isWindowsFailure, WindowsCallError, WindowsCode } from './errors.js'
import { kernel32, type VolumeCalls } from './kernel32.js'
import { type VolumeControl, VolumeHandle } from './volume-handle.js'
import type { VolumeName } from './volume-name.js'

/** Control codes (Microsoft, winioctl.h). */
export const ControlCode = {
  FSCTL_GET_NTFS_VOLUME_DATA: 0x0009_0064,
  FSCTL_GET_NTFS_FILE_RECORD: 0x0009_0068,
  FSCTL_ENUM_USN_DATA: 0x0009_00b3,
  FSCTL_READ_USN_JOURNAL: 0x0009_00bb,
  FSCTL_QUERY_USN_JOURNAL: 0x0009_00f4,
  IOCTL_STORAGE_QUERY_PROPERTY: 0x002d_1400,
  IOCTL_STORAGE_GET_DEVICE_NUMBER: 0x002d_1080,
} as const

/** NTFS_VOLUME_DATA_BUFFER has 96, USN_JOURNAL_DATA_V2 80. */
const DESCRIPTION_BYTES = 128

/** Asks one of the questions whose answer has a fixed size. Throws WindowsCallError. */
function describe(volume: VolumeControl, call: keyof typeof ControlCode, input: Uint8Array | null = null): Uint8Array {
  return volume.control(call, ControlCode[call], input, new Uint8Array(DESCRIPTION_BYTES))
}

/** NTFS_VOLUME_DATA_BUFFER. Throws WindowsCallError. */
export function ntfsVolumeData(volume: VolumeControl): Uint8Array {
  return describe(volume, 'FSCTL_GET_NTFS_VOLUME_DATA')
}

/**
 * USN_JOURNAL_DATA of any version. `absent`: none is active; `inactive`: it is being deleted.
 *
 * @throws WindowsCallError for any other reason
 */
export function queryUsnJournal(volume: VolumeControl): Uint8Array | 'absent' | 'inactive' {
  try {
    return describe(volume, 'FSCTL_QUERY_USN_JOURNAL')
  } catch (error) {
    if (isWindowsFailure(error, WindowsCode.journalNotActive)) return 'absent'
    if (isWindowsFailure(error, WindowsCode.journalDeleteInProgress)) return 'inactive'
    throw error
  }
}

/** A reply of FSCTL_READ_USN_JOURNAL, in `output`. Throws WindowsCallError. */
export function readUsnJournal(volume: VolumeControl, request: Uint8Array, output: Uint8Array): Uint8Array {
  return volume.control('FSCTL_READ_USN_JOURNAL', ControlCode.FSCTL_READ_USN_JOURNAL, request, output)
}

/**
 * NTFS_FILE_RECORD_OUTPUT_BUFFER, in `output`: of a record as the file system has it now. `unsupported`: it gives none; `outside`: its table
 * may not have the record.
 *
 * @throws WindowsCallError for any other reason
 */
export function ntfsFileRecord(
  volume: VolumeControl,
  request: Uint8Array,
  output: Uint8Array,
): Uint8Array | 'unsupported' | 'outside' {
  try {
    return volume.control('FSCTL_GET_NTFS_FILE_RECORD', ControlCode.FSCTL_GET_NTFS_FILE_RECORD, request, output)
  } catch (error) {
    if (isWindowsFailure(error, WindowsCode.invalidFunction, WindowsCode.notSupported)) return 'unsupported'
    // What a number behind the end of the table fails with is not documented.
    if (isWindowsFailure(error, WindowsCode.invalidParameter, WindowsCode.handleEof)) return 'outside'
    throw error
  }
}

/** A reply of FSCTL_ENUM_USN_DATA, in `output`; undefined: there are no more files. Throws WindowsCallError. */
export function enumUsnData(volume: VolumeControl, request: Uint8Array, output: Uint8Array): Uint8Array | undefined {
  try {
    return volume.control('FSCTL_ENUM_USN_DATA', ControlCode.FSCTL_ENUM_USN_DATA, request, output)
  } catch (error) {
    if (isWindowsFailure(error, WindowsCode.handleEof)) return undefined
    throw error
  }
}

/** STORAGE_PROPERTY_QUERY: u32 StorageDeviceSeekPenaltyProperty, u32 PropertyStandardQuery, and padding. */
const SEEK_PENALTY_QUERY = new Uint8Array(new Uint32Array([7, 0, 0]).buffer)
/** In DEVICE_SEEK_PENALTY_DESCRIPTOR: one byte. */
const INCURS_SEEK_PENALTY = 8
/** In STORAGE_DEVICE_NUMBER: u32. */
const DEVICE_NUMBER = 4

/**
 * The disk that a volume lies on; undefined where Windows does not say. One that does not say whether seeking costs time is taken for one
 * that turns, as on Linux.
 */
export function storageDeviceOfVolume(volume: VolumeName, calls: VolumeCalls = kernel32()): StorageDevice | undefined {
  let handle: VolumeHandle | undefined
  try {
    handle = VolumeHandle.toAsk(volume, calls)
    const device = describe(handle, 'IOCTL_STORAGE_GET_DEVICE_NUMBER')
    if (device.length < DEVICE_NUMBER + 4) return undefined
    const number = new DataView(device.buffer).getUint32(DEVICE_NUMBER, true)
    return { name: `PhysicalDrive${number}`, rotational: incursSeekPenalty(handle) }
  } catch (error) {
    if (error instanceof WindowsCallError) return undefined
    throw error
  } finally {
    handle?.close()
  }
}

function incursSeekPenalty(handle: VolumeControl): boolean {
  try {
    const reply = describe(handle, 'IOCTL_STORAGE_QUERY_PROPERTY', SEEK_PENALTY_QUERY)
    return reply.length <= INCURS_SEEK_PENALTY || reply[INCURS_SEEK_PENALTY] !== 0
  } catch (error) {
    if (error instanceof WindowsCallError) return true
    throw error
  }
}
