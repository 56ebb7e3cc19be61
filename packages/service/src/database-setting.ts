import { basename, dirname } from 'node:path'
import { path as pathType, type ValueType } from './value-types.js'

/** Where the key of an encrypted database comes from; it is never in the configuration itself. */
export type KeySource =
  | { readonly file: string }
  | { readonly env: string }
  /** A program and its arguments; what it prints is the key. */
  | { readonly command: readonly string[] }

/** A SQLite database of another program whose changes are followed, or several (a glob). */
export interface DatabaseSetting {
  /** Absolute. `*` and `?` stand for parts of one name. */
  readonly path: string
  /** What it is called to consumers. Of a glob: before the name of each file. */
  readonly name: string
  readonly key?: KeySource
  /** Profile of its encryption; without it, those that are known are tried. */
  readonly cipher?: string
  /** Names and globs of the tables that are followed; none: all ordinary ones. */
  readonly tables: readonly string[]
  /** Changes are taken from the audit that triggers of the owner keep, where there is one. */
  readonly audit: boolean
  /** Columns whose text is searched, as `table.column`. */
  readonly text: readonly string[]
}

const KEYS = ['path', 'name', 'key-file', 'key-env', 'key-command', 'cipher', 'tables', 'audit', 'text']
/** Names go into addresses, file names and queries. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63}$/u
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/
const CIPHER = /^[a-z0-9-]{1,32}$/
const NOT_IN_NAMES = /[^\p{L}\p{N}_.-]+/gu

/** Whether a path stands for several files. */
export function isGlob(path: string): boolean {
  return /[*?]/.test(path)
}

/** What a database is called that was given no name: its file without the extension; those of a glob begin with their directory. */
export function databaseName(path: string): string {
  const stem = basename(isGlob(path) ? dirname(path) : path).replace(/(?<=.)\.[^.]*$/, '')
  const clean = stem.replaceAll(NOT_IN_NAMES, '-').replace(/^[.-]+/, '')
  return [...clean].slice(0, 64).join('') || 'database'
}

/** `[[database]]` of the file; a flag is a path, or the same keys as one JSON object. */
export const databases: ValueType<readonly DatabaseSetting[]> = {
  expected: 'a path, or an object with a path',
  fromText(value, base) {
    const raw = value.startsWith('{') ? parsed(value) : { path: value }
    const { setting } = readDatabase(raw, base)
    return setting === undefined ? undefined : [setting]
  },
  fromFile(value, base) {
    if (!Array.isArray(value)) return undefined
    const found = value.map(one => readDatabase(one, base).setting)
    return found.every(one => one !== undefined) ? found : undefined
  },
  toTexts: value => value.map(setting => JSON.stringify(written(setting))),
  // What is wrong is said without the value: somebody may have written a key there.
  explain(value, base) {
    const raws = Array.isArray(value) ? value : [value]
    for (const raw of raws) {
      const text = typeof raw === 'string' ? (raw.startsWith('{') ? parsed(raw) : { path: raw }) : raw
      const { problem } = readDatabase(text, base)
      if (problem !== undefined) return raws.length > 1 ? `table ${raws.indexOf(raw) + 1}: ${problem}` : problem
    }
    return 'expected tables [[database]]'
  },
  list: true,
  isSwitch: false,
}

/** The first name that two of them have. */
export function repeatedName(settings: readonly DatabaseSetting[]): string | undefined {
  const seen = new Set<string>()
  for (const { name } of settings) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

interface Read {
  readonly setting?: DatabaseSetting
  readonly problem?: string
}

function readDatabase(raw: unknown, base: string): Read {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { problem: 'expected a table' }
  const table = raw as Record<string, unknown>
  const unknown = Object.keys(table).find(key => !KEYS.includes(key))
  if (unknown !== undefined)
    return { problem: `there is no key ${JSON.stringify(unknown)}; there are ${KEYS.join(', ')}` }
  const path = pathType.fromFile(table.path, base)
  if (path === undefined) return { problem: 'path: expected a path' }
  if (isGlob(dirname(path))) return { problem: 'path: expected * and ? only in the name of the file' }
  const name = table.name ?? databaseName(path)
  if (typeof name !== 'string' || !NAME.test(name))
    return { problem: 'name: expected letters, digits, _, - and ., at most 64' }
  const key = readKey(table, base)
  if (typeof key === 'string') return { problem: key }
  const { cipher } = table
  if (cipher !== undefined && (typeof cipher !== 'string' || !CIPHER.test(cipher)))
    return { problem: 'cipher: expected the name of a profile' }
  const tables = texts(table.tables)
  if (tables === undefined) return { problem: 'tables: expected a list of names and globs' }
  const { audit = false } = table
  if (typeof audit !== 'boolean') return { problem: 'audit: expected true or false' }
  const text = texts(table.text)
  if (text?.every(column => /^.+\..+$/s.test(column)) !== true)
    return { problem: 'text: expected a list of columns, each as table.column' }
  return {
    setting: {
      path,
      name,
      ...(key === undefined ? {} : { key }),
      ...(cipher === undefined ? {} : { cipher }),
      tables,
      audit,
      text,
    },
  }
}

/** A string is what is wrong. */
function readKey(table: Record<string, unknown>, base: string): KeySource | string | undefined {
  const given = ['key-file', 'key-env', 'key-command'].filter(key => table[key] !== undefined)
  if (given.length > 1) return `${given.join(' and ')}: expected one of them`
  if (table['key-file'] !== undefined) {
    const file = pathType.fromFile(table['key-file'], base)
    return file === undefined ? 'key-file: expected a path' : { file }
  }
  if (table['key-env'] !== undefined) {
    const env = table['key-env']
    if (typeof env === 'string' && VARIABLE.test(env)) return { env }
    return 'key-env: expected the name of a variable'
  }
  if (table['key-command'] !== undefined) {
    const command = texts(table['key-command'])
    if (command === undefined || command.length === 0)
      return 'key-command: expected a list: a program and its arguments'
    return { command }
  }
  return undefined
}

/** As `readDatabase` takes it. */
function written({ path, name, key, cipher, tables, audit, text }: DatabaseSetting): Record<string, unknown> {
  return {
    path,
    name,
    ...(key !== undefined && 'file' in key ? { 'key-file': key.file } : {}),
    ...(key !== undefined && 'env' in key ? { 'key-env': key.env } : {}),
    ...(key !== undefined && 'command' in key ? { 'key-command': key.command } : {}),
    ...(cipher === undefined ? {} : { cipher }),
    ...(tables.length === 0 ? {} : { tables }),
    ...(audit ? { audit } : {}),
    ...(text.length === 0 ? {} : { text }),
  }
}

function texts(value: unknown): string[] | undefined {
  if (value === undefined) return []
  if (!Array.isArray(value)) return undefined
  return value.every(one => typeof one === 'string' && one !== '' && !one.includes('\0')) ? value : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
