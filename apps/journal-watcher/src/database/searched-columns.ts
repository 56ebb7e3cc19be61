import { HotpathError } from '@hotpath/model'
import { followedTable, type TableShape } from '@hotpath/sqlite'

/** Names that are listed; a database can have hundreds of tables. */
const MOST_NAMES = 12

/** A column that is to be searched is not in the database, whose rows are told all the same. */
export class MissingColumnError extends HotpathError {
  readonly code = 'MISSING_COLUMN'
  constructor(
    /** As it is configured: `table.column`. */
    readonly column: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`${JSON.stringify(column)}: expected ${expected}, found ${found}`)
  }
}

/**
 * The searched columns that no followed table has. Names are compared as SQLite compares them, without regard to the case of ASCII letters.
 *
 * @param text columns as `table.column`: a table's name ends at the first dot
 * @param shapes of the tables that are followed
 * @param others names of further tables, of which nothing is known
 */
export function missingColumns(
  text: readonly string[],
  shapes: readonly TableShape[],
  others: readonly string[],
): MissingColumnError[] {
  return text.flatMap(configured => {
    const dot = configured.indexOf('.')
    const [table, column] = [configured.slice(0, dot), configured.slice(dot + 1)]
    const shape = shapes.find(({ name }) => isSameName(name, table))
    if (shape === undefined) {
      const other = others.find(name => isSameName(name, table))
      const found = other === undefined ? listed(shapes.map(({ name }) => name)) : 'one that is not followed'
      return [new MissingColumnError(configured, `a followed table ${JSON.stringify(table)}`, found)]
    }
    const { name, columns } = followedTable(shape)
    if (columns.some(each => isSameName(each, column))) return []
    return [new MissingColumnError(configured, `a stored column of table ${JSON.stringify(name)}`, listed(columns))]
  })
}

function isSameName(a: string, b: string): boolean {
  return lower(a) === lower(b)
}

function lower(name: string): string {
  return name.replace(/[A-Z]/g, letter => letter.toLowerCase())
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const shown = names.slice(0, MOST_NAMES).map(name => JSON.stringify(name))
  return `${shown.join(', ')}${names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''}`
}
