import { koffi } from '../foreign.js'
import { KERNEL32_DECLARATIONS, kernel32, type VolumeCalls } from '../windows/kernel32.js'

/**
 * kernel32 with DeviceIoControl of another library: one that answers for a file system that is not there. Only tests can have it: nothing
 * but the door `@hotpath/platform/testing` leads here, which no program imports.
 */
export function withControlOf(library: string): VolumeCalls {
  const DeviceIoControl = koffi().load(library).func(KERNEL32_DECLARATIONS.DeviceIoControl)
  return { ...kernel32(), DeviceIoControl: DeviceIoControl as VolumeCalls['DeviceIoControl'] }
}
