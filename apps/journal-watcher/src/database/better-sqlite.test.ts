import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FollowedDatabase, type LogInMemory } from './testing/followed-database.js'
import type { ProcessWriter } from './testing/process-writer.js'
import { rowsOf, tablesOf } from './testing/replica.js'
import { RowConsumer } from './testing/row-consumer.js'
import { betterSqliteWays, PASSPHRASE, RAW_KEY, type WayOfWriting } from './testing/ways-of-writing.js'

const WAYS = betterSqliteWays()
const CHECKPOINTS = ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']
const SYNCHRONOUS = ['OFF', 'NORMAL', 'FULL', 'EXTRA']

let directory: string
let path: string
let writer: ProcessWriter
let followed: FollowedDatabase
let consumer: RowConsumer

/** A database with rows in two tables, followed from there on. */
async function begin(way: WayOfWriting): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-better-'))
  path = join(directory, 'a.db')
  consumer = new RowConsumer()
  writer = way.start()
  await open(way)
  await writer.run('BEGIN')
  await writer.run('CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b)')
  await writer.run('CREATE TABLE w(k TEXT, n INT, v REAL, PRIMARY KEY(k, n)) WITHOUT ROWID')
  for (let id = 1; id <= 40; id++) await writer.run('INSERT INTO t VALUES (?, ?, ?)', [BigInt(id), `row ${id}`, id / 3])
  await writer.run('COMMIT')
  followed = await follow(way.key)
  await expectSame()
}

async function end(): Promise<void> {
  followed?.close()
  await writer.kill()
  rmSync(directory, { recursive: true })
}

async function open(way: WayOfWriting): Promise<void> {
  await writer.open(path)
  if (way.pageSizes?.length === 1) await writer.run(`PRAGMA page_size = ${way.pageSizes[0]}`)
  expect(await writer.run(`PRAGMA journal_mode = ${way.mode}`)).toEqual([[way.mode.toLowerCase()]])
  await writer.run('PRAGMA cache_size = 10')
  await writer.run('PRAGMA synchronous = OFF')
}

async function follow(key: string | undefined, log?: LogInMemory): Promise<FollowedDatabase> {
  return FollowedDatabase.start(path, join(directory, 'data'), log, key === undefined ? {} : { key })
}

/** What was told makes of the rows that were there what the writer itself reads. */
async function expectSame(): Promise<void> {
  await followed.settle()
  expect(followed.condition).toMatchObject({ state: 'live', reason: '' })
  consumer.catchUp(followed)
  const tables = await tablesOf(writer)
  expect(tables.length).toBeGreaterThan(1)
  for (const table of new Set([...tables, ...consumer.replica.tables]))
    expect(consumer.replica.rows(table), table).toEqual(tables.includes(table) ? await rowsOf(writer, table) : [])
}

const told = () => followed.log.transactions

/** As its mode has it found: each transaction by its pages, or all that happened since the last look by comparison. */
const method = ({ mode }: WayOfWriting) => (mode === 'WAL' ? 'pages' : 'comparison')

describe.each(WAYS.map(way => [way.by, way.mode, way] as const))('%s in mode %s', (_by, _mode, way) => {
  beforeAll(() => begin(way))
  afterAll(end)

  test('each transaction is told, however it is synced', async () => {
    const stored = [path, `${path}-wal`].filter(file => existsSync(file)).map(file => readFileSync(file, 'latin1'))
    expect(stored.join('').includes('row 7')).toBe(way.key === undefined)
    const before = told().length
    for (const [i, synchronous] of SYNCHRONOUS.entries()) {
      await writer.run(`PRAGMA synchronous = ${synchronous}`)
      expect(await writer.run('PRAGMA synchronous')).toEqual([[BigInt(i)]])
      await writer.run('BEGIN')
      await writer.run('INSERT INTO t(a, b) VALUES (?, ?)', [synchronous, new Uint8Array(9_000).fill(i)])
      await writer.run('UPDATE t SET a = a || ? WHERE id % 4 = ?', [synchronous, BigInt(i)])
      await writer.run('INSERT INTO w VALUES (?, ?, ?)', [synchronous, BigInt(i), -0.1 * i])
      await writer.run('COMMIT')
      await expectSame()
      await writer.run('DELETE FROM t WHERE id = ?', [BigInt(i + 1)])
      await expectSame()
    }
    expect(told().slice(before)).toHaveLength(2 * SYNCHRONOUS.length)
    expect(new Set(told().map(transaction => transaction.method))).toEqual(new Set([method(way)]))
  })

  test('over checkpoints and VACUUM', async () => {
    for (const checkpoint of CHECKPOINTS) {
      await writer.run("UPDATE t SET a = a || ' again' WHERE id % 3 = 1")
      await writer.run(`PRAGMA wal_checkpoint(${checkpoint})`)
      await writer.run(`INSERT INTO w VALUES ('${checkpoint}', 1, NULL)`)
      await expectSame()
    }
    await writer.run('DELETE FROM t WHERE id BETWEEN 10 AND 30')
    await expectSame()
    const before = told().length
    await writer.run('VACUUM')
    await expectSame()
    expect(told()).toHaveLength(before)
    await writer.run("INSERT INTO t(a) VALUES ('after')")
    await expectSame()
    expect(told()).toHaveLength(before + 1)
  })

  test('what a writer that is killed did not commit is never told', async () => {
    const before = told().length
    await writer.run('BEGIN')
    // More than its cache has room for: pages are in the log, or in the database with a journal beside it.
    for (let i = 0; i < 40; i++) await writer.run("INSERT INTO t(a, b) VALUES ('never', ?)", ['never'.repeat(500)])
    expect(way.mode === 'WAL' ? statSync(`${path}-wal`).size > 60_000 : existsSync(`${path}-journal`)).toBe(true)
    await followed.follower.step()
    await writer.kill()
    await followed.follower.step()
    expect(told()).toHaveLength(before)
    writer = way.start()
    await open(way)
    // Whoever opens it next takes back what was not committed.
    expect(await writer.run("SELECT count(*) FROM t WHERE a = 'never'")).toEqual([[0n]])
    await writer.run("UPDATE t SET a = 'first' WHERE id = 5")
    await expectSame()
    expect(
      told()
        .slice(before)
        .flatMap(({ changes }) => changes),
    ).toMatchObject([{ key: 5n, new: [5n, 'first', 5 / 3] }])
  })

  test('a transaction over two databases is told of the one that is followed', async () => {
    await writer.run(`ATTACH ? AS other`, [join(directory, 'other.db')])
    await writer.run('CREATE TABLE other.t(id INTEGER PRIMARY KEY, a)')
    await writer.run('BEGIN')
    await writer.run("INSERT INTO other.t VALUES (1, 'there')")
    await writer.run("INSERT INTO main.t VALUES (1001, 'here', NULL)")
    await followed.settle()
    const before = told().length
    await writer.run('COMMIT')
    await expectSame()
    expect(told().slice(before)).toMatchObject([{ changes: [{ operation: 'insert', key: 1001n }] }])
  })
})

describe.runIf(WAYS.length > 0)('a database that gets another key', () => {
  const way = WAYS.find(({ mode, key }) => mode === 'DELETE' && key !== undefined)!
  beforeAll(() => begin(way))
  afterAll(end)

  test('says that the old one does not open it, and begins a new epoch with the new one', async () => {
    const { log } = followed
    const { resets } = log
    await writer.run(`PRAGMA rekey = '${PASSPHRASE}'`)
    for (let i = 0; i < 100 && followed.condition?.state !== 'locked'; i++) {
      await sleep(20)
      await followed.follower.step()
    }
    expect(followed.condition).toMatchObject({ state: 'locked', reason: 'the key does not open it' })
    expect(JSON.stringify(followed.conditions)).not.toContain(RAW_KEY.slice(2, -1))
    followed.close()
    followed = await follow(PASSPHRASE, log)
    await writer.run("UPDATE t SET a = 'under another key' WHERE id = 7")
    await expectSame()
    expect(log.resets).toBe(resets + 1)
    await writer.run('DELETE FROM t WHERE id = 7')
    await expectSame()
    expect(told()).toMatchObject([{ changes: [{ operation: 'delete', key: 7n }] }])
  })
})

describe.runIf(WAYS.length > 0)('a database whose header is in clear', () => {
  const way = WAYS.find(({ by }) => by.includes('header in clear'))!
  beforeAll(() => begin(way))
  afterAll(end)

  test('is locked without the salt, or without a key, and not taken for one that is damaged', async () => {
    await writer.run('PRAGMA wal_checkpoint(TRUNCATE)')
    expect(readFileSync(path, 'latin1').slice(0, 15)).toBe('SQLite format 3')
    for (const [key, reason] of [
      [RAW_KEY, "its header is in clear, so the key has to be given with the salt: x'…' with 96 digits"],
      [`${RAW_KEY.slice(0, -1)}${'0'.repeat(32)}'`, 'the key does not open it'],
      [undefined, 'it is encrypted, or is no SQLite database, and there is no key'],
    ] as const) {
      followed.close()
      followed = await follow(key)
      await followed.follower.step()
      expect(followed.condition).toMatchObject({ state: 'locked', reason })
    }
  })
})
