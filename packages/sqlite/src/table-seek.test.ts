import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PageSource } from './page-source.js'
import { readSchema, SCHEMA_SHAPE } from './schema.js'
import { tableRows } from './table-scan.js'
import { lastRowid, rowsBehind } from './table-seek.js'
import type { TableShape } from './table-shape.js'
import { pagesOf, runSql } from './testing/python-database.js'

let directory: string
let source: PageSource

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-seek-'))
  const file = runSql(
    directory,
    'PRAGMA page_size = 512',
    'CREATE TABLE t(a)',
    // Three levels, with gaps, and with rows that are longer than a page.
    "WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t(rowid, a) SELECT i * 3, 'row ' || i FROM n",
    'UPDATE t SET a = hex(zeroblob(1000)) WHERE rowid % 300 = 0',
    'INSERT INTO t(rowid, a) VALUES (-9223372036854775808, 1), (9223372036854775807, 2)',
    'CREATE TABLE empty(a)',
  )
  source = pagesOf(file)
})
afterAll(() => rmSync(directory, { recursive: true }))

function shapeOf(table: string): TableShape {
  const { rootPage } = readSchema(source).find(({ name }) => name === table)!
  const columns = [{ name: 'a', affinity: 'blob', rowid: false, defaultValue: null } as const]
  return { ...SCHEMA_SHAPE, name: table, rootPage, columns, recordColumns: [0] }
}

describe('rows behind a rowid', () => {
  it('are those of the whole table with greater ones, wherever they begin', () => {
    const shape = shapeOf('t')
    const all = [...tableRows(source, shape, 'utf-8')]
    const from = [-(2n ** 63n), -1n, 0n, 1n, 2n, 3n, 4n, 299n, 300n, 4_500n, 8_999n, 9_000n, 9_001n, 2n ** 63n - 1n]
    for (let i = 0n; i < 60n; i++) from.push((i * 7_919n) % 9_100n)
    for (const rowid of from)
      expect([...rowsBehind(source, shape, rowid, 'utf-8')]).toEqual(all.filter(({ key }) => (key as bigint) > rowid))
  })

  it('are found without reading what is before them', () => {
    const read = new Set<number>()
    const watched: PageSource = {
      ...source,
      page: no => {
        read.add(no)
        return source.page(no)
      },
    }
    expect([...rowsBehind(watched, shapeOf('t'), 8_997n, 'utf-8')]).toHaveLength(2)
    expect(lastRowid(watched, shapeOf('t'))).toBe(2n ** 63n - 1n)
    expect(read.size).toBeLessThan(12)
  })

  it('are none of a table without rows', () => {
    expect(lastRowid(source, shapeOf('empty'))).toBe(0)
    expect([...rowsBehind(source, shapeOf('empty'), -1, 'utf-8')]).toEqual([])
  })
})
