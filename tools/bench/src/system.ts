import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Client, connect, type StatusReply } from '@hotpath/client'
import { UnavailableError } from '@hotpath/model'
import { spawnOwn } from './own-process.js'
import { cpuMsOf, processTree } from './process-tree.js'

const PROGRAM = fileURLToPath(new URL('../../../apps/cli/bin/hotpath.mjs', import.meta.url))
/** Short against the start of a program. */
const CONNECT_POLL_MS = 5
/** Each answer is work for processes that are measured. */
const STATUS_POLL_MS = 25
/** A large list takes minutes on a slow machine. */
const BUILD_TIMEOUT_MS = 30 * 60_000
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000
const SETTLE_TIMEOUT_MS = 10 * 60_000

export interface SystemSource {
  readonly dataDir: string
  readonly flags: readonly string[]
  /** Without CAP_SYS_ADMIN, as for people who are not root: another mechanism then follows trees. */
  readonly isUnprivileged?: boolean
}

/** Runs a command without a capability (util-linux). */
const WITHOUT_ADMIN = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin']

/** The real thing: supervisor and stages, started by the command that people use. */
export class RunningSystem {
  private errors = ''
  private readonly closed: Promise<unknown>

  private constructor(
    private readonly child: ChildProcess,
    readonly dataDir: string,
    /** Of `performance.now()`, before the process was made. */
    readonly startedMs: number,
  ) {
    child.stderr?.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-2_000)
    })
    child.stdout?.resume()
    this.closed = once(child, 'close')
    // Whoever needs the process notices that it is gone by himself.
    this.closed.catch(() => {})
  }

  /** Resolves when the process exists; see `connect`. */
  static start({ dataDir, flags, isUnprivileged }: SystemSource): RunningSystem {
    const isRoot = process.getuid?.() === 0
    const before = isUnprivileged === true && isRoot ? WITHOUT_ADMIN : []
    const [command = '', ...args] = [...before, process.execPath, PROGRAM, 'start', '--data', dataDir, '--port', '0']
    const startedMs = performance.now()
    const child = spawnOwn(command, [...args, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    return new RunningSystem(child, dataDir, startedMs)
  }

  get pids(): number[] {
    return this.child.pid === undefined ? [] : processTree(this.child.pid)
  }

  /** A connection to its gateway, as soon as there is one. @throws UnavailableError with what the system printed */
  async connect(): Promise<Client> {
    const deadlineMs = performance.now() + START_TIMEOUT_MS
    for (;;) {
      try {
        return await connect({ dataDir: this.dataDir, timeoutMs: START_TIMEOUT_MS })
      } catch (error) {
        this.checkAlive()
        if (performance.now() > deadlineMs) throw error
      }
      await delay(CONNECT_POLL_MS)
    }
  }

  /** Polls the status until it is as wanted. */
  async waitForStatus(client: Client, isReached: (status: StatusReply) => boolean): Promise<StatusReply> {
    const deadlineMs = performance.now() + BUILD_TIMEOUT_MS
    for (;;) {
      const status = await client.status()
      if (isReached(status)) return status
      this.checkAlive()
      if (performance.now() > deadlineMs) throw new UnavailableError(`the system did not get ready\n${this.errors}`)
      await delay(STATUS_POLL_MS)
    }
  }

  /**
   * Resolves when its processes were idle for so long: merging is over and, as usual, threads and connections that are not used
   * have ended, which are given up within two or three seconds.
   */
  async settle(idleMs = 4_000): Promise<void> {
    const deadlineMs = performance.now() + SETTLE_TIMEOUT_MS
    let quietMs = 0
    let before = cpuMsOf(this.pids)
    while (quietMs < idleMs && performance.now() < deadlineMs) {
      await delay(500)
      this.checkAlive()
      const now = cpuMsOf(this.pids)
      quietMs = now - before < 25 ? quietMs + 500 : 0
      before = now
    }
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGTERM')
    const killer = setTimeout(() => {
      for (const pid of this.pids.reverse()) process.kill(pid, 'SIGKILL')
    }, STOP_TIMEOUT_MS)
    await this.closed
    clearTimeout(killer)
  }

  private checkAlive(): void {
    if (this.child.exitCode === null && this.child.signalCode === null) return
    throw new UnavailableError(`the system ended with exit code ${this.child.exitCode}\n${this.errors}`)
  }
}

/** Everything that was asked for has been scanned. */
export function isComplete(status: StatusReply): boolean {
  return (
    status.roots.length > 0 &&
    !status.partial &&
    status.roots.every(root => root.entries > 0 && root.scan === undefined && !root.partial)
  )
}
