#!/usr/bin/env node
/**
 * How fast the formats are read: `node speed.mjs`, after a build, on a machine that does nothing else. Makes a database of 80 MB and a log of 80 MB
 * with Python's sqlite3 in a temporary directory. Each figure is the best of three runs.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as sqlite from './dist/index.js'

const RUNS = 3
const WRITER = `
import os, shutil, sqlite3, sys
os.chdir(sys.argv[1])
db = sqlite3.connect("data.db", isolation_level=None)
for sql in """
PRAGMA page_size=4096; PRAGMA journal_mode=wal; PRAGMA synchronous=off; PRAGMA wal_autocheckpoint=0;
CREATE TABLE m(id INTEGER PRIMARY KEY, body TEXT, n INT, r REAL, b BLOB);
CREATE TABLE k(a TEXT, b INT, v TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
  INSERT INTO m SELECT i, 'message number ' || i || ' with some more text', i % 1000, i / 3.0, x'00112233445566778899' FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
  INSERT INTO k SELECT 'key ' || (i % 5000), i, 'value ' || i FROM n;
PRAGMA wal_checkpoint(truncate);
UPDATE m SET n = n + 1 WHERE id % 50 = 0;
""".split(";"):
    db.execute(sql).fetchall()
for i in range(2000):
    db.execute("INSERT INTO m(body, n) VALUES ('new row', ?)", (i,))
os._exit(0)
`

const directory = mkdtempSync(join(tmpdir(), 'sqlite-speed-'))
const open = []
try {
  const { stderr } = spawnSync('python3', ['-c', WRITER, directory], { encoding: 'utf8' })
  process.stderr.write(stderr)
  measurePages()
  measureCiphers()
} finally {
  for (const descriptor of open) closeSync(descriptor)
  rmSync(directory, { recursive: true })
}

function measurePages() {
  const database = bytesOf('data.db')
  const log = bytesOf('data.db-wal')
  const header = sqlite.parseDatabaseHeader(partOf(database, 100))
  const logHeader = sqlite.parseWalHeader(partOf(log, 32))
  const base = {
    file: database.file,
    pageSize: header.pageSize,
    usableSize: header.usableSize,
    pageCount: database.size / header.pageSize,
    page: no => partOf(database, header.pageSize, (no - 1) * header.pageSize).bytes,
  }
  const tables = tablesOf(base)
  report('frames of the log read and checked', log.size / 1e6, 'MB/s', () => {
    for (const _ of new sqlite.WalReader(log, logHeader).commits(2 ** 31));
  })
  for (const table of tables)
    report(`rows of ${table.name} decoded`, table.name === 'm' ? 1e6 : 3e5, 'rows/s', () => {
      for (const _ of sqlite.tableRows(base, table, 'utf-8'));
    })
  report('pages walked for their owners', base.pageCount, 'pages/s', () => sqlite.PageOwners.of(base, tables))
  const commits = [...new sqlite.WalReader(log, logHeader).commits(2 ** 31)]
  const follow = () => {
    const owners = sqlite.PageOwners.of(base, tables)
    const written = new Map()
    let state = { source: base, encoding: 'utf-8', tables }
    return commit => {
      const pages = new sqlite.WalPages(log, logHeader, commit.frames)
      const after = { ...state, source: sqlite.overlaid(state.source, pages, commit.pageCount) }
      const difference = new sqlite.DatabaseDifference(state, after, owners, commit.frames.pages())
      for (const _ of difference.changes());
      difference.settle()
      for (const no of commit.frames.pages()) written.set(no, pages)
      const page = no => written.get(no)?.get(no) ?? base.page(no)
      state = { ...state, source: { ...base, pageCount: commit.pageCount, page } }
    }
  }
  const changed = commits[0].frames.count
  report('pages compared, of 1 row in 50 changed', changed, 'pages/s', take => take(commits[0]), follow)
  const small = commits.slice(1)
  report(
    'commits of one row',
    small.length,
    'commits/s',
    take => small.forEach(take),
    () => {
      const take = follow()
      take(commits[0])
      return take
    },
  )
}

function measureCiphers() {
  for (const [name, profile, key] of [
    ['sqlcipher-4', sqlite.SQLCIPHER_4, 'correct horse'],
    ['wcdb', sqlite.WCDB, 'correct horse'],
    ['sqlcipher-3', sqlite.SQLCIPHER_3, 'correct horse'],
  ]) {
    const bytes = gunzipSync(readFileSync(new URL(`fixtures/${name}.db.gz`, import.meta.url)))
    const keys = sqlite.PageKeys.sync(profile, sqlite.CipherKey.parse(key), bytes.subarray(0, 16))
    const cipher = new sqlite.PageCipher(profile, keys)
    const page = bytes.subarray(profile.pageSize, 2 * profile.pageSize)
    report(`pages of ${profile.pageSize} bytes decrypted, ${name}`, 20_000, 'pages/s', () => {
      for (let count = 0; count < 20_000; count++) cipher.decrypt(2, page, name)
    })
  }
}

function report(what, count, unit, run, prepare = () => undefined) {
  let best = Number.POSITIVE_INFINITY
  for (let left = RUNS; left > 0; left--) {
    const prepared = prepare()
    const start = performance.now()
    run(prepared)
    best = Math.min(best, performance.now() - start)
  }
  console.log(
    `${what.padEnd(52)} ${Math.round((count / best) * 1000)
      .toLocaleString('en')
      .padStart(10)} ${unit}`,
  )
}

function bytesOf(name) {
  const file = join(directory, name)
  const descriptor = openSync(file)
  open.push(descriptor)
  const read = (offset, target) => readSync(descriptor, target, 0, target.length, offset)
  return { file, size: fstatSync(descriptor).size, read }
}

function partOf(source, length, offset = 0) {
  const bytes = new Uint8Array(length)
  source.read(offset, bytes)
  return { file: source.file, bytes, offset }
}

function tablesOf(source) {
  const schema = sqlite.readSchema(source)
  const rootOf = name => schema.find(object => object.name === name).rootPage
  const shape = (name, columns, primaryKey) =>
    sqlite.tableShape({
      name,
      rootPage: rootOf(name),
      withoutRowid: primaryKey > 1,
      columns: columns.map(([column, type], cid) => ({
        cid,
        name: column,
        type,
        defaultExpression: null,
        primaryKey: cid < primaryKey ? cid + 1 : 0,
        hidden: 0,
      })),
      primaryKeyIndex: primaryKey > 1 ? columns.map((_, cid) => cid) : null,
    })
  const m = [
    ['id', 'INTEGER'],
    ['body', 'TEXT'],
    ['n', 'INT'],
    ['r', 'REAL'],
    ['b', 'BLOB'],
  ]
  const k = [
    ['a', 'TEXT'],
    ['b', 'INT'],
    ['v', 'TEXT'],
  ]
  return [shape('m', m, 1), shape('k', k, 2)]
}
