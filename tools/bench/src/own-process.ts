import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { platform } from 'node:os'
import { findProgram } from './peers/program.js'

/**
 * Starts a program that is asked to end (SIGTERM) when this process ends, however that ends: whoever runs the bench may kill it, and then nobody stops what it
 * started. By setpriv(1), which becomes the program; where that is missing it goes on.
 */
export function spawnOwn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const setpriv = platform() === 'linux' ? findProgram('setpriv') : undefined
  if (setpriv === undefined) return spawn(program, args, options)
  return spawn(setpriv, ['--pdeathsig', 'TERM', '--', program, ...args], options)
}
