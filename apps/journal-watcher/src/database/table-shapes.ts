import { createRequire } from 'node:module'
import { HotpathError } from '@hotpath/model'
import { type Ask, isAuditTable, type SchemaObject, type TableShape, tableInfo, tableShape } from '@hotpath/sqlite'

/** What of sql.js is used: SQLite itself, in WebAssembly and in memory. */
interface MemoryDatabase {
  run(sql: string, parameters?: readonly unknown[]): void
  exec(sql: string, parameters?: readonly unknown[]): readonly { readonly values: readonly (readonly unknown[])[] }[]
  close(): void
}
interface SqlModule {
  readonly Database: new () => MemoryDatabase
}

export type SqliteInMemory = SqlModule

/** Loads SQLite (some 30 ms); it reads and writes no file, and what a schema says can do nothing beyond it. */
export function loadSqlite(): Promise<SqliteInMemory> {
  const load = createRequire(import.meta.url)('sql.js') as () => Promise<SqlModule>
  return load()
}

/** What the schema of a database says of a table cannot be understood; others are followed all the same. */
export class UnreadableTableError extends HotpathError {
  readonly code = 'UNREADABLE_TABLE'
  constructor(
    readonly table: string,
    cause: unknown,
  ) {
    super(`table ${JSON.stringify(table)}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

export interface TableShapes {
  readonly shapes: readonly TableShape[]
  readonly problems: readonly UnreadableTableError[]
}

/** Which tables are followed: those with trees that are no part of SQLite itself, and not what triggers of ours keep. */
export function shapesOf(
  sqlite: SqliteInMemory,
  objects: readonly SchemaObject[],
  isWanted: (table: string) => boolean,
): TableShapes {
  const shapes: TableShape[] = []
  const problems: UnreadableTableError[] = []
  for (const object of objects) {
    const { type, name, rootPage, sql } = object
    if (type !== 'table' || rootPage === 0 || sql === null || /^sqlite_/i.test(name) || !isWanted(name)) continue
    if (isAuditTable(name)) continue
    try {
      shapes.push(askTable(sqlite, object, ask => tableShape(tableInfo(ask, name, rootPage))))
    } catch (error) {
      problems.push(new UnreadableTableError(name, error))
    }
  }
  return { shapes, problems }
}

/**
 * Has SQLite, in memory, answer what it can say of a table.
 *
 * @param indexes statements that make indexes of it; one that cannot be made is left out
 */
export function askTable<T>(
  sqlite: SqliteInMemory,
  { name, sql }: SchemaObject,
  use: (ask: Ask) => T,
  indexes: readonly string[] = [],
): T {
  const database = new sqlite.Database()
  try {
    const ask: Ask = (question, ...parameters) => database.exec(question, parameters)[0]?.values ?? []
    try {
      database.run(sql!)
    } catch {
      believe(database, name, sql!)
    }
    for (const index of indexes) {
      try {
        database.run(index)
      } catch {
        // With a collation or a function that only the writer has.
      }
    }
    return use(ask)
  } finally {
    database.close()
  }
}

/** Has SQLite read the statement as it reads that of a file: with collations and functions that only the writer has. */
function believe(database: MemoryDatabase, name: string, sql: string): void {
  database.run('CREATE TABLE placeholder(a)')
  database.run('PRAGMA writable_schema = ON')
  database.run("UPDATE sqlite_schema SET name = ?, tbl_name = ?, sql = ? WHERE name = 'placeholder'", [name, name, sql])
  database.run('PRAGMA schema_version = 1000')
}
