import { readFileSync } from 'node:fs'

/** Anonymous memory of this process in bytes, from /proc (proc(5), `RssAnon`); NaN where that is not to be had. */
export function anonymousBytes(): number {
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    return kilobytes === undefined ? Number.NaN : Number(kilobytes) * 1024
  } catch {
    return Number.NaN
  }
}
