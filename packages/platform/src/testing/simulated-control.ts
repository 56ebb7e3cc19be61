import { createRequire } from 'node:module'
import { kernel32, VOLUME_DECLARATIONS, type VolumeCalls } from '../windows/kernel32.js'

/**
 * kernel32 with DeviceIoControl of another library: one that answers for a file system that is not there. Only tests can have it: nothing
 * but the door `@hotpath/platform/testing` leads here, which no program imports.
 */
export function withControlOf(library: string): VolumeCalls {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
  const DeviceIoControl = koffi.load(library).func(VOLUME_DECLARATIONS.DeviceIoControl)
  return { ...kernel32(), DeviceIoControl: DeviceIoControl as VolumeCalls['DeviceIoControl'] }
}
