import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'

const cli = commandTests()

function shell(sql: string, program = 'sqlite3'): string {
  const { status, stdout, stderr } = spawnSync(program, ['-bail', join(cli.directory, 'a.db')], { input: `${sql}\n` })
  if (status !== 0) throw new Error(String(stderr))
  return String(stdout)
}

async function auditSql(...argv: string[]) {
  const found = await cli.hotpath(['audit-sql', ...argv], new Error('no system is needed'))
  return { ...found, out: Buffer.from(found.out, 'latin1').toString() }
}

const IN_AUDIT = 'SELECT "table", operation, quote(old_1), quote(new_1) FROM hotpath_audit ORDER BY id;'

test('prints SQL that keeps changes of the chosen tables, and SQL that takes it away, and writes nothing', async () => {
  shell(`PRAGMA journal_mode = WAL; CREATE TABLE "o'd""d"(a); CREATE TABLE other(a); CREATE TABLE t_1(a, b); CREATE TABLE f_old(a);
    CREATE VIRTUAL TABLE f USING fts5(x); CREATE UNIQUE INDEX i ON "o'd""d"(abs(a));`)
  const file = join(cli.directory, 'a.db')
  const before = [readFileSync(file), statSync(file).mtimeMs]
  const { out, code } = await auditSql('install', 'a.db', '--table', 'o*d', '--table', 'T_?')
  expect(code).toBe(0)
  expect([readFileSync(file), statSync(file).mtimeMs]).toEqual(before)
  expect(out.split('\n').slice(0, 3)).toEqual([
    `-- keeps each change of rows of "o'd\\"d", "t_1" in hotpath_audit; hotpath takes them from there with audit = true`,
    `-- rows of "o'd\\"d" that are replaced by REPLACE because of "i": not kept`,
    'BEGIN IMMEDIATE;',
  ])
  shell(out)
  // Once more changes nothing but where the audit says that it begins.
  shell(out)
  shell(`INSERT INTO "o'd""d" VALUES (1); INSERT INTO other VALUES (2); UPDATE "o'd""d" SET a = x'00';`)
  expect(shell(IN_AUDIT).split('\n').slice(4, -1)).toEqual([`o'd"d|insert|NULL|1`, `o'd"d|update|1|X'00'`])
  const all = await auditSql('install', 'a.db')
  expect(all.out).toContain('-- not kept: "f_data", a part of a virtual table\n')
  for (const table of ['other', 'f_old']) expect(all.out).toContain(`ON "${table}" BEGIN`)
  const removal = await auditSql('remove', 'a.db', '--table', 't_1')
  expect(removal.out).not.toContain('DROP TABLE')
  shell(removal.out)
  expect(shell("SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger';")).toBe(`o'd"d\n`)
  shell((await auditSql('remove', 'a.db')).out)
  expect(shell("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'hotpath%';")).toBe('0\n')
})

test('looks for rows in the way by their indexes alone', async () => {
  shell(`CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE, b TEXT COLLATE NOCASE); CREATE UNIQUE INDEX i ON t(b, a);
    CREATE TABLE w(k TEXT COLLATE NOCASE, n, u UNIQUE, PRIMARY KEY (n, k)) WITHOUT ROWID;`)
  shell((await auditSql('install', 'a.db')).out)
  const plan = shell(`.eqp trigger
    REPLACE INTO t VALUES (1, 2, 3);
    UPDATE OR REPLACE t SET id = 2 WHERE id = 1;
    DELETE FROM t WHERE id = 1;
    REPLACE INTO w VALUES (1, 2, 3);
    UPDATE OR REPLACE w SET k = 2 WHERE k = 1 AND n = 1;
    DELETE FROM w WHERE k = 1 AND n = 1;`)
  expect(plan.match(/SEARCH hotpath_audit USING INDEX hotpath_audit_open/g)).toHaveLength(14)
  expect(plan).not.toContain('SCAN')
})

const hasSqlcipher = spawnSync('sqlcipher', ['-version']).status === 0

test.runIf(hasSqlcipher)('reads the schema of an encrypted database with its key', async () => {
  const run = (sql: string) => shell(`PRAGMA key = 'secret';\n${sql}`, 'sqlcipher')
  run('CREATE TABLE t(a);')
  writeFileSync(join(cli.directory, 'key'), 'secret\n')
  expect(await auditSql('install', 'a.db')).toMatchObject({ code: 2, out: '' })
  run((await auditSql('install', 'a.db', '--key-file', 'key')).out)
  run('INSERT INTO t VALUES (7);')
  expect(run(IN_AUDIT)).toContain('t|insert|NULL|7\n')
})

test.each([
  [['install', 'none.db'], 'there is no such file'],
  [['install', 'a.db', '--table', 'x'], 'tables: expected some whose changes can be kept, found none'],
  [['remove', 'a.db'], 'database: expected triggers of an audit, found none'],
  [['install', 'key'], 'it is encrypted, or is no SQLite database, and there is no key'],
])('%s is refused', async (argv, message) => {
  shell('CREATE TABLE t(a);')
  writeFileSync(join(cli.directory, 'key'), 'x'.repeat(1_000))
  const { code, out, err } = await auditSql(...argv)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(message)
})
