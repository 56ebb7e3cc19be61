import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { platform } from 'node:os'
import { join } from 'node:path'
import { replaceFileSync } from '@hotpath/platform'
import { isEpoch } from '@hotpath/protocol'

/** What is remembered of a log beside its files (`changes.json`). */
export interface LogMark {
  readonly epoch: string
  /** The boot in which the log was last opened. */
  readonly boot: string
  /** Whether it was closed with everything on the disk. */
  readonly closed: boolean
  /** The last transaction, if it was closed. */
  readonly sequence: number
}

const NAME = 'changes.json'
const VERSION = 1

/** Undefined where there is none that can be understood. */
export function readMark(directory: string): LogMark | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(join(directory, NAME), 'utf8'))
    if (typeof found !== 'object' || found === null) return undefined
    const { version, epoch, boot, closed, sequence } = found as Record<string, unknown>
    if (version !== VERSION || typeof epoch !== 'string' || !isEpoch(epoch) || typeof boot !== 'string')
      return undefined
    if (typeof closed !== 'boolean' || !Number.isSafeInteger(sequence)) return undefined
    return { epoch, boot, closed, sequence: sequence as number }
  } catch {
    return undefined
  }
}

/** Replaces the mark in one step; when it returns it outlives a loss of power. */
export function writeMark(directory: string, mark: LogMark): void {
  const path = join(directory, NAME)
  const fd = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(fd, JSON.stringify({ version: VERSION, ...mark }))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  replaceFileSync(`${path}.new`, path)
  syncDirectory(directory)
}

function syncDirectory(directory: string): void {
  // Windows has no such call; its file systems write names with their files.
  if (platform() === 'win32') return
  const fd = openSync(directory, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
