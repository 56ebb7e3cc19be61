import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { BusyError, HotpathError, InvalidInputError, UnavailableError } from '@hotpath/model'
import type { FileLock, ProcessMemory } from '@hotpath/platform'
import type { Endpoints, HealthCheck, HealthState, Identity, Metric, Stage, TapHub } from '@hotpath/protocol'
import { resolveConfig } from './config.js'
import { ConfigError } from './config-error.js'
import { makeStageDirectories, removeSockets, type StageDirectories, stageDirectories } from './directories.js'
import { ExitCode } from './exit-codes.js'
import { describeFlags, type ExtraFlags, type ExtraValues, parseFlags } from './flags.js'
import { createLogger, type Logger } from './logger.js'
import type { Config, StageName } from './settings.js'

/**
 * How a stage is started, by the supervisor or by hand:
 *
 *     node apps/NAME/bundle/main.js --data DIR [flags of settings] [--supervised] [own flags]
 *
 * - `main.ts` holds nothing but `await runStage({ name, start, … })`.
 * - Every stage accepts every flag of `SETTINGS`, so that one command line can be given to any of them; the
 *   supervisor passes every value that is not the default.
 * - With `--supervised` it reads no variables and no file (the flags hold the values of all), stops when its standard
 *   input ends (its parent has died, or wants it to stop where there are no signals: Windows), ignores SIGINT, SIGBREAK and SIGHUP
 *   (a terminal or console sends them to everyone; the supervisor decides who stops when), and says on standard output that it is ready, as one line of JSON (`ReadyLine`).
 * - SIGTERM stops it cleanly within `STOP_DEADLINE_MS`. Exit codes are those of `ExitCode`.
 * - Logs are JSON lines on standard error; standard output is for data (`--dump`).
 */
export interface StageDefinition<E extends ExtraFlags> {
  readonly name: StageName
  /** Flags that only this stage has. */
  readonly extraFlags?: E
  /**
   * Whether this run is the one that others talk to, so that there may be only one for a data directory and it needs
   * its control socket. Always, unless this says no (a run that only prints something).
   */
  readonly exclusive?: (extra: ExtraValues<E>) => boolean
  /**
   * Returns when the stage is at work. What it started must end in `stop`; if it throws, the process ends. Peers that
   * are not there yet are no reason to throw: stages start together, in any order.
   */
  start(context: StageContext<E>): Promise<RunningStage>
}

export interface StageContext<E extends ExtraFlags = ExtraFlags> {
  readonly name: StageName
  readonly config: Config
  readonly extra: ExtraValues<E>
  readonly supervised: boolean
  readonly directories: StageDirectories
  /** Addresses of all sockets of the system, whether anyone has bound them or not. */
  readonly endpoints: Endpoints
  /** Who this process is to its peers. */
  readonly identity: Identity
  /** To be given to every socket that the stage opens, so that its traffic can be watched. */
  readonly tap: TapHub
  readonly log: Logger
  /** Aborted when the stage begins to stop. */
  readonly signal: AbortSignal
  /** Ends the process with an exit code that fits the error, after stopping what runs. For what nobody awaits. */
  fail(error: unknown): void
  /** Ends the process in order, with the exit code that has it started again at once and counts as no failure. */
  restart(reason: string): void
}

export interface RunningStage {
  /** Ends everything that the stage started: sockets, threads, timers, files. Called once. */
  stop(): Promise<void>
  /** What a person or a monitor should know; the stage is degraded if one of them is not ok. Must be quick. */
  health?(): readonly HealthCheck[]
  /** Counters and gauges. Must be quick. */
  stats?(): readonly Metric[]
  /** Settles when the stage has nothing more to do and wants to end (`--once`). A rejection is a failure. */
  readonly finished?: Promise<void>
  /** Where people find the stage, with its token. Printed on standard output by it or by the supervisor. */
  readonly url?: string
}

/** What a supervised stage prints once when it is at work. */
export interface ReadyLine {
  readonly ready: true
  readonly url?: string
}

/** Longest time for a stage to stop; the supervisor kills it 2 s later. A flush of 32,768 rows takes well under 1 s. */
export const STOP_DEADLINE_MS = 10_000
/** A second signal within this time is the same Ctrl-C: npm passes on what the terminal has sent already. */
const SAME_SIGNAL_MS = 1_000

const COMMON_FLAGS = {
  supervised: { type: 'boolean', help: 'started by the supervisor: stop when standard input ends' },
} as const

/** Runs one stage until it is told to stop, and ends the process. Never returns before that. */
export async function runStage<const E extends ExtraFlags = Record<never, never>>(
  definition: StageDefinition<E>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<never> {
  process.umask(0o077)
  // The reader of our log may be gone (EPIPE); that must not end us before we have stopped cleanly.
  process.stderr.on('error', () => {})
  process.stdout.on('error', () => {})
  try {
    const flags = parseFlags(argv, { ...COMMON_FLAGS, ...definition.extraFlags })
    if (flags.help) {
      process.stdout.write(`${stageHelp(definition)}\n`)
      process.exit(ExitCode.ok)
    }
    const unexpected = flags.positionals.map(where => ({ where, message: 'is not a flag' }))
    const extra = flags.extra as ExtraValues<E> & ExtraValues<typeof COMMON_FLAGS>
    const { config } = await resolveConfig({
      flags: flags.texts,
      configFile: flags.configFile,
      flagsOnly: extra.supervised,
      problems: [...flags.problems, ...unexpected],
    })
    return await live(definition, config, extra, extra.supervised)
  } catch (error) {
    process.stderr.write(`${definition.name}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(exitCodeOf(error))
  }
}

async function live<E extends ExtraFlags>(
  definition: StageDefinition<E>,
  config: Config,
  extra: ExtraValues<E>,
  supervised: boolean,
): Promise<never> {
  const { name } = definition
  const log = createLogger({ level: config.logLevel, stage: name, write: line => process.stderr.write(line) })
  const { acquireLock, restrictToUser, processMemory, ControlServer, socketEndpoints, TapHub } = await loadNative()
  const directories = stageDirectories(config.dataDir)
  // First: keys are made in them.
  makeStageDirectories(directories, restrictToUser)
  const endpoints = socketEndpoints(directories.runtime)
  const { stage, socket } = PEER_NAMES[name]
  const identity: Identity = { stage, instance: `${name}-${randomBytes(8).toString('hex')}`, pid: process.pid }
  const tap = new TapHub()
  const controller = new AbortController()
  let exitCode: ExitCode = ExitCode.ok
  let stopAsked!: (reason: string) => void
  const stopping = new Promise<string>(resolve => {
    stopAsked = resolve
  })

  function fail(error: unknown): void {
    if (exitCode === ExitCode.ok) exitCode = exitCodeOf(error)
    log.error('failed', { error })
    stopAsked('failure')
  }
  function restart(reason: string): void {
    if (exitCode === ExitCode.ok) exitCode = ExitCode.restart
    stopAsked(reason)
  }
  process.on('uncaughtException', error => {
    log.error('uncaught error', { error })
    // Nothing is known about the state now; what was acknowledged is on disk.
    process.exit(ExitCode.bug)
  })
  listenForSignals(supervised, stopAsked)
  if (supervised) stopWithParent(stopAsked)

  let running: RunningStage | undefined
  let state: HealthState = 'starting'
  let lock: FileLock | undefined
  const health = () => {
    const checks = running?.health?.() ?? []
    return { state: state === 'ready' && checks.some(check => !check.ok) ? ('degraded' as const) : state, checks }
  }
  const control = new ControlServer({
    endpoint: endpoints[socket],
    identity,
    health,
    stats: () => [...processMetrics(processMemory()), ...(running?.stats?.() ?? [])],
    shutdown: reason => stopAsked(`asked to: ${reason}`),
    tap,
    log: log.child(`${name}.control`),
  })
  try {
    if (definition.exclusive?.(extra) ?? true) {
      lock = acquireLock(join(directories.locks, `${name}.lock`))
      removeSockets(directories.runtime, stage)
      await control.start()
    }
    running = await definition.start({
      name,
      config,
      extra,
      supervised,
      directories,
      endpoints,
      identity,
      tap,
      log,
      signal: controller.signal,
      fail,
      restart,
    })
    running.finished?.then(() => stopAsked('finished'), fail)
    state = 'ready'
    log.info('started', { pid: process.pid })
    announce(running.url, supervised)
  } catch (error) {
    fail(error)
  }

  log.info('stopping', { reason: await stopping })
  const deadline = setTimeout(() => {
    log.error('did not stop in time', { deadlineMs: STOP_DEADLINE_MS })
    process.exit(ExitCode.bug)
  }, STOP_DEADLINE_MS)
  state = 'stopping'
  controller.abort()
  try {
    await running?.stop()
    await control.stop()
  } catch (error) {
    fail(error)
  }
  // libzmq removes the files of its sockets later, in a thread that ends with this process.
  if (lock !== undefined) removeSockets(directories.runtime, stage)
  lock?.release()
  clearTimeout(deadline)
  log.info('stopped', { exitCode })
  process.exit(exitCode)
}

/** Native modules are loaded when a stage runs: the same package serves commands that want to be quick. */
async function loadNative() {
  const [{ acquireLock, restrictToUser, processMemory }, { ControlServer, socketEndpoints, TapHub }] =
    await Promise.all([import('@hotpath/platform'), import('@hotpath/protocol')])
  return { acquireLock, restrictToUser, processMemory, ControlServer, socketEndpoints, TapHub }
}

/** What a stage is called by its peers, and its control socket. */
const PEER_NAMES: Readonly<Record<StageName, { stage: Stage; socket: keyof Endpoints }>> = {
  scanner: { stage: 'scanner', socket: 'scanner-control' },
  'journal-watcher': { stage: 'watcher', socket: 'watcher-control' },
  'index-store': { stage: 'store', socket: 'store-control' },
  gateway: { stage: 'gateway', socket: 'gateway-control' },
}

/** What every process knows of itself. */
export function processMetrics({ anonymousBytes, residentBytes }: ProcessMemory): Metric[] {
  const { heapUsed, external } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const metric = (kind: Metric['kind'], name: string, value: number): Metric => ({ kind, name, value, labels: [] })
  return [
    metric('gauge', 'hotpath_process_anonymous_bytes', anonymousBytes),
    metric('gauge', 'hotpath_process_resident_bytes', residentBytes),
    metric('gauge', 'hotpath_process_heap_used_bytes', heapUsed),
    metric('gauge', 'hotpath_process_external_bytes', external),
    metric('counter', 'hotpath_process_cpu_seconds_total', (user + system) / 1e6),
    metric('counter', 'hotpath_process_uptime_seconds_total', process.uptime()),
  ]
}

function announce(url: string | undefined, supervised: boolean): void {
  const line: ReadyLine = url === undefined ? { ready: true } : { ready: true, url }
  if (supervised) process.stdout.write(`${JSON.stringify(line)}\n`)
  else if (url !== undefined) process.stdout.write(`${url}\n`)
}

function listenForSignals(supervised: boolean, stop: (reason: string) => void): void {
  let firstAtMs: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = performance.now()
    if (firstAtMs !== undefined && nowMs - firstAtMs > SAME_SIGNAL_MS) process.exit(ExitCode.bug)
    firstAtMs ??= nowMs
    stop(signal)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', supervised ? () => {} : onSignal)
  process.on('SIGHUP', supervised ? () => {} : onSignal)
  if (process.platform === 'win32') process.on('SIGBREAK', supervised ? () => {} : onSignal)
}

/** The supervisor holds the other end of standard input and never writes: its end is the supervisor's. */
function stopWithParent(stop: (reason: string) => void): void {
  process.stdin.on('end', () => stop('supervisor ended'))
  process.stdin.on('error', () => stop('supervisor ended'))
  process.stdin.resume()
}

const UNAVAILABLE_CODES = new Set([
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'ENOENT',
  'ENOTDIR',
  'EMFILE',
])

/** The exit code that tells a caller what to do about the error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ConfigError || error instanceof InvalidInputError) return ExitCode.usage
  if (error instanceof BusyError) return ExitCode.busy
  if (error instanceof UnavailableError) return ExitCode.unavailable
  if (error instanceof HotpathError) return ExitCode.bug
  if (error instanceof Error && 'code' in error && UNAVAILABLE_CODES.has(String(error.code)))
    return ExitCode.unavailable
  return ExitCode.bug
}

function stageHelp<E extends ExtraFlags>(definition: StageDefinition<E>): string {
  const flags = describeFlags({ ...COMMON_FLAGS, ...definition.extraFlags })
  return [`hotpath ${definition.name} [flags]`, '', ...flags].join('\n')
}
