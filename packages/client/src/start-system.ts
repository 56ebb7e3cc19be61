import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CancelledError, UnavailableError } from '@hotpath/model'

/** How a program that was to start a system has ended. */
export interface StartFailure {
  /** Undefined where a signal ended it, or it could not be started at all. */
  readonly exitCode: number | undefined
  /** For people: why. */
  readonly message: string
}

/**
 * Starts the system of a data directory, apart from this process. What it returns resolves if the program that was started ends (the
 * system itself stays); it may return nothing if it cannot tell.
 */
export type StartSystem = (dataDir: string) => Promise<StartFailure> | undefined

/** Opening a large index takes a second or two; a busy machine some more. */
const START_TIMEOUT_MS = 30_000
const POLL_MS = 50
/** A gateway that runs answers within milliseconds. */
const TRY_MS = 1_000
/** Exit code of a start that finds the data directory in use (sysexits.h, EX_TEMPFAIL). */
const BUSY = 75
/** Between two attempts to start. A lock whose owner does not answer for so long may name a process that is somebody else by now. */
const RETRY_MS = 3_000

/**
 * Connects to the system of a data directory, and has it started if none runs. Any number of processes may do so at once: a lock in the data
 * directory lets one system start, and all wait for that one. Rejects with UnavailableError if the start fails or takes too long.
 *
 * @param connect one attempt to connect
 */
export async function connectStarting<T>(
  dataDir: string,
  connect: (timeoutMs: number) => Promise<T>,
  start: StartSystem,
  timeoutMs = START_TIMEOUT_MS,
): Promise<T> {
  const deadlineAt = performance.now() + timeoutMs
  let failure: StartFailure | undefined
  let isStarting = false
  let nextStartAt = isLockHeld(dataDir) ? performance.now() + RETRY_MS : 0
  for (;;) {
    try {
      return await connect(TRY_MS)
    } catch (error) {
      if (!(error instanceof UnavailableError || error instanceof CancelledError)) throw error
      if (performance.now() > deadlineAt) throw error
    }
    if (failure !== undefined && failure.exitCode !== BUSY)
      throw new UnavailableError(`hotpath cannot be started: ${failure.message}`)
    // One that is starting or stopping has the lock: it is waited for.
    if (!isStarting && performance.now() >= nextStartAt) {
      isStarting = true
      nextStartAt = performance.now() + RETRY_MS
      void start(dataDir)?.then(ended => {
        failure = ended
        isStarting = false
      })
    }
    await sleep(POLL_MS)
  }
}

/** Whether a supervisor of this data directory lives: it has its process id in the lock, and takes it out when it ends. */
export function isLockHeld(dataDir: string, lock = 'supervisor.lock'): boolean {
  try {
    const pid = Number(readFileSync(join(dataDir, 'locks', lock), 'latin1'))
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Starts what `hotpath` on the search path is; with the configuration of this user. */
export function startByPath(dataDir: string): Promise<StartFailure> {
  return ended(spawn('hotpath', ['start', '--data', dataDir], { detached: true, stdio: 'ignore', cwd: '/' }))
}

/** When a program ends, with its exit code. The program goes on without this process. */
export function ended(
  child: ChildProcess,
  describe = (code: number | null) => `exit code ${code}`,
): Promise<StartFailure> {
  child.unref()
  return new Promise(resolve => {
    child.once('error', error => resolve({ exitCode: undefined, message: error.message }))
    child.once('exit', code => resolve({ exitCode: code ?? undefined, message: describe(code) }))
  })
}
