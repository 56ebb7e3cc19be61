import { existsSync } from 'node:fs'
import { homedir, platform } from 'node:os'
import { join } from 'node:path'
import {
  type ConfigKey,
  flagsOf,
  type ResolvedConfig,
  readStartFlags,
  resolveConfig,
  SETTINGS,
  type Surroundings,
} from '@hotpath/service'

/** How a system is started that a command needs. */
export interface StartPlan {
  readonly flags: readonly string[]
  /** What it indexes, for people. */
  readonly sources: string
}

/** Why it is not started. */
export interface NoStart {
  readonly reason: string
}

const SOURCES = ['roots', 'lists', 'images', 'volumes'] as const satisfies readonly ConfigKey[]

/**
 * What `hotpath start` would be told for this data directory: what the configuration names, or what it was told the last time. The home
 * directory, which is the default, is indexed unasked only with the default data directory: there it is what `hotpath start` alone does.
 */
export async function planStart(dataDir: string, surroundings = currentSurroundings()): Promise<StartPlan | NoStart> {
  const resolved = await resolveConfig({ flags: new Map([['dataDir', [dataDir]]]), ...surroundings })
  const last = readStartFlags(dataDir)
  if (namesSources(resolved) || (last === undefined && dataDir === SETTINGS.dataDir.fallback(surroundings))) {
    return { flags: flagsOf(resolved.config, surroundings), sources: describeSources(resolved) }
  }
  if (last !== undefined) {
    const shown = last.flatMap(flag => /^--(?:root|list|image|volume)=(.*)$/s.exec(flag)?.[1] ?? [])
    const sources = shown.length > 0 ? shown.join(', ') : surroundings.homeDirectory
    return { flags: [...last.filter(flag => !flag.startsWith('--data=')), `--data=${dataDir}`], sources }
  }
  const hint = existsSync(join(dataDir, 'index')) ? 'its index does not say what it was made of; ' : ''
  return { reason: `${hint}start it with \`hotpath start --data ${dataDir} --root DIR\`` }
}

function currentSurroundings(): Surroundings {
  return { environment: process.env, homeDirectory: homedir(), platform: platform() }
}

function namesSources({ entries }: ResolvedConfig): boolean {
  return entries.some(({ key, origin }) => SOURCES.some(source => source === key) && origin !== 'default')
}

function describeSources({ config }: ResolvedConfig): string {
  return SOURCES.flatMap(key => config[key]).join(', ')
}
