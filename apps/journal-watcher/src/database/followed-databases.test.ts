import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DeliveredChange, decodeChanges } from '@hotpath/protocol'
import { type DatabaseSetting, silentLogger } from '@hotpath/service'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAuditSql } from './audit/testing/install-audit.js'
import type { DatabaseThread } from './database-thread.js'
import { FollowedDatabases } from './followed-databases.js'
import { PythonWriter } from './testing/python-writer.js'

let directory: string
let path: string
let writer: PythonWriter
let databases: FollowedDatabases | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-follow-'))
  path = join(directory, 'a.db')
  writer = new PythonWriter()
})

afterEach(async () => {
  await databases?.stop()
  databases = undefined
  await writer.kill()
  rmSync(directory, { recursive: true })
})

function setting(more: Partial<DatabaseSetting> = {}): DatabaseSetting {
  return { path, name: 'a', tables: [], audit: false, text: [], ...more }
}

function start(...settings: DatabaseSetting[]): FollowedDatabases {
  databases = new FollowedDatabases({ settings, dataDir: join(directory, 'data'), log: silentLogger, globMs: 50 })
  databases.start()
  return databases
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 4_000; i++) {
    if (holds()) return
    await sleep(10)
  }
  throw new Error(
    `not within forty seconds: ${what}; ${JSON.stringify(databases?.databases().map(d => d.condition()))}`,
  )
}

const isLive = (database: DatabaseThread | undefined): boolean => database?.condition().state === 'live'

function changesOf(database: DatabaseThread): DeliveredChange[] {
  const log = database.log!
  const changes: DeliveredChange[] = []
  const reader = log.reader(log.firstSequence - 1)
  for (let part = reader.next(); part !== undefined; part = reader.next()) {
    if (typeof part === 'string') throw new Error(part)
    changes.push(...decodeChanges(part.changes))
  }
  return changes
}

async function rowsOf(database: DatabaseThread, table: string): Promise<unknown[]> {
  const rows: unknown[] = []
  for await (const page of database.snapshot(name => name === table)!.pages())
    for (const row of page.rows) rows.push(row.new)
  return rows
}

test('follows in a thread, keeps the log over a restart, and reads all rows', async () => {
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(a)')
  await writer.run('INSERT INTO t VALUES (1)')
  const [first] = start(setting()).databases()
  await until('live', () => isLive(first))
  await writer.run("INSERT INTO t VALUES ('two')")
  await until('told', () => first!.log!.sequence === 1)
  expect(changesOf(first!)).toMatchObject([{ table: 't', operation: 'insert', key: 2n, new: ['two'] }])
  expect(await rowsOf(first!, 't')).toEqual([[1n], ['two']])
  const { epoch } = first!.log!
  await databases!.stop()
  await writer.run('UPDATE t SET a = 3 WHERE a = 1')
  const [second] = start(setting()).databases()
  await until('told', () => second!.log?.sequence === 2)
  expect(second!.log!.epoch).toBe(epoch)
  expect(changesOf(second!).at(-1)).toMatchObject({ operation: 'update', key: 1n, old: [1n], new: [3n] })
})

test('waits for a database, tells what appears in it, and says when it is replaced', async () => {
  const [database] = start(setting()).databases()
  await until('missing', () => database!.condition().state === 'missing')
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(a)')
  await writer.run('INSERT INTO t VALUES (1)')
  await until('told', () => database!.log !== undefined && changesOf(database!).length === 1)
  await writer.close()
  await writer.open(join(directory, 'b.db'), 'other')
  await writer.run('CREATE TABLE t(a)', [], 'other')
  await writer.run('INSERT INTO t VALUES (2)', [], 'other')
  await writer.close('other')
  renameSync(join(directory, 'b.db'), path)
  await until('told', () => changesOf(database!).length === 2)
  expect(changesOf(database!)[1]).toMatchObject({ operation: 'update', old: [1n], new: [2n] })
})

test('files of a glob are followed as they appear', async () => {
  const set = start(setting({ path: join(directory, '*.db'), name: 'mail' }))
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(a)')
  await until('there', () => set.databases().length === 1)
  expect(set.databases()[0]!.name).toBe('mail-a')
  await until('live', () => isLive(set.databases()[0]))
})

test('what is wrong with one database is its state, and others go on', async () => {
  const other = join(directory, 'b.db')
  writeFileSync(other, Buffer.alloc(8_192, 'no database'))
  await writer.open(path)
  await writer.run('CREATE TABLE t(a)')
  const key = { env: 'HOTPATH_TEST_NO_SUCH_KEY' }
  const set = start(
    setting(),
    setting({ path: other, name: 'b' }),
    setting({ path: other.replace('b.db', 'c.db'), name: 'c', key }),
  )
  writeFileSync(join(directory, 'c.db'), Buffer.alloc(8_192, 'no database'))
  const [good, bad, keyless] = set.databases()
  await until('states', () => isLive(good) && [bad, keyless].every(one => one!.condition().state === 'locked'))
  expect(keyless!.condition().reason).toContain('HOTPATH_TEST_NO_SUCH_KEY, which should hold the key, is not set')
  expect(set.health()).toHaveLength(2)
  await writer.run('INSERT INTO t VALUES (1)')
  await until('told', () => good!.log!.sequence === 1)
  expect(changesOf(good!)).toHaveLength(1)
})

test('follows a database of SQLCipher, and keeps nothing of it in clear', async () => {
  const run = (sql: string) =>
    execFileSync('sqlcipher', [path], { input: `PRAGMA key = 'swordfish';\n${sql}`, encoding: 'utf8' })
  run("PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES ('clear words');")
  const keyFile = join(directory, 'key')
  writeFileSync(keyFile, 'swordfish\n')
  const [database] = start(setting({ key: { file: keyFile } })).databases()
  await until('live', () => isLive(database))
  run("INSERT INTO t VALUES ('other words'); UPDATE t SET a = 'new words' WHERE rowid = 1;")
  await until('told', () => changesOf(database!).length === 2)
  // One transaction, or both as one where their log was gone before it was read.
  expect(changesOf(database!).sort((a, b) => Number(a.key) - Number(b.key))).toMatchObject([
    { operation: 'update', key: 1n, old: ['clear words'], new: ['new words'] },
    { operation: 'insert', key: 2n, new: ['other words'] },
  ])
  await databases!.stop()
  const files = readdirSync(join(directory, 'data'), { recursive: true, withFileTypes: true }).filter(file =>
    file.isFile(),
  )
  expect(files.length).toBeGreaterThan(4)
  for (const file of files) expect(readFileSync(join(file.parentPath, file.name)).includes('words')).toBe(false)
})

test('an audit is told in all its steps, and who asks for a database says whether', async () => {
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(a)')
  await runAuditSql(path)
  const [database] = start(setting({ audit: true })).databases()
  await until('live', () => isLive(database))
  for (const sql of ['BEGIN', 'INSERT INTO t VALUES (1)', 'UPDATE t SET a = 2', 'DELETE FROM t', 'COMMIT'])
    await writer.run(sql)
  await until('told', () => database!.log!.sequence === 1)
  expect(changesOf(database!).map(({ operation }) => operation)).toEqual(['insert', 'update', 'delete'])
  expect(database!.condition()).toMatchObject({ state: 'live', reason: '', method: 'audit' })
  expect(database!.isAudited).toBe(true)
})

test('what was followed for somebody goes with him', async () => {
  await writer.open(path)
  await writer.run('CREATE TABLE t(a)')
  const set = start()
  const database = await set.follow({ path, tables: [], audit: false })
  expect(await set.follow({ path, tables: ['t'], audit: false })).toBe(database)
  await until('live', () => database.condition().state === 'live')
  const place = join(directory, 'data/databases', database.id)
  expect(existsSync(place)).toBe(true)
  set.release(database.id)
  expect(set.databases()).toEqual([])
  await set.stop()
  expect(existsSync(place)).toBe(false)
})

test('a copy in its place, whose tables have other pages, is no change', async () => {
  await writer.open(path)
  await writer.run('CREATE TABLE one(a)')
  await writer.run('CREATE TABLE two(a)')
  await writer.run(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO one SELECT hex(randomblob(50)) FROM n',
  )
  await writer.run("INSERT INTO two VALUES ('x'), ('y')")
  const [database] = start(setting()).databases()
  await until('live', () => isLive(database))
  // As `.dump` does: the rows of the first table are there before the second is made. The cookie of the schema is the same.
  const copy = ['import sqlite3, sys', 'a = sqlite3.connect(sys.argv[1])', 'b = sqlite3.connect(sys.argv[2])']
  copy.push('b.executescript("\\n".join(a.iterdump()))', 'b.commit()')
  execFileSync('python3', ['-c', copy.join('\n'), path, `${path}-new`])
  renameSync(`${path}-new`, path)
  const other = new PythonWriter()
  try {
    await other.open(path)
    await other.run("INSERT INTO two VALUES ('z')")
    await until('told', () => database!.log!.sequence > 0 && isLive(database))
    await sleep(200)
    const told = changesOf(database!).filter(({ table }) => table !== 'sqlite_sequence')
    expect(told.map(({ table, operation, key }) => [table, operation, key])).toEqual([['two', 'insert', 3n]])
  } finally {
    await other.kill()
  }
})

test('what is let go can be followed again at once', async () => {
  await writer.open(path)
  await writer.run('CREATE TABLE t(a)')
  const set = start()
  const spec = { path, tables: [], audit: false }
  for (let i = 0; i < 3; i++) {
    const database = await set.follow(spec)
    await until('live', () => database.condition().state === 'live')
    set.release(database.id)
  }
  const database = await set.follow(spec)
  await until('live', () => database.condition().state === 'live')
  await writer.run('INSERT INTO t VALUES (1)')
  await until('told', () => database.log?.sequence === 1)
  expect(existsSync(join(directory, 'data/databases', database.id, 'ad-hoc'))).toBe(true)
})

test('what was followed for somebody goes on after a restart', async () => {
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(a)')
  const first = await start().follow({ path, tables: ['t'], audit: false })
  await until('live', () => first.condition().state === 'live')
  const { epoch } = first.log!
  await databases!.stop()
  await writer.run("INSERT INTO t VALUES ('meanwhile')")
  const [again] = start().databases()
  expect(again).toMatchObject({ id: first.id, name: first.name, isAdHoc: true, wantedTables: ['t'] })
  await until('told', () => again!.log?.sequence === 1)
  expect(again!.log!.epoch).toBe(epoch)
  // The configuration names it now: nobody's leaving takes it away.
  await databases!.stop()
  const [configured] = start(setting({ tables: ['t'] })).databases()
  await until('live', () => isLive(configured))
  expect([configured!.isAdHoc, configured!.log!.epoch]).toEqual([false, epoch])
  await databases!.stop()
  expect(start().databases()).toEqual([])
  // Nobody can say what this was.
  const odd = join(directory, 'data/databases/odd')
  for (const text of ['', '{"path":"/x"}', JSON.stringify({ path: '/x', tables: [], audit: false })]) {
    await databases!.stop()
    mkdirSync(odd, { recursive: true })
    writeFileSync(join(odd, 'ad-hoc'), text)
    expect(start().databases()).toEqual([])
    expect(existsSync(odd)).toBe(false)
  }
})

test('with other tables a new epoch begins, in which all of them are described', async () => {
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(a)')
  await writer.run('CREATE TABLE u(a)')
  const [first] = start(setting({ tables: ['t'] })).databases()
  await until('live', () => isLive(first))
  const { epoch } = first!.log!
  expect([...first!.log!.tables.keys()]).toEqual(['t'])
  await databases!.stop()
  const [second] = start(setting({ tables: ['t', 'u'] })).databases()
  await until('live', () => isLive(second))
  expect(second!.log!.epoch).not.toBe(epoch)
  expect([...second!.log!.tables.keys()]).toEqual(['t', 'u'])
  await databases!.stop()
  rmSync(join(directory, 'data/databases', second!.id, 'changes'), { recursive: true })
  const [third] = start(setting({ tables: ['t', 'u'] })).databases()
  await until('live', () => isLive(third))
  expect([...third!.log!.tables.keys()]).toEqual(['t', 'u'])
})

test('follows what a link leads to', async () => {
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(a)')
  const elsewhere = join(directory, 'elsewhere')
  mkdirSync(elsewhere)
  symlinkSync(path, join(elsewhere, 'link.db'))
  const [database] = start(setting({ path: join(elsewhere, 'link.db') })).databases()
  await until('live', () => isLive(database))
  await writer.run('INSERT INTO t VALUES (1)')
  await until('told', () => database!.log!.sequence === 1)
})

test('a transaction in which it is stopped is told from its beginning by the next', async () => {
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(a)')
  const [first] = start(setting()).databases()
  await until('live', () => isLive(first))
  const { epoch } = first!.log!
  const many = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i FROM n'
  await writer.run(`INSERT INTO t ${many}`)
  await until('noticed', () => first!.commits === 1)
  await databases!.stop()
  const [second] = start(setting()).databases()
  await until('told', () => second!.log?.sequence === 1)
  expect(second!.log!.epoch).toBe(epoch)
  expect(changesOf(second!)).toHaveLength(60_000)
})
