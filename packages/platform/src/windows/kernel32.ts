import { WindowsCallError } from './errors.js'
import { windowsLibrary } from './library.js'

/**
 * What volumes need. Where 0 tells of failure, `GetLastError` says why if it is called next on the same thread: that holds for these
 * calls, which return when they are done, and not for asynchronous ones of koffi.
 */
export interface VolumeCalls {
  GetLastError(): number
  CloseHandle(handle: number): number
  CreateFileW(path: string, access: number, share: number, security: null, how: number, flags: number, like: 0): number
  ReadFile(handle: number, into: Uint8Array, length: number, count: Uint32Array, overlapped: null): number
  SetFilePointerEx(handle: number, distance: bigint, position: null, from: number): number
  OpenFileById(volume: number, id: Uint8Array, access: number, share: number, security: null, flags: number): number
  GetFileInformationByHandleEx(handle: number, kind: number, into: Uint8Array, bytes: number): number
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
}

/** Every function of kernel32 that is called (Microsoft: fileapi.h, winbase.h, ioapiset.h, memoryapi.h, processthreadsapi.h, psapi.h). */
export interface Kernel32 extends VolumeCalls {
  CreateFileMappingW(
    file: number,
    attributes: null,
    protection: number,
    sizeHigh: number,
    sizeLow: number,
    name: null,
  ): number
  MapViewOfFile(mapping: number, access: number, offsetHigh: number, offsetLow: number, length: number): number
  UnmapViewOfFile(address: number): number
  LockFileEx(
    file: number,
    flags: number,
    reserved: number,
    lengthLow: number,
    lengthHigh: number,
    overlapped: Uint8Array,
  ): number
  GetCurrentThread(): number
  SetThreadPriority(thread: number, priority: number): number
  GetCurrentProcess(): number
  OpenProcess(access: number, inherit: number, pid: number): number
  GetProcessTimes(process: number, created: Uint8Array, ended: Uint8Array, kernel: Uint8Array, user: Uint8Array): number
  K32GetProcessMemoryInfo(process: number, counters: Uint8Array, bytes: number): number
  LocalFree(address: number): number
  lstrlenW(address: number): number
}

export const KERNEL32_DECLARATIONS: Readonly<Record<keyof Kernel32, string>> = {
  GetLastError: 'uint32_t GetLastError()',
  CloseHandle: 'int CloseHandle(intptr_t handle)',
  CreateFileW:
    'intptr_t CreateFileW(const char16_t *path, uint32_t access, uint32_t share, void *security, uint32_t how, uint32_t flags, intptr_t like)',
  ReadFile: 'int ReadFile(intptr_t handle, void *into, uint32_t length, void *count, void *overlapped)',
  SetFilePointerEx: 'int SetFilePointerEx(intptr_t handle, int64_t distance, void *position, uint32_t from)',
  OpenFileById:
    'intptr_t OpenFileById(intptr_t volume, const void *id, uint32_t access, uint32_t share, void *security, uint32_t flags)',
  GetFileInformationByHandleEx:
    'int GetFileInformationByHandleEx(intptr_t handle, int kind, void *into, uint32_t bytes)',
  GetVolumeInformationW:
    'int GetVolumeInformationW(const char16_t *root, void *label, uint32_t labelUnits, void *serial, void *longestName, void *flags, void *fileSystem, uint32_t fileSystemUnits)',
  DeviceIoControl:
    'int DeviceIoControl(intptr_t handle, uint32_t code, const void *input, uint32_t inputBytes, void *output, uint32_t outputBytes, void *count, void *overlapped)',
  CreateFileMappingW:
    'intptr_t CreateFileMappingW(intptr_t file, void *attributes, uint32_t protection, uint32_t sizeHigh, uint32_t sizeLow, void *name)',
  MapViewOfFile:
    'uintptr_t MapViewOfFile(intptr_t mapping, uint32_t access, uint32_t offsetHigh, uint32_t offsetLow, size_t length)',
  UnmapViewOfFile: 'int UnmapViewOfFile(uintptr_t address)',
  LockFileEx:
    'int LockFileEx(intptr_t file, uint32_t flags, uint32_t reserved, uint32_t lengthLow, uint32_t lengthHigh, void *overlapped)',
  GetCurrentThread: 'intptr_t GetCurrentThread()',
  SetThreadPriority: 'int SetThreadPriority(intptr_t thread, int priority)',
  GetCurrentProcess: 'intptr_t GetCurrentProcess()',
  OpenProcess: 'intptr_t OpenProcess(uint32_t access, int inherit, uint32_t pid)',
  GetProcessTimes: 'int GetProcessTimes(intptr_t process, void *created, void *ended, void *kernel, void *user)',
  K32GetProcessMemoryInfo: 'int K32GetProcessMemoryInfo(intptr_t process, void *counters, uint32_t bytes)',
  LocalFree: 'uintptr_t LocalFree(uintptr_t address)',
  lstrlenW: 'int lstrlenW(uintptr_t address)',
}

export const kernel32 = windowsLibrary<Kernel32>('kernel32.dll', KERNEL32_DECLARATIONS)

/** Of the last failed call of this thread; read it before anything else is called. Not for calls that koffi made on another thread. */
export function lastError(): number {
  return kernel32().GetLastError()
}

/** `result`, or throws WindowsCallError if it is 0. */
export function succeeded(call: string, result: number, subject?: string): number {
  if (result === 0) throw new WindowsCallError(call, lastError(), subject)
  return result
}
