import type { FollowedTable, RowChange, SqlValue } from '@hotpath/model'
import { keyText, type SeenTable, valueText } from './random-writer.js'

interface ReplicaTable {
  columns: readonly string[]
  readonly rows: Map<string, readonly SqlValue[]>
}

/** What a consumer makes of changes: tables by name, rows by key. Each change has to fit what there is. */
export class Replica {
  readonly tables = new Map<string, ReplicaTable>()
  /** What tables were found to be equal to, as long as they do not change. */
  readonly #equal = new Map<string, SeenTable>()

  /** Takes over the columns of tables that appeared or changed: what has the same name stays, what is new is NULL. */
  reshape(tables: readonly FollowedTable[]): void {
    for (const { name, columns } of tables) {
      const old = this.tables.get(name)
      const rows = new Map<string, readonly SqlValue[]>()
      for (const [key, values] of old?.rows ?? [])
        rows.set(
          key,
          columns.map(column => values[old!.columns.indexOf(column)] ?? null),
        )
      this.tables.set(name, { columns, rows })
      this.#equal.delete(name)
    }
  }

  apply({ table, operation, key, old, new: values }: RowChange): void {
    const { rows } = this.tables.get(table)!
    this.#equal.delete(table)
    const text = keyText(key)
    const found = rows.get(text)
    const what = `${operation} of ${text} in ${table}`
    if ((operation === 'insert') !== (found === undefined))
      throw new Error(`${what}: there was ${found ? 'one' : 'none'}`)
    if (found !== undefined && rowText(found) !== rowText(old!))
      throw new Error(`${what}: old values ${rowText(old!)}, but there were ${rowText(found)}`)
    if (operation === 'update' && rowText(old!) === rowText(values!)) throw new Error(`${what}: nothing changed`)
    if (operation === 'delete') rows.delete(text)
    else rows.set(text, values!)
  }

  /** What is different from `seen`, or ''. Tables that are gone have to be empty. */
  difference(seen: readonly SeenTable[]): string {
    for (const [name, table] of this.tables)
      if (table.rows.size > 0 && !seen.some(({ shape }) => shape.name === name)) return `${name} has rows, and is gone`
    for (const table of seen) {
      const { shape, rows } = table
      if (this.#equal.get(shape.name) === table) continue
      const own = this.tables.get(shape.name)
      if (own === undefined) return `no table ${shape.name}`
      if (own.columns.join() !== shape.columns.map(column => column.name).join()) return `columns ${own.columns.join()}`
      for (const [key, values] of rows) {
        const found = own.rows.get(key)
        if (found === undefined) return `${shape.name} lacks ${key}`
        if (rowText(found) !== rowText(values))
          return `${shape.name} ${key}: ${rowText(found)}, SQL: ${rowText(values)}`
      }
      for (const key of own.rows.keys()) if (!rows.has(key)) return `${shape.name} has ${key}, SQL does not`
      this.#equal.set(shape.name, table)
    }
    return ''
  }
}

function rowText(values: readonly SqlValue[]): string {
  return values.map(valueText).join(' ')
}
