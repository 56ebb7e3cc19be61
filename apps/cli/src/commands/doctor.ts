import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { platform } from 'node:os'
import { join } from 'node:path'
import { foreignProblem, nativeProblem } from '@hotpath/platform'
import { DealerPeer, type SocketName, socketEndpoints, TRANSPORT } from '@hotpath/protocol'
import { type Config, escapeForTerminal, stageDirectories } from '@hotpath/service'
import { type CommandContext, CommandExit, type DataFlags } from '../context.js'
import type { Finding } from './finding.js'
import { verifyHotRecords } from './inspect-hot.js'
import { IndexInspector } from './inspect-index.js'
import { checkWatching } from './inspect-watching.js'

export interface DoctorFlags extends DataFlags {
  readonly sizes?: boolean
  readonly verify?: boolean
}

/** Less room than this on the disk of the index will soon stop it: the logs alone may take 80 MiB. */
const LEAST_FREE_BYTES = 256 * 1024 * 1024
const HEALTH_TIMEOUT_MS = 2_000

const isWindows = platform() === 'win32'

/**
 * `hotpath doctor`: looks at what hotpath needs and what it has, whether it runs or not. Returns 0 if nothing is wrong,
 * 1 if something is.
 */
export async function doctor(flags: DoctorFlags, context: CommandContext): Promise<number> {
  const config = await context.configure(flags.data)
  const findings = [
    checkNative(),
    ...checkDataDirectory(config.dataDir),
    ...(isWindows ? [NOT_WATCHED] : checkWatching(followedDirectories(config.dataDir))),
    ...(await checkProcesses(config)),
    ...(flags.verify ? [...verifyIndex(config.dataDir), ...verifyHotRecords(join(config.dataDir, 'hot.db'))] : []),
  ]
  const signs = { good: 'ok  ', note: 'note', bad: 'BAD ' }
  for (const { state, what, detail } of findings) {
    context.out.write(`${signs[state]}  ${escapeForTerminal(`${what}: ${detail}`)}\n`)
  }
  if (flags.sizes) context.out.write(describeSizes(config.dataDir))
  return findings.some(({ state }) => state === 'bad') ? CommandExit.nothingFound : CommandExit.found
}

const NOT_WATCHED: Finding = {
  state: 'note',
  what: 'changes of directory trees',
  detail: 'are not followed on Windows; `hotpath rescan` reads them again',
}

function verifyIndex(dataDir: string): Finding[] {
  const directory = indexDirectory(dataDir)
  if (directory === undefined) return [{ state: 'note', what: 'index', detail: 'there is none yet' }]
  return new IndexInspector(directory).verify()
}

/** A table of what takes how much: bytes, and bytes for each entry. */
function describeSizes(dataDir: string): string {
  const directory = indexDirectory(dataDir)
  if (directory === undefined) return 'there is no index yet\n'
  const { entries, parts } = new IndexInspector(directory).sizes()
  const total = { part: 'all files', bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) }
  const width = Math.max(...parts.map(({ part }) => part.length), total.part.length)
  const rows = [...parts, total].map(({ part, bytes }) => {
    const each = entries > 0 ? (bytes / entries).toFixed(2) : ''
    return `${part.padEnd(width)}  ${bytes.toLocaleString('en-US').padStart(16)}  ${each.padStart(8)}`
  })
  const head = `${'part'.padEnd(width)}  ${'bytes'.padStart(16)}  ${'an entry'.padStart(8)}`
  return `\n${entries.toLocaleString('en-US')} entries in segments\n${[head, ...rows].join('\n')}\n`
}

function followedDirectories(dataDir: string): number {
  const directory = indexDirectory(dataDir)
  return directory === undefined ? 0 : new IndexInspector(directory).sizes().followedDirectories
}

function indexDirectory(dataDir: string): string | undefined {
  const directory = join(dataDir, 'index')
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() ? directory : undefined
}

function checkNative(): Finding {
  const problem = isWindows ? foreignProblem() : nativeProblem()
  const what = 'native calls'
  if (problem === null) return { state: 'good', what, detail: 'koffi works' }
  return { state: 'bad', what, detail: problem.message }
}

function checkDataDirectory(dataDir: string): Finding[] {
  const what = `data directory ${JSON.stringify(dataDir)}`
  const stat = statSync(dataDir, { throwIfNoEntry: false })
  if (stat === undefined) return [{ state: 'note', what, detail: 'does not exist yet' }]
  if (!stat.isDirectory()) return [{ state: 'bad', what, detail: 'is no directory' }]
  const mode = (stat.mode & 0o777).toString(8)
  const isPrivate = (stat.mode & 0o077) === 0
  const { bavail, bsize } = statfsSync(dataDir)
  const freeBytes = bavail * bsize
  const rights: Finding = isWindows
    ? { state: 'note', what, detail: 'taken from other users at each start' }
    : { state: isPrivate ? 'good' : 'bad', what, detail: `mode ${mode}${isPrivate ? '' : ': others can read it'}` }
  return [
    rights,
    {
      state: freeBytes < LEAST_FREE_BYTES ? 'bad' : 'good',
      what: 'room on its disk',
      detail: `${(freeBytes / 1e9).toFixed(1)} GB`,
    },
  ]
}

/** Control sockets, and the locks of their owners. */
const LOCK_FILES = {
  'supervisor-control': 'supervisor.lock',
  'scanner-control': 'scanner.lock',
  'watcher-control': 'journal-watcher.lock',
  'store-control': 'index-store.lock',
  'gateway-control': 'gateway.lock',
} as const satisfies Partial<Record<SocketName, string>>

const CONTROL_SOCKETS = Object.keys(LOCK_FILES) as (keyof typeof LOCK_FILES)[]

async function checkProcesses(config: Config): Promise<Finding[]> {
  const { runtime, locks } = stageDirectories(config.dataDir)
  const isSupervised = isHeld(join(locks, 'supervisor.lock'))
  const runs = new Set(
    CONTROL_SOCKETS.filter(socket =>
      TRANSPORT === 'ipc' ? existsSync(join(runtime, `${socket}.sock`)) : isHeld(join(locks, LOCK_FILES[socket])),
    ),
  )
  // Keys are made by who runs.
  const endpoints = runs.size > 0 ? socketEndpoints(runtime) : undefined
  return Promise.all(
    CONTROL_SOCKETS.map(socket =>
      checkProcess(socket, runs.has(socket) ? endpoints?.[socket] : undefined, isSupervised),
    ),
  )
}

/** The owner writes its process id into the lock and takes it out again; a dead one leaves it. */
function isHeld(lockFile: string): boolean {
  try {
    const pid = Number(readFileSync(lockFile, 'latin1'))
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** @param endpoint undefined: it does not run */
async function checkProcess(socket: SocketName, endpoint: string | undefined, isSupervised: boolean): Promise<Finding> {
  const what = socket.replace('-control', '')
  if (endpoint === undefined) {
    // A system that does not follow changes has no watcher.
    const isNeeded = isSupervised && socket !== 'watcher-control'
    return { state: isNeeded ? 'bad' : 'note', what, detail: 'does not run' }
  }
  const instance = `doctor-${randomBytes(8).toString('hex')}`
  const peer = new DealerPeer({ endpoint, identity: { stage: 'client', instance, pid: process.pid } })
  peer.start()
  try {
    const { state, pid, uptimeMs, checks } = await peer.request('healthRequest', {}, { timeoutMs: HEALTH_TIMEOUT_MS })
    const wrong = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
    const detail = [`${state}, process ${pid}, up ${Math.round(uptimeMs / 1000)} s`, ...wrong].join('; ')
    return { state: wrong.length > 0 ? 'bad' : 'good', what, detail }
  } catch (error) {
    return { state: 'bad', what, detail: error instanceof Error ? error.message : String(error) }
  } finally {
    await peer.stop()
  }
}
