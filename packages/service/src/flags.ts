import { parseArgs } from 'node:util'
import type { ConfigProblem } from './config-error.js'
import { CONFIG_KEYS, type Config, type ConfigKey, SETTINGS, type Setting, type Surroundings } from './settings.js'

/** A flag that only one command knows. */
export interface ExtraFlag {
  readonly type: 'boolean' | 'string'
  readonly help: string
  readonly valueName?: string
}
export type ExtraFlags = Readonly<Record<string, ExtraFlag>>
export type ExtraValues<E extends ExtraFlags> = {
  readonly [K in keyof E]: E[K]['type'] extends 'boolean' ? boolean : string | undefined
}

/** Texts that flags gave to a setting. */
export type FlagTexts = ReadonlyMap<ConfigKey, readonly string[]>

export interface ParsedFlags<E extends ExtraFlags> {
  readonly texts: FlagTexts
  readonly configFile: string | undefined
  readonly help: boolean
  readonly extra: ExtraValues<E>
  readonly positionals: readonly string[]
  readonly problems: readonly ConfigProblem[]
}

const NEGATION = 'no-'

function settingOf(key: ConfigKey): Setting<unknown> {
  return SETTINGS[key] as Setting<unknown>
}

/**
 * Reads a command line. Returns what was found and every problem (unknown flags, missing values); never throws.
 * `--flag value` and `--flag=value` are the same; a value that starts with a dash needs the second form.
 */
export function parseFlags<const E extends ExtraFlags>(argv: readonly string[], extraFlags: E): ParsedFlags<E> {
  const options: Record<string, { type: 'boolean' | 'string'; multiple: true; short?: string }> = {
    config: { type: 'string', multiple: true },
    help: { type: 'boolean', multiple: true, short: 'h' },
  }
  const keyOfFlag = new Map<string, ConfigKey>()
  for (const key of CONFIG_KEYS) {
    const { flag, type } = settingOf(key)
    keyOfFlag.set(flag, key)
    options[flag] = { type: type.isSwitch ? 'boolean' : 'string', multiple: true }
  }
  for (const [flag, { type }] of Object.entries(extraFlags)) options[flag] = { type, multiple: true }

  const problems: ConfigProblem[] = []
  const texts = new Map<ConfigKey, string[]>()
  const extra: Record<string, string | boolean | undefined> = {}
  for (const [flag, { type }] of Object.entries(extraFlags)) extra[flag] = type === 'boolean' ? false : undefined
  const positionals: string[] = []
  let configFile: string | undefined
  let help = false

  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName: where, value } = token
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    if (option === undefined) {
      problems.push({ where, message: 'there is no such flag' })
      continue
    }
    if (option.type === 'boolean') {
      if (value !== undefined) problems.push({ where, message: 'takes no value' })
    } else if (value === undefined || (!token.inlineValue && value.startsWith('-') && value !== '-')) {
      problems.push({ where, message: `needs a value${value === undefined ? '' : `; write ${where}=${value}`}` })
      continue
    }
    if (name === 'help') help = true
    else if (name === 'config') configFile = value
    else if (Object.hasOwn(extraFlags, name)) extra[name] = option.type === 'boolean' ? true : value
    else {
      const key = keyOfFlag.get(name)!
      const text = value ?? String(!name.startsWith(NEGATION))
      texts.set(key, settingOf(key).type.list ? [...(texts.get(key) ?? []), text] : [text])
    }
  }
  return { texts, configFile, help, extra: extra as ExtraValues<E>, positionals, problems }
}

/**
 * The flags that give another process the same configuration with `flagsOnly`: every value that is not the default,
 * and always the data directory.
 *
 * @param keys if not all settings are wanted
 */
export function flagsOf(
  config: Config,
  surroundings: Surroundings,
  keys: readonly ConfigKey[] = CONFIG_KEYS,
): string[] {
  const flags: string[] = []
  for (const key of keys) {
    const { flag, type, fallback } = settingOf(key)
    const value: unknown = config[key]
    if (key !== 'dataDir' && JSON.stringify(value) === JSON.stringify(fallback(surroundings))) continue
    if (type.isSwitch) flags.push(`--${flag}`)
    else for (const text of type.toTexts(value)) flags.push(`--${flag}=${text}`)
  }
  return flags
}

/** Lines that explain the flags of all settings and the given ones. */
export function describeFlags(extraFlags: ExtraFlags = {}): string[] {
  const rows: [string, string][] = []
  for (const key of CONFIG_KEYS) {
    const { flag, valueName, help } = settingOf(key)
    rows.push([`--${flag}${valueName === undefined ? '' : ` ${valueName}`}`, help])
  }
  rows.push(['--config FILE', 'read this file (default: $XDG_CONFIG_HOME/hotpath/config.toml)'])
  for (const [flag, { valueName, help }] of Object.entries(extraFlags)) {
    rows.push([`--${flag}${valueName === undefined ? '' : ` ${valueName}`}`, help])
  }
  rows.push(['-h, --help', 'show this'])
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
