import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { memoryOfProcess } from './windows/process-info.js'

/** Memory of a process in bytes; NaN where the kernel does not tell. */
export interface ProcessMemory {
  /** Private, not backed by a file: what cannot be given back. On Windows also what is promised and was not touched yet. */
  readonly anonymousBytes: number
  /** Resident, each page divided by the number of processes that map it. */
  readonly pssBytes: number
  readonly residentBytes: number
}

/**
 * Of `pid`, by default this process, from /proc/PID/smaps_rollup, or status before Linux 4.14. Throws the error of node:fs, on Windows
 * WindowsCallError, if there is no such process.
 */
export function processMemory(pid: number | 'self' = 'self'): ProcessMemory {
  if (platform() === 'win32') {
    const { residentBytes, privateBytes } = memoryOfProcess(pid === 'self' ? process.pid : pid)
    return { anonymousBytes: privateBytes, pssBytes: Number.NaN, residentBytes }
  }
  try {
    return parseSmapsRollup(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))
  } catch {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    return { anonymousBytes: field(status, 'RssAnon'), pssBytes: Number.NaN, residentBytes: field(status, 'VmRSS') }
  }
}

/**
 * Anonymous bytes of `pid` as the kernel counts them (`RssAnon` in /proc/PID/status), which is near enough to be shown and costs some 20 µs;
 * for the sums of `processMemory` it walks all pages of the process, 1 to 10 ms in which that cannot take new ones. Throws as `processMemory` does.
 */
export function anonymousMemory(pid: number): number {
  if (platform() === 'win32') return memoryOfProcess(pid).privateBytes
  return field(readFileSync(`/proc/${pid}/status`, 'latin1'), 'RssAnon')
}

/** Fields of /proc/PID/smaps_rollup. */
export function parseSmapsRollup(text: string): ProcessMemory {
  return { anonymousBytes: field(text, 'Anonymous'), pssBytes: field(text, 'Pss'), residentBytes: field(text, 'Rss') }
}

function field(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)
  return match === null ? Number.NaN : Number(match[1]) * 1024
}
