import { HotpathError } from '@hotpath/model'
import {
  AUDIT_INDEX,
  AUDIT_TABLE,
  type AuditedTable,
  auditedTable,
  auditTriggerNames,
  auditTriggers,
  auditWidth,
  CREATE_AUDIT_INDEX,
  isAuditTable,
  type SchemaObject,
  type TableShape,
  tableInfo,
  tableShape,
  uniqueKeys,
} from '@hotpath/sqlite'
import { askTable, type SqliteInMemory } from '../table-shapes.js'

/** The changes of a table are not those that the audit of its database keeps; it is followed by its pages. */
export class UnauditedTableError extends HotpathError {
  readonly code = 'UNAUDITED_TABLE'
  constructor(
    readonly table: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`${JSON.stringify(table)}: expected ${expected}, found ${found}`)
  }
}

/** What of a database is audited in one of its states. */
export interface AuditPlan {
  /** The audit table; undefined: there is none that can be read. */
  readonly shape: TableShape | undefined
  /** Names of the tables whose changes it keeps, exactly as they are stored now. */
  readonly tables: ReadonlySet<string>
  /** Why others are not among them. */
  readonly problems: readonly UnauditedTableError[]
}

export const NO_AUDIT: AuditPlan = { shape: undefined, tables: new Set(), problems: [] }

/** Compares audit table and triggers with those that would be made now: what is another is not believed. */
export function auditPlan(
  sqlite: SqliteInMemory,
  objects: readonly SchemaObject[],
  shapes: readonly TableShape[],
): AuditPlan {
  const found = findAuditTable(sqlite, objects) ?? new UnauditedTableError(AUDIT_TABLE, 'an audit table', 'none')
  if (found instanceof UnauditedTableError) return { ...NO_AUDIT, problems: [found] }
  const index = objects.find(({ type, name }) => type === 'index' && name === AUDIT_INDEX)
  if (index?.sql !== CREATE_AUDIT_INDEX) {
    const what = index === undefined ? 'none' : 'another'
    return { ...NO_AUDIT, problems: [new UnauditedTableError(AUDIT_TABLE, `its index ${AUDIT_INDEX}`, what)] }
  }
  const tables = new Set<string>()
  const problems: UnauditedTableError[] = []
  for (const { name } of shapes) {
    if (isShadow(name, objects) && ownTriggers(objects, name).length === 0) continue
    const problem = problemOf(sqlite, objects, name, found.width)
    if (problem === undefined) tables.add(name)
    else problems.push(problem)
  }
  return { shape: found.shape, tables, problems }
}

/** The audit table of a database, and of how many columns it can keep changes; undefined: it has none. */
export function findAuditTable(
  sqlite: SqliteInMemory,
  objects: readonly SchemaObject[],
): { readonly shape: TableShape; readonly width: number } | UnauditedTableError | undefined {
  const object = objects.find(({ type, name }) => type === 'table' && isAuditTable(name))
  if (object === undefined) return undefined
  const shape = auditShape(sqlite, object)
  if (shape === undefined) return new UnauditedTableError(AUDIT_TABLE, 'an audit table', 'one that cannot be described')
  const width = auditWidth(shape)
  if (width === undefined || !/\bAUTOINCREMENT\b/i.test(object.sql ?? ''))
    return new UnauditedTableError(AUDIT_TABLE, 'the columns of an audit table', 'others')
  return { shape, width }
}

/** Undefined where SQLite can say nothing of it: anybody may have written the schema. */
function auditShape(sqlite: SqliteInMemory, object: SchemaObject): TableShape | undefined {
  try {
    return askTable(sqlite, object, ask => tableShape(tableInfo(ask, object.name, object.rootPage)))
  } catch {
    return undefined
  }
}

/** How triggers can keep the changes of a table. A string is why they cannot. */
export function describeAudited(
  sqlite: SqliteInMemory,
  objects: readonly SchemaObject[],
  table: string,
): AuditedTable | string {
  const object = objects.find(({ type, name }) => type === 'table' && name === table)!
  const indexes = objects.filter(({ type, table: of, sql }) => type === 'index' && of === table && isUnique(sql))
  const described = askTable(
    sqlite,
    object,
    ask => {
      const info = tableInfo(ask, table, object.rootPage)
      return auditedTable(info, uniqueKeys(ask, info))
    },
    indexes.map(({ sql }) => sql!),
  )
  return described
}

/** What FTS3 to FTS5 and R-trees call them, behind the name of the virtual table. */
const SHADOW_NAMES = /^(?:config|content|data|docsize|idx|node|parent|rowid|segdir|segments|stat)$/i

/** Whether a table is one in which a virtual table keeps its data: what is in it is nobody's rows. */
export function isShadow(table: string, objects: readonly SchemaObject[]): boolean {
  return objects.some(
    ({ type, name, sql }) =>
      type === 'table' &&
      sql !== null &&
      /^CREATE VIRTUAL/i.test(sql) &&
      table.startsWith(`${name}_`) &&
      SHADOW_NAMES.test(table.slice(name.length + 1)),
  )
}

/** Triggers of the audit, in the order in which they were made. */
function ownTriggers(objects: readonly SchemaObject[], table: string): readonly SchemaObject[] {
  const names = auditTriggerNames(table)
  return objects.filter(one => isTriggerOf(one, table) && names.includes(one.name))
}

function isTriggerOf({ type, table: of }: SchemaObject, table: string): boolean {
  return type === 'trigger' && of.toLowerCase() === table.toLowerCase()
}

function isUnique(sql: string | null): boolean {
  return sql !== null && /^CREATE UNIQUE/i.test(sql)
}

function problemOf(
  sqlite: SqliteInMemory,
  objects: readonly SchemaObject[],
  table: string,
  width: number,
): UnauditedTableError | undefined {
  const problem = (expected: string, what: string) => new UnauditedTableError(table, expected, what)
  const described = describeAudited(sqlite, objects, table)
  if (typeof described === 'string') return problem('a table whose changes can be kept', described)
  const there = ownTriggers(objects, table)
  if (there.length === 0) return problem('its triggers of the audit', 'none')
  const isSame = auditTriggers(described).every(({ name, sql }) =>
    there.some(one => one.name === name && one.sql === sql),
  )
  const { length } = described.shape.columns
  if (!isSame || length > width)
    return problem('triggers for its columns and unique indexes as they are', 'others: they have to be made anew')
  // SQLite runs the youngest first. What another does in between would be kept before what it was done for.
  const younger = objects.slice(objects.indexOf(there[0]!)).find(one => isTriggerOf(one, table) && !there.includes(one))
  if (younger !== undefined)
    return problem('triggers of the audit that are the youngest', `${JSON.stringify(younger.name)}, which is younger`)
  return undefined
}
