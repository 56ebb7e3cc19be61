import { statSync } from 'node:fs'
import { UnavailableError } from '@hotpath/model'
import { findProgram, runAccounted, runProgram } from './program.js'

export interface PlocateDatabase {
  readonly file: string
  readonly buildMs: number
  readonly buildCpuMs: number
  readonly sizeBytes: number
}

export const PLOCATE_BUILD = 'plocate-build -p -l no'

/**
 * Builds a database of the paths of a file, names only. `-l no`: otherwise every query checks that the directories can
 * be listed, and on paths that are on no disk it finds nothing. Undefined if plocate is not installed.
 */
export async function buildPlocate(pathsFile: string, file: string): Promise<PlocateDatabase | undefined> {
  const program = findProgram('plocate-build')
  if (program === undefined) return undefined
  const { wallMs, cpuMs, exitCode } = await runAccounted(program, ['-p', '-l', 'no', pathsFile, file])
  if (exitCode !== 0) throw new UnavailableError(`plocate-build ended with exit code ${exitCode}`)
  return { file, buildMs: wallMs, buildCpuMs: cpuMs, sizeBytes: statSync(file).size }
}

/** Milliseconds of one search of base names, ignoring case, with the start of the process. */
export async function searchPlocate(
  program: string,
  database: string,
  patterns: readonly string[],
  wanted: 'first 100' | 'count',
): Promise<number> {
  const how = wanted === 'count' ? ['-c'] : ['-l', '100']
  const { wallMs } = await runProgram(program, ['-d', database, '-i', '-b', ...how, ...patterns])
  return wallMs
}
