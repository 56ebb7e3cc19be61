import type { Ask, TableInfo } from '../table-shape.js'

/** Columns that no two rows of a table have the same, each compared with a collation. */
export interface UniqueKey {
  readonly columns: readonly { readonly name: string; readonly collation: string }[]
  /** It is the primary key of a table without rowids. */
  readonly isPrimary: boolean
}

export interface UniqueKeys {
  readonly keys: readonly UniqueKey[]
  /** Names of unique indexes over expressions, or over some rows only: their conflicts cannot be asked for by columns. */
  readonly others: readonly string[]
}

const INDEXES_SQL = 'SELECT name, origin, partial FROM pragma_index_list(?, ?) WHERE "unique" = 1 ORDER BY name'
const COLUMNS_SQL = 'SELECT cid, name, coll FROM pragma_index_xinfo(?, ?) WHERE key = 1 ORDER BY seqno'
/** Of a column that is an expression. */
const EXPRESSION = -2

/** Asks SQLite by which columns a row can replace others. The rowid itself is not among them. */
export function uniqueKeys(ask: Ask, { name, withoutRowid }: TableInfo, schema = 'main'): UniqueKeys {
  const keys: UniqueKey[] = []
  const others: string[] = []
  for (const [index, origin, partial] of ask(INDEXES_SQL, name, schema)) {
    const columns = ask(COLUMNS_SQL, String(index), schema)
    if (Number(partial) !== 0 || columns.some(([cid]) => Number(cid) === EXPRESSION)) others.push(String(index))
    else
      keys.push({
        columns: columns.map(([, column, collation]) => ({ name: String(column), collation: String(collation) })),
        isPrimary: withoutRowid && origin === 'pk',
      })
  }
  return { keys, others }
}
