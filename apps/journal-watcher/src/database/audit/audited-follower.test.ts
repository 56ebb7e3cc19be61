import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RowChange, RowTransaction, SqlValue } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FollowedDatabase, type FollowingOptions, LogInMemory } from '../testing/followed-database.js'
import { PythonWriter } from '../testing/python-writer.js'
import { Replica, rowsOf } from '../testing/replica.js'
import { runAuditSql } from './testing/install-audit.js'

let directory: string
let path: string
let writer: PythonWriter
let log: LogInMemory
let followed: FollowedDatabase | undefined
/** Transactions that were looked at. */
let seen: number

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-audit-'))
  path = join(directory, 'a.db')
  writer = new PythonWriter()
  log = new LogInMemory()
  seen = 0
})

afterEach(async () => {
  followed?.close()
  followed = undefined
  await writer.kill()
  rmSync(directory, { recursive: true })
})

async function start(options: FollowingOptions = {}): Promise<FollowedDatabase> {
  followed = await FollowedDatabase.start(path, join(directory, 'data'), log, { audit: true, ...options })
  await followed.settle()
  return followed
}

function stop(): void {
  followed!.close()
  followed = undefined
}

async function run(...statements: string[]): Promise<void> {
  for (const sql of statements) await writer.run(sql)
}

async function open(...statements: string[]): Promise<void> {
  await writer.open(path)
  await run('PRAGMA journal_mode = WAL', ...statements)
}

/** As one reads it: `+t 1 [1, "a"]`. */
function textOf({ table, operation, key, old, new: next }: RowChange): string {
  const list = (values: readonly SqlValue[]) =>
    `[${values.map(value => (value instanceof Uint8Array ? `x'${Buffer.from(value).toString('hex')}'` : typeof value === 'string' ? JSON.stringify(value) : value)).join(', ')}]`
  const name = `${table} ${typeof key === 'bigint' ? key : list(key)}`
  if (operation === 'insert') return `+${name} ${list(next!)}`
  return operation === 'delete' ? `-${name} ${list(old!)}` : `~${name} ${list(old!)} ${list(next!)}`
}

/** What was told since the last call. */
function told(): { method: string; merged: boolean; changes: string[] }[] {
  const fresh = log.transactions.slice(seen)
  seen = log.transactions.length
  return fresh.map(({ method, merged, changes }: RowTransaction) => ({
    ...{ method, merged },
    changes: changes.map(textOf),
  }))
}

/** Nothing of the log can be read any more. */
async function endLog(): Promise<void> {
  await run('PRAGMA wal_checkpoint(TRUNCATE)')
}

const TABLE = 'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)'

test('what happened while nobody followed is told step by step, and not again', async () => {
  await open(TABLE, "INSERT INTO t VALUES (1, 'one')")
  await runAuditSql(path)
  await start()
  stop()
  await run(
    "UPDATE t SET a = 'uno' WHERE id = 1",
    "UPDATE t SET a = 'eins' WHERE id = 1",
    "INSERT INTO t VALUES (2, 'x')",
  )
  await run('DELETE FROM t WHERE id = 2', "INSERT INTO t VALUES (3, 'three')", 'PRAGMA wal_checkpoint(TRUNCATE)')
  await run('UPDATE t SET id = 4 WHERE id = 3')
  await start()
  expect(told()).toEqual([
    {
      method: 'audit',
      merged: true,
      changes: [
        '~t 1 [1, "one"] [1, "uno"]',
        '~t 1 [1, "uno"] [1, "eins"]',
        '+t 2 [2, "x"]',
        '-t 2 [2, "x"]',
        '+t 3 [3, "three"]',
        '-t 3 [3, "three"]',
        '+t 4 [4, "three"]',
      ],
    },
  ])
  expect(followed!.condition).toEqual({ state: 'live', reason: '', method: 'audit' })
  stop()
  await start()
  expect(told()).toEqual([])
})

test('a transaction that is seen is told with its steps, those of several tables in their order', async () => {
  await open(TABLE, 'CREATE TABLE w(k, v, PRIMARY KEY (k)) WITHOUT ROWID')
  await runAuditSql(path)
  await start()
  await run('BEGIN', "INSERT INTO t VALUES (1, 'a')", "INSERT INTO w VALUES ('k', 1)", "UPDATE t SET a = 'b'")
  await run('UPDATE w SET v = 2', "UPDATE w SET k = 'l'", 'UPDATE w SET v = v', 'COMMIT')
  await run('BEGIN', 'DELETE FROM t', 'ROLLBACK')
  await followed!.settle()
  expect(told()).toEqual([
    {
      method: 'audit',
      merged: false,
      changes: [
        '+t 1 [1, "a"]',
        '+w ["k"] ["k", 1]',
        '~t 1 [1, "a"] [1, "b"]',
        '~w ["k"] ["k", 1] ["k", 2]',
        '-w ["k"] ["k", 2]',
        '+w ["l"] ["l", 2]',
      ],
    },
  ])
})

test.each(['OFF', 'ON'])(
  'rows that others replace are told as deleted, with recursive_triggers = %s',
  async recursive => {
    await open(
      `PRAGMA recursive_triggers = ${recursive}`,
      'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE COLLATE NOCASE, b)',
      'CREATE TABLE w(k TEXT COLLATE NOCASE PRIMARY KEY, v UNIQUE) WITHOUT ROWID',
      "INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)",
      "INSERT INTO w VALUES ('p', 1), ('q', 2)",
    )
    await runAuditSql(path)
    await start()
    const steps = async (...statements: string[]): Promise<string[]> => {
      await run('BEGIN', ...statements, 'COMMIT')
      await followed!.settle()
      const [transaction, more] = told()
      expect(more).toBeUndefined()
      expect(transaction).toMatchObject({ method: 'audit' })
      return transaction!.changes
    }
    expect(await steps("REPLACE INTO t VALUES (1, 'B', 9)")).toEqual([
      '-t 1 [1, "a", 1]',
      '-t 2 [2, "b", 2]',
      '+t 1 [1, "B", 9]',
    ])
    expect(await steps('UPDATE OR REPLACE t SET id = 3 WHERE id = 1')).toEqual([
      '-t 3 [3, "c", 3]',
      '-t 1 [1, "B", 9]',
      '+t 3 [3, "B", 9]',
    ])
    expect(await steps("REPLACE INTO t VALUES (3, 'B', 9)")).toEqual(['-t 3 [3, "B", 9]', '+t 3 [3, "B", 9]'])
    // Rows in the way that stay: nothing happens, something else happens, and only one of them is replaced.
    expect(
      await steps(
        "INSERT OR IGNORE INTO t VALUES (4, 'b', 0)",
        "INSERT INTO t VALUES (4, 'b', 0) ON CONFLICT (a) DO UPDATE SET b = 10",
        "INSERT INTO t VALUES (5, 'd', 0)",
      ),
    ).toEqual(['~t 3 [3, "B", 9] [3, "B", 10]', '+t 5 [5, "d", 0]'])
    expect(
      (await steps("REPLACE INTO w VALUES ('P', 2)")).sort(
        (a, b) => Number(a[0] === '+') - Number(b[0] === '+') || (a < b ? -1 : 1),
      ),
    ).toEqual(['-w ["p"] ["p", 1]', '-w ["q"] ["q", 2]', '+w ["P"] ["P", 2]'])
  },
)

test.each(['UTF-8', 'UTF-16be'])('values are exact, and so is what a table makes of them (%s)', async encoding => {
  await writer.open(path)
  await run(
    `PRAGMA encoding = '${encoding}'`,
    'PRAGMA journal_mode = WAL',
    'CREATE TABLE t(a, i INTEGER, r REAL, x TEXT, n NUMERIC, g AS (length(a)) STORED, v AS (a) VIRTUAL)',
  )
  await runAuditSql(path)
  await start()
  const reals = ['0.1', '-0.0', '1e308', '5e-324', '9e999', '1.0', '1152921504606846976.0']
  const texts = ["''", "'a' || char(0) || 'b'", "'ä😀'", "'12'", "'1.50'", "CAST(x'ff41' AS TEXT)"]
  const values = ['NULL', '9223372036854775807', '-9223372036854775807 - 1', ...reals, ...texts, "x''", "x'00ff80'"]
  for (const value of values) {
    const five = Array(5).fill(value).join(', ')
    // A numeric column makes a number of what looks like one, and a row with invalid text cannot be read by Python.
    await run(
      `INSERT INTO t(a, i, r, x, n) VALUES (${five})`,
      `UPDATE t SET r = i, i = r WHERE rowid = last_insert_rowid()`,
    )
  }
  await followed!.settle()
  const replica = new Replica()
  replica.apply({ tables: [...log.tables.values()], changes: [] })
  for (const transaction of log.transactions) {
    expect(transaction).toMatchObject({ method: 'audit', changes: [{}] })
    replica.apply(transaction)
  }
  expect(replica.rows('t')).toHaveLength(values.length)
  if (encoding === 'UTF-8') await run("DELETE FROM t WHERE hex(a) = 'FF41'")
  expect(replica.rows('t').filter(row => !row.includes('invalid'))).toEqual(await rowsOf(writer, 't'))
})

describe('what the audit does not have is told by pages', () => {
  test('before it was installed, while it was away, and after it was taken away', async () => {
    await open(TABLE)
    await start()
    expect(followed!.condition).toMatchObject({
      state: 'live',
      reason: 'followed by pages, not by an audit: "hotpath_audit": expected an audit table, found none',
    })
    await run("INSERT INTO t VALUES (1, 'a')")
    await followed!.settle()
    stop()
    await runAuditSql(path)
    await endLog()
    await run("INSERT INTO t VALUES (2, 'b')", "UPDATE t SET a = 'c' WHERE id = 2")
    await start()
    expect(told()).toEqual([
      { method: 'pages', merged: false, changes: ['+t 1 [1, "a"]'] },
      { method: 'comparison', merged: true, changes: ['+t 2 [2, "c"]'] },
    ])
    stop()
    await runAuditSql(path, { action: 'remove', tables: ['t'] })
    await run("INSERT INTO t VALUES (3, 'd')")
    await runAuditSql(path)
    await endLog()
    await run(
      "UPDATE t SET a = 'e' WHERE id = 3",
      "UPDATE t SET a = 'f' WHERE id = 2",
      "UPDATE t SET a = 'g' WHERE id = 2",
    )
    await start()
    expect(told()).toEqual([
      { method: 'comparison', merged: true, changes: ['~t 2 [2, "c"] [2, "g"]', '+t 3 [3, "e"]'] },
    ])
    await runAuditSql(path, { action: 'remove' })
    await run('DELETE FROM t')
    await followed!.settle()
    expect(told().map(({ method }) => method)).toEqual(['pages'])
  })

  test('where columns changed, until the SQL was run again', async () => {
    await open(TABLE, 'CREATE TABLE u(a)')
    await runAuditSql(path)
    await start()
    await run(
      'BEGIN',
      "INSERT INTO t VALUES (1, 'a')",
      'ALTER TABLE t ADD COLUMN b DEFAULT 5',
      'INSERT INTO u VALUES (1)',
      'COMMIT',
    )
    await run('UPDATE t SET b = 6', 'UPDATE u SET a = 2')
    await followed!.settle()
    expect(told()).toEqual([
      // Steps first, then what the pages say.
      { method: 'audit', merged: false, changes: ['+u 1 [1]', '+t 1 [1, "a", 5]'] },
      { method: 'pages', merged: false, changes: ['~t 1 [1, "a", 5] [1, "a", 6]'] },
      { method: 'audit', merged: false, changes: ['~u 1 [1] [2]'] },
    ])
    expect(followed!.condition).toMatchObject({
      state: 'live',
      reason:
        'followed by pages, not by an audit: "t": expected triggers for its columns and unique indexes as they are, found others: they have to be made anew',
    })
    await runAuditSql(path)
    await run('UPDATE t SET b = 7')
    await followed!.settle()
    expect(told()).toEqual([{ method: 'audit', merged: false, changes: ['~t 1 [1, "a", 6] [1, "a", 7]'] }])
    expect(followed!.condition).toMatchObject({ state: 'live', reason: '' })
  })

  test('of another trigger only where it is younger: it would be told before what it was done for', async () => {
    await open(TABLE, 'CREATE TABLE u(n)')
    await runAuditSql(path)
    const trigger =
      "CREATE TRIGGER own AFTER INSERT ON t BEGIN UPDATE t SET a = a || '!' WHERE id = NEW.id; INSERT INTO u VALUES (NEW.id); END"
    await run(trigger)
    await start()
    expect(followed!.condition!.reason).toContain('found "own", which is younger')
    await run("INSERT INTO t VALUES (1, 'a')")
    await followed!.settle()
    expect(told()).toEqual([{ method: 'audit', merged: false, changes: ['+u 1 [1]', '+t 1 [1, "a!"]'] }])
    await runAuditSql(path)
    await run("INSERT INTO t VALUES (2, 'b')")
    await followed!.settle()
    expect(followed!.condition!.reason).toBe('')
    expect(told()).toEqual([
      { method: 'audit', merged: false, changes: ['+t 2 [2, "b"]', '~t 2 [2, "b"] [2, "b!"]', '+u 2 [2]'] },
    ])
  })

  test('where rows were replaced without a trace, steps were let go of, or somebody wrote into the audit', async () => {
    await open('CREATE TABLE t(id INTEGER PRIMARY KEY, a, b)', 'CREATE UNIQUE INDEX i ON t(a) WHERE b')
    await runAuditSql(path)
    await start()
    await run('INSERT INTO t VALUES (1, 1, 1)', 'REPLACE INTO t VALUES (2, 1, 1)')
    await followed!.settle()
    expect(told()).toEqual([
      { method: 'audit', merged: false, changes: ['+t 1 [1, 1, 1]'] },
      { method: 'pages', merged: false, changes: ['-t 1 [1, 1, 1]', '+t 2 [2, 1, 1]'] },
    ])
    stop()
    await endLog()
    await run('UPDATE t SET a = 2', 'UPDATE t SET a = 3', 'DELETE FROM hotpath_audit WHERE id % 2 = 0')
    await start()
    expect(told()).toEqual([{ method: 'comparison', merged: true, changes: ['~t 2 [2, 1, 1] [2, 3, 1]'] }])
    await run("INSERT INTO hotpath_audit(\"table\", operation, new_0, new_1) VALUES ('t', 'insert', 9, 9)")
    await run('INSERT INTO hotpath_audit("table", operation) VALUES (5, \'odd\')')
    await run('INSERT INTO t VALUES (9, 9, 9)')
    await followed!.settle()
    expect(told()).toEqual([{ method: 'audit', merged: false, changes: ['+t 9 [9, 9, 9]'] }])
  })

  test('where steps were kept in another order than they were done in', async () => {
    await open('PRAGMA foreign_keys = ON', 'CREATE TABLE t(id INTEGER PRIMARY KEY, up REFERENCES t ON UPDATE CASCADE)')
    await run('INSERT INTO t VALUES (3, 3), (4, 3)')
    await runAuditSql(path)
    await start()
    // What a key refers to is changed before the trigger of the change itself runs.
    await run('UPDATE t SET id = 5 WHERE id = 3')
    await run('UPDATE t SET up = 4 WHERE id = 4')
    await followed!.settle()
    expect(told()).toEqual([
      { method: 'pages', merged: false, changes: ['-t 3 [3, 3]', '~t 4 [4, 3] [4, 5]', '+t 5 [5, 5]'] },
      { method: 'audit', merged: false, changes: ['~t 4 [4, 5] [4, 4]'] },
    ])
  })

  test('where a table came later that is wider, or a unique index, until the SQL was run again', async () => {
    await open(TABLE)
    await runAuditSql(path)
    await run('CREATE TABLE wide(a, b, c, d, e)', 'CREATE UNIQUE INDEX i ON t(a)')
    await start()
    const { reason } = followed!.condition!
    expect(reason).toContain('"wide": expected its triggers of the audit, found none')
    expect(reason).toContain('"t": expected triggers for its columns and unique indexes as they are')
    await runAuditSql(path)
    await followed!.settle()
    expect(followed!.condition!.reason).toBe('')
    await run('INSERT INTO wide VALUES (1, 2, 3, 4, 5)', "REPLACE INTO t VALUES (1, 'a'), (2, 'a')", 'DELETE FROM wide')
    await followed!.settle()
    expect(told().flatMap(({ method, changes }) => [method, ...changes])).toEqual([
      ...['audit', '+wide 1 [1, 2, 3, 4, 5]'],
      ...['audit', '+t 1 [1, "a"]', '-t 1 [1, "a"]', '+t 2 [2, "a"]'],
      ...['audit', '-wide 1 [1, 2, 3, 4, 5]'],
    ])
  })

  test('where the audit table is not what it should be', async () => {
    await open(TABLE)
    await runAuditSql(path)
    await run('ALTER TABLE hotpath_audit RENAME COLUMN old_0 TO former')
    await start()
    expect(followed!.condition!.reason).toContain('expected the columns of an audit table, found others')
    await expect(runAuditSql(path)).rejects.toThrow('expected the columns of an audit table')
    await run("INSERT INTO t VALUES (1, 'a')")
    await followed!.settle()
    expect(told()).toEqual([{ method: 'pages', merged: false, changes: ['+t 1 [1, "a"]'] }])
  })
})

test('the owner lets go of steps that were told, and nobody is told of that', async () => {
  await open(TABLE)
  await runAuditSql(path)
  await start()
  await run("INSERT INTO t VALUES (1, 'a')")
  await followed!.settle()
  await run('DELETE FROM hotpath_audit')
  await followed!.settle()
  stop()
  await endLog()
  await run("UPDATE t SET a = 'b'", "UPDATE t SET a = 'c'", 'VACUUM')
  await start()
  expect(told().map(({ method, changes }) => [method, changes])).toEqual([
    ['audit', ['+t 1 [1, "a"]']],
    ['audit', ['~t 1 [1, "a"] [1, "b"]', '~t 1 [1, "b"] [1, "c"]']],
  ])
  expect([...log.tables.keys()]).toEqual(['t'])
})

test('parts of virtual tables are audited where they were chosen, and nothing is said where not', async () => {
  await open('CREATE VIRTUAL TABLE f USING fts5(x)')
  await runAuditSql(path, { tables: ['f_content'] })
  await start({ tables: ['f_content', 'f_docsize'] })
  expect(followed!.condition).toMatchObject({ state: 'live', reason: '', method: 'audit' })
  await run("INSERT INTO f(x) VALUES ('a')", "UPDATE f SET x = 'b'")
  await followed!.settle()
  expect(told()[0]).toMatchObject({ method: 'audit', changes: ['+f_content 1 [1, "a"]', expect.anything()] })
})

test('who does not ask for it is told by pages, and nothing of the audit itself', async () => {
  await open(TABLE)
  await runAuditSql(path)
  await start({ audit: false })
  await run('BEGIN', "INSERT INTO t VALUES (1, 'a')", "UPDATE t SET a = 'b'", 'COMMIT')
  await followed!.settle()
  expect(told()).toEqual([{ method: 'pages', merged: false, changes: ['+t 1 [1, "b"]'] }])
  expect(followed!.condition).toEqual({ state: 'live', reason: '', method: 'pages' })
  stop()
  // Asked for later, nothing is told twice.
  await endLog()
  await run("UPDATE t SET a = 'c'", "UPDATE t SET a = 'd'")
  await start()
  expect(log.resets).toBe(1)
  expect(told().map(({ changes }) => changes)).toEqual([['~t 1 [1, "b"] [1, "c"]', '~t 1 [1, "c"] [1, "d"]']])
})

test('a database without a log is told step by step, too', async () => {
  await writer.open(path)
  await run(TABLE)
  await runAuditSql(path)
  await start()
  await run('BEGIN', "INSERT INTO t VALUES (1, 'a')", "UPDATE t SET a = 'b'", 'COMMIT', 'DELETE FROM t')
  await followed!.settle()
  expect(told().flatMap(({ method, changes }) => [method, ...changes])).toEqual([
    ...['audit', '+t 1 [1, "a"]', '~t 1 [1, "a"] [1, "b"]', '-t 1 [1, "b"]'],
  ])
})

const hasSqlcipher = spawnSync('sqlcipher', ['-version']).status === 0

test.runIf(hasSqlcipher)('an encrypted database is told step by step', async () => {
  const keyFile = join(directory, 'key')
  writeFileSync(keyFile, 'secret\n')
  const before = "PRAGMA key = 'secret';"
  const shell = (sql: string) => execFileSync('sqlcipher', ['-bail', path], { input: `${before}\n${sql};\n` })
  shell(`PRAGMA journal_mode = WAL; ${TABLE}`)
  await runAuditSql(path, { shell: 'sqlcipher', before, keyFile })
  await start({ key: 'secret' })
  shell("INSERT INTO t VALUES (1, 'a'); REPLACE INTO t VALUES (1, 'b')")
  await followed!.settle()
  expect(told().flatMap(({ method, changes }) => [method, ...changes])).toEqual([
    ...['audit', '+t 1 [1, "a"]', '-t 1 [1, "a"]', '+t 1 [1, "b"]'],
  ])
})
