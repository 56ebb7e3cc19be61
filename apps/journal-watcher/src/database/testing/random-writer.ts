import type { ProcessWriter } from './process-writer.js'

/** A source of numbers that gives the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const CHECKPOINTS = ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']
/** None that a crash damages. */
const MODES = ['WAL', 'WAL', 'WAL', 'DELETE', 'TRUNCATE', 'PERSIST']
const MAX_TABLES = 6
const PAGE_SIZES = [512, 1024, 4096]

/** Does to a database whatever programs do, in a process of its own. */
export class RandomWriter {
  commits = 0
  #writer: ProcessWriter
  #tables: { name: string; columns: string[]; hasRowids: boolean }[] = []
  #next = 1

  constructor(
    private readonly path: string,
    private readonly start: () => ProcessWriter,
    private readonly random: () => number,
    private readonly mode: string,
    /** Of one that makes the database: of encrypted ones the cipher says it. */
    private readonly pageSizes: readonly number[] = PAGE_SIZES,
  ) {
    this.#writer = start()
  }

  get writer(): ProcessWriter {
    return this.#writer
  }

  async open(): Promise<void> {
    await this.#writer.open(this.path)
    const run = (sql: string) => this.#writer.run(sql)
    if (this.#next === 1) {
      if (this.pageSizes.length > 0) await run(`PRAGMA page_size = ${this.#one(this.pageSizes)}`)
      if (this.#below(3) === 0) await run('PRAGMA auto_vacuum = 1')
      await run(`PRAGMA journal_mode = ${this.mode}`)
    }
    await run(`PRAGMA wal_autocheckpoint = ${[0, 10, 40, 1000][this.#below(4)]}`)
    await run(`PRAGMA synchronous = ${['OFF', 'NORMAL', 'FULL'][this.#below(3)]}`)
    await run('PRAGMA cache_size = 10')
    if (this.#tables.length === 0) await this.#createTable()
  }

  /** One thing; returns what it was. */
  async step(): Promise<string> {
    const dice = this.#below(1000)
    if (dice < 700) return this.#transaction()
    if (dice < 800) return this.#run(`PRAGMA wal_checkpoint(${this.#one(CHECKPOINTS)})`)
    if (dice < 820) return this.#run('VACUUM', true)
    if (dice < 860) return this.#alter()
    if (dice < 885) return this.#createTable()
    if (dice < 900) return this.#dropTable()
    if (dice < 910) return this.#run(`DELETE FROM ${this.#table().name}`, true)
    if (dice < 925)
      return this.#run(`PRAGMA journal_mode = ${this.mode === 'WAL' ? this.#one(MODES) : this.#one(MODES.slice(3))}`)
    if (dice < 960) return this.#reopen()
    return this.#kill()
  }

  async end(): Promise<void> {
    await this.#writer.kill()
  }

  async #transaction(): Promise<string> {
    const count = this.#below(4) === 0 ? 1 + this.#below(60) : 1 + this.#below(4)
    await this.#writer.run('BEGIN')
    for (let i = 0; i < count; i++) await this.#change()
    const keeps = this.#below(10) > 0
    await this.#writer.run(keeps ? 'COMMIT' : 'ROLLBACK')
    if (keeps) this.commits++
    return keeps ? `commit of ${count}` : `rollback of ${count}`
  }

  async #change(): Promise<void> {
    const { name, columns, hasRowids } = this.#table()
    const key = this.#below(300)
    const dice = this.#below(10)
    const place = hasRowids ? 'rowid' : 'k'
    if (dice < 5) {
      const values = columns.map((column, i) => (i === 0 ? String(key) : this.#value(column)))
      await this.#writer.run(`INSERT OR REPLACE INTO ${name} (${columns.join(', ')}) VALUES (${values.join(', ')})`)
    } else if (dice < 7 && columns.length > 1) {
      const column = columns[1 + this.#below(columns.length - 1)]!
      await this.#writer.run(
        `UPDATE OR REPLACE ${name} SET ${column} = ${this.#value(column)} WHERE ${place} BETWEEN ${key} AND ${key + this.#below(20)}`,
      )
    } else if (dice < 8 && !hasRowids) {
      await this.#writer.run(`UPDATE OR REPLACE ${name} SET k = k + 1 WHERE k = ${key}`)
    } else await this.#writer.run(`DELETE FROM ${name} WHERE ${place} BETWEEN ${key} AND ${key + this.#below(40)}`)
  }

  async #createTable(): Promise<string> {
    if (this.#tables.length >= MAX_TABLES) return this.#dropTable()
    const name = `t${this.#next++}`
    const kind = this.#below(4)
    const columns = ['k', 'a', 'b']
    const sql = [
      `CREATE TABLE ${name}(k INTEGER PRIMARY KEY, a TEXT, b REAL)`,
      `CREATE TABLE ${name}(k UNIQUE, a TEXT, b, c AS (length(a)) VIRTUAL)`,
      `CREATE TABLE ${name}(a TEXT, b REAL, k INTEGER, PRIMARY KEY (k, a)) WITHOUT ROWID`,
      `CREATE TABLE ${name}(k INTEGER PRIMARY KEY AUTOINCREMENT, a BLOB, b TEXT DEFAULT 'x')`,
    ][kind]!
    await this.#writer.run(sql)
    if (kind === 0) await this.#writer.run(`CREATE INDEX ${name}_a ON ${name}(a)`)
    this.#tables.push({ name, columns, hasRowids: kind !== 2 })
    this.commits++
    return sql
  }

  async #dropTable(): Promise<string> {
    if (this.#tables.length < 2) return 'nothing'
    const { name } = this.#table()
    this.#tables = this.#tables.filter(table => table.name !== name)
    this.commits++
    return this.#run(`DROP TABLE ${name}`)
  }

  async #alter(): Promise<string> {
    const table = this.#table()
    this.commits++
    const number = this.#next++
    const dice = this.#below(4)
    if (dice === 0) {
      const sql = `ALTER TABLE ${table.name} RENAME TO t${number}`
      table.name = `t${number}`
      return this.#run(sql)
    }
    if (dice === 1 && table.columns.length > 3) {
      const column = table.columns.pop()!
      try {
        return await this.#run(`ALTER TABLE ${table.name} DROP COLUMN ${column}`)
      } catch (error) {
        if (!String(error).includes('error in trigger')) throw error
        table.columns.push(column)
        return 'refused: a trigger has the column'
      }
    }
    if (dice === 2 && table.columns.length > 3) {
      const column = table.columns.pop()!
      table.columns.push(`n${number}`)
      return this.#run(`ALTER TABLE ${table.name} RENAME COLUMN ${column} TO n${number}`)
    }
    table.columns.push(`n${number}`)
    const defaults = ['', ' DEFAULT 7', " DEFAULT 'seven'", ' REAL DEFAULT 1']
    return this.#run(`ALTER TABLE ${table.name} ADD COLUMN n${number}${this.#one(defaults)}`)
  }

  async #reopen(): Promise<string> {
    await this.#writer.close()
    await this.open()
    return 'reopen'
  }

  async #kill(): Promise<string> {
    await this.#writer.run('BEGIN')
    for (let i = this.#below(80); i >= 0; i--) await this.#change()
    await this.#writer.kill()
    this.#writer = this.start()
    await this.open()
    return 'killed in a transaction'
  }

  async #run(sql: string, isCommit = false): Promise<string> {
    try {
      await this.#writer.run(sql)
    } catch (error) {
      // By a statement of this very connection that Python has not reset yet.
      if (/^(?:PRAGMA|VACUUM)/.test(sql) && String(error).includes('table is locked')) return `refused: ${sql}`
      // By who reads the database for a moment: SQLite does not wait for a reader where the mode is changed.
      if (sql.startsWith('PRAGMA journal_mode') && String(error).includes('database is locked'))
        return `refused: ${sql}`
      throw new Error(`${sql}: ${error}`)
    }
    if (isCommit) this.commits++
    return sql
  }

  #value(column: string): string {
    const dice = this.#below(12)
    if (dice === 0 && column !== 'a') return 'NULL'
    if (dice === 1) return `zeroblob(${this.#below(9_000)})`
    if (dice === 2) return `'${'long '.repeat(this.#below(700))}'`
    if (dice < 5) return String(this.#below(1_000_000) - 500_000)
    if (dice < 7) return String(this.random() * 1e6)
    return `'text ${this.#below(100_000)}'`
  }

  #table() {
    return this.#one(this.#tables)
  }

  #one<T>(all: readonly T[]): T {
    return all[this.#below(all.length)]!
  }

  #below(limit: number): number {
    return Math.floor(this.random() * limit)
  }
}
