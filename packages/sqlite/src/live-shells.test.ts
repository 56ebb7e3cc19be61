import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { detectCipher } from './cipher/cipher-detection.js'
import { CipherKey } from './cipher/cipher-key.js'
import { SQLCIPHER_3 } from './cipher/cipher-profile.js'
import { DecryptedPages } from './cipher/decrypted-pages.js'
import type { PageCipher } from './cipher/page-cipher.js'
import { DatabaseDifference, type DatabaseState } from './database-difference.js'
import { parseDatabaseHeader } from './database-header.js'
import { PageOwners } from './page-owners.js'
import { overlaid, type PageSource } from './page-source.js'
import { headerOf, readSchema } from './schema.js'
import { tableRows } from './table-scan.js'
import { type TableShape, tableShape } from './table-shape.js'
import { bytesIn, pagesIn, StrictPages } from './testing/memory-pages.js'
import { Replica } from './testing/replica.js'
import { hasShell, quoted, SqlShell } from './testing/sql-shell.js'
import { parseWalHeader } from './wal-header.js'
import { parseWalIndex, WAL_INDEX_BYTES } from './wal-index.js'
import { WalPages } from './wal-pages.js'
import { type WalPosition, WalReader } from './wal-reader.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const STEPS = process.env.SOAK === '1' ? 2_000 : 40
const PASSPHRASE = 'correct horse'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-shell-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const column = (cid: number, name: string, type: string, primaryKey = 0) => ({
  ...{ cid, name, type, primaryKey, defaultExpression: null, hidden: 0 },
})

/** The two tables of the test, wherever their roots are in `source`. */
function tablesOf(source: PageSource): TableShape[] {
  const schema = readSchema(source)
  const rootPage = (table: string): number => schema.find(({ name }) => name === table)!.rootPage
  return [
    tableShape({
      ...{ name: 't', rootPage: rootPage('t'), withoutRowid: false, primaryKeyIndex: null },
      columns: [column(0, 'id', 'INTEGER', 1), column(1, 'a', 'TEXT'), column(2, 'b', 'REAL'), column(3, 'c', 'BLOB')],
    }),
    tableShape({
      ...{ name: 'w', rootPage: rootPage('w'), withoutRowid: true, primaryKeyIndex: [0, 1, 2] },
      columns: [column(0, 'k', 'TEXT', 1), column(1, 'n', 'INT', 2), column(2, 'v', 'TEXT')],
    }),
  ]
}

const QUERIES = {
  t: "SELECT 't ' || quote(id) || ' ' || quote(a) || ' ' || quote(b) || ' ' || quote(c) FROM t",
  w: "SELECT 'w ' || quote(k) || ' ' || quote(n) || ' ' || quote(v) FROM w",
}

/** Follows files that another process writes, while that waits: commits of the log, and a comparison when the log started again. */
class Follower {
  readonly replica = new Replica()
  readonly #shadow: StrictPages
  readonly #owners: PageOwners
  #state: DatabaseState
  #log: { readonly salt1: number; readonly salt2: number; readonly position: WalPosition } | undefined
  commits = 0
  comparisons = 0

  constructor(
    readonly file: string,
    readonly cipher: PageCipher | undefined,
  ) {
    const raw = this.#read().source
    const source = this.#clear(raw)
    const tables = tablesOf(source)
    this.#owners = PageOwners.of(source, tables)
    this.#shadow = new StrictPages(raw.pageSize, raw.usableSize)
    for (const no of this.#owners.pages()) this.#shadow.pages.set(no, raw.page(no))
    this.#state = {
      source: this.#clear(this.#shadow.source(raw.pageCount)),
      encoding: headerOf(source).encoding,
      tables,
    }
    for (const shape of tables) {
      this.replica.reshape([{ name: shape.name, columns: shape.columns.map(({ name }) => name) }])
      for (const { key, values } of tableRows(this.#state.source, shape, this.#state.encoding))
        this.replica.apply({ table: shape.name, operation: 'insert', key, new: values })
    }
    this.#remember()
  }

  /** Takes over what was committed since. */
  step(): void {
    const { source: database, reader, mxFrame } = this.#read()
    const known = this.#log
    const { header } = reader ?? {}
    if (header !== undefined && header.salt1 === known?.salt1 && header.salt2 === known.salt2) {
      // The same log: from where it was left, over the shadow.
      const next = new WalReader(reader!.source, header, known.position)
      for (let found = next.next(mxFrame); found.kind === 'commit'; found = next.next(mxFrame)) {
        const pages = new WalPages(next.source, header, found.frames)
        const shadow = this.#shadow.source(found.pageCount)
        this.#take(overlaid(shadow, pages, found.pageCount), found.frames.pages())
        this.commits++
      }
    } else {
      const changed = [...this.#owners.pages()].filter(
        no =>
          no > database.pageCount || Buffer.compare(this.#shadow.pages.get(no)!, Buffer.from(database.page(no))) !== 0,
      )
      this.#take(database, changed)
      this.comparisons++
    }
    this.#remember()
  }

  #take(raw: PageSource, changed: Iterable<number>): void {
    const source = this.#clear(raw)
    // The schema is on page 1, which is not among the pages of the tables.
    const first = this.#clear(this.#read().source)
    const after = { ...this.#state, source, tables: tablesOf(first) }
    const difference = new DatabaseDifference(this.#state, after, this.#owners, changed)
    for (const change of difference.changes()) this.replica.apply(change)
    for (const no of difference.settle()) this.#shadow.pages.set(no, raw.page(no))
    this.#state = { ...after, source: this.#clear(this.#shadow.source(raw.pageCount)) }
  }

  /** The newest state: the database with all of the log over it. */
  #read(): { source: PageSource; reader: WalReader | undefined; mxFrame: number } {
    const { file, cipher } = this
    const bytes = readFileSync(file)
    const { pageSize, usableSize } = cipher ?? parseDatabaseHeader({ file, bytes, offset: 0 })
    const base = pagesIn(file, bytes, pageSize, usableSize)
    const shm = readFileSync(`${file}-shm`).subarray(0, WAL_INDEX_BYTES)
    const { mxFrame } = parseWalIndex({ file, bytes: shm, offset: 0 })!.header
    const log = readFileSync(`${file}-wal`)
    if (mxFrame === 0 || log.length === 0) return { source: base, reader: undefined, mxFrame }
    const header = parseWalHeader({ file, bytes: log, offset: 0 })
    const reader = new WalReader(bytesIn(file, log), header)
    let source: PageSource = base
    for (const { frames, pageCount } of reader.commits(mxFrame))
      source = overlaid(source, new WalPages(reader.source, header, frames), pageCount)
    expect(reader.position.frame).toBe(mxFrame)
    return { source, reader, mxFrame }
  }

  #remember(): void {
    const { reader } = this.#read()
    this.#log = reader && { salt1: reader.header.salt1, salt2: reader.header.salt2, position: reader.position }
  }

  #clear(raw: PageSource): PageSource {
    return this.cipher === undefined ? raw : new DecryptedPages(raw, this.cipher)
  }
}

/** Statement number `step`: random, but for one at the beginning that adds to the log and one that empties it in every twenty. */
function statement(random: Random, step: number): string {
  if (step === 0) return "INSERT OR REPLACE INTO t VALUES (1, 'again', 2, NULL)"
  if (step % 20 === 10) return 'PRAGMA wal_checkpoint(TRUNCATE)'
  const id = random.below(200)
  const size = random.pick([0, 10, 100, 3_000])
  const text = random.pick(['short', "it''s", 'é😀', 'x'.repeat(200)])
  return random.pick([
    () => `INSERT OR REPLACE INTO t VALUES (${id}, '${text}', ${id}.5, zeroblob(${size}))`,
    () => `INSERT INTO t(a, b) SELECT a || 'x', b + 1 FROM t WHERE id % 17 = 3 AND (SELECT count(*) FROM t) < 400`,
    () => `UPDATE t SET c = zeroblob(${size}), b = ${id} WHERE id % 13 = ${id % 13}`,
    () => `UPDATE OR REPLACE t SET id = id + 1000 WHERE id = ${id}`,
    () => `DELETE FROM t WHERE id BETWEEN ${id} AND ${id + random.below(40)}`,
    () => `INSERT OR REPLACE INTO w VALUES ('${text}', ${id}, '${text}')`,
    () => `UPDATE w SET v = v || 'y' WHERE n % 7 = ${id % 7} AND length(v) < 1000`,
    () => `DELETE FROM w WHERE n > ${id}`,
    () => `BEGIN; INSERT OR REPLACE INTO t VALUES (${id}, 'a', 0.5, NULL); DELETE FROM w WHERE n = ${id}; COMMIT`,
    () => `BEGIN; DELETE FROM t; ROLLBACK`,
    () => `PRAGMA wal_checkpoint(${random.pick(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'])})`,
    () => 'VACUUM',
  ])()
}

async function follow(shell: SqlShell, cipherOf: (file: string) => Promise<PageCipher | undefined>): Promise<void> {
  const random = new Random(SEED)
  await shell.run(
    'PRAGMA journal_mode=WAL',
    'PRAGMA wal_autocheckpoint=0',
    'PRAGMA synchronous=OFF',
    'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL, c BLOB)',
    'CREATE TABLE w(k TEXT, n INT, v TEXT, PRIMARY KEY(k, n)) WITHOUT ROWID',
    'PRAGMA wal_checkpoint(TRUNCATE)',
    "INSERT INTO t(a, b, c) VALUES ('first', 1, x'00ff')",
  )
  const follower = new Follower(shell.file, await cipherOf(shell.file))
  for (let step = 0; step < STEPS; step++) {
    const sql = statement(random, step)
    await shell.run(sql)
    follower.step()
    for (const [name, query] of Object.entries(QUERIES)) {
      const rows = [...follower.replica.tables.get(name)!.rows.values()]
      const found = rows.map(values => [name, ...values.map(quoted)].join(' '))
      expect(found.toSorted(), `SEED=${SEED}, step ${step}: ${sql}`).toEqual((await shell.lines(query)).toSorted())
    }
  }
  expect(follower.commits).toBeGreaterThan(0)
  expect(follower.comparisons).toBeGreaterThan(0)
}

describe.runIf(hasShell('sqlite3'))('a database that the shell of SQLite writes', () => {
  it(`is followed over checkpoints and VACUUM (SEED=${SEED})`, async () => {
    const shell = new SqlShell('sqlite3', join(directory, 'data.db'))
    try {
      await follow(shell, async () => undefined)
    } finally {
      await shell.kill()
    }
  })
})

describe.runIf(hasShell('sqlcipher'))('a database that the shell of SQLCipher writes', () => {
  it(`is followed over checkpoints and VACUUM (SEED=${SEED})`, async () => {
    const shell = new SqlShell('sqlcipher', join(directory, 'data.db'))
    try {
      await shell.run(`PRAGMA key='${PASSPHRASE}'`)
      await follow(shell, async file => {
        const cipher = await detectCipher(readFileSync(file), CipherKey.parse(PASSPHRASE), [SQLCIPHER_3])
        expect(cipher).toBeDefined()
        return cipher
      })
    } finally {
      await shell.kill()
    }
  })
})
