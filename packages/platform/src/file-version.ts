import { statSync } from 'node:fs'

/** A file that was written within this time may be written again without another time. Clocks of files tick in 10 ms at most. */
const UNSETTLED_MS = 50

let unsettled = 0

/**
 * A text that is another one when the file is another one, or was written or replaced: device, inode, size and times. That of a file that was
 * written just now equals no other, so that whoever compares looks again. Undefined: it is no plain file, whose times say nothing. Cost: a
 * system call. Throws the error of node:fs if it is not there.
 */
export function fileVersion(path: string): string | undefined {
  const stat = statSync(path, { bigint: true })
  if (!stat.isFile()) return undefined
  const isSettled = Math.abs(Date.now() - Number(stat.mtimeMs)) > UNSETTLED_MS
  return isSettled ? [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join() : `unsettled ${++unsettled}`
}
