import { availableParallelism } from 'node:os'
import { join, win32 } from 'node:path'
import { type DatabaseSetting, databases } from './database-setting.js'
import { LOG_LEVELS } from './logger.js'
import { choice, globs, integer, onOff, optionalPath, path, paths, type ValueType, volumes } from './value-types.js'

/** The four processes, in the order in which they stop: who sends stops before who receives. */
export const STAGE_NAMES = ['scanner', 'journal-watcher', 'gateway', 'index-store'] as const
export type StageName = (typeof STAGE_NAMES)[number]

/** What defaults depend on. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly homeDirectory: string
  readonly platform: NodeJS.Platform
}

export interface Setting<T> {
  readonly type: ValueType<T>
  /** Key in the configuration file, and `HOTPATH_` + this in capitals is the variable. Absent: flag only. */
  readonly key?: string
  /** Without dashes. A switch that is on by default is written `no-…` and turns it off. */
  readonly flag: string
  readonly valueName?: string
  readonly help: string
  fallback(surroundings: Surroundings): T
}

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition
}

/**
 * Where a program keeps what belongs to a user: a directory `hotpath` in the XDG base directory, on Windows in that of the variable
 * (`LOCALAPPDATA`: this machine only, `APPDATA`: goes with the user).
 */
export function userDirectory(surroundings: Surroundings, of: 'data' | 'config'): string {
  const { environment, homeDirectory, platform } = surroundings
  if (platform !== 'win32') {
    const [variable, fallback] = of === 'data' ? ['XDG_DATA_HOME', '.local/share'] : ['XDG_CONFIG_HOME', '.config']
    return join(xdgDirectory(surroundings, variable!, fallback!), 'hotpath')
  }
  const [variable, fallback] = of === 'data' ? ['LOCALAPPDATA', 'Local'] : ['APPDATA', 'Roaming']
  const value = environment[variable!]
  const base = value !== undefined && win32.isAbsolute(value) ? value : win32.join(homeDirectory, 'AppData', fallback!)
  return win32.join(base, 'hotpath')
}

/** An XDG base directory: the variable if it holds an absolute path (the specification says to ignore others). */
function xdgDirectory(surroundings: Surroundings, variable: string, fallback: string): string {
  const value = surroundings.environment[variable]
  return value?.startsWith('/') ? value : join(surroundings.homeDirectory, fallback)
}

/** Every setting there is. Names of flags and keys are a contract: scripts and files of users hold them. */
export const SETTINGS = {
  roots: setting<readonly string[]>({
    type: paths,
    key: 'roots',
    flag: 'root',
    valueName: 'DIR',
    help: 'index this directory tree; may be repeated (default: the home directory, if nothing else is given)',
    fallback: () => [],
  }),
  lists: setting<readonly string[]>({
    type: paths,
    key: 'lists',
    flag: 'list',
    valueName: 'FILE',
    help: 'index the paths in this file list (EFU, CSV or plain text); may be repeated',
    fallback: () => [],
  }),
  images: setting<readonly string[]>({
    type: paths,
    key: 'images',
    flag: 'image',
    valueName: 'FILE',
    help: 'index the NTFS file system in this image of a volume; may be repeated',
    fallback: () => [],
  }),
  volumes: setting<readonly string[]>({
    type: volumes,
    key: 'volumes',
    flag: 'volume',
    valueName: 'DEVICE',
    help: 'index the NTFS file system on this block device, on Windows of this drive (C:); may be repeated',
    fallback: () => [],
  }),
  databases: setting<readonly DatabaseSetting[]>({
    type: databases,
    key: 'database',
    flag: 'database',
    valueName: 'FILE',
    help: 'follow the rows of this SQLite database of another program; may be repeated; more is said of it in [[database]] of the file',
    fallback: () => [],
  }),
  dataDir: setting<string>({
    type: path,
    key: 'data',
    flag: 'data',
    valueName: 'DIR',
    help: 'keep index, logs and token here (default: $XDG_DATA_HOME/hotpath; on Windows %LOCALAPPDATA%\\hotpath)',
    fallback: surroundings => userDirectory(surroundings, 'data'),
  }),
  port: setting<number>({
    type: integer(0, 65535),
    key: 'port',
    flag: 'port',
    valueName: 'N',
    help: 'port of the web page and HTTP interface on 127.0.0.1; 0 takes a free one (default: 7717)',
    fallback: () => 7717,
  }),
  excludes: setting<readonly string[]>({
    type: globs,
    key: 'excludes',
    flag: 'exclude',
    valueName: 'GLOB',
    help: 'leave out what matches; may be repeated',
    fallback: () => [],
  }),
  watch: setting<boolean>({
    type: onOff,
    key: 'watch',
    flag: 'no-watch',
    help: 'do not follow changes',
    fallback: () => true,
  }),
  scan: setting<boolean>({
    type: onOff,
    key: 'scan.enabled',
    flag: 'no-scan',
    help: 'start from what is on disk, read no tree and no list',
    fallback: () => true,
  }),
  fresh: setting<boolean>({
    type: onOff,
    flag: 'fresh',
    help: 'ignore the index on disk and build a new one',
    fallback: () => false,
  }),
  scanThreads: setting<number>({
    type: integer(1, 64),
    key: 'scan.threads',
    flag: 'scan-threads',
    valueName: 'N',
    help: 'threads that read directories (default: number of cores, at most 8)',
    fallback: () => Math.min(8, availableParallelism()),
  }),
  crossDevices: setting<boolean>({
    type: onOff,
    key: 'scan.cross_devices',
    flag: 'cross-devices',
    help: 'descend into other file systems that are mounted below a root',
    fallback: () => false,
  }),
  streams: setting<boolean>({
    type: onOff,
    key: 'scan.streams',
    flag: 'streams',
    help: 'index alternate streams of NTFS volumes as well, as name:stream',
    fallback: () => false,
  }),
  idleVolumes: setting<boolean>({
    type: onOff,
    key: 'scan.idle_volumes',
    flag: 'idle-volumes',
    help: 'read NTFS volumes only while nothing else wants the processor and their disk',
    fallback: () => false,
  }),
  flushRows: setting<number>({
    type: integer(16, 1_000_000),
    key: 'store.flush_rows',
    flag: 'flush-rows',
    valueName: 'N',
    help: 'changed entries held in memory before they are written to a segment (default: 32768)',
    fallback: () => 32_768,
  }),
  sliceRows: setting<number>({
    type: integer(1_000, 16_000_000),
    key: 'store.slice_rows',
    flag: 'slice-rows',
    valueName: 'N',
    help: 'most entries of one segment while a scan is running (default: 500000)',
    fallback: () => 500_000,
  }),
  verifyRate: setting<number>({
    type: integer(0, 1_000_000),
    key: 'verify.rate',
    flag: 'verify-rate',
    valueName: 'N',
    help: 'entries in a second that are compared with the disk while all is up to date; 0: none (default: 100)',
    fallback: () => 100,
  }),
  queryThreads: setting<number>({
    type: integer(1, 64),
    key: 'store.query_threads',
    flag: 'query-threads',
    valueName: 'N',
    help: 'threads that answer queries (default: number of cores less one)',
    fallback: () => Math.max(1, availableParallelism() - 1),
  }),
  hotFormula: setting<'decay' | 'classic'>({
    type: choice('decay', 'classic'),
    key: 'hot.formula',
    flag: 'hot-formula',
    valueName: 'NAME',
    help: 'how opens make an entry hot: decay (recent opens count more) or classic (log1p(count) / (1 + days * 0.01)) (default: decay)',
    fallback: () => 'decay',
  }),
  hotHalfLifeDays: setting<number>({
    type: integer(1, 3650),
    key: 'hot.half_life_days',
    flag: 'hot-half-life',
    valueName: 'DAYS',
    help: 'days in which an open comes to weigh half, with decay (default: 10)',
    fallback: () => 10,
  }),
  openRead: setting<boolean>({
    type: onOff,
    key: 'http.open_read',
    flag: 'open-read',
    help: 'let programs of this machine search over HTTP without the token',
    fallback: () => false,
  }),
  launch: setting<boolean>({
    type: onOff,
    key: 'http.launch',
    flag: 'no-launch',
    help: 'do not let the web page open files with the programs of the desktop',
    fallback: () => true,
  }),
  download: setting<boolean>({
    type: onOff,
    key: 'http.download',
    flag: 'download',
    help: 'let whoever has the token download indexed files of this machine over HTTP',
    fallback: () => false,
  }),
  usersListen: setting<string>({
    type: optionalPath,
    key: 'users.listen',
    flag: 'users-listen',
    valueName: 'PATH',
    help: 'answer searches of other users of this machine on this Unix socket, each with what that user may list; empty: not (default)',
    fallback: () => '',
  }),
  logLevel: setting<(typeof LOG_LEVELS)[number]>({
    type: choice(...LOG_LEVELS),
    key: 'log.level',
    flag: 'log-level',
    valueName: 'LEVEL',
    help: `how much is logged: ${LOG_LEVELS.join(', ')} (default: info)`,
    fallback: () => 'info',
  }),
} as const

type Settings = typeof SETTINGS
export type ConfigKey = keyof Settings

/** Every setting with its value; names as in `SETTINGS`. Paths are absolute. */
export type Config = { readonly [K in ConfigKey]: Settings[K] extends Setting<infer T> ? T : never }

export const CONFIG_KEYS = Object.keys(SETTINGS) as ConfigKey[]

/** Name of the environment variable of a key of the file. */
export function variableName(key: string): string {
  return `HOTPATH_${key.replaceAll('.', '_').toUpperCase()}`
}
