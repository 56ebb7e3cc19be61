import { type ChildProcess, spawn } from 'node:child_process'
import { platform } from 'node:os'
import type { Duplex } from 'node:stream'
import type { StageName } from '@hotpath/service'
import { LineSplitter } from './line-splitter.js'

/** What is run as one stage. */
export interface StageSpec {
  readonly name: StageName
  /** Path of the stage's main module. */
  readonly script: string
  /** Of Node.js itself, before the script. */
  readonly nodeFlags?: readonly string[]
  readonly arguments: readonly string[]
  /** Given besides until the stage has been ready once: `--fresh` must not empty the index again after a crash. */
  readonly firstArguments?: readonly string[]
  /** Started when all others are ready, or after a second: the first time only. */
  readonly isLate?: boolean
  /** Descriptors that the stage inherits as 3, 4, … */
  readonly inheritedFds?: readonly number[]
  /** Done before each start. */
  prepare?(): Promise<void>
  /** Takes our end of a socket that the stage inherits after those descriptors, a new one at each start. */
  connect?(socket: Duplex): void
}

export interface StageExit {
  /** Exit code, or undefined if a signal ended it. */
  readonly code: number | undefined
  readonly signal: string | undefined
  /** Why it did not even start. */
  readonly error?: Error
}

export interface StageOutput {
  onLog(line: string): void
  onData(line: string): void
}

/** Time between SIGTERM and SIGKILL: what a stage gives itself (10 s) and 2 s for it to end. */
export const KILL_AFTER_MS = 12_000

/** Its output normally ends with a process; something that it started may hold the pipe longer than we wait. */
const DRAIN_MS = 1_000

/**
 * One run of one stage. Its standard input is a pipe that we never write to: it ends when we die, however we die, and
 * the stage stops then.
 */
export class StageProcess {
  readonly startedAtMs = performance.now()
  /** Settles (never rejects) when the process is gone and its output is read. */
  readonly exited: Promise<StageExit>
  private readonly child: ChildProcess
  private gone = false

  constructor(spec: StageSpec, extraArguments: readonly string[], output: StageOutput) {
    const child = spawn(
      process.execPath,
      [...(spec.nodeFlags ?? []), spec.script, ...spec.arguments, ...extraArguments],
      {
        stdio: [
          'pipe',
          'pipe',
          'pipe',
          ...(spec.inheritedFds ?? []),
          ...(spec.connect === undefined ? [] : ['pipe' as const]),
        ],
      },
    )
    this.child = child
    // A pipe that a child has beyond the standard ones is a socket.
    if (child.pid !== undefined) spec.connect?.(child.stdio.at(-1) as Duplex)
    const log = new LineSplitter(line => output.onLog(line))
    const data = new LineSplitter(line => output.onData(line))
    child.stderr?.on('data', (chunk: Buffer) => log.push(chunk))
    child.stdout?.on('data', (chunk: Buffer) => data.push(chunk))
    child.stdin?.on('error', () => {})
    this.exited = new Promise(resolve => {
      child.on('error', error => {
        if (child.pid !== undefined) return
        this.gone = true
        resolve({ code: undefined, signal: undefined, error })
      })
      const settle = (code: number | null, signal: string | null) => {
        clearTimeout(drainTimer)
        log.end()
        data.end()
        resolve({ code: code ?? undefined, signal: signal ?? undefined })
      }
      let drainTimer: NodeJS.Timeout | undefined
      child.on('exit', (code, signal) => {
        this.gone = true
        drainTimer = setTimeout(() => settle(code, signal), DRAIN_MS)
      })
      child.on('close', settle)
    })
  }

  get pid(): number | undefined {
    return this.gone ? undefined : this.child.pid
  }

  /** Ends the process at once. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  /** Asks the process to stop, ends it after `killAfterMs`, and returns when it is gone. */
  async stop(killAfterMs = KILL_AFTER_MS): Promise<StageExit> {
    // There are no signals on Windows, only an end at once: the end of its standard input tells a stage to stop.
    if (platform() === 'win32') this.child.stdin?.end()
    else this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.kill(), killAfterMs)
    try {
      return await this.exited
    } finally {
      clearTimeout(timer)
    }
  }
}
