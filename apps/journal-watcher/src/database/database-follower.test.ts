import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBell, InputWait, inotifyAdd } from '@hotpath/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FollowedDatabase, KilledError, LogInMemory } from './testing/followed-database.js'
import { PythonWriter } from './testing/python-writer.js'

/** All events of inotify(7) but IN_ACCESS, IN_CLOSE_NOWRITE and IN_OPEN. */
const ALL_BUT_READING = 0xfce

let directory: string
let path: string
let data: string
let writer: PythonWriter

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-follow-'))
  path = join(directory, 'a.db')
  data = join(directory, 'data')
  writer = new PythonWriter()
})

afterEach(async () => {
  await writer.kill()
  rmSync(directory, { recursive: true })
})

test('tells each transaction of a log with old and new values', async () => {
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)')
  await writer.run("INSERT INTO t VALUES (1, 'one')")
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  expect(followed.condition).toMatchObject({ state: 'live', reason: '' })
  expect(followed.log.transactions).toEqual([])
  expect([...followed.log.tables.values()]).toEqual([{ name: 't', columns: ['id', 'a'] }])
  await writer.run("INSERT INTO t VALUES (2, 'two')")
  await writer.run('BEGIN')
  await writer.run("UPDATE t SET a = 'first' WHERE id = 1")
  await followed.settle()
  expect(followed.log.transactions).toHaveLength(1)
  await writer.run('DELETE FROM t WHERE id = 2')
  await writer.run('COMMIT')
  await followed.settle()
  expect(followed.log.transactions).toMatchObject([
    {
      sequence: 1,
      method: 'pages',
      merged: false,
      tables: [],
      changes: [{ table: 't', operation: 'insert', key: 2n, new: [2n, 'two'] }],
    },
    {
      sequence: 2,
      method: 'pages',
      changes: [
        { table: 't', operation: 'update', key: 1n, old: [1n, 'one'], new: [1n, 'first'] },
        { table: 't', operation: 'delete', key: 2n, old: [2n, 'two'] },
      ],
    },
  ])
  followed.close()
})

test('rows that are not committed never appear, not even those that are in the log already', async () => {
  await makeTable()
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  await writer.run('PRAGMA cache_size = 5')
  await writer.run('BEGIN')
  const before = statSync(`${path}-wal`).size
  for (let i = 10; i < 60; i++) await writer.run(`INSERT INTO t VALUES (${i}, hex(zeroblob(1000)))`)
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(before + 20_000)
  await followed.settle()
  await writer.run('ROLLBACK')
  await followed.settle()
  await writer.run("INSERT INTO t VALUES (3, 'three')")
  await followed.settle()
  expect(followed.log.transactions.map(({ changes }) => changes.map(({ key }) => key))).toEqual([[3n]])
  followed.close()
})

test('without a log it compares, and says of how many transactions the difference may be', async () => {
  await writer.open(path)
  await writer.run('CREATE TABLE t(a)')
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  await writer.run('INSERT INTO t VALUES (1)')
  await followed.settle()
  await writer.run('BEGIN IMMEDIATE')
  await writer.run('DELETE FROM t')
  await followed.settle()
  await writer.run('ROLLBACK')
  await writer.run('INSERT INTO t VALUES (2)')
  await writer.run('UPDATE t SET a = 3 WHERE a = 1')
  await followed.settle()
  expect(followed.log.transactions).toMatchObject([
    { method: 'comparison', merged: true, changes: [{ operation: 'insert', new: [1n] }] },
    {
      changes: [
        { operation: 'update', old: [1n], new: [3n] },
        { operation: 'insert', new: [2n] },
      ],
    },
  ])
  followed.close()
})

test('an event that came while it compared is one of the next step, which comes at once', async () => {
  await writer.open(path)
  await writer.run('CREATE TABLE t(a)')
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  await writer.run('INSERT INTO t VALUES (1)')
  const touched: string[] = []
  followed.onCondition = ({ state }) => {
    if (state !== 'catching-up') return
    utimesSync(path, new Date(), new Date())
    touched.push(state)
  }
  const waits = [await followed.follower.step(), await followed.follower.step()]
  expect(touched).toEqual(['catching-up'])
  expect(waits).toEqual([0, expect.any(Number)])
  expect(waits[1]).toBeGreaterThan(0)
  expect(followed.condition).toMatchObject({ state: 'live' })
  followed.close()
})

test('reads the log of a writer that locks everybody else out', async () => {
  await makeTable()
  await writer.close()
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  await writer.open(path)
  await writer.run('PRAGMA locking_mode = EXCLUSIVE')
  await writer.run("INSERT INTO t VALUES (7, 'seven')")
  expect(existsSync(`${path}-shm`)).toBe(false)
  await followed.settle()
  expect(followed.log.transactions).toMatchObject([{ changes: [{ key: 7n }] }])
  await writer.run("INSERT INTO t VALUES (8, 'eight')")
  await followed.settle()
  expect(followed.log.transactions).toMatchObject([{}, { method: 'pages', changes: [{ key: 8n }] }])
  followed.close()
})

test('raises no event and changes no byte beside the database', async () => {
  await makeTable()
  const files = [path, `${path}-wal`, `${path}-shm`]
  const bytes = files.map(file => readFileSync(file))
  const bell = createBell()
  const witness = new InputWait(bell)
  inotifyAdd(witness.inotify, directory, ALL_BUT_READING)
  for (let i = 0; i < 2; i++) {
    const followed = await FollowedDatabase.start(path, join(directory, '../', `${basename(directory)}-data`))
    await followed.settle()
    expect(followed.condition).toMatchObject({ state: 'live' })
    followed.close()
  }
  rmSync(join(directory, '../', `${basename(directory)}-data`), { recursive: true })
  expect(witness.events()).toEqual([])
  expect(files.map(file => readFileSync(file))).toEqual(bytes)
  expect(readdirSync(directory).sort()).toEqual(['a.db', 'a.db-shm', 'a.db-wal'])
  witness.close()
  closeSync(bell)
})

test('a database that is damaged says so, and goes on when it is whole again', async () => {
  await makeTable()
  await writer.run('PRAGMA wal_checkpoint(TRUNCATE)')
  await writer.close()
  const whole = readFileSync(path)
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  const damaged = Buffer.from(whole)
  damaged.fill(0x77, 4_096, 4_200)
  damaged.writeUInt32BE(99, 24)
  writeFileSync(path, damaged)
  for (let i = 0; i < 3; i++) await followed.follower.step()
  expect(followed.condition).toMatchObject({ state: 'damaged' })
  expect(followed.condition?.reason).toContain('a.db" at byte')
  writeFileSync(path, whole)
  await writer.open(path)
  await writer.run("INSERT INTO t VALUES (5, 'five')")
  await waitFor(followed, () => followed.log.transactions.length === 1)
  expect(followed.log.transactions).toMatchObject([{ changes: [{ key: 5n }] }])
  followed.close()
})

test('a log that somebody deletes costs a comparison, and nothing else', async () => {
  await makeTable()
  await writer.run('PRAGMA wal_checkpoint(FULL)')
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  await writer.kill()
  rmSync(`${path}-wal`)
  rmSync(`${path}-shm`)
  await followed.settle()
  writer = new PythonWriter()
  await writer.open(path)
  await writer.run("UPDATE t SET a = 'uno' WHERE id = 1")
  await followed.settle()
  expect(followed.log.transactions).toMatchObject([{ changes: [{ key: 1n, old: [1n, 'one'], new: [1n, 'uno'] }] }])
  followed.close()
})

test('with other pages a new epoch begins', async () => {
  await writer.open(path)
  await writer.run('CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)')
  await writer.run("INSERT INTO t VALUES (1, 'one')")
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  const { resets } = followed.log
  await writer.run('PRAGMA page_size = 1024')
  await writer.run('VACUUM')
  await waitFor(followed, () => followed.log.resets === resets + 1)
  await writer.run("INSERT INTO t VALUES (2, 'two')")
  await followed.settle()
  expect(followed.log.transactions).toMatchObject([{ changes: [{ key: 2n }] }])
  followed.close()
})

test('follows the tables that are wanted, and one that gets such a name', async () => {
  await makeTable()
  await writer.run('CREATE TABLE chat_1(a)')
  await writer.run('CREATE TABLE other(a)')
  await writer.run('INSERT INTO other VALUES (5)')
  const followed = await FollowedDatabase.start(path, data, undefined, { tables: ['chat_*'] })
  await followed.settle()
  await writer.run('INSERT INTO other VALUES (6)')
  await writer.run('INSERT INTO chat_1 VALUES (7)')
  await writer.run('ALTER TABLE other RENAME TO chat_2')
  await followed.settle()
  expect(followed.log.transactions.map(({ method, changes }) => [method, changes.map(({ new: row }) => row)])).toEqual([
    ['pages', [[7n]]],
    ['comparison', [[5n], [6n]]],
  ])
  followed.close()
})

test('a key that is wrong or missing is said, without the key', async () => {
  execFileSync('sqlcipher', [path], { input: "PRAGMA key = 'right one'; CREATE TABLE t(a); INSERT INTO t VALUES (1);" })
  for (const [key, reason] of [
    [undefined, 'it is encrypted, or is no SQLite database, and there is no key'],
    ['swordfish', 'the key does not open it'],
  ] as const) {
    const followed = await FollowedDatabase.start(path, data, undefined, key === undefined ? {} : { key })
    await followed.follower.step()
    expect(followed.condition).toMatchObject({ state: 'locked', reason })
    expect(JSON.stringify(followed.conditions)).not.toContain('swordfish')
    followed.close()
  }
})

test('an encrypted database that another takes the place of begins a new epoch', async () => {
  const make = (place: string, value: number) =>
    execFileSync('sqlcipher', [place], {
      input: `PRAGMA key = 'key'; CREATE TABLE t(a); INSERT INTO t VALUES (${value});`,
    })
  make(path, 1)
  const followed = await FollowedDatabase.start(path, data, undefined, { key: 'key' })
  await followed.settle()
  const { resets } = followed.log
  make(join(directory, 'b.db'), 2)
  renameSync(join(directory, 'b.db'), path)
  await waitFor(followed, () => followed.log.resets === resets + 1)
  execFileSync('sqlcipher', [path], { input: "PRAGMA key = 'key'; UPDATE t SET a = 3;" })
  await waitFor(followed, () => followed.log.transactions.length === 1)
  expect(followed.log.transactions).toMatchObject([{ changes: [{ operation: 'update', old: [2n], new: [3n] }] }])
  followed.close()
})

test('tables that only their program understands are named, and others are followed', async () => {
  await makeTable()
  await writer.run('CREATE TABLE odd(a TEXT)')
  await writer.run('PRAGMA writable_schema = ON')
  await writer.run(`UPDATE sqlite_schema SET sql = 'CREATE TABLE odd(' WHERE name = 'odd'`)
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  expect(followed.condition).toMatchObject({ state: 'live' })
  expect(followed.condition?.reason).toContain('not followed: table "odd"')
  followed.close()
})

test('columns that are to be searched and are not there are named with those that are, and followed all the same', async () => {
  await makeTable()
  await writer.run('CREATE TABLE other(b TEXT, c AS (b))')
  await writer.run('CREATE VIRTUAL TABLE words USING fts5(d)')
  const text = ['T.A', 't.body', 'message.body', 'other.c', 'words.d']
  const options = { tables: ['t', 'other', 'm*'], text }
  const followed = await FollowedDatabase.start(path, data, undefined, options)
  await followed.settle()
  expect(followed.condition).toMatchObject({
    state: 'live',
    reason: [
      'not searched: "t.body": expected a stored column of table "t", found "id", "a"',
      '"message.body": expected a followed table "message", found "t", "other"',
      '"other.c": expected a stored column of table "other", found "b"',
      '"words.d": expected a followed table "words", found one that is not followed',
    ].join('; '),
  })
  await writer.run('ALTER TABLE t ADD COLUMN Body')
  await writer.run('CREATE TABLE message(body)')
  await writer.run("INSERT INTO message VALUES ('one')")
  await followed.settle()
  expect(followed.condition?.reason).not.toMatch(/"t\.body"|"message/)
  expect(followed.log.transactions.at(-1)).toMatchObject({ changes: [{ table: 'message', new: ['one'] }] })
  // Another process knows it too.
  followed.close()
  const again = await FollowedDatabase.start(path, data, followed.log, options)
  await again.settle()
  expect(again.condition?.reason).toBe(followed.condition?.reason)
  again.close()
})

async function makeTable(): Promise<void> {
  await writer.open(path)
  await writer.run('PRAGMA journal_mode = WAL')
  await writer.run('CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)')
  await writer.run("INSERT INTO t VALUES (1, 'one')")
}

/** For what is looked at again only after a while. */
async function waitFor(followed: FollowedDatabase, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !holds(); i++) {
    await sleep(20)
    await followed.follower.step()
  }
  expect(holds(), JSON.stringify(followed.condition)).toBe(true)
}

test('a writer that came and went before anybody looked is noticed, a reader that did costs nothing', async () => {
  await makeTable()
  await writer.close()
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  const compared = (): number => followed.conditions.filter(({ state }) => state === 'catching-up').length
  const before = compared()
  await writer.open(path)
  await writer.run('SELECT * FROM t')
  await writer.close()
  await followed.settle()
  expect(compared()).toBe(before)
  for (let i = 2; i < 5; i++) {
    await writer.open(path)
    await writer.run(`INSERT INTO t VALUES (${i}, 'more')`)
    await writer.close()
  }
  await followed.settle()
  expect(followed.log.transactions).toMatchObject([
    { method: 'comparison', merged: true, changes: [{ key: 2n }, { key: 3n }, { key: 4n }] },
  ])
  followed.close()
})

test('an index of the log that is made anew is read, while the log stays', async () => {
  await makeTable()
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  await writer.kill()
  rmSync(`${path}-shm`)
  writer = new PythonWriter()
  await writer.open(path)
  await writer.run("INSERT INTO t VALUES (2, 'two')")
  await followed.settle()
  expect(followed.log.transactions).toMatchObject([{ method: 'pages', changes: [{ key: 2n, new: [2n, 'two'] }] }])
  followed.close()
})

test('what is written and not published yet is waited for closely, since publishing it raises no event', async () => {
  await makeTable()
  const files = [path, `${path}-wal`, `${path}-shm`]
  const bytesNow = () => files.map(file => readFileSync(file))
  const before = bytesNow()
  await writer.run("INSERT INTO t VALUES (2, 'two')")
  const after = bytesNow()
  const copy = join(directory, 'copy.db')
  const put = (index: number, bytes: Uint8Array) => {
    const fd = openSync(`${copy}${['', '-wal', '-shm'][index]}`, constants.O_WRONLY | constants.O_CREAT)
    writeSync(fd, bytes, 0, bytes.length, 0)
    closeSync(fd)
  }
  for (const [index, bytes] of before.entries()) put(index, bytes)
  const followed = await FollowedDatabase.start(copy, data)
  await followed.settle()
  expect(await followed.follower.step()).toBeGreaterThan(1_000)
  put(1, after[1]!)
  expect(await followed.follower.step()).toBeLessThan(1)
  expect(followed.log.transactions).toEqual([])
  put(2, after[2]!)
  expect(await followed.follower.step()).toBeGreaterThan(1_000)
  expect(followed.log.transactions).toMatchObject([{ changes: [{ key: 2n }] }])
  followed.close()
})

test.each(['before', 'after', 'pages'] as const)(
  'commits that are told together are told once, killed %s',
  async when => {
    await makeTable()
    const log = new LogInMemory()
    let followed = await FollowedDatabase.start(path, data, log)
    await followed.settle()
    const tell = async (ids: readonly number[]) => {
      for (const id of ids) await writer.run(`INSERT INTO t VALUES (${id}, '${'x'.repeat(3_000)}')`)
      await followed.follower.step()
    }
    await tell([10, 11, 12])
    followed.killNext = when
    await expect(tell([13, 14, 15, 16])).rejects.toThrow(KilledError)
    followed.end()
    followed = await FollowedDatabase.start(path, data, log)
    await followed.settle()
    await tell([17, 18])
    const told = log.transactions.map(({ method, changes }) => [method, changes.map(({ key }) => Number(key))])
    expect(told).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18].map(id => ['pages', [id]]))
    followed.close()
  },
)

test('what was committed before a page that is damaged is told', async () => {
  await makeTable()
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  await writer.run("INSERT INTO t VALUES (10, 'ten')")
  await writer.run("INSERT INTO t VALUES (11, 'eleven')")
  await writer.run('PRAGMA writable_schema = ON')
  await writer.run('BEGIN')
  await writer.run("UPDATE sqlite_schema SET rootpage = 500 WHERE name = 't'")
  await writer.run('PRAGMA schema_version = 77')
  await writer.run('COMMIT')
  await followed.follower.step()
  expect(followed.condition).toMatchObject({ state: 'damaged' })
  expect(followed.log.transactions).toMatchObject([{ changes: [{ key: 10n }] }, { changes: [{ key: 11n }] }])
  followed.close()
})

test('commits that come one after the other are looked for, and waited for when no more come', async () => {
  await makeTable()
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  const keys = () => followed.log.transactions.flatMap(({ changes }) => changes.map(({ key }) => Number(key)))
  let id = 10
  // A machine that is busy may pause between two.
  for (; !followed.follower.looks && id < 200; id++) {
    await writer.run(`INSERT INTO t VALUES (${id}, 'x')`)
    await followed.follower.step()
  }
  expect(followed.follower.looks).toBe(true)
  for (const end = id + 20; id < end; id++) {
    await writer.run(`INSERT INTO t VALUES (${id}, 'x')`)
    if (id % 5 === 0) await followed.follower.step()
  }
  await followed.follower.step()
  expect(keys()).toEqual(Array.from({ length: id - 10 }, (_, i) => 10 + i))
  await waitFor(followed, () => !followed.follower.looks)
  await followed.settle()
  expect(await followed.follower.step()).toBeGreaterThan(100)
  await writer.run(`INSERT INTO t VALUES (${id}, 'x')`)
  await followed.follower.step()
  expect(keys().at(-1)).toBe(id)
  followed.close()
})

test('what was committed to a log before it went is told, transaction by transaction', async () => {
  await makeTable()
  const followed = await FollowedDatabase.start(path, data)
  await followed.settle()
  await writer.run("INSERT INTO t VALUES (2, 'two')")
  await writer.run("INSERT INTO t VALUES (3, 'three')")
  await writer.close()
  await writer.open(path)
  await writer.run("INSERT INTO t VALUES (4, 'four')")
  await followed.settle()
  expect(followed.log.transactions.map(({ method, changes }) => [method, changes.map(({ key }) => key)])).toEqual([
    ['pages', [2n]],
    ['pages', [3n]],
    ['pages', [4n]],
  ])
  followed.close()
})
