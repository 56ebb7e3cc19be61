import { handleOf } from './descriptor-handle.js'
import { WindowsCallError } from './errors.js'
import { kernel32, lastError, succeeded } from './kernel32.js'

const PAGE_READONLY = 0x02
const FILE_MAP_READ = 0x04

/**
 * Maps a whole file that is not empty, read-only. The file cannot be cut or removed while it is mapped. Throws WindowsCallError.
 * @returns the address
 */
export function mapView(fd: number, length: number, what: string): number {
  const mapping = succeeded(
    'CreateFileMappingW',
    kernel32().CreateFileMappingW(handleOf(fd), null, PAGE_READONLY, 0, 0, null),
    what,
  )
  const address = kernel32().MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, length)
  const error = address === 0 ? lastError() : 0
  // The view keeps what it shows.
  kernel32().CloseHandle(mapping)
  if (address === 0) throw new WindowsCallError('MapViewOfFile', error, what)
  return address
}

/** Throws WindowsCallError. */
export function unmapView(address: number, what: string): void {
  succeeded('UnmapViewOfFile', kernel32().UnmapViewOfFile(address), what)
}
