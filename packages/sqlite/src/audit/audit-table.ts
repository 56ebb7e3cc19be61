import type { TableShape } from '../table-shape.js'
import { sqlName } from './sql-names.js'

/**
 * The table that triggers of the owner's database fill (docs/formats/audit.md): a row for each changed row, in the order of the changes.
 *
 *   column        value
 *   id            rowid, rising, never given twice (AUTOINCREMENT)
 *   time          milliseconds since 1970
 *   table         name of the table that was changed
 *   operation     insert, update, delete; begin: from here on all is kept; NULL: a row that may be replaced, of no meaning after the statement
 *   old_0, new_0  rowid before and after; NULL in tables without rowids
 *   old_n, new_n  value of the n-th stored column before and after
 */
export const AUDIT_TABLE = 'hotpath_audit'
export const AUDIT_INDEX = 'hotpath_audit_open'
const FIRST_COLUMNS = ['id', 'time', 'table', 'operation']
/** Before the values: rows of the audit as they are decoded. */
export const AUDIT_FIRST_VALUE = FIRST_COLUMNS.length

/** Whether a table is the audit itself, which is never told as a table. */
export function isAuditTable(name: string): boolean {
  return name.toLowerCase() === AUDIT_TABLE
}

/** Columns of the audit for tables with up to so many columns. */
export function auditColumns(width: number): string[] {
  return [...FIRST_COLUMNS, ...Array.from({ length: width + 1 }, (_, n) => [`old_${n}`, `new_${n}`]).flat()]
}

export function createAuditTable(width: number): string {
  const [id, ...others] = auditColumns(width).map(name => (name === 'table' ? sqlName(name) : name))
  return `CREATE TABLE ${AUDIT_TABLE}(${id} INTEGER PRIMARY KEY AUTOINCREMENT, ${others.join(', ')})`
}

/** Finds the rows that may be replaced: there are hardly any. */
export const CREATE_AUDIT_INDEX = `CREATE INDEX ${AUDIT_INDEX} ON ${AUDIT_TABLE}("table") WHERE operation IS NULL`

/** Of how many columns the changes of a table can be kept; undefined: it is not the table that the triggers are written for. */
export function auditWidth({ columns, withoutRowid }: TableShape): number | undefined {
  const width = (columns.length - AUDIT_FIRST_VALUE) / 2 - 1
  if (withoutRowid || !Number.isInteger(width) || width < 0) return undefined
  const names = auditColumns(width)
  // Columns without a type keep values as they are.
  const isRight = columns.every(
    ({ name, affinity, rowid }, i) => name === names[i] && rowid === (i === 0) && (rowid || affinity === 'blob'),
  )
  return isRight ? width : undefined
}
