import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where system programs are that are not in everybody's search path. */
const MORE_PLACES = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Path of the first of these programs that is installed. */
export function findProgram(...names: string[]): string | undefined {
  const places = [...(process.env.PATH ?? '').split(delimiter), ...MORE_PLACES].filter(place => place !== '')
  for (const name of names) {
    for (const place of places) {
      const path = join(place, name)
      try {
        accessSync(path, constants.X_OK)
        if (statSync(path).isFile()) return path
      } catch {
        // Not here: the next place.
      }
    }
  }
  return undefined
}

export interface ProgramRun {
  /** From the start of the process to its end. */
  readonly wallMs: number
  readonly exitCode: number
  /** The first bytes of what it printed. */
  readonly output: string
}

const MAX_OUTPUT_BYTES = 4_096

/** Runs a program to its end; what it prints is read and thrown away but for its beginning. Rejects if it cannot start. */
export function runProgram(path: string, args: readonly string[]): Promise<ProgramRun> {
  const startedMs = performance.now()
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, LC_ALL: 'C.UTF-8' } })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    if (output.length < MAX_OUTPUT_BYTES) output += chunk.toString('utf8', 0, MAX_OUTPUT_BYTES)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ wallMs: performance.now() - startedMs, exitCode: code ?? -1, output }))
  })
}

/** The same with its output to /dev/null, which costs nobody anything. */
export function runSilently(path: string, args: readonly string[]): Promise<number> {
  const startedMs = performance.now()
  const child = spawn(path, args, { stdio: 'ignore' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve(performance.now() - startedMs))
  })
}

export interface ProgramCost {
  readonly wallMs: number
  /** Processor time of the program and what it started; NaN where there is no shell to ask. */
  readonly cpuMs: number
  readonly exitCode: number
}

/** Runs a program to its end and asks the shell that ran it for its processor time, which Node does not tell. */
export async function runAccounted(path: string, args: readonly string[]): Promise<ProgramCost> {
  const script = '"$@" >/dev/null; code=$?; times; exit $code'
  const { wallMs, exitCode, output } = await runProgram('/bin/sh', ['-c', script, 'sh', path, ...args])
  return { wallMs, exitCode, cpuMs: childCpuMs(output) }
}

/** From the output of the shell's `times`: own user and system time, then those of its children, as `1m2.34s`. */
export function childCpuMs(times: string): number {
  const found = [...times.matchAll(/(\d+)m(\d+[.,]\d+)s/g)].slice(-2)
  if (found.length < 2) return Number.NaN
  return found.reduce((sum, [, minutes, seconds]) => {
    return sum + (Number(minutes) * 60 + Number(seconds!.replace(',', '.'))) * 1000
  }, 0)
}
