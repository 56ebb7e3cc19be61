import { type TableInfo, type TableShape, tableShape } from '../table-shape.js'
import type { UniqueKeys } from './unique-keys.js'

/** A table whose changes triggers can keep. */
export interface AuditedTable {
  readonly shape: TableShape
  /** By which name its rowid can be asked for; undefined: it has none. */
  readonly rowid: string | undefined
  readonly unique: UniqueKeys
}

/** SQLite allows a table 2,000 columns, unless it was built for more; the audit table has four and two for each value. */
export const MAX_AUDITED_COLUMNS = 997
const ROWID_NAMES = ['rowid', '_rowid_', 'oid']

/** A string is why triggers cannot keep its changes, for people. */
export function auditedTable(info: TableInfo, unique: UniqueKeys): AuditedTable | string {
  const shape = tableShape(info)
  const { length } = shape.columns
  if (length > MAX_AUDITED_COLUMNS) return `it has ${length} columns; at most ${MAX_AUDITED_COLUMNS} can be kept`
  if (shape.withoutRowid) return { shape, rowid: undefined, unique }
  const taken = new Set(info.columns.map(({ name }) => name.toLowerCase()))
  const rowid = shape.columns.find(column => column.rowid)?.name ?? ROWID_NAMES.find(name => !taken.has(name))
  if (rowid === undefined) return `its rowid has no name: ${ROWID_NAMES.join(', ')} are columns`
  return { shape, rowid, unique }
}
