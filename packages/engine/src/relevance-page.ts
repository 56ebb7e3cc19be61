import type { RelevanceTerms } from '@hotpath/query'
import { unknownRows } from './column-filters.js'
import { HitFinder } from './hit-finder.js'
import { firstByName, firstNamed } from './name-page.js'
import { compareByPath } from './path-order.js'
import { rankedNames, rankOf } from './ranked-names.js'
import { RowDepths } from './row-depths.js'
import { AndFilter, NotFilter, SetFilter } from './row-filter.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'
import { TopItems } from './top-items.js'
import type { TreeMatcher } from './tree-matcher.js'
import { firstByColumn } from './value-page.js'

/** ns to go to a name, to rank it, and to find its rows. */
const NAME_NS = 2_000
/** ns to look at a row of a name. */
const ROW_NS = 150

/**
 * The first `limit` hits by relevance (`compareRelevance` of the query package). Names are ranked and walked best first
 * until there are enough rows; where other conditions leave few hits, those are ranked instead. Without terms that names
 * can satisfy: the newest.
 */
export function firstByRelevance(finder: HitFinder, tree: TreeMatcher, terms: RelevanceTerms, limit: number): number[] {
  if (terms.needles.length === 0) return firstNewest(finder, limit)
  const { names, rest } = finder.parts
  const { table } = finder
  if (names === undefined) return rankedHits(finder, tree, terms, limit)
  if (rest !== undefined) {
    const share = limit / Math.max(1, finder.estimate)
    const walkNs = names.allNs + share * (names.estimate * (rest.testNs + ROW_NS) + NAME_NS)
    if (walkNs > finder.allNs()) return rankedHits(finder, tree, terms, limit)
  }
  const order = new RowOrder(table, tree)
  const rows: number[] = []
  for (const group of rankedNames(table, names, terms)) {
    const passing = (visit: (row: number) => void): void => {
      for (const id of group) {
        table.dictionary.forEachRow(id, row => {
          if (!table.isHidden(row) && (rest === undefined || rest.test(row))) visit(row)
        })
      }
    }
    rows.push(...order.first(passing, () => 0, limit - rows.length))
    if (rows.length === limit) break
  }
  return rows
}

/** All hits are found, and ranked by what their names say. */
function rankedHits(finder: HitFinder, tree: TreeMatcher, terms: RelevanceTerms, limit: number): number[] {
  const { table } = finder
  const ranks = new Map<number, number>()
  const rank = (row: number): number => {
    const id = table.nameIdOf(row)
    let known = ranks.get(id)
    if (known === undefined) {
      const cursor = table.dictionary.seek(id)
      const name = cursor.name.subarray(0, cursor.nameLength)
      const key = cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)
      known = rankOf(terms, name, key)
      ranks.set(id, known)
    }
    return known
  }
  return new RowOrder(table, tree).first(visit => finder.all().forEach(visit), rank, limit)
}

/** Latest modification first, unknown ones last. */
function firstNewest(finder: HitFinder, limit: number): number[] {
  const { table, filter } = finder
  const unknown = unknownRows(table, 'modified')
  if (table.reader.timeColumn(table.table, 'modified') === undefined) {
    return firstByName(finder, false, limit)
  }
  const newest = { column: 'modified', descending: true } as const
  if (unknown.count === 0) return firstByColumn(finder, newest, limit)
  const parts = (last: SetFilter | NotFilter): HitFinder =>
    new HitFinder(table, new AndFilter(table.rowCount, [...filter.conjuncts, last], table.work.checkCancelled))
  const known = parts(new NotFilter(table.rowCount, new SetFilter(unknown)))
  const rows = firstByColumn(known, newest, limit)
  if (rows.length < limit)
    rows.push(...firstNamed(table, parts(new SetFilter(unknown)).all(), false, limit - rows.length))
  return rows
}

interface PlacedRow {
  readonly row: number
  readonly rank: number
  readonly depth: number
  /** Seconds before the end of time, Infinity where unknown. */
  readonly age: number
}

/** Sorts rows by a rank, then shallower, newer, by name and by path. */
class RowOrder {
  private readonly depths: RowDepths
  private readonly seconds: (row: number) => number
  private readonly ticks: (row: number) => number

  constructor(
    private readonly table: TableRows,
    tree: TreeMatcher,
  ) {
    this.depths = new RowDepths(table, tree)
    const times = table.reader.timeColumn(table.table, 'modified')
    this.seconds = times ? row => times.secondsAt(row) : () => Number.NaN
    this.ticks = times && !times.wholeSeconds ? row => times.ticksAt(row) : () => 0
  }

  /** @param forEach visits the rows; quickest if they ascend */
  first(forEach: (visit: (row: number) => void) => void, rank: (row: number) => number, limit: number): number[] {
    const { table, depths, seconds } = this
    let steps = 0
    const top = new TopItems<PlacedRow>(limit, (a, b) => {
      if ((++steps & CHECK_MASK) === 0) table.work.checkCancelled()
      return a.rank - b.rank || a.depth - b.depth || this.compareAges(a, b)
    })
    forEach(row => {
      if ((++steps & CHECK_MASK) === 0) table.work.checkCancelled()
      const own = rank(row)
      const worst = top.worst()
      if (worst && own > worst.rank) return
      const depth = depths.of(row)
      if (worst && own === worst.rank && depth > worst.depth) return
      const known = seconds(row)
      top.offer({ row, rank: own, depth, age: Number.isNaN(known) ? Number.POSITIVE_INFINITY : -known })
    })
    return top.sorted().map(({ row }) => row)
  }

  private compareAges(a: PlacedRow, b: PlacedRow): number {
    if (a.age !== b.age) return a.age < b.age ? -1 : 1
    const { table } = this
    return (
      (Number.isFinite(a.age) ? this.ticks(b.row) - this.ticks(a.row) : 0) ||
      table.nameIdOf(a.row) - table.nameIdOf(b.row) ||
      compareByPath(table, a.row, b.row)
    )
  }
}
