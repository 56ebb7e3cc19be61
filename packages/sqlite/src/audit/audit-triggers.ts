import { AUDIT_TABLE } from './audit-table.js'
import type { AuditedTable } from './audited-table.js'
import { sqlName, sqlText } from './sql-names.js'
import type { UniqueKey } from './unique-keys.js'

export interface AuditTrigger {
  readonly name: string
  /** As SQLite keeps it in the schema. */
  readonly sql: string
}

const NOW = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
const KINDS = ['before_insert', 'after_insert', 'before_update', 'after_update', 'after_delete']

/** Names of the triggers of a table. */
export function auditTriggerNames(table: string): string[] {
  return KINDS.map(kind => `${AUDIT_TABLE}_${kind}_${table}`)
}

/** Of which table a trigger of that name keeps the changes; undefined: it is none of the audit. */
export function tableOfTrigger(name: string): string | undefined {
  const kind = KINDS.find(one => name.toLowerCase().startsWith(`${AUDIT_TABLE}_${one}_`))
  return kind === undefined ? undefined : name.slice(AUDIT_TABLE.length + kind.length + 2)
}

/**
 * The triggers that keep the changes of a table.
 *
 * A row that another one replaces (`REPLACE`) fires no trigger of deleting, unless `recursive_triggers` is on. So before a row is written, those
 * in its way are noted with operation NULL; afterwards those that are gone were deleted, and the others are forgotten: where nothing was written (`IGNORE`, an
 * upsert), the next statement forgets them.
 */
export function auditTriggers(table: AuditedTable): AuditTrigger[] {
  const { name } = table.shape
  const [beforeInsert, afterInsert, beforeUpdate, afterUpdate, afterDelete] = auditTriggerNames(name) as [
    string,
    string,
    string,
    string,
    string,
  ]
  const of = new Statements(table)
  const trigger = (triggerName: string, when: string, ...statements: string[]): AuditTrigger => ({
    name: triggerName,
    sql: `CREATE TRIGGER ${sqlName(triggerName)} ${when} ON ${sqlName(name)} BEGIN\n  ${statements.join(';\n  ')};\nEND`,
  })
  return [
    trigger(beforeInsert, 'BEFORE INSERT', of.forget(), of.note(of.inTheWay())),
    trigger(afterInsert, 'AFTER INSERT', of.forgetKept(), of.settle(), of.keep('insert', false, true)),
    trigger(beforeUpdate, 'BEFORE UPDATE', of.forget(), of.note(`(${of.inTheWay()}) AND NOT (${of.isRow('OLD')})`)),
    trigger(afterUpdate, 'AFTER UPDATE', of.forgetKept(), of.settle(), of.keep('update', true, true)),
    // With `recursive_triggers` a row that is replaced comes here, too.
    trigger(afterDelete, 'AFTER DELETE', of.forget(of.isNoted('OLD')), of.keep('delete', true, false)),
  ]
}

/** Statements in the triggers of a table. */
class Statements {
  readonly #table: string
  readonly #columns: readonly string[]
  readonly #primary: UniqueKey['columns']
  readonly #open: string

  constructor(private readonly table: AuditedTable) {
    const { shape, rowid, unique } = table
    this.#table = sqlName(shape.name)
    this.#columns = shape.columns.map(column => sqlName(column.name))
    this.#primary = rowid === undefined ? (unique.keys.find(key => key.isPrimary)?.columns ?? []) : []
    this.#open = `operation IS NULL AND "table" = ${sqlText(shape.name)}`
  }

  /** Forgets rows that were noted. */
  forget(condition?: string): string {
    return `DELETE FROM ${AUDIT_TABLE} WHERE ${this.#open}${condition === undefined ? '' : ` AND ${condition}`}`
  }

  /** Forgets those that are still there, and are not the row that was written. */
  forgetKept(): string {
    const exists = `EXISTS (SELECT 1 FROM ${this.#table} WHERE ${this.#isKey(name => `${this.#table}.${name}`)})`
    return this.forget(`NOT (${this.isNoted('NEW')}) AND ${exists}`)
  }

  /** Those that are left were deleted. */
  settle(): string {
    return `UPDATE ${AUDIT_TABLE} SET operation = 'delete' WHERE ${this.#open}`
  }

  /** Notes rows of the table. */
  note(condition: string): string {
    const from = this.#columns.map(column => `${this.#table}.${column}`)
    return (
      `INSERT INTO ${AUDIT_TABLE}(time, "table", ${this.#names(true, false).join(', ')}) ` +
      `SELECT ${[NOW, sqlText(this.table.shape.name), ...this.#rowid(this.#table), ...from].join(', ')} FROM ${this.#table} WHERE ${condition}`
    )
  }

  keep(operation: string, old: boolean, next: boolean): string {
    const values = (row: string): string[] => [...this.#rowid(row), ...this.#columns.map(column => `${row}.${column}`)]
    const all = [NOW, sqlText(this.table.shape.name), sqlText(operation)]
    if (old) all.push(...values('OLD'))
    if (next) all.push(...values('NEW'))
    return `INSERT INTO ${AUDIT_TABLE}(time, "table", operation, ${this.#names(old, next).join(', ')}) VALUES (${all.join(', ')})`
  }

  /** Whether a row of the table is in the way of the new one. */
  inTheWay(): string {
    const { rowid, unique } = this.table
    const terms = unique.keys.map(({ columns }) => columns.map(column => this.#isSame(column)).join(' AND '))
    // In the order of the text: that of the indexes is another after they were made anew.
    terms.sort()
    if (rowid !== undefined) terms.unshift(`${this.#table}.${sqlName(rowid)} = NEW.${sqlName(rowid)}`)
    return terms.join(' OR ')
  }

  /** Whether a row of the table is OLD. */
  isRow(row: 'OLD'): string {
    const { rowid } = this.table
    if (rowid !== undefined) return `${this.#table}.${sqlName(rowid)} = ${row}.${sqlName(rowid)}`
    return this.#primary.map(column => this.#isSame(column, row)).join(' AND ')
  }

  /** Whether a row that was noted has the key of OLD or NEW. */
  isNoted(row: 'OLD' | 'NEW'): string {
    return this.#isKey(name => `${row}.${name}`)
  }

  #isSame({ name, collation }: UniqueKey['columns'][number], row = 'NEW'): string {
    const column = sqlName(name)
    return `${this.#table}.${column} = ${row}.${column} COLLATE ${sqlName(collation)}`
  }

  /** Whether a row that was noted has the key that `of` gives. */
  #isKey(of: (column: string) => string): string {
    const { rowid, shape } = this.table
    if (rowid !== undefined) return `${of(sqlName(rowid))} = ${AUDIT_TABLE}.old_0`
    const number = (name: string): number => shape.columns.findIndex(column => column.name === name) + 1
    return this.#primary
      .map(
        ({ name, collation }) =>
          `${of(sqlName(name))} = ${AUDIT_TABLE}.old_${number(name)} COLLATE ${sqlName(collation)}`,
      )
      .join(' AND ')
  }

  #names(old: boolean, next: boolean): string[] {
    const first = this.table.rowid === undefined ? 1 : 0
    const numbers = Array.from({ length: this.#columns.length + 1 - first }, (_, i) => first + i)
    return [...(old ? numbers.map(n => `old_${n}`) : []), ...(next ? numbers.map(n => `new_${n}`) : [])]
  }

  #rowid(row: string): string[] {
    const { rowid } = this.table
    return rowid === undefined ? [] : [`${row}.${sqlName(rowid)}`]
  }
}
