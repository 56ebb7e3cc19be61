import { closeSync, existsSync, statSync } from 'node:fs'
import { homedir, platform } from 'node:os'
import { join } from 'node:path'
import { BusyError } from '@hotpath/model'
import { acquireLock, restrictToUser, volumeNameOf } from '@hotpath/platform'
import {
  type Config,
  ConfigError,
  type ConfigProblem,
  createLogger,
  describeFlags,
  ExitCode,
  exitCodeOf,
  flagsOf,
  type Logger,
  makeStageDirectories,
  parseFlags,
  type ResolvedConfig,
  removeSockets,
  resolveConfig,
  stageDirectories,
  writeStartFlags,
} from '@hotpath/service'
import { Console, formatLogLine, type TextSink } from './console.js'
import { keepCapabilitiesToOurselves, openInheritance } from './inheritance.js'
import { LogFile } from './log-file.js'
import { ServiceNotifier } from './service-notifier.js'
import type { StageSpec } from './stage-process.js'
import { becomeStageUser, parseStageUser, takeEnvironmentOf } from './stage-user.js'
import { stageGroups, type WatcherInheritance } from './stages.js'
import { START_FLAGS } from './start-flags.js'
import { describeExit, Supervisor } from './supervisor.js'
import type { SystemLink, SystemLinkOptions } from './system-link.js'

/** Where a person is. */
export interface Surface {
  /** Takes the URL and nothing else. */
  readonly out: TextSink
  /** Takes everything else. */
  readonly err: TextSink
}

/** Often enough to find a hang within a minute or so, and seldom enough to let an idle machine sleep. */
const PING_EVERY_MS = 15_000
/**
 * Longer than the longest pause of a healthy event loop: mapping and checking a large index, or a machine that has no
 * processor left for us.
 */
const LOST_AFTER_MS = 45_000
/** For the first answers, which wait when processes start beside them: 1,040 ms after the start instead of 910. */
const REST_MS = 500
/** A second Ctrl-C within this time is the same one: npm passes on what the terminal has sent already. */
const SAME_SIGNAL_MS = 1_000

/**
 * Starts the whole system with the given flags and keeps it running until SIGINT, SIGTERM or SIGHUP. Returns the exit
 * code: 0 when stopped as asked, 75 when a system with the same data directory runs already.
 */
export async function startSystem(
  argv: readonly string[],
  surface: Surface = { out: process.stdout, err: process.stderr },
  groupsOf: (config: Config, inheritance: WatcherInheritance | undefined) => StageSpec[][] = stageGroups,
): Promise<ExitCode> {
  process.umask(0o077)
  const console = new Console(surface.err)
  try {
    const flags = parseFlags(argv, START_FLAGS)
    if (flags.help) {
      surface.out.write(`${['hotpath start [flags]', '', ...describeFlags(START_FLAGS)].join('\n')}\n`)
      return ExitCode.ok
    }
    const { user: userText, 'keep-capabilities': keepsCapabilities } = flags.extra
    const user = userText === undefined ? undefined : parseStageUser(userText)
    if (user !== undefined && keepsCapabilities)
      throw new ConfigError([
        { where: '--keep-capabilities', message: 'not together with --user: its stages have none' },
      ])
    if (user !== undefined) takeEnvironmentOf(user)
    const unexpected = flags.positionals.map(where => ({ where, message: 'is not a flag' }))
    const resolved = await resolveConfig({
      flags: flags.texts,
      configFile: flags.configFile,
      problems: [...flags.problems, ...unexpected],
    })
    if (user !== undefined) becomeStageUser(user, resolved.config.dataDir)
    checkSources(resolved)
    const stagesMayMark = keepsCapabilities || process.getuid?.() === 0
    if (!stagesMayMark) keepCapabilitiesToOurselves()
    return await runSystem(resolved.config, { surface, console, groupsOf, stagesMayMark })
  } catch (error) {
    console.endProgress()
    const message = error instanceof Error ? error.message : String(error)
    console.line(error instanceof BusyError ? `hotpath is running already: ${message}` : `hotpath: ${message}`)
    return exitCodeOf(error)
  }
}

/** What a person named must be there now; what vanishes later is the scanner's business. */
function checkSources({ config, entries }: ResolvedConfig): void {
  if (!config.scan) return
  const problems: ConfigProblem[] = []
  const check = (key: 'roots' | 'lists' | 'images' | 'volumes', paths: readonly string[], isDirectory: boolean) => {
    const where = entries.find(entry => entry.key === key)?.source ?? key
    for (const path of paths) {
      // A drive of Windows is no path that has a kind: the scanner says whether it can be opened.
      if (platform() === 'win32' && volumeNameOf(path) !== undefined) continue
      const stat = statSync(path, { throwIfNoEntry: false })
      const what = isDirectory ? 'directory' : 'file'
      if (stat === undefined) problems.push({ where, message: `${JSON.stringify(path)} does not exist` })
      else if (stat.isDirectory() !== isDirectory)
        problems.push({ where, message: `${JSON.stringify(path)} is no ${what}` })
    }
  }
  check('roots', config.roots, true)
  check('lists', config.lists, false)
  check('images', config.images, false)
  check('volumes', config.volumes, false)
  if (problems.length > 0) throw new ConfigError(problems)
}

interface Run {
  readonly surface: Surface
  readonly console: Console
  readonly groupsOf: (config: Config, inheritance: WatcherInheritance | undefined) => StageSpec[][]
  /** They have the privileges that we have. */
  readonly stagesMayMark: boolean
}

async function runSystem(config: Config, { surface, console, groupsOf, stagesMayMark }: Run): Promise<ExitCode> {
  const directories = stageDirectories(config.dataDir)
  makeStageDirectories(directories, restrictToUser)
  const lock = acquireLock(join(directories.locks, 'supervisor.lock'))
  if (platform() === 'win32') await (await import('@hotpath/protocol')).settlePorts(directories.runtime)
  const logFile = new LogFile(directories.logs, 'supervisor')
  const log = createLogger({
    level: config.logLevel,
    stage: 'supervisor',
    write: line => logFile.write(line.trimEnd()),
  })
  keepStart(config, log)
  // What runs by itself shows what is wrong; the rest is in the files.
  const shownFrom = config.logLevel === 'info' ? 'warn' : config.logLevel
  let shownUrl: string | undefined
  const stop = new AbortController()
  const inheritance = config.watch ? openInheritance(log, stagesMayMark ? undefined : config) : undefined
  let link: SystemLink | undefined
  const notifier = ServiceNotifier.take(process.env, log)

  const supervisor = new Supervisor({
    groups: groupsOf(config, inheritance),
    restMs: hasIndex(config) ? REST_MS : 0,
    heartbeat: {
      everyMs: PING_EVERY_MS,
      lostAfterMs: LOST_AFTER_MS,
      ping: (stage, signal) => link?.ping(stage, signal) ?? Promise.resolve(),
    },
    logDirectory: directories.logs,
    log,
    events: {
      onLog(stage, line) {
        // While all stop, each loses its peers: that is no news.
        const text = formatLogLine(stage, line, stop.signal.aborted ? 'error' : shownFrom)
        if (text !== undefined) console.line(text)
      },
      onReady(stage, url) {
        log.info('stage ready', { name: stage })
        // The gateway listens when it says so, and answers from then on, with what there is.
        if (stage === 'gateway') notifier.ready(() => supervisor.isHealthy)
        if (url === undefined || url === shownUrl) return
        shownUrl = url
        surface.out.write(`${url}\n`)
      },
      onRestart(stage, exit, delayMs) {
        console.line(`[${stage}] ${describeExit(exit)}; starting it again in ${delayMs} ms`)
      },
    },
  })

  const unlisten = listenForSignals(signal => {
    log.info('stopping', { signal })
    console.endProgress()
    console.line('stopping …')
    stop.abort()
  }, supervisor)
  stop.signal.addEventListener('abort', () => notifier.stopping(), { once: true })
  const running = supervisor.run(stop.signal)
  const linked = supervisor.answering
    .then(() =>
      openLink({
        runtimeDir: directories.runtime,
        supervisor,
        log,
        stopping: stop.signal,
        onShutdown(reason) {
          log.info('stopping', { reason })
          stop.abort()
        },
      }),
    )
    .then(opened => {
      link = opened
      return config.scan ? opened.showIndexing(console, stop.signal, text => notifier.status(text)) : undefined
    })
  linked.catch(error => {
    console.line(`hotpath: ${error instanceof Error ? error.message : String(error)}`)
    stop.abort()
  })
  try {
    const { exitCode, failure } = await running
    stop.abort()
    console.endProgress()
    if (failure !== undefined) {
      log.error('gave up', { failure })
      console.line(failure.split('\n').map(shortLogLine).join('\n'))
      console.line(`The logs are in ${JSON.stringify(directories.logs)}.`)
    }
    log.info('stopped', { exitCode })
    await linked
    return exitCode
  } finally {
    await link?.stop()
    notifier.close()
    unlisten()
    if (inheritance !== undefined) {
      closeSync(inheritance.fanotifyFd)
      closeSync(inheritance.journalFd)
    }
    removeSockets(directories.runtime)
    logFile.close()
    lock.release()
  }
}

/** For a command that starts this system again. A disk that takes nothing keeps nobody from searching. */
function keepStart(config: Config, log: Logger): void {
  try {
    const surroundings = { environment: process.env, homeDirectory: homedir(), platform: platform() }
    writeStartFlags(config.dataDir, flagsOf({ ...config, fresh: false }, surroundings))
  } catch (error) {
    log.warn('flags of this start cannot be kept', { error })
  }
}

/** Without one there is nothing to answer from, and nothing to wait for. */
function hasIndex(config: Config): boolean {
  return !config.fresh && existsSync(join(config.dataDir, 'index', 'MANIFEST'))
}

async function openLink(options: SystemLinkOptions): Promise<SystemLink> {
  const { SystemLink } = await import('./system-link.js')
  const link = new SystemLink(options)
  await link.start()
  return link
}

/** Calls `stop` at the first signal, and ends all processes at a second one. Returns the function that undoes it. */
function listenForSignals(stop: (signal: string) => void, supervisor: Supervisor): () => void {
  let firstAtMs: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = performance.now()
    if (firstAtMs === undefined) {
      firstAtMs = nowMs
      stop(signal)
    } else if (nowMs - firstAtMs > SAME_SIGNAL_MS) supervisor.killAll()
  }
  // SIGBREAK is Ctrl-Break in a console, SIGHUP the console that is closed, after which Windows leaves some ten seconds.
  const signals: NodeJS.Signals[] = [
    'SIGINT',
    'SIGTERM',
    'SIGHUP',
    ...(platform() === 'win32' ? ['SIGBREAK' as const] : []),
  ]
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** Log lines in a message for people: readable, and short. */
function shortLogLine(line: string): string {
  const indent = line.startsWith('    ') ? '    ' : ''
  const text = formatLogLine('', line.trim(), 'debug') ?? ''
  return indent === '' ? line : `${indent}${text.replace(/^\[\] /, '').slice(0, 400)}`
}
