import { kernel32, succeeded } from './kernel32.js'

const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000
/** struct PROCESS_MEMORY_COUNTERS_EX: WorkingSetSize is at byte 16, PrivateUsage at byte 72. */
const COUNTERS_BYTES = 80
const WORKING_SET = 16
const PRIVATE_USAGE = 72
/** From 1601 to 1970, in milliseconds: times of Windows begin in 1601 and count 100 ns. */
const EPOCH_MS = 11_644_473_600_000

/** Bytes that are resident, and bytes that are promised to the process alone (NaN where they are not counted: Wine). Throws WindowsCallError. */
export function memoryOfProcess(pid: number): { readonly residentBytes: number; readonly privateBytes: number } {
  const counters = new Uint8Array(COUNTERS_BYTES)
  const view = new DataView(counters.buffer)
  view.setUint32(0, COUNTERS_BYTES, true)
  withProcess(pid, process =>
    succeeded('GetProcessMemoryInfo', kernel32().K32GetProcessMemoryInfo(process, counters, COUNTERS_BYTES), `${pid}`),
  )
  return {
    residentBytes: Number(view.getBigUint64(WORKING_SET, true)),
    privateBytes: Number(view.getBigUint64(PRIVATE_USAGE, true)) || Number.NaN,
  }
}

/** When a process began, in milliseconds since 1970. Throws WindowsCallError. */
export function startOfProcess(pid: number): number {
  const [created, ended, kernel, user] = [0, 1, 2, 3].map(() => new Uint8Array(8))
  withProcess(pid, process =>
    succeeded('GetProcessTimes', kernel32().GetProcessTimes(process, created!, ended!, kernel!, user!), `${pid}`),
  )
  return Number(new DataView(created!.buffer).getBigUint64(0, true) / 10_000n) - EPOCH_MS
}

function withProcess(pid: number, use: (process: number) => unknown): void {
  const process = succeeded(
    'OpenProcess',
    kernel32().OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid),
    `process ${pid}`,
  )
  try {
    use(process)
  } finally {
    kernel32().CloseHandle(process)
  }
}
