import { CorruptFileError, type SqlValue } from '@hotpath/model'
import { type DatabaseHeader, parseDatabaseHeader } from './database-header.js'
import { type PageSource, pageAt } from './page-source.js'
import { tableRows } from './table-scan.js'
import type { TableShape } from './table-shape.js'

/** What the schema says of a table, an index, a view or a trigger. */
export interface SchemaObject {
  readonly type: string
  readonly name: string
  /** Of the table that it belongs to. */
  readonly table: string
  /** 0 where it has no tree: views, triggers, virtual tables. */
  readonly rootPage: number
  /** The statement that makes it; null for what SQLite makes by itself. */
  readonly sql: string | null
}

const COLUMNS = ['type', 'name', 'tbl_name', 'rootpage', 'sql']

/** Where and how the schema itself is stored. */
export const SCHEMA_SHAPE: TableShape = {
  name: 'sqlite_schema',
  rootPage: 1,
  withoutRowid: false,
  columns: COLUMNS.map(name => ({
    name,
    affinity: name === 'rootpage' ? 'integer' : 'text',
    rowid: false,
    defaultValue: null,
  })),
  recordColumns: COLUMNS.map((_, index) => index),
  primaryKey: [],
}

/** The header of the database in the state that `source` has. */
export function headerOf(source: PageSource): DatabaseHeader {
  return parseDatabaseHeader({ file: source.file, bytes: pageAt(source, 1, 0), offset: 0 })
}

/** The schema in the state that `source` has. @throws CorruptFileError */
export function readSchema(source: PageSource): SchemaObject[] {
  const objects: SchemaObject[] = []
  for (const { values } of tableRows(source, SCHEMA_SHAPE, headerOf(source).encoding)) {
    const [type, name, table, rootPage, sql] = values
    objects.push({
      type: textOf(source, type!, 'a type'),
      name: textOf(source, name!, 'a name'),
      table: textOf(source, table!, 'the name of a table'),
      rootPage: rootOf(source, rootPage!),
      sql: sql === null ? null : textOf(source, sql!, 'a statement'),
    })
  }
  return objects
}

function textOf({ file }: PageSource, value: SqlValue, what: string): string {
  if (typeof value !== 'string') throw new CorruptFileError(file, 0, `${what} in the schema`, typeof value)
  return value
}

function rootOf({ file, pageCount }: PageSource, value: SqlValue): number {
  const root = value === null ? 0n : value
  if (typeof root !== 'bigint' || root < 0n || root > BigInt(pageCount))
    throw new CorruptFileError(file, 0, `a root page of ${pageCount} in the schema`, String(value))
  return Number(root)
}
