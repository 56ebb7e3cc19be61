import { readFileSync } from 'node:fs'
import { homedir, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ConfigError, type ConfigProblem } from './config-error.js'
import { type DatabaseSetting, repeatedName } from './database-setting.js'
import type { FlagTexts } from './flags.js'
import {
  CONFIG_KEYS,
  type Config,
  type ConfigKey,
  SETTINGS,
  type Setting,
  type Surroundings,
  userDirectory,
  variableName,
} from './settings.js'
import { splitVariable } from './value-types.js'

export type Origin = 'flag' | 'environment' | 'file' | 'default'

/** A value and where it came from. `source` is what to look for there: `--port`, `HOTPATH_PORT`, a file and key. */
export interface ConfigEntry {
  readonly key: ConfigKey
  readonly value: unknown
  readonly origin: Origin
  readonly source: string
}

export interface ResolvedConfig {
  readonly config: Config
  readonly entries: readonly ConfigEntry[]
  /** The configuration file, if there is one. */
  readonly file: string | undefined
}

export interface ConfigSources extends Partial<Surroundings> {
  readonly flags?: FlagTexts
  /** Named by `--config`; must exist. Else the usual place is tried. */
  readonly configFile?: string | undefined
  /** Leaves out variables and file: the flags come from a process that has read them. */
  readonly flagsOnly?: boolean
  /** Relative paths of flags and variables start here. */
  readonly workingDirectory?: string
  /** Problems found earlier (in flags), to be reported along with others. */
  readonly problems?: readonly ConfigProblem[]
}

/**
 * Returns the value of every setting: flags before variables before the file before defaults.
 * Throws ConfigError with every problem found in any of them, unknown keys and variables included.
 */
export async function resolveConfig(sources: ConfigSources = {}): Promise<ResolvedConfig> {
  const surroundings: Surroundings = {
    environment: sources.environment ?? process.env,
    homeDirectory: sources.homeDirectory ?? homedir(),
    platform: sources.platform ?? platform(),
  }
  const workingDirectory = sources.workingDirectory ?? process.cwd()
  const problems: ConfigProblem[] = [...(sources.problems ?? [])]
  const variables = sources.flagsOnly ? {} : surroundings.environment
  const file = sources.flagsOnly
    ? undefined
    : await readConfigFile(sources.configFile, surroundings, workingDirectory, problems)
  reportUnknown(variables, file, problems)

  const entries: ConfigEntry[] = []
  for (const key of CONFIG_KEYS) {
    const setting = SETTINGS[key] as Setting<unknown>
    entries.push(
      fromFlags(key, setting, sources.flags, workingDirectory, problems) ??
        fromVariable(key, setting, variables, workingDirectory, problems) ??
        fromFile(key, setting, file, problems) ?? {
          key,
          value: setting.fallback(surroundings),
          origin: 'default',
          source: 'default',
        },
    )
  }
  checkNames(entries, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return finish(entries, surroundings, file?.path)
}

/** Consumers know databases by their names. */
function checkNames(entries: readonly ConfigEntry[], problems: ConfigProblem[]): void {
  const entry = entries.find(({ key }) => key === 'databases')
  const values = entry?.value as readonly (DatabaseSetting | undefined)[] | undefined
  const name = repeatedName((values ?? []).filter(value => value !== undefined))
  if (name === undefined) return
  problems.push({ where: entry!.source, message: `two databases are called ${quote(name)}: give one another name` })
}

/** The home directory is indexed unless anything else is named. */
function finish(entries: ConfigEntry[], surroundings: Surroundings, file: string | undefined): ResolvedConfig {
  const config = Object.fromEntries(entries.map(({ key, value }) => [key, value])) as Config
  const sources = [config.roots, config.lists, config.images, config.volumes]
  if (sources.some(paths => paths.length > 0)) return { config, entries, file }
  const roots = [surroundings.homeDirectory]
  const withHome = entries.map(entry => (entry.key === 'roots' ? { ...entry, value: roots } : entry))
  return { config: { ...config, roots }, entries: withHome, file }
}

function fromFlags(
  key: ConfigKey,
  { flag, type }: Setting<unknown>,
  flags: FlagTexts | undefined,
  base: string,
  problems: ConfigProblem[],
): ConfigEntry | undefined {
  const texts = flags?.get(key)
  if (texts === undefined) return undefined
  const source = `--${flag}`
  return { key, value: readTexts(type, texts, base, source, problems), origin: 'flag', source }
}

function fromVariable(
  key: ConfigKey,
  { key: fileKey, type }: Setting<unknown>,
  variables: Surroundings['environment'],
  base: string,
  problems: ConfigProblem[],
): ConfigEntry | undefined {
  if (fileKey === undefined) return undefined
  const source = variableName(fileKey)
  const text = variables[source]
  if (text === undefined || text === '') return undefined
  const texts = type.list ? splitVariable(text) : [text]
  return { key, value: readTexts(type, texts, base, source, problems), origin: 'environment', source }
}

function readTexts(
  type: Setting<unknown>['type'],
  texts: readonly string[],
  base: string,
  where: string,
  problems: ConfigProblem[],
): unknown {
  const values = texts.map(text => {
    const value = type.fromText(text, base)
    if (value === undefined) problems.push({ where, message: problemOf(type, text, base) })
    return value
  })
  return type.list ? values.flat() : values.at(-1)
}

function problemOf(type: Setting<unknown>['type'], found: unknown, base: string): string {
  return type.explain?.(found, base) ?? `expected ${type.expected}, found ${quote(found)}`
}

interface ConfigFile {
  readonly path: string
  readonly values: ReadonlyMap<string, unknown>
}

function fromFile(
  key: ConfigKey,
  { key: fileKey, type }: Setting<unknown>,
  file: ConfigFile | undefined,
  problems: ConfigProblem[],
): ConfigEntry | undefined {
  if (fileKey === undefined || !file?.values.has(fileKey)) return undefined
  const source = `${file.path}: ${fileKey}`
  const raw = file.values.get(fileKey)
  const base = dirname(file.path)
  const value = type.fromFile(raw, base)
  if (value === undefined) problems.push({ where: source, message: problemOf(type, raw, base) })
  return { key, value, origin: 'file', source }
}

/** Where the configuration file is looked for if no flag names it. */
export function defaultConfigFile(surroundings: Surroundings): string {
  return join(userDirectory(surroundings, 'config'), 'config.toml')
}

async function readConfigFile(
  named: string | undefined,
  surroundings: Surroundings,
  workingDirectory: string,
  problems: ConfigProblem[],
): Promise<ConfigFile | undefined> {
  const path = named === undefined ? defaultConfigFile(surroundings) : resolve(workingDirectory, named)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    if (named !== undefined || !missing) problems.push({ where: path, message: `cannot be read: ${messageOf(error)}` })
    return undefined
  }
  // Most starts have no file, and the parser takes 13 ms to load.
  const { parse } = await import('smol-toml')
  try {
    return { path, values: flatten(parse(text)) }
  } catch (error) {
    problems.push({ where: path, message: messageOf(error) })
    return undefined
  }
}

/** `{ scan: { threads: 2 } }` becomes `scan.threads` → 2. */
function flatten(table: Record<string, unknown>, prefix = ''): Map<string, unknown> {
  const values = new Map<string, unknown>()
  for (const [name, value] of Object.entries(table)) {
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
    if (!isTable) values.set(prefix + name, value)
    else for (const [key, inner] of flatten({ ...value }, `${prefix}${name}.`)) values.set(key, inner)
  }
  return values
}

/** Keeps commands from starting a system where none runs. No setting: a system that is started knows nothing of it. */
export const NO_START_VARIABLE = 'HOTPATH_NO_START'

/** A misspelt key or variable is an error: a setting that silently does nothing is worse. */
function reportUnknown(
  environment: Surroundings['environment'],
  file: ConfigFile | undefined,
  problems: ConfigProblem[],
): void {
  const keys = new Set<string>()
  for (const key of CONFIG_KEYS) {
    const { key: fileKey } = SETTINGS[key] as Setting<unknown>
    if (fileKey !== undefined) keys.add(fileKey)
  }
  for (const key of file?.values.keys() ?? []) {
    if (!keys.has(key)) problems.push({ where: `${file!.path}: ${key}`, message: 'there is no such key' })
  }
  const variables = new Set([...keys].map(variableName))
  for (const name of Object.keys(environment)) {
    if (name.startsWith('HOTPATH_') && !variables.has(name) && name !== NO_START_VARIABLE) {
      problems.push({ where: name, message: 'there is no such variable' })
    }
  }
}

function quote(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
