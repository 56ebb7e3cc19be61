import type { PythonWriter } from '../../testing/python-writer.js'
import { rowsOf } from '../../testing/replica.js'

/** Steps of one statement, as text; those of a group come in any order. */
export type StepGroup = readonly string[]

const CHECKPOINTS = ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']
const KEYS = 25
const TABLES = {
  t: 'CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v)',
  r: 'CREATE TABLE r(u UNIQUE, v)',
  w: 'CREATE TABLE w(k TEXT COLLATE NOCASE, n INTEGER, u UNIQUE, v, PRIMARY KEY (k, n)) WITHOUT ROWID',
}
type Table = keyof typeof TABLES

/** Changes tables by all that SQL has, and keeps by itself, in the journal, what each statement did. */
export class JournalWriter {
  /** Of all transactions that were committed. */
  readonly journal: StepGroup[] = []
  readonly tables: readonly Table[]
  #writer: PythonWriter
  #open: StepGroup[] = []
  #next = 1

  /** @param vacuums then no table is without a key of its own: VACUUM gives its rows other rowids */
  constructor(
    private readonly path: string,
    private readonly startWriter: () => PythonWriter,
    private readonly random: () => number,
    private readonly vacuums: boolean,
  ) {
    this.#writer = startWriter()
    this.tables = vacuums ? ['t', 'w'] : ['t', 'r', 'w']
  }

  get writer(): PythonWriter {
    return this.#writer
  }

  async create(mode: string): Promise<void> {
    await this.#connect()
    await this.#writer.run(`PRAGMA journal_mode = ${mode}`)
    for (const table of this.tables) await this.#writer.run(TABLES[table])
  }

  /** One transaction, or something that changes no row. */
  async step(): Promise<string> {
    const dice = this.#below(20)
    if (dice === 0) return this.#run(`PRAGMA wal_checkpoint(${CHECKPOINTS[this.#below(4)]})`)
    if (dice === 1) return this.#kill()
    if (dice === 2 && this.vacuums) return this.#run('VACUUM')
    const count = 1 + this.#below(5)
    await this.#writer.run('BEGIN')
    for (let i = 0; i < count; i++) await this.#change()
    const keeps = this.#below(8) > 0
    await this.#writer.run(keeps ? 'COMMIT' : 'ROLLBACK')
    if (keeps) this.journal.push(...this.#open)
    this.#open = []
    return keeps ? `commit of ${count}` : 'rollback'
  }

  async #change(): Promise<void> {
    const table = this.tables[this.#below(this.tables.length)]!
    const before = rowsByKey(await rowsOf(this.#writer, table))
    const key = this.#below(KEYS)
    const isInsert = this.#below(2) === 0
    const isMany = !isInsert && this.#below(3) === 0
    const [place, assigned] = this.#places(table, key)
    const u = this.#below(3) === 0 ? 'NULL' : `'${this.#below(KEYS)}'`
    const v = `'v${this.#next++}'`
    const columns = { t: 'id, u, v', r: 'rowid, u, v', w: 'k, n, u, v' }[table]
    if (isInsert) {
      const values = { t: key, r: key, w: `'${'abCD'[this.#below(4)]}', ${this.#below(6)}` }[table]
      const how = ['OR REPLACE', 'OR REPLACE', 'OR IGNORE'][this.#below(3)]
      await this.#writer.run(`INSERT ${how} INTO ${table}(${columns}) VALUES (${values}, ${u}, ${v})`)
    } else if (isMany) {
      const range = { t: `id BETWEEN ${key} AND ${key + 4}`, r: `rowid > ${key}`, w: `n = ${key % 6}` }[table]
      await this.#writer.run(
        this.#below(2) === 0 ? `DELETE FROM ${table} WHERE ${range}` : `UPDATE ${table} SET v = ${v} WHERE ${range}`,
      )
    } else {
      const moves = this.#below(2) === 0 ? `${assigned}, ` : ''
      const how = this.#below(2) === 0 ? 'OR REPLACE' : 'OR IGNORE'
      await this.#writer.run(`UPDATE ${how} ${table} SET ${moves}u = ${u}, v = ${v} WHERE ${place}`)
    }
    const after = rowsByKey(await rowsOf(this.#writer, table))
    const target = isInsert ? undefined : (targetOf(table, key, before) ?? '')
    const groups = isMany
      ? groupOfMany(table, before, after)
      : groupsOfOne(table, before, after, target, v.slice(1, -1))
    this.#open.push(...groups.filter(group => group.length > 0))
  }

  /** Where a row is, and what gives it another key. */
  #places(table: Table, key: number): readonly [string, string] {
    const other = this.#below(KEYS)
    if (table === 't') return [`id = ${key}`, `id = ${other}`]
    if (table === 'r') return [`rowid = ${key}`, `rowid = ${other}`]
    const assigned = this.#below(2) === 0 ? `k = '${'aBcd'[key % 4]}'` : `n = ${other % 6}`
    return [`k = '${'abcd'[key % 4]}' AND n = ${key % 6}`, assigned]
  }

  async #kill(): Promise<string> {
    await this.#writer.run('BEGIN')
    for (let i = this.#below(5); i >= 0; i--) await this.#change()
    this.#open = []
    await this.#writer.kill()
    this.#writer = this.startWriter()
    await this.#connect()
    return 'killed in a transaction'
  }

  async #connect(): Promise<void> {
    await this.#writer.open(this.path)
    await this.#writer.run(`PRAGMA wal_autocheckpoint = ${[0, 10, 1000][this.#below(3)]}`)
    await this.#writer.run(`PRAGMA recursive_triggers = ${this.#below(2)}`)
    await this.#writer.run('PRAGMA cache_size = 10')
  }

  async #run(sql: string): Promise<string> {
    await this.#writer.run(sql)
    return sql
  }

  #below(limit: number): number {
    return Math.floor(this.random() * limit)
  }
}

function rowsByKey(rows: readonly string[]): Map<string, string> {
  return new Map(rows.map(row => [row.slice(0, row.indexOf(': ')), row]))
}

/** Key of the row that `#places` means. */
function targetOf(table: Table, key: number, before: Rows): string | undefined {
  const wanted = table === 'w' ? `"${'abcd'[key % 4]}", ${key % 6}n` : String(key)
  return [...before.keys()].find(one => one.toLowerCase() === wanted)
}

type Rows = ReadonlyMap<string, string>

/** What one statement did to many rows. */
function groupOfMany(table: string, before: Rows, after: Rows): StepGroup[] {
  const steps: string[] = []
  for (const [key, row] of before) {
    const now = after.get(key)
    if (now === undefined) steps.push(`-${table} ${row}`)
    else if (now !== row) steps.push(`~${table} ${row} → ${now}`)
  }
  return [steps]
}

/**
 * What a statement did that wrote at most one row, and may have replaced others.
 *
 * @param target key of the row that was updated; undefined: one was inserted
 * @param value which the row that was written alone has
 */
function groupsOfOne(table: string, before: Rows, after: Rows, target: string | undefined, value: string): StepGroup[] {
  const written = [...after].find(([, row]) => row.endsWith(JSON.stringify(value)))
  if (written === undefined) return []
  const [key, row] = written
  const replaced = [...before].filter(([one]) => one !== target && (one === key || !after.has(one)))
  const removed = replaced.map(([, old]) => `-${table} ${old}`)
  if (target === undefined) return [removed, [`+${table} ${row}`]]
  const old = before.get(target)!
  if (target === key) return [removed, [`~${table} ${old} → ${row}`]]
  return [removed, [`-${table} ${old}`], [`+${table} ${row}`]]
}
