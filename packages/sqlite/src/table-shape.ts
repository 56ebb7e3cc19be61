import { type FollowedTable, InvalidInputError, type SqlValue } from '@hotpath/model'
import { type Affinity, affinityOf } from './affinity.js'
import { defaultValue } from './default-value.js'

/** A column of a table that is stored. */
export interface StoredColumn {
  readonly name: string
  readonly affinity: Affinity
  /** The rowid under a name of its own (INTEGER PRIMARY KEY): records have NULL in its place. */
  readonly rowid: boolean
  /** What it is in records that are too short to have it. */
  readonly defaultValue: SqlValue
}

/** How the rows of a table are stored, as SQLite describes it. */
export interface TableShape {
  readonly name: string
  readonly rootPage: number
  readonly withoutRowid: boolean
  /** In the order of their declaration, without those that are computed when they are read. */
  readonly columns: readonly StoredColumn[]
  /** For each value of a record the index of its column: the order of the declaration, but with the primary key first without rowids. */
  readonly recordColumns: readonly number[]
  /** Indexes of the columns of the primary key of a table without rowids, in their order; else empty. */
  readonly primaryKey: readonly number[]
}

/** A row of `PRAGMA table_xinfo`. */
export interface ColumnInfo {
  readonly cid: number
  readonly name: string
  readonly type: string
  readonly defaultExpression: string | null
  /** From 1 the position in the primary key; else 0. */
  readonly primaryKey: number
  /** 0 ordinary, 1 hidden, 2 computed when read, 3 computed and stored. */
  readonly hidden: number
}

/** What SQLite says of a table: {@link tableInfo} asks it. */
export interface TableInfo {
  readonly name: string
  readonly rootPage: number
  readonly withoutRowid: boolean
  readonly columns: readonly ColumnInfo[]
  /** `cid` of all columns of the index of the primary key, in its order (`PRAGMA index_xinfo`); null where the key is the rowid or there is none. */
  readonly primaryKeyIndex: readonly number[] | null
}

/** Runs a statement that only reads, and gives all its rows: integers as number or bigint. */
export type Ask = (sql: string, ...parameters: string[]) => readonly (readonly unknown[])[]

const COLUMNS_SQL = 'SELECT cid, name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?, ?) ORDER BY cid'
const PRIMARY_KEY_SQL = "SELECT name FROM pragma_index_list(?, ?) WHERE origin = 'pk'"
const INDEX_COLUMNS_SQL = 'SELECT cid FROM pragma_index_xinfo(?, ?) WHERE cid >= 0 ORDER BY seqno'
const WITHOUT_ROWID_SQL = 'SELECT wr FROM pragma_table_list(?) WHERE schema = ?'

/**
 * Asks SQLite (3.37 or newer) how a table is stored. Works as well on a database in memory in which only the table's CREATE statement was
 * run, which tells the columns of a state that is not the newest any more.
 *
 * @param rootPage from the schema of the state that is read
 */
export function tableInfo(ask: Ask, name: string, rootPage: number, schema = 'main'): TableInfo {
  const index = ask(PRIMARY_KEY_SQL, name, schema)[0]?.[0]
  return {
    name,
    rootPage,
    withoutRowid: Number(ask(WITHOUT_ROWID_SQL, name, schema)[0]?.[0] ?? 0) === 1,
    columns: ask(COLUMNS_SQL, name, schema).map(([cid, column, type, expression, primaryKey, hidden]) => ({
      cid: Number(cid),
      name: String(column),
      type: String(type),
      defaultExpression: expression === null ? null : String(expression),
      primaryKey: Number(primaryKey),
      hidden: Number(hidden),
    })),
    primaryKeyIndex:
      index === undefined ? null : ask(INDEX_COLUMNS_SQL, String(index), schema).map(([cid]) => Number(cid)),
  }
}

const COMPUTED_WHEN_READ = 2

export function tableShape(info: TableInfo): TableShape {
  const stored = info.columns.filter(column => column.hidden !== COMPUTED_WHEN_READ)
  if (stored.length === 0)
    throw new InvalidInputError(`the columns of ${JSON.stringify(info.name)}`, 'stored columns', 'none')
  const keyed = stored.filter(column => column.primaryKey > 0)
  // Without an index of its own, the primary key is the rowid.
  const rowid = !info.withoutRowid && keyed.length === 1 && info.primaryKeyIndex === null ? keyed[0] : undefined
  const columns = stored.map(column => {
    const affinity = affinityOf(column.type)
    return {
      name: column.name,
      affinity,
      rowid: column === rowid,
      defaultValue: defaultValue(column.defaultExpression, affinity),
    }
  })
  const indexOf = (cid: number): number => stored.findIndex(column => column.cid === cid)
  const declared = stored.map((_, index) => index)
  if (!info.withoutRowid)
    return {
      name: info.name,
      rootPage: info.rootPage,
      withoutRowid: false,
      columns,
      recordColumns: declared,
      primaryKey: [],
    }
  if (info.primaryKeyIndex === null)
    throw new InvalidInputError(`the table ${JSON.stringify(info.name)}`, 'a primary key, as it has no rowids', 'none')
  return {
    name: info.name,
    rootPage: info.rootPage,
    withoutRowid: true,
    columns,
    recordColumns: info.primaryKeyIndex.map(indexOf),
    primaryKey: keyed.sort((a, b) => a.primaryKey - b.primaryKey).map(column => indexOf(column.cid)),
  }
}

/** The table as consumers of changes see it. */
export function followedTable(shape: TableShape): FollowedTable {
  const columns = shape.columns.map(column => column.name)
  if (!shape.withoutRowid) return { name: shape.name, columns }
  return { name: shape.name, columns, primaryKey: shape.primaryKey.map(index => columns[index]!) }
}
