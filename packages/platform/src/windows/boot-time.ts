import { WindowsCallError } from './errors.js'
import { windowsLibrary } from './library.js'

const SYSTEM_TIME_OF_DAY = 3
/** struct SYSTEM_TIMEOFDAY_INFORMATION: BootTime is at byte 0, BootTimeBias at byte 32. */
const TIME_OF_DAY_BYTES = 48
const BOOT_TIME_BIAS = 32

const ntdll = windowsLibrary<{
  NtQuerySystemInformation(kind: number, out: Uint8Array, bytes: number, length: Uint8Array): number
}>('ntdll.dll', {
  NtQuerySystemInformation: 'int NtQuerySystemInformation(int kind, void *out, uint32_t bytes, void *length)',
})

/**
 * When the system began, by the clock it had then: setting the clock moves the boot time that the system tells and the bias by the
 * same amount. In 100 ns since 1601. Throws WindowsCallError.
 */
export function bootTime(): bigint {
  const out = new Uint8Array(TIME_OF_DAY_BYTES)
  const status = ntdll().NtQuerySystemInformation(SYSTEM_TIME_OF_DAY, out, out.length, new Uint8Array(4))
  if (status < 0) throw new WindowsCallError('NtQuerySystemInformation', status >>> 0)
  const view = new DataView(out.buffer)
  return view.getBigUint64(0, true) - view.getBigUint64(BOOT_TIME_BIAS, true)
}
