import type { RowChange, RowKey, SqlValue } from '@hotpath/model'
import { AUDIT_FIRST_VALUE, sameValues, type TableShape } from '@hotpath/sqlite'

/** What a row of the audit says: nothing, that from here on all changes of a table are kept, or that a row was changed. */
export type AuditEntry =
  | { readonly kind: 'begin'; readonly table: string }
  | { readonly kind: 'change'; readonly table: string; readonly changes: readonly RowChange[] }

/**
 * Reads a row of the audit (docs/formats/audit.md).
 *
 * @param shapeOf how a table is stored; undefined: its changes are not wanted
 * @returns undefined where it says nothing, or nothing that can be understood
 */
export function readAuditRow(
  values: readonly SqlValue[],
  shapeOf: (table: string) => TableShape | undefined,
): AuditEntry | undefined {
  const [, , table, operation] = values
  if (typeof table !== 'string') return undefined
  if (operation === 'begin') return { kind: 'begin', table }
  const shape = shapeOf(table)
  if (shape === undefined) return undefined
  const old = rowAt(values, 0, shape)
  const next = rowAt(values, 1, shape)
  switch (operation) {
    case 'insert':
      return { kind: 'change', table, changes: [{ table, operation, key: next.key, new: next.values }] }
    case 'delete':
      return { kind: 'change', table, changes: [{ table, operation, key: old.key, old: old.values }] }
    case 'update':
      return { kind: 'change', table, changes: updates(table, old, next) }
    default:
      return undefined
  }
}

interface KeptRow {
  readonly key: RowKey
  readonly values: readonly SqlValue[]
}

/** A row that got another key went, and came as another. */
function updates(table: string, old: KeptRow, next: KeptRow): RowChange[] {
  if (!isSameKey(old.key, next.key))
    return [
      { table, operation: 'delete', key: old.key, old: old.values },
      { table, operation: 'insert', key: next.key, new: next.values },
    ]
  if (sameValues(old.values, next.values)) return []
  return [{ table, operation: 'update', key: next.key, old: old.values, new: next.values }]
}

function isSameKey(a: RowKey, b: RowKey): boolean {
  return typeof a === 'bigint' || typeof b === 'bigint' ? a === b : sameValues(a, b)
}

/** @param side 0: before, 1: after */
function rowAt(values: readonly SqlValue[], side: 0 | 1, { columns, withoutRowid, primaryKey }: TableShape): KeptRow {
  const at = (n: number): SqlValue => values[AUDIT_FIRST_VALUE + 2 * n + side] ?? null
  // Where a column is of reals, zero has no sign: the table keeps it as an integer.
  const row = columns.map(({ affinity }, i) => {
    const value = at(i + 1)
    return affinity === 'real' && value === 0 ? 0 : value
  })
  if (withoutRowid) return { key: primaryKey.map(index => row[index]!), values: row }
  const rowid = at(0)
  return { key: typeof rowid === 'bigint' ? rowid : 0n, values: row }
}
