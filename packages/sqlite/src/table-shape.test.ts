import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSchema } from './schema.js'
import { tableRows } from './table-scan.js'
import { followedTable, type TableInfo, type TableShape, tableInfo, tableShape } from './table-shape.js'
import { answered, pagesOf, runSql } from './testing/python-database.js'

let directory = ''
let file = ''
let shapes: readonly TableShape[] = []
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-shape-'))
  file = runSql(
    directory,
    'CREATE TABLE plain(id INTEGER PRIMARY KEY, "a b" TEXT, n REAL DEFAULT 1.5)',
    'CREATE TABLE no_alias(id INTEGER PRIMARY KEY DESC, v)',
    'CREATE TABLE int_key(id INT PRIMARY KEY, v)',
    'CREATE TABLE pair(a INTEGER, b INTEGER, v REAL, PRIMARY KEY(b, a)) WITHOUT ROWID',
    'CREATE TABLE computed(a INT, b AS (a * 2) VIRTUAL, c INT AS (a + 1) STORED)',
    'CREATE VIEW seen AS SELECT 1',
    "INSERT INTO plain VALUES (7, 'x', 2)",
    "INSERT INTO no_alias VALUES (7, 'x')",
    'INSERT INTO pair VALUES (1, 2, 3)',
    'INSERT INTO computed(a) VALUES (5)',
  )
  const tables = readSchema(pagesOf(file)).filter(({ type }) => type === 'table')
  const infos = answered(file, ask => tables.map(({ name, rootPage }) => tableInfo(ask, name, rootPage)))
  shapes = infos.map(tableShape)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function shapeOf(name: string): TableShape {
  return shapes.find(shape => shape.name === name)!
}

const rowsOf = (name: string) => [...tableRows(pagesOf(file), shapeOf(name), 'utf-8')]

describe('readSchema', () => {
  it('has all objects, as SQLite has them', () => {
    const expected = answered(file, ask => ask('SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema'))
    expect(
      readSchema(pagesOf(file)).map(({ type, name, table, rootPage, sql }) => [type, name, table, rootPage, sql]),
    ).toEqual(expected)
    expect(expected.length).toBeGreaterThan(6)
  })
})

describe('tableShape', () => {
  it('has the rowid in the column that is its name', () => {
    expect(shapeOf('plain').columns).toEqual([
      { name: 'id', affinity: 'integer', rowid: true, defaultValue: null },
      { name: 'a b', affinity: 'text', rowid: false, defaultValue: null },
      { name: 'n', affinity: 'real', rowid: false, defaultValue: 1.5 },
    ])
    expect(rowsOf('plain')).toEqual([{ key: 7n, values: [7n, 'x', 2] }])
  })

  it('has no such column where the key is stored beside the rowid', () => {
    for (const name of ['no_alias', 'int_key']) expect(shapeOf(name).columns.some(column => column.rowid)).toBe(false)
    expect(rowsOf('no_alias')).toEqual([{ key: 1n, values: [7n, 'x'] }])
  })

  it('finds the values of a table without rowids behind its key', () => {
    const shape = shapeOf('pair')
    expect(shape).toMatchObject({ withoutRowid: true, recordColumns: [1, 0, 2], primaryKey: [1, 0] })
    expect(followedTable(shape)).toEqual({ name: 'pair', columns: ['a', 'b', 'v'], primaryKey: ['b', 'a'] })
    expect(rowsOf('pair')).toEqual([{ key: [2n, 1n], values: [1n, 2n, 3] }])
  })

  it('leaves out columns that are computed when they are read', () => {
    expect(followedTable(shapeOf('computed'))).toEqual({ name: 'computed', columns: ['a', 'c'] })
    expect(rowsOf('computed')).toEqual([{ key: 1n, values: [5n, 6n] }])
  })

  it('refuses a table without columns, and one without rowids and keys', () => {
    const info: TableInfo = { name: 't', rootPage: 2, withoutRowid: true, columns: [], primaryKeyIndex: null }
    expect(() => tableShape(info)).toThrow('stored columns')
    const column = { cid: 0, name: 'a', type: '', defaultExpression: null, primaryKey: 0, hidden: 0 }
    expect(() => tableShape({ ...info, columns: [column] })).toThrow('a primary key')
  })
})
