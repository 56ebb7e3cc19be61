import { join } from 'node:path'
import { BusyError, HotpathError, InvalidInputError, UnavailableError } from '@hotpath/model'
import { acquireLock, type FileLock } from '@hotpath/platform'
import { resolveConfig } from './config.js'
import { ConfigError } from './config-error.js'
import { makeStageDirectories, type StageDirectories, stageDirectories } from './directories.js'
import { ExitCode } from './exit-codes.js'
import { describeFlags, type ExtraFlags, type ExtraValues, parseFlags } from './flags.js'
import { createLogger, type Logger } from './logger.js'
import type { Config, StageName } from './settings.js'

/**
 * How a stage is started, by the supervisor or by hand:
 *
 *     node apps/NAME/dist/main.js --data DIR [flags of settings] [--supervised] [own flags]
 *
 * - `main.ts` holds nothing but `await runStage({ name, start, … })`.
 * - Every stage accepts every flag of `SETTINGS`, so that one command line can be given to any of them; the
 *   supervisor passes every value that is not the default.
 * - With `--supervised` it reads no variables and no file (the flags hold the values of all), stops when its standard
 *   input ends (its parent has died), ignores SIGINT and SIGHUP (a terminal sends them to everyone; the supervisor
 *   decides who stops when), and says on standard output that it is ready, as one line of JSON (`ReadyLine`).
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
  readonly log: Logger
  /** Aborted when the stage begins to stop. */
  readonly signal: AbortSignal
  /** Ends the process with an exit code that fits the error, after stopping what runs. For what nobody awaits. */
  fail(error: unknown): void
}

export interface RunningStage {
  /** Ends everything that the stage started: sockets, threads, timers, files. Called once. */
  stop(): Promise<void>
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
  const directories = stageDirectories(config.dataDir)
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
  process.on('uncaughtException', error => {
    log.error('uncaught error', { error })
    // Nothing is known about the state now; what was acknowledged is on disk.
    process.exit(ExitCode.bug)
  })
  listenForSignals(supervised, stopAsked)
  if (supervised) stopWithParent(stopAsked)

  let running: RunningStage | undefined
  let lock: FileLock | undefined
  try {
    makeStageDirectories(directories)
    if (definition.exclusive?.(extra) ?? true) lock = acquireLock(join(directories.locks, `${name}.lock`))
    running = await definition.start({
      name,
      config,
      extra,
      supervised,
      directories,
      log,
      signal: controller.signal,
      fail,
    })
    running.finished?.then(() => stopAsked('finished'), fail)
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
  controller.abort()
  try {
    await running?.stop()
  } catch (error) {
    fail(error)
  }
  lock?.release()
  clearTimeout(deadline)
  log.info('stopped', { exitCode })
  process.exit(exitCode)
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
