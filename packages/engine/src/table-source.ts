import type { Predicate } from '@hotpath/query'
import { HitFinder, TestedRows } from './hit-finder.js'
import { firstByName } from './name-page.js'
import { NamesFilter } from './names-filter.js'
import { firstByPath } from './path-order.js'
import { filterOf } from './predicate-filter.js'
import { firstOfRest } from './rest-order.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { UseSort, ValueSort } from './sort-order.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'
import { type OpenedHits, openedHits } from './use-page.js'
import { firstByColumn } from './value-page.js'

/** ns to find a row by its name id and to subtract it. */
const SUBTRACT_NS = 40
/** ns of a row in a pass over bits. */
const PASS_NS = 1

/**
 * The hits of a query in one table of one segment: how many, and the first of them in any order. Nothing is computed
 * before it is asked for: a page by name under a stored total looks at a few blocks of names.
 */
export class TableSource {
  private readonly finder: HitFinder | undefined
  private known: number | undefined

  constructor(
    private readonly table: TableRows,
    private readonly tree: TreeMatcher,
    predicate: Predicate,
  ) {
    const visible = table.segment.visibleCount(table.table)
    if (predicate.kind === 'none' || visible === 0) this.known = 0
    else if (predicate.kind === 'all') this.known = visible
    this.finder = this.known === 0 ? undefined : new HitFinder(table, filterOf(table, tree, predicate))
  }

  /** Entry ids of the first `limit` hits in the order of `sort`, which is none by use. */
  first(sort: ValueSort, limit: number): number[] {
    const { finder, table } = this
    if (limit === 0 || finder === undefined) return []
    return this.firstRows(finder, sort, limit).map(row => table.firstEntry + row)
  }

  /** The first `limit` hits that were opened, in a sort by use. */
  opened(sort: UseSort, limit: number): OpenedHits {
    return this.finder === undefined
      ? { first: [], rows: RowSet.none(this.table.rowCount) }
      : openedHits(this.finder, this.tree, sort, limit)
  }

  /** Entry ids of the opened hits, and of at most `restLimit` others behind them. */
  withRest(sort: UseSort, { first, rows }: OpenedHits, restLimit: number): number[] {
    const { finder, table, tree } = this
    const rest = finder === undefined ? [] : firstOfRest(finder, tree, sort, rows, restLimit)
    return [...first, ...rest].map(row => table.firstEntry + row)
  }

  private firstRows(finder: HitFinder, sort: ValueSort, limit: number): number[] {
    switch (sort.column) {
      case 'name':
        return firstByName(finder, sort.descending, limit)
      case 'path':
        return pageByPath(finder, sort.descending, limit)
      default:
        return firstByColumn(finder, sort, limit)
    }
  }

  /** Exact number of hits. */
  total(): number {
    this.known ??= this.finder === undefined ? 0 : this.count(this.finder)
    return this.known
  }

  private count(finder: HitFinder): number {
    if (finder.known) return finder.known.count
    return (finder.filter instanceof NamesFilter ? this.countNames(finder.filter) : undefined) ?? finder.all().count
  }

  /** From stored totals, or from the rows of each name: what is hidden is subtracted, as long as that is cheaper. */
  private countNames(names: NamesFilter): number | undefined {
    const { table } = this
    const { segment, matcher, rowCount, work } = table
    const dead = segment.deadRows[table.table]
    let gone = 0
    let steps = 0
    const subtract = (row: number): void => {
      if ((++steps & CHECK_MASK) === 0) work.checkCancelled()
      if (names.test(row)) gone++
    }
    if (names.storedTotal !== undefined && dead.length * SUBTRACT_NS < rowCount * PASS_NS + names.allNs) {
      for (const row of dead.rows()) subtract(row)
      return names.storedTotal - gone
    }
    const hidden = segment.hidden[table.table]
    if (segment.hiddenCount[table.table] * SUBTRACT_NS > rowCount * PASS_NS) return undefined
    const all = matcher.countRows(names.verdicts, work)
    hidden?.forEach(subtract)
    return all - gone
  }
}

/** The first `limit` hits by path. */
function pageByPath(finder: HitFinder, descending: boolean, limit: number): number[] {
  const { table } = finder
  // With displaced directories many walks go over the same rows: they must be known.
  const budget = table.segment.displaced.size > 0 ? undefined : finder.budgetFor(limit, 0)
  if (budget && finder.known === undefined) {
    const rows = firstByPath(table, new TestedRows(finder, budget), descending, limit)
    if (!budget.isSpent) return rows
  }
  return firstByPath(table, finder.all(), descending, limit)
}
