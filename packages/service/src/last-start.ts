import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `<data>/last-start.json`: how the system of this data directory was started, so that a command can start it like that again. */
const FILE_NAME = 'last-start.json'
/** Layout of the file. */
const VERSION = 1

/** Keeps the flags of a start (`flagsOf`). Throws the error of node:fs. */
export function writeStartFlags(dataDir: string, flags: readonly string[]): void {
  const path = join(dataDir, FILE_NAME)
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, `${JSON.stringify({ version: VERSION, flags }, undefined, 2)}\n`, { mode: 0o600 })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** The flags of the last start; undefined if nothing is known of it. */
export function readStartFlags(dataDir: string): readonly string[] | undefined {
  try {
    const { version, flags }: { version?: unknown; flags?: unknown } = JSON.parse(
      readFileSync(join(dataDir, FILE_NAME), 'utf8'),
    )
    return version === VERSION && Array.isArray(flags) && flags.every(flag => typeof flag === 'string')
      ? flags
      : undefined
  } catch {
    // None, or damaged: it says nothing about the index.
    return undefined
  }
}
