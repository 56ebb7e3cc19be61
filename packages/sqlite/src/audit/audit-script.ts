import { AUDIT_INDEX, AUDIT_TABLE, auditColumns, CREATE_AUDIT_INDEX, createAuditTable } from './audit-table.js'
import { auditTriggerNames, auditTriggers } from './audit-triggers.js'
import type { AuditedTable } from './audited-table.js'
import { sqlName, sqlText } from './sql-names.js'

export interface AuditInstallation {
  readonly tables: readonly AuditedTable[]
  /** Of how many columns the audit table of the database can keep changes now; undefined: there is none. */
  readonly width: number | undefined
}

/** Lines of SQL that make the audit of some tables, or bring it up to date. What is there of it stays. */
export function installAudit({ tables, width }: AuditInstallation): string[] {
  const needed = Math.max(width ?? 0, ...tables.map(({ shape }) => shape.columns.length))
  const statements: string[] = []
  if (width === undefined) statements.push(createAuditTable(needed).replace('TABLE', 'TABLE IF NOT EXISTS'))
  else
    for (const column of auditColumns(needed).slice(auditColumns(width).length))
      statements.push(`ALTER TABLE ${AUDIT_TABLE} ADD COLUMN ${column}`)
  // There may be another by that name.
  statements.push(`DROP INDEX IF EXISTS ${AUDIT_INDEX}`, CREATE_AUDIT_INDEX)
  for (const table of tables) {
    const { name } = table.shape
    statements.push(...dropTriggers(name), ...auditTriggers(table).map(({ sql }) => sql))
    // What was changed before is not in it, and whoever reads it has to know.
    statements.push(`INSERT INTO ${AUDIT_TABLE}("table", operation) VALUES (${sqlText(name)}, 'begin')`)
  }
  return inTransaction(statements)
}

/** @param whole the audit table goes, too, with all that is in it */
export function removeAudit(tables: readonly string[], whole: boolean): string[] {
  const statements = tables.flatMap(dropTriggers)
  if (whole) statements.push(`DROP INDEX IF EXISTS ${AUDIT_INDEX}`, `DROP TABLE IF EXISTS ${AUDIT_TABLE}`)
  return inTransaction(statements)
}

function dropTriggers(table: string): string[] {
  return auditTriggerNames(table).map(name => `DROP TRIGGER IF EXISTS ${sqlName(name)}`)
}

function inTransaction(statements: readonly string[]): string[] {
  return ['BEGIN IMMEDIATE', ...statements, 'COMMIT'].map(statement => `${statement};`)
}
