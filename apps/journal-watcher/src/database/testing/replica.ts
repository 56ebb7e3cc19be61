import type { FollowedTable, RowChange, RowKey, RowTransaction, SqlValue } from '@hotpath/model'
import type { ProcessWriter } from './process-writer.js'

/** Tables as a consumer has them that applies all changes by key, and keeps columns by their names. */
export class Replica {
  readonly #tables = new Map<string, { columns: readonly string[]; rows: Map<string, ReadonlyMap<string, SqlValue>> }>()

  apply({ tables, changes }: Pick<RowTransaction, 'tables' | 'changes'>): void {
    for (const table of tables) this.#describe(table)
    for (const change of changes) this.#change(change)
  }

  /** All rows that there are, sorted by key. */
  rows(table: string): string[] {
    const known = this.#tables.get(table)
    if (known === undefined) return []
    return [...known.rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, row]) => `${key}: ${textOf(known.columns.map(name => row.get(name) ?? null))}`)
  }

  get tables(): string[] {
    return [...this.#tables].filter(([, { rows }]) => rows.size > 0).map(([name]) => name)
  }

  #describe({ name, columns }: FollowedTable): void {
    const known = this.#tables.get(name)
    this.#tables.set(name, { columns, rows: known?.rows ?? new Map() })
  }

  #change({ table, operation, key, old, new: now }: RowChange): void {
    const known = this.#tables.get(table)
    if (known === undefined) throw new Error(`a change of ${table}, which was never described`)
    const name = keyOf(key)
    const before = known.rows.get(name)
    const named = (values: readonly SqlValue[]): ReadonlyMap<string, SqlValue> =>
      new Map(known.columns.map((column, i) => [column, values[i]!]))
    if ((before === undefined) !== (operation === 'insert'))
      throw new Error(
        `${operation} of row ${name} of ${table}, which is ${before === undefined ? 'not there' : 'there'}`,
      )
    if (old !== undefined && textOf(known.columns.map(column => before!.get(column) ?? null)) !== textOf(old))
      throw new Error(`the old values of row ${name} of ${table} are others: ${textOf(old)}`)
    if (now === undefined) known.rows.delete(name)
    else known.rows.set(name, named(now))
  }
}

/** What the database itself says, in the same form. */
export async function rowsOf(writer: ProcessWriter, table: string, name = 'main'): Promise<string[]> {
  const info = await writer.run(`SELECT name, pk, hidden FROM pragma_table_xinfo('${table}')`, [], name)
  const columns = info.filter(([, , hidden]) => hidden !== 2n)
  const isWithout = (await writer.run(`SELECT wr FROM pragma_table_list('${table}')`, [], name))[0]![0] === 1n
  const list = columns.map(([column]) => `"${String(column)}"`).join(', ')
  const rows = await writer.run(`SELECT ${isWithout ? '0' : 'rowid'}, ${list} FROM "${table}"`, [], name)
  const keyed = columns
    .map(([, pk], i) => ({ pk: Number(pk), i }))
    .filter(({ pk }) => pk > 0)
    .sort((a, b) => a.pk - b.pk)
  return rows
    .map(([rowid, ...values]) => {
      const key: RowKey = isWithout ? keyed.map(({ i }) => values[i]!) : (rowid as bigint)
      return [keyOf(key), textOf(values)] as const
    })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, text]) => `${key}: ${text}`)
}

export async function tablesOf(writer: ProcessWriter, name = 'main'): Promise<string[]> {
  const found = await writer.run(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'hotpath_audit' AND rootpage > 0",
    [],
    name,
  )
  return found.map(([table]) => String(table))
}

export function keyOf(key: RowKey): string {
  return typeof key === 'bigint' ? String(key) : textOf(key)
}

export function textOf(values: readonly SqlValue[]): string {
  return values
    .map(value => {
      if (value === null) return 'NULL'
      if (typeof value === 'bigint') return `${value}n`
      if (typeof value === 'number') return `${value}r`
      if (typeof value === 'string') return JSON.stringify(value)
      return value instanceof Uint8Array ? `x'${Buffer.from(value).toString('hex')}'` : 'invalid'
    })
    .join(', ')
}
