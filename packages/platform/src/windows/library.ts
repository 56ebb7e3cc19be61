import { platform } from 'node:os'
import { NativeUnavailableError } from '../errors.js'
import { koffi } from '../foreign.js'
import { WindowsCallError } from './errors.js'

/** Loads functions of a library of Windows at the first call, and never where there is no Windows. */
export function windowsLibrary<F extends object>(
  name: string,
  declarations: Readonly<Record<keyof F, string>>,
): () => F {
  let loaded: F | undefined
  return () => {
    loaded ??= load<F>(name, declarations)
    return loaded
  }
}

function load<F>(name: string, declarations: Readonly<Record<keyof F, string>>): F {
  if (platform() !== 'win32') throw new NativeUnavailableError(`${name} is a library of Windows`)
  const library = koffi().load(name)
  const functions = Object.entries<string>(declarations).map(([key, declaration]) => [key, library.func(declaration)])
  return Object.fromEntries(functions) as F
}

/**
 * Addresses, handles and sizes are numbers: those of user space are below 2^47. INVALID_HANDLE_VALUE is too large for a
 * number, so the library hands over a bigint. Functions that fail return 0, the reason is in `lastError()`.
 */
export interface Kernel32 {
  GetLastError(): number
  CloseHandle(handle: number): number
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
  GetCurrentThread(): number | bigint
  SetThreadPriority(thread: number | bigint, priority: number): number
  GetCurrentProcess(): number | bigint
  OpenProcess(access: number, inherit: number, pid: number): number
  GetProcessTimes(process: number, created: Uint8Array, ended: Uint8Array, kernel: Uint8Array, user: Uint8Array): number
  K32GetProcessMemoryInfo(process: number, counters: Uint8Array, bytes: number): number
  LocalFree(address: number): number
  lstrlenW(address: number): number
}

export const kernel32 = windowsLibrary<Kernel32>('kernel32.dll', {
  GetLastError: 'uint32_t GetLastError()',
  CloseHandle: 'int CloseHandle(uintptr_t handle)',
  CreateFileMappingW:
    'uintptr_t CreateFileMappingW(uintptr_t file, void *attributes, uint32_t protection, uint32_t sizeHigh, uint32_t sizeLow, void *name)',
  MapViewOfFile:
    'uintptr_t MapViewOfFile(uintptr_t mapping, uint32_t access, uint32_t offsetHigh, uint32_t offsetLow, size_t length)',
  UnmapViewOfFile: 'int UnmapViewOfFile(uintptr_t address)',
  LockFileEx:
    'int LockFileEx(uintptr_t file, uint32_t flags, uint32_t reserved, uint32_t lengthLow, uint32_t lengthHigh, void *overlapped)',
  GetCurrentThread: 'uintptr_t GetCurrentThread()',
  SetThreadPriority: 'int SetThreadPriority(uintptr_t thread, int priority)',
  GetCurrentProcess: 'uintptr_t GetCurrentProcess()',
  OpenProcess: 'uintptr_t OpenProcess(uint32_t access, int inherit, uint32_t pid)',
  GetProcessTimes: 'int GetProcessTimes(uintptr_t process, void *created, void *ended, void *kernel, void *user)',
  K32GetProcessMemoryInfo: 'int K32GetProcessMemoryInfo(uintptr_t process, void *counters, uint32_t bytes)',
  LocalFree: 'uintptr_t LocalFree(uintptr_t address)',
  lstrlenW: 'int lstrlenW(uintptr_t address)',
})

/** Of the last failed call of this thread; read it before anything else is called. Not for calls that koffi made on another thread. */
export function lastError(): number {
  return kernel32().GetLastError()
}

/** `result`, or throws WindowsCallError if it is 0. */
export function succeeded(call: string, result: number, subject?: string): number {
  if (result === 0) throw new WindowsCallError(call, lastError(), subject)
  return result
}

/** A text as Windows takes it: UTF-16, ended by NUL. */
export function wide(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'utf16le')
}

/** libuv is part of the program itself, which exports its functions for add-ons. */
const libuv = windowsLibrary<{ uv_get_osfhandle(fd: number): number | bigint }>(process.execPath, {
  uv_get_osfhandle: 'uintptr_t uv_get_osfhandle(int fd)',
})

/** The handle behind a descriptor of node:fs; it is closed with the descriptor. */
export function handleOf(fd: number): number {
  const handle = libuv().uv_get_osfhandle(fd)
  // INVALID_HANDLE_VALUE, and -2 for a descriptor that has none.
  if (typeof handle !== 'number') throw new WindowsCallError('uv_get_osfhandle', 6, `descriptor ${fd}`)
  return handle
}
