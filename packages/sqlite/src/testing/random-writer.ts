import { isUtf8 } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SqlValue } from '@hotpath/model'
import { type TableInfo, type TableShape, tableShape } from '../table-shape.js'

export interface WriterSettings {
  readonly seed: number
  readonly pageSize: number
  readonly encoding: 'UTF-8' | 'UTF-16le' | 'UTF-16be'
  /** 0 none, 1 full, 2 incremental. */
  readonly autoVacuum: number
  readonly secureDelete: number
  /** In each table at the start. */
  readonly rows: number
  readonly commits: number
}

/** A table as SQL sees it: the same object as long as nothing of it changes. */
export interface SeenTable {
  readonly shape: TableShape
  /** Values by key; see `keyText`. */
  readonly rows: ReadonlyMap<string, readonly SqlValue[]>
}

/** What SQL sees after a transaction. */
export interface SeenState {
  /** The last frame of the log. */
  readonly frame: number
  readonly what: string
  readonly tables: readonly SeenTable[]
}

type ShownValue = null | readonly [kind: 'i' | 'r' | 't' | 'b', text: string]

interface ShownTable {
  readonly info: TableInfo
  readonly rows: readonly (readonly [rowid: string | null, ...values: ShownValue[]])[]
}

interface ShownState {
  readonly frame: number
  readonly what: string
  readonly tables: readonly (ShownTable | { readonly name: string })[]
}

const SCRIPT = fileURLToPath(new URL('../../src/testing/random-writer.py', import.meta.url))

/** Has Python write random transactions into `directory`: `data.db` and its log. */
export function* writeRandomly(directory: string, settings: WriterSettings): Generator<SeenState> {
  const { status, stdout, stderr } = spawnSync('python3', [SCRIPT, directory, JSON.stringify(settings)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  if (status !== 0) throw new Error(`the writer of seed ${settings.seed} failed: ${stderr}`)
  let seen: readonly SeenTable[] = []
  for (const line of stdout.trimEnd().split('\n')) {
    const { frame, what, tables }: ShownState = JSON.parse(line)
    seen = tables.map(table =>
      'name' in table ? seen.find(({ shape }) => shape.name === table.name)! : seenTable(table),
    )
    yield { frame, what, tables: seen }
  }
}

/** A key as a text that is the same for the same key only. */
export function keyText(key: bigint | readonly SqlValue[]): string {
  return typeof key === 'bigint' ? `${key}` : key.map(valueText).join(' ')
}

/** A value as a text that is the same for the same value only. */
export function valueText(value: SqlValue): string {
  if (value === null) return 'null'
  if (typeof value === 'bigint') return `i${value}`
  if (typeof value === 'number') return `r${Object.is(value, -0) ? '-0' : value}`
  if (typeof value === 'string') return `t${Buffer.from(value).toString('hex')}`
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('hex')}`
  return `t${Buffer.from(value.invalidText).toString('hex')}`
}

function seenTable({ info, rows: shown }: ShownTable): SeenTable {
  const shape = tableShape(info)
  const rows = new Map<string, readonly SqlValue[]>()
  for (const [rowid, ...rest] of shown) {
    const values = rest.map(valueShown)
    const key = rowid === null ? shape.primaryKey.map(index => values[index]!) : BigInt(rowid)
    rows.set(keyText(key), values)
  }
  return { shape, rows }
}

function valueShown(shown: ShownValue): SqlValue {
  if (shown === null) return null
  const [kind, text] = shown
  if (kind === 'i') return BigInt(text)
  const bytes = Buffer.from(text, 'hex')
  if (kind === 'r') return bytes.readDoubleBE()
  if (kind === 'b') return new Uint8Array(bytes)
  return isUtf8(bytes) ? bytes.toString('utf8') : { invalidText: bytes }
}
