import { anonymousMemory, processAge } from '@hotpath/platform'

/** Age of a process in milliseconds and its anonymous memory in bytes (NaN if unknown). A process that has ended has age 0. */
export function processFacts(pid: number): { uptimeMs: number; memoryBytes: number } {
  try {
    return { uptimeMs: processAge(pid), memoryBytes: anonymousMemory(pid) }
  } catch {
    return { uptimeMs: 0, memoryBytes: Number.NaN }
  }
}
