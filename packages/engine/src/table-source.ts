import { matchesNaively, type Predicate } from '@hotpath/query'
import { hitOfSegment } from './hit.js'
import { HitFinder, TestedRows } from './hit-finder.js'
import { firstByName } from './name-page.js'
import { NamesFilter } from './names-filter.js'
import { firstByPath } from './path-order.js'
import { filterOf } from './predicate-filter.js'
import { firstOfRest } from './rest-order.js'
import { type KeptTable, MOST_KEPT_ROWS } from './result-cache.js'
import { AndFilter, type RowFilter, SetFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import { orderOf, type UseSort, type ValueSort } from './sort-order.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'
import { type OpenedHits, openedHits } from './use-page.js'
import { firstByColumn } from './value-page.js'

/** ns to find a row by its name id and to subtract it. */
const SUBTRACT_NS = 40
/** ns of a row in a pass over bits. */
const PASS_NS = 1

/** Rows that died since a total was kept: if there are more, everything is counted again. A test may verify a block. */
const MOST_SUBTRACTED = 2_048
/** A page that lost rows is kept with so many more of them, as a share of its length. */
const SPARE_SHARE = 8
/** Tests between two looks at whether the search was cancelled: less than a millisecond of them. */
const CHECKED_TESTS = 512

/**
 * The hits of a query in one table of one segment: how many, and the first of them in any order. Nothing is computed
 * before it is asked for: a page by name under a stored total looks at a few blocks of names.
 */
export class TableSource {
  private madeFinder: HitFinder | undefined
  private known: number | undefined

  /** @param kept what earlier searches found out, and what later ones may use */
  constructor(
    readonly table: TableRows,
    readonly tree: TreeMatcher,
    private readonly predicate: Predicate,
    private readonly kept: KeptTable | undefined,
    /** Rows among which are all hits, if these are known and few. */
    private readonly among: Uint32Array | undefined,
  ) {
    const visible = table.segment.visibleCount(table.table)
    if (predicate.kind === 'none' || visible === 0) this.known = 0
    else if (predicate.kind === 'all' && table.scope.sight === undefined) this.known = visible
  }

  /** Entry ids of the first `limit` hits in the order of `sort`, which is none by use. */
  first(sort: ValueSort, limit: number): number[] {
    const { table } = this
    if (limit === 0 || this.known === 0) return []
    return this.firstKept(orderOf(sort), limit, count => this.firstRows(this.finder, sort, count)).map(
      row => table.firstEntry + row,
    )
  }

  /** The first `limit` hits that were opened, in a sort by use. */
  opened(sort: UseSort, limit: number): OpenedHits {
    const { table } = this
    return this.known === 0 || limit === 0 || table.segment.opened.rows(table.table).count === 0
      ? { first: [], rows: RowSet.none(table.rowCount) }
      : openedHits(this.finder, this.tree, sort, limit)
  }

  /** Every hit. */
  hits(): RowSet {
    return this.known === 0 ? RowSet.none(this.table.rowCount) : this.finder.all()
  }

  /** Every opened hit, in a sort by use. */
  allOpened(sort: UseSort): readonly number[] {
    const { segment, table } = this.table
    return this.opened(sort, segment.opened.rows(table).count).first
  }

  /** Every hit that was never opened. */
  neverOpened(): RowSet {
    const { segment, table, work } = this.table
    const opened = segment.opened.rows(table)
    return opened.count === 0 || work.sight !== undefined ? this.hits() : this.hits().without(opened.toBits())
  }

  /** Entry ids of the opened hits, and of at most `restLimit` others behind them. */
  withRest(sort: UseSort, { first, rows }: OpenedHits, restLimit: number): number[] {
    const { table } = this
    const rest = this.known === 0 || restLimit === 0 ? [] : this.rest(sort, rows, restLimit)
    return [...first, ...rest].map(row => table.firstEntry + row)
  }

  private rest(sort: UseSort, opened: RowSet, limit: number): number[] {
    const wanted = limit + opened.count
    const rows = this.firstKept(orderOf(sort), wanted, count => firstOfRest(this.finder, this.tree, sort, count))
    return (opened.count === 0 ? rows : rows.filter(row => !opened.has(row))).slice(0, limit)
  }

  /** The first `limit` rows of an order, from those that are kept as far as they are still entries. */
  private firstKept(order: string, limit: number, find: (limit: number) => number[]): number[] {
    const { kept, table } = this
    if (kept === undefined || limit > MOST_KEPT_ROWS) return find(limit)
    const page = kept.page(order)
    let wanted = limit
    if (page !== undefined) {
      const rows: number[] = []
      for (const row of page.rows) if (!table.isHidden(row)) rows.push(row)
      if (page.isAll || rows.length >= limit) return rows.slice(0, limit)
      // Where rows die more will.
      if (rows.length < page.rows.length) wanted = Math.min(MOST_KEPT_ROWS, limit + Math.ceil(limit / SPARE_SHARE))
    }
    const rows = find(wanted)
    kept.keepPage(order, { rows: Uint32Array.from(rows), isAll: rows.length < wanted })
    return rows.slice(0, limit)
  }

  private get finder(): HitFinder {
    const { table } = this
    this.madeFinder ??= this.among ? knownHits(table, this.passing(this.among)) : new HitFinder(table, this.filter())
    return this.madeFinder
  }

  private filter(): RowFilter {
    return seenFilter(this.table, filterOf(this.table, this.tree, this.predicate))
  }

  /** Those of some rows that are hits, each looked at by itself. */
  private passing(rows: Uint32Array): Uint32Array {
    const { table, predicate } = this
    const { view, segment, firstEntry, work } = table
    work.checkCancelled()
    return rows
      .filter(row => {
        if (table.isHidden(row)) return false
        return matchesNaively(predicate, hitOfSegment(view, segment, firstEntry + row, work))
      })
      .sort()
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
    this.known ??= this.keptTotal() ?? this.countAll()
    return this.known
  }

  private countAll(): number {
    const count = this.count(this.finder)
    this.keepTotal(count)
    return count
  }

  private keepTotal(count: number): void {
    const { segment, table } = this.table
    this.kept?.keepTotal({ count, deadRows: segment.deadRows[table].length })
  }

  /** The total of an earlier search without what died since; undefined where that is not known, or dearer than counting. */
  private keptTotal(): number | undefined {
    const known = this.kept?.knownTotal()
    if (known === undefined) return undefined
    const { segment, table, work } = this.table
    const dead = segment.deadRows[table].rows().subarray(known.deadRows)
    if (dead.length === 0) return known.count
    if (dead.length > MOST_SUBTRACTED) return undefined
    const filter = this.filter()
    let { count } = known
    for (let i = 0; i < dead.length; i++) {
      if (i % CHECKED_TESTS === 0) work.checkCancelled()
      if (filter.test(dead[i])) count--
    }
    this.keepTotal(count)
    return count
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

/** What passes and may be seen. No stored total speaks of that. */
function seenFilter(table: TableRows, filter: RowFilter): RowFilter {
  const { scope, segment, work } = table
  if (scope.sight === undefined) return filter
  const seen = new SetFilter(scope.sight.rows(segment, table.table, work.checkCancelled))
  return new AndFilter(table.rowCount, [...filter.conjuncts, seen], work.checkCancelled)
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

function knownHits(table: TableRows, rows: Uint32Array): HitFinder {
  const known = RowSet.ofList(table.rowCount, rows)
  const finder = new HitFinder(table, new SetFilter(known))
  finder.all()
  return finder
}
