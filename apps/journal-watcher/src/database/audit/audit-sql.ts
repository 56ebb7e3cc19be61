import { InvalidInputError } from '@hotpath/model'
import {
  AUDIT_TABLE,
  type AuditedTable,
  installAudit,
  isAuditTable,
  removeAudit,
  type SchemaObject,
  tableOfTrigger,
} from '@hotpath/sqlite'
import { readKey } from '../key-source.js'
import { loadSqlite, type SqliteInMemory, shapesOf } from '../table-shapes.js'
import { tableWish } from '../table-wish.js'
import { describeAudited, findAuditTable, isShadow, UnauditedTableError } from './audit-plan.js'
import { schemaOf } from './schema-snapshot.js'

export interface AuditSqlOptions {
  readonly action: 'install' | 'remove'
  /** Absolute. */
  readonly path: string
  /** Names and globs; none: all. */
  readonly tables: readonly string[]
  /** Where the key of an encrypted database is. */
  readonly keyFile?: string
}

/**
 * Lines of SQL with which the owner of a database has triggers keep each change of rows, or takes them away again. Reads the schema, and nothing
 * else. Throws InvalidInputError where there is nothing to do.
 */
export async function auditSql({ action, path, tables, keyFile }: AuditSqlOptions): Promise<string[]> {
  const bytes = keyFile === undefined ? undefined : await readKey({ file: keyFile })
  const objects = await schemaOf(path, { cipher: undefined, read: () => bytes })
  if (action === 'remove') return removal(objects, tables)
  return installation(await loadSqlite(), objects, tables)
}

function installation(sqlite: SqliteInMemory, objects: readonly SchemaObject[], patterns: readonly string[]): string[] {
  const audit = findAuditTable(sqlite, objects)
  if (audit instanceof UnauditedTableError) throw audit
  const { shapes, problems } = shapesOf(sqlite, objects, tableWish(patterns))
  const remarks = problems.map(({ message }) => `not kept: ${message}`)
  const chosen: AuditedTable[] = []
  for (const { name } of shapes) {
    // Chosen by its name, even a part of a virtual table is kept.
    if (isShadow(name, objects) && patterns.length === 0) {
      remarks.push(`not kept: ${JSON.stringify(name)}, a part of a virtual table`)
      continue
    }
    const table = describeAudited(sqlite, objects, name)
    if (typeof table === 'string') remarks.push(`not kept: ${JSON.stringify(name)}, ${table}`)
    else {
      chosen.push(table)
      for (const index of table.unique.others)
        remarks.push(
          `rows of ${JSON.stringify(name)} that are replaced by REPLACE because of ${JSON.stringify(index)}: not kept`,
        )
    }
  }
  if (chosen.length === 0) throw new InvalidInputError('tables', 'some whose changes can be kept', found(remarks))
  const names = chosen.map(({ shape }) => JSON.stringify(shape.name)).join(', ')
  return [
    `-- keeps each change of rows of ${names} in ${AUDIT_TABLE}; hotpath takes them from there with audit = true`,
    ...remarks.map(remark => `-- ${remark}`),
    ...installAudit({ tables: chosen, width: audit?.width }),
  ]
}

function removal(objects: readonly SchemaObject[], patterns: readonly string[]): string[] {
  const isWanted = tableWish(patterns)
  const triggers = objects.filter(({ type }) => type === 'trigger').map(({ name }) => tableOfTrigger(name))
  const tables = [...new Set(triggers.filter(table => table !== undefined && isWanted(table)))] as string[]
  const hasTable = objects.some(({ type, name }) => type === 'table' && isAuditTable(name))
  if (tables.length === 0 && (patterns.length > 0 || !hasTable))
    throw new InvalidInputError('database', 'triggers of an audit', 'none')
  return removeAudit(tables, patterns.length === 0)
}

function found(remarks: readonly string[]): string {
  return remarks.length === 0 ? 'none' : remarks.join('; ')
}
