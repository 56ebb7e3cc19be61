import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RowChange } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DatabaseDifference, type DatabaseState } from './database-difference.js'
import { PageOwners, PageRole } from './page-owners.js'
import { overlaid, type PageSource } from './page-source.js'
import { readSchema } from './schema.js'
import { type TableShape, tableShape } from './table-shape.js'
import { bytesIn } from './testing/memory-pages.js'
import { type BlobWrite, pagesOf, runSql } from './testing/python-database.js'
import { parseWalHeader } from './wal-header.js'
import { WalPages } from './wal-pages.js'
import { WalReader } from './wal-reader.js'

const ROWS = 5_000
const START = [
  'PRAGMA page_size=512',
  'PRAGMA journal_mode=WAL',
  'PRAGMA synchronous=OFF',
  // Else freed pages are written, with zeros.
  'PRAGMA secure_delete=OFF',
  'PRAGMA wal_autocheckpoint=0',
  'CREATE TABLE t(id INTEGER PRIMARY KEY, v)',
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) INSERT INTO t SELECT i, 'value ' || i FROM n`,
  'INSERT INTO t VALUES (1000000, zeroblob(100000))',
  'PRAGMA wal_checkpoint(TRUNCATE)',
]

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-opened-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Pages that were asked for, each as often as it was. */
class CountedPages implements PageSource {
  readonly asked: number[] = []

  constructor(readonly pages: PageSource) {}
  get file() {
    return this.pages.file
  }
  get pageSize() {
    return this.pages.pageSize
  }
  get usableSize() {
    return this.pages.usableSize
  }
  get pageCount() {
    return this.pages.pageCount
  }
  page(no: number): Uint8Array {
    this.asked.push(no)
    return this.pages.page(no)
  }
}

interface Followed {
  readonly changes: readonly RowChange[]
  /** Pages of the commit. */
  readonly written: readonly number[]
  readonly before: CountedPages
  readonly after: CountedPages
  readonly owners: PageOwners
  readonly depth: number
}

/** What the transaction of `statements` changed in the table of START. */
function follow(...statements: (string | BlobWrite)[]): Followed {
  const file = runSql(directory, ...START, ...statements)
  const base = pagesOf(file)
  const shape: TableShape = tableShape({
    name: 't',
    rootPage: readSchema(base).find(({ name }) => name === 't')!.rootPage,
    withoutRowid: false,
    columns: ['id', 'v'].map((name, cid) => ({
      ...{
        cid,
        name,
        type: cid === 0 ? 'INTEGER' : '',
        defaultExpression: null,
        primaryKey: cid === 0 ? 1 : 0,
        hidden: 0,
      },
    })),
    primaryKeyIndex: null,
  })
  const bytes = readFileSync(`${file}-wal`)
  const header = parseWalHeader({ file, bytes, offset: 0 })
  const log = bytesIn(file, bytes)
  const commits = [...new WalReader(log, header).commits(2 ** 31)]
  expect(commits).toHaveLength(1)
  const { frames, pageCount } = commits[0]!
  const owners = PageOwners.of(base, [shape])
  let depth = 1
  for (
    let no = [...owners.pages()].find(page => owners.roleOf(page) === PageRole.leaf)!;
    owners.parentOf(no) !== 0;
    depth++
  )
    no = owners.parentOf(no)
  const before = new CountedPages(base)
  const after = new CountedPages(overlaid(base, new WalPages(log, header, frames), pageCount))
  const state = (source: PageSource, tables = [shape]): DatabaseState => ({ source, encoding: 'utf-8', tables })
  // The table has the same root in all of these, and where not, it is the schema that says so.
  const root = readSchema(after.pages).find(({ name }) => name === 't')!.rootPage
  const difference = new DatabaseDifference(
    state(before),
    state(after, [{ ...shape, rootPage: root }]),
    owners,
    frames.pages(),
  )
  const changes = [...difference.changes()]
  difference.settle()
  return { changes, written: [...frames.pages()], before, after, owners, depth }
}

const operations = ({ changes }: Followed): string[] => changes.map(({ operation, key }) => `${operation} ${key}`)

describe('a difference', () => {
  it('of one row reads the way to its leaf, whatever the size of the table', () => {
    const followed = follow("UPDATE t SET v = 'x' WHERE id = 2999")
    expect(operations(followed)).toEqual(['update 2999'])
    expect(followed.depth).toBeGreaterThanOrEqual(3)
    for (const { asked } of [followed.before, followed.after])
      expect(asked.length).toBeLessThanOrEqual(followed.depth + 1)
  })

  it('of a row that splits a leaf has that row only, and decodes the rows of no other leaf', () => {
    const followed = follow(`INSERT INTO t(id, v) VALUES (0, '${'z'.repeat(200)}')`)
    expect(operations(followed)).toEqual(['insert 0'])
    const pages = new Set([...followed.before.asked, ...followed.after.asked])
    expect(pages.size).toBeLessThanOrEqual(followed.depth + 6)
  })

  it('of rows whose leaves were freed tells them, though the log does not have the leaves', () => {
    const followed = follow('DELETE FROM t')
    expect(operations(followed)).toEqual([
      ...Array.from({ length: ROWS }, (_, index) => `delete ${index + 1}`),
      'delete 1000000',
    ])
    expect(followed.written.length).toBeLessThan(followed.before.asked.length / 10)
    expect([...followed.owners.pages()]).toHaveLength(1)
  })

  it('of a blob that was written where it is tells its row, though only its overflow page is in the log', () => {
    const followed = follow(['t', 'v', 1_000_000, 60_000, 'changed'])
    expect(operations(followed)).toEqual(['update 1000000'])
    const { owners, written } = followed
    expect(written.map(no => owners.roleOf(no))).toEqual([PageRole.chain])
    const value = followed.changes[0]!.new![1] as Uint8Array
    expect(Buffer.from(value.subarray(60_000, 60_007)).toString()).toBe('changed')
    expect((followed.changes[0]!.old![1] as Uint8Array)[60_000]).toBe(0)
  })

  it('of a large blob that only moved to another leaf reads none of it', () => {
    // The row is the last; rows after it make its leaf split, and give it another page.
    const followed = follow(`INSERT INTO t SELECT id + 1000000, hex(zeroblob(100)) FROM t WHERE id < 30`)
    expect(followed.changes.every(({ operation }) => operation === 'insert')).toBe(true)
    const { owners } = followed
    for (const asked of [followed.before.asked, followed.after.asked])
      expect(asked.filter(no => owners.roleOf(no) === PageRole.chain)).toEqual([])
  })

  it('of a VACUUM has nothing, and reads each page a bounded number of times', () => {
    const followed = follow('DELETE FROM t WHERE id % 2 = 0 AND id < 1', 'VACUUM')
    expect(followed.changes).toEqual([])
    const { asked } = followed.after
    expect(asked.length).toBeLessThan(3 * followed.after.pageCount)
  })

  it('is told while it is read: of many rows no more pages are read than it takes', () => {
    const file = runSql(directory, ...START, 'UPDATE t SET v = v || 1')
    const base = pagesOf(file)
    const root = readSchema(base).find(({ name }) => name === 't')!.rootPage
    const columns = ['id', 'v'].map((name, cid) => ({
      cid,
      name,
      type: '',
      defaultExpression: null,
      primaryKey: 0,
      hidden: 0,
    }))
    const shape = tableShape({ name: 't', rootPage: root, withoutRowid: false, columns, primaryKeyIndex: null })
    const bytes = readFileSync(`${file}-wal`)
    const header = parseWalHeader({ file, bytes, offset: 0 })
    const [commit] = [...new WalReader(bytesIn(file, bytes), header).commits(2 ** 31)]
    const owners = PageOwners.of(base, [shape])
    const source = overlaid(base, new WalPages(bytesIn(file, bytes), header, commit!.frames), commit!.pageCount)
    const state = { encoding: 'utf-8', tables: [shape] } as const
    const difference = new DatabaseDifference(
      { ...state, source: base },
      { ...state, source },
      owners,
      commit!.frames.pages(),
    )
    const counted = new CountedPages(source)
    const lazily = new DatabaseDifference(
      { ...state, source: base },
      { ...state, source: counted },
      owners,
      commit!.frames.pages(),
    )
    const changes = lazily.changes()
    expect(changes.next().value).toMatchObject({ operation: 'update', key: 1n })
    const first = counted.asked.length
    for (let count = 0; count < 1_000; count++) changes.next()
    // A thousand rows of some twenty on each leaf.
    expect(counted.asked.length - first).toBeLessThan(60)
    expect(() => lazily.settle()).toThrow('read to their end')
    expect([...difference.changes()]).toHaveLength(ROWS + 1)
  })
})
