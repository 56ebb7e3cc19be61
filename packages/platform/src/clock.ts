import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { bootTime } from './windows/boot-time.js'

/**
 * Microseconds of CLOCK_MONOTONIC: one clock for all processes of this host since it was started, so times of different
 * processes can be compared. Whole number; fits a double for 285 years of uptime.
 */
export function monotonicMicros(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1000)
}

/** Identifies this start of the host; monotonic times of different boots cannot be compared. */
export function bootId(): string {
  if (platform() === 'win32') return `boot-${bootTime().toString(16)}`
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}
