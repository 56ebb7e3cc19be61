import { readFileSync } from 'node:fs'
import { processMemory } from '@hotpath/platform'

/** Clock ticks a second in /proc/PID/stat: USER_HZ, 100 on every Linux that this program runs on. */
const TICKS_PER_SECOND = 100

/** Age of a process in milliseconds and its anonymous memory in bytes (NaN if unknown), from /proc. A process that has ended has age 0. */
export function processFacts(pid: number): { uptimeMs: number; memoryBytes: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the command in parentheses and may hold anything; the start time is the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const startedSeconds = Number(fields[19]) / TICKS_PER_SECOND
    const nowSeconds = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0])
    return {
      uptimeMs: Math.max(0, (nowSeconds - startedSeconds) * 1000),
      memoryBytes: processMemory(pid).anonymousBytes,
    }
  } catch {
    return { uptimeMs: 0, memoryBytes: Number.NaN }
  }
}
