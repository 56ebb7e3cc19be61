import type { RowKey, SqlValue } from '@hotpath/model'
import type { FileBytes } from './damage.js'
import type { TextEncoding } from './database-header.js'
import { decodeRecord } from './record.js'
import type { TableShape } from './table-shape.js'

/** A row of a followed table. */
export interface TableRow {
  readonly key: RowKey
  /** Of all stored columns, in the order of their declaration. */
  readonly values: readonly SqlValue[]
}

/** @param rowid of its cell; means nothing in a table without rowids */
export function decodeRow(
  shape: TableShape,
  record: FileBytes,
  rowid: number | bigint,
  encoding: TextEncoding,
): TableRow {
  const { columns, recordColumns } = shape
  const found = decodeRecord(record, encoding, recordColumns.length)
  const values: SqlValue[] = columns.map(column => column.defaultValue)
  for (let index = 0; index < found.length; index++) {
    const column = recordColumns[index]!
    const value = found[index]!
    // Reals without a fraction are stored as integers.
    values[column] = columns[column]!.affinity === 'real' && typeof value === 'bigint' ? Number(value) : value
  }
  if (shape.withoutRowid) return { key: shape.primaryKey.map(index => values[index]!), values }
  const key = BigInt(rowid)
  for (let index = 0; index < columns.length; index++) if (columns[index]!.rowid) values[index] = key
  return { key, values }
}
