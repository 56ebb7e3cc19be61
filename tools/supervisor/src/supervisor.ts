import { setTimeout as sleep } from 'node:timers/promises'
import { alignedDelay } from '@hotpath/model'
import type { HealthCheck, Metric } from '@hotpath/protocol'
import { ExitCode, type Logger, type ReadyLine, type StageName } from '@hotpath/service'
import { LateStart } from './late-start.js'
import { LogFile } from './log-file.js'
import { type RestartLimits, RestartPolicy } from './restart-policy.js'
import { KILL_AFTER_MS, type StageExit, StageProcess, type StageSpec } from './stage-process.js'

/** What people and logs are told. */
export interface SupervisorEvents {
  /** A stage wrote a line to its log. */
  onLog(stage: string, line: string): void
  /** A stage is at work for the first time or again. */
  onReady(stage: string, url: string | undefined): void
  /** A stage ended without being asked and starts again after `delayMs`. */
  onRestart(stage: string, exit: StageExit, delayMs: number): void
}

export interface SupervisorOptions {
  /**
   * Started all at once, those that are late when the others are ready. They stop group by group, the groups in this order: who sends stops before who receives, so
   * that nothing is lost and nobody complains of a lost peer.
   */
  readonly groups: readonly (readonly StageSpec[])[]
  readonly logDirectory: string
  readonly log: Logger
  readonly events: SupervisorEvents
  readonly limits?: RestartLimits
  readonly killAfterMs?: number
  /** Late stages wait for the others no longer than this. */
  readonly longestWaitMs?: number
  /** Time for the first answers between the moment at which all others are ready and the start of the late ones. Default: none. */
  readonly restMs?: number
  readonly heartbeat?: Heartbeat
}

/** How a stage that runs but does nothing is found. */
export interface Heartbeat {
  /** Resolves when the stage has answered. Rejects if it cannot be reached or `signal` is aborted. */
  ping(stage: StageName, signal: AbortSignal): Promise<void>
  readonly everyMs: number
  /** A stage that has not answered for so long is killed and started again. */
  readonly lostAfterMs: number
}

export interface SupervisorResult {
  readonly exitCode: ExitCode
  /** Set if the system gave up: what went wrong, with the last lines of the stage's log. */
  readonly failure?: string
}

const LAST_LINES_KEPT = 12
/** The others may have much to read. */
const LONGEST_WAIT_MS = 2_000

interface StageState {
  readonly spec: StageSpec
  readonly logFile: LogFile
  readonly lastLines: string[]
  process: StageProcess | undefined
  /** Of the run that goes on, or was the last: when it became ready. */
  readyAtMs: number | undefined
  wasReady: boolean
  restarts: number
  /** A late one waits for the others the first time. */
  hasBegun: boolean
  /** When it last answered a ping, or was started. */
  answeredAtMs: number
}

/** Runs the stages of one system until it is told to stop or one of them cannot be kept running. */
export class Supervisor {
  private readonly groups: StageState[][]
  private readonly stopping = new AbortController()
  private readonly lateStart: LateStart
  private result: SupervisorResult = { exitCode: ExitCode.ok }

  constructor(private readonly options: SupervisorOptions) {
    this.groups = options.groups.map(group => group.map(spec => this.initialState(spec)))
    const early = options.groups.flat().filter(({ isLate }) => isLate !== true)
    this.lateStart = new LateStart(
      early.map(({ name }) => name),
      options.restMs,
    )
  }

  /** Resolves when late stages start: what answers is ready, or takes its time. Also when it stops before. */
  get answering(): Promise<void> {
    return this.lateStart.due
  }

  /**
   * Starts all stages, and returns when all have ended: after `signal` is aborted, or when it gave up.
   * Leaves no process behind.
   */
  async run(signal: AbortSignal): Promise<SupervisorResult> {
    const stop = () => this.stopping.abort()
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    // Who has most to read, the store, is the last to stop and the first to start.
    const lives = this.groups
      .flat()
      .reverse()
      .map(state => this.keepAlive(state))
    this.lateStart.begin(this.options.longestWaitMs ?? LONGEST_WAIT_MS)
    await aborted(this.stopping.signal)
    this.lateStart.end()
    for (const group of this.groups) {
      await Promise.all(group.map(({ process }) => process?.stop(this.options.killAfterMs ?? KILL_AFTER_MS)))
    }
    await Promise.all(lives)
    signal.removeEventListener('abort', stop)
    for (const { logFile } of this.groups.flat()) logFile.close()
    return this.result
  }

  /** Ends all processes at once, for somebody who does not want to wait. `run` returns then. */
  killAll(): void {
    this.stopping.abort()
    for (const { process } of this.groups.flat()) process?.kill()
  }

  /** Process id of a stage, undefined while it does not run. */
  pidOf(stage: string): number | undefined {
    return this.groups.flat().find(state => state.spec.name === stage)?.process?.pid
  }

  /** What runs, for people and monitors. */
  health(): HealthCheck[] {
    return this.groups.flat().map(({ spec, process, restarts }) => {
      const pid = process?.pid
      const detail = `${pid === undefined ? 'not running' : `process ${pid}`}, ${restarts} restarts`
      return { name: spec.name, ok: pid !== undefined, detail }
    })
  }

  /** Whether all stages that should run do, and have answered of late: missed at most one ping. */
  get isHealthy(): boolean {
    const { heartbeat } = this.options
    const longestSilenceMs = heartbeat === undefined ? Number.POSITIVE_INFINITY : 2.5 * heartbeat.everyMs
    return this.groups.flat().every(({ hasBegun, process, answeredAtMs }) => {
      if (!hasBegun) return true
      return process !== undefined && performance.now() - answeredAtMs <= longestSilenceMs
    })
  }

  /** How often each stage was restarted, and whether it runs. */
  stats(): Metric[] {
    return this.groups.flat().flatMap(({ spec, process, restarts }) => {
      const labels = [{ name: 'stage', value: spec.name }]
      return [
        { name: 'hotpath_stage_restarts_total', kind: 'counter', value: restarts, labels },
        { name: 'hotpath_stage_up', kind: 'gauge', value: process?.pid === undefined ? 0 : 1, labels },
      ] as const
    })
  }

  private initialState(spec: StageSpec): StageState {
    const logFile = new LogFile(this.options.logDirectory, spec.name)
    return {
      spec,
      logFile,
      lastLines: [],
      process: undefined,
      readyAtMs: undefined,
      wasReady: false,
      restarts: 0,
      hasBegun: false,
      answeredAtMs: 0,
    }
  }

  private async keepAlive(state: StageState): Promise<void> {
    const { name } = state.spec
    const policy = new RestartPolicy(this.options.limits)
    if (state.spec.isLate) await this.lateStart.due
    state.hasBegun = true
    while (!this.stopping.signal.aborted) {
      const exit = await this.runOnce(state)
      if (this.stopping.signal.aborted) return
      const delayMs = delayAfter(exit, state.readyAtMs, policy)
      this.options.log.warn('stage ended', { name, ...exit, restarts: state.restarts, delayMs })
      if (delayMs === undefined) {
        this.giveUp(state, exit)
        return
      }
      this.options.events.onRestart(name, exit, delayMs)
      state.restarts++
      await sleep(delayMs, undefined, { signal: this.stopping.signal }).catch(() => {})
    }
  }

  private async runOnce(state: StageState): Promise<StageExit> {
    const { spec } = state
    state.readyAtMs = undefined
    const child = await this.spawn(state)
    if (child === undefined) return { code: ExitCode.ok, signal: undefined }
    if (child instanceof Error) return { code: undefined, signal: undefined, error: child }
    state.process = child
    this.options.log.info('stage started', { name: spec.name, pid: child.pid })
    const ended = new AbortController()
    const heartbeat = this.watchHeartbeat(state, child, ended.signal)
    const exit = await child.exited
    state.process = undefined
    ended.abort()
    await heartbeat
    return exit
  }

  /**
   * Starts the process, unless we stop while that is prepared. Some errors (no descriptors left, one that is closed) are thrown by
   * `spawn` at once.
   */
  private async spawn(state: StageState): Promise<StageProcess | Error | undefined> {
    try {
      await state.spec.prepare?.()
      if (this.stopping.signal.aborted) return undefined
      return new StageProcess(state.spec, state.wasReady ? [] : (state.spec.firstArguments ?? []), {
        onLog: line => this.takeLog(state, line),
        onData: line => this.takeData(state, line),
      })
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  private takeLog(state: StageState, line: string): void {
    state.logFile.write(line)
    state.lastLines.push(line)
    if (state.lastLines.length > LAST_LINES_KEPT) state.lastLines.shift()
    this.options.events.onLog(state.spec.name, line)
  }

  private takeData(state: StageState, line: string): void {
    const ready = parseReadyLine(line)
    if (ready === undefined) {
      this.options.log.warn('unexpected output', { name: state.spec.name, line })
      return
    }
    state.readyAtMs ??= performance.now()
    state.wasReady = true
    this.lateStart.ready(state.spec.name)
    this.options.events.onReady(state.spec.name, ready.url)
  }

  private async watchHeartbeat(state: StageState, child: StageProcess, ended: AbortSignal): Promise<void> {
    const { heartbeat, log } = this.options
    if (heartbeat === undefined) return
    state.answeredAtMs = performance.now()
    while (!ended.aborted) {
      await sleep(alignedDelay(heartbeat.everyMs, Date.now()), undefined, { signal: ended }).catch(() => {})
      if (ended.aborted) return
      const timeout = AbortSignal.timeout(heartbeat.everyMs)
      try {
        await heartbeat.ping(state.spec.name, AbortSignal.any([ended, timeout]))
        state.answeredAtMs = performance.now()
      } catch (error) {
        const silentMs = Math.round(performance.now() - state.answeredAtMs)
        log.debug('no answer to ping', { name: state.spec.name, silentMs, error })
        if (ended.aborted || this.stopping.signal.aborted || silentMs < heartbeat.lostAfterMs) continue
        log.error('stage does not answer and is ended', { name: state.spec.name, pid: child.pid, silentMs })
        child.kill()
        return
      }
    }
  }

  private giveUp(state: StageState, exit: StageExit): void {
    const known = Object.values(ExitCode).find(code => code === exit.code && code !== ExitCode.ok)
    const lines = state.lastLines.map(line => `    ${line}`)
    this.result = {
      exitCode: known ?? ExitCode.bug,
      failure: [
        `${state.spec.name} ${describeExit(exit)} after ${state.restarts} restarts; giving up. Its last lines:`,
        ...(lines.length > 0 ? lines : ['    (none)']),
      ].join('\n'),
    }
    this.stopping.abort()
  }
}

/** How long to wait before a stage is started again; undefined: not at all. */
function delayAfter({ code }: StageExit, readyAtMs: number | undefined, policy: RestartPolicy): number | undefined {
  switch (code) {
    case ExitCode.restart:
      return 0
    case ExitCode.usage:
      // A stage that cannot read its flags will not read them better next time.
      return undefined
    default:
      return policy.failed(performance.now(), readyAtMs)
  }
}

/** How a stage ended, in words: `was ended by SIGKILL`, `ended with exit code 70`. */
export function describeExit(exit: StageExit): string {
  if (exit.error !== undefined) return `could not be started (${exit.error.message})`
  if (exit.code === ExitCode.restart) return 'ended to be started again'
  return exit.signal === undefined ? `ended with exit code ${exit.code}` : `was ended by ${exit.signal}`
}

function parseReadyLine(line: string): ReadyLine | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('ready' in value) || value.ready !== true) return undefined
    const url = 'url' in value && typeof value.url === 'string' ? value.url : undefined
    return url === undefined ? { ready: true } : { ready: true, url }
  } catch {
    return undefined
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
