import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { startOfProcess } from './windows/process-info.js'

/** Clock ticks a second in /proc/PID/stat: USER_HZ, 100 on every Linux that this program runs on. */
const TICKS_PER_SECOND = 100

/** Milliseconds since a process was started. Throws the error of node:fs, on Windows WindowsCallError, if there is none. */
export function processAge(pid: number): number {
  if (platform() === 'win32') return Math.max(0, Date.now() - startOfProcess(pid))
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is the command in parentheses and may hold anything; the start time is the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startedSeconds = Number(fields[19]) / TICKS_PER_SECOND
  const nowSeconds = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0])
  return Math.max(0, (nowSeconds - startedSeconds) * 1000)
}
