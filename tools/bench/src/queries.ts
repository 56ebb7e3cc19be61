import { readFileSync } from 'node:fs'
import { InvalidInputError } from '@hotpath/model'
import { parseSort, type SortColumn } from '@hotpath/query'

/** An order that clients, too, can ask for. */
export interface BenchSort {
  readonly column: Exclude<SortColumn, 'accessed'>
  readonly descending: boolean
}

/** The same order as clients call it. */
export function clientSort({ column, descending }: BenchSort) {
  return { sort: column === 'ext' ? ('extension' as const) : column, descending }
}

/** Reads `name`, `size-desc` and so on; undefined if there is no such order. */
export function benchSort(name: string): BenchSort | undefined {
  const sort = parseSort(name)
  if (sort === undefined) return undefined
  const { column, descending } = sort
  return column === 'accessed' ? undefined : { column, descending }
}

/** A query of the mix. */
export interface BenchQuery {
  /** What kind it is: `rare`, `combined` … */
  readonly group: string
  readonly text: string
  readonly sort: BenchSort
}

/** Reads a file with lines `class TAB query TAB sort`; lines that begin with # say something about it. */
export function readQueries(file: URL): BenchQuery[] {
  return parseQueries(readFileSync(file, 'utf8'))
}

export function parseQueries(text: string): BenchQuery[] {
  const queries: BenchQuery[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const [group, query, sortName] = line.split('\t')
    const sort = benchSort(sortName ?? '')
    if (group === undefined || query === undefined || sort === undefined) {
      throw new InvalidInputError(`query ${index + 1}`, 'class, query and sort', JSON.stringify(line))
    }
    queries.push({ group, text: query, sort })
  }
  return queries
}

/** What the budgets tell apart. */
export type BudgetGroup = 'term' | 'several' | 'path'

const SEVERAL = new Set(['combined', 'negated', 'size', 'date', 'type', 'extension', 'wildcard'])
const PATH = new Set(['separator', 'path'])

/** One plain term, several terms or filters, or a match in the path. */
export function budgetGroupOf({ group }: Pick<BenchQuery, 'group'>): BudgetGroup {
  if (PATH.has(group)) return 'path'
  return SEVERAL.has(group) ? 'several' : 'term'
}

/** Arguments for plocate that ask the same of base names; undefined if it cannot be said there. */
export function plocatePatterns({ group, text }: BenchQuery): string[] | undefined {
  if (budgetGroupOf({ group }) !== 'term' && group !== 'combined') return undefined
  // What is more than plain text in one of the two languages.
  if (/["*?[\]\\<>|!:()/]/.test(text)) return undefined
  const terms = text.split(' ').filter(term => term !== '')
  return terms.length === 0 || terms.some(term => term.startsWith('-')) ? undefined : terms
}
