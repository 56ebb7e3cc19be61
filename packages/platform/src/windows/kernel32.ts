import { createRequire } from 'node:module'
import { platform } from 'node:os'
import { NativeUnavailableError } from '../errors.js'

/**
 * The functions of Windows that volumes need (Microsoft: fileapi.h, handleapi.h, ioapiset.h, errhandlingapi.h). Handles are numbers, -1 is INVALID_HANDLE_VALUE.
 * Where 0 tells of failure, `GetLastError` says why if it is called next on the same thread: that holds for these calls, which return
 * when they are done, and not for asynchronous ones of koffi.
 */
export interface VolumeCalls {
  CreateFileW(path: string, access: number, share: number, security: null, how: number, flags: number, like: 0): number
  ReadFile(handle: number, into: Uint8Array, length: number, count: Uint32Array, overlapped: null): number
  SetFilePointerEx(handle: number, distance: bigint, position: null, from: number): number
  CloseHandle(handle: number): number
  GetVolumeInformationW(
    root: string,
    label: Uint16Array,
    labelUnits: number,
    serial: null,
    longestName: null,
    flags: null,
    fileSystem: Uint16Array,
    fileSystemUnits: number,
  ): number
  DeviceIoControl(
    handle: number,
    code: number,
    input: Uint8Array | null,
    inputBytes: number,
    output: Uint8Array,
    outputBytes: number,
    count: Uint32Array,
    overlapped: null,
  ): number
  GetLastError(): number
}

export const VOLUME_DECLARATIONS: Record<keyof VolumeCalls, string> = {
  CreateFileW:
    'intptr_t CreateFileW(const char16_t *path, uint32_t access, uint32_t share, void *security, uint32_t how, uint32_t flags, intptr_t like)',
  ReadFile: 'int ReadFile(intptr_t handle, void *into, uint32_t length, void *count, void *overlapped)',
  SetFilePointerEx: 'int SetFilePointerEx(intptr_t handle, int64_t distance, void *position, uint32_t from)',
  CloseHandle: 'int CloseHandle(intptr_t handle)',
  GetVolumeInformationW:
    'int GetVolumeInformationW(const char16_t *root, void *label, uint32_t labelUnits, void *serial, void *longestName, void *flags, void *fileSystem, uint32_t fileSystemUnits)',
  DeviceIoControl:
    'int DeviceIoControl(intptr_t handle, uint32_t code, const void *input, uint32_t inputBytes, void *output, uint32_t outputBytes, void *count, void *overlapped)',
  GetLastError: 'uint32_t GetLastError()',
}

let loaded: VolumeCalls | undefined

/** kernel32 of this system, loaded at the first call. Throws NativeUnavailableError, always where this is not Windows. */
export function kernel32(): VolumeCalls {
  loaded ??= load()
  return loaded
}

function load(): VolumeCalls {
  if (platform() !== 'win32')
    throw new NativeUnavailableError(`calls to Windows are made on Windows only, not on ${platform()}`)
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const library = koffi.load('kernel32.dll')
    const functions = Object.entries(VOLUME_DECLARATIONS).map(([name, text]) => [name, library.func(text)])
    return Object.fromEntries(functions) as VolumeCalls
  } catch (cause) {
    throw new NativeUnavailableError('the native call library cannot be loaded', { cause })
  }
}
