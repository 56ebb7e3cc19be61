import type { RelevanceTerms } from '@hotpath/query'
import { compareByPath } from './path-order.js'
import { rankOf } from './ranked-names.js'
import { RowDepths } from './row-depths.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'
import { TopItems } from './top-items.js'
import type { TreeMatcher } from './tree-matcher.js'

/** A row with what it is ordered by after its rank. */
interface PlacedRow {
  readonly row: number
  readonly rank: number
  readonly depth: number
  /** Negated seconds, Infinity where unknown: newer rows have less. */
  readonly age: number
}

/** Orders rows as `compareRelevance` of the query package does: by the rank of the name, then shallower, newer, by name and by path. */
export class RelevanceOrder {
  private readonly depths: RowDepths
  private readonly seconds: (row: number) => number
  private readonly ticks: (row: number) => number
  private readonly ranks = new Map<number, number>()

  constructor(
    private readonly table: TableRows,
    tree: TreeMatcher,
    private readonly terms: RelevanceTerms,
  ) {
    this.depths = new RowDepths(table, tree)
    const times = table.reader.timeColumn(table.table, 'modified')
    this.seconds = times ? row => times.secondsAt(row) : () => Number.NaN
    this.ticks = times && !times.wholeSeconds ? row => times.ticksAt(row) : () => 0
  }

  /** What the name of a row is worth. Cost: its name is decoded, once a search. */
  rankOf(row: number): number {
    const { table, terms, ranks } = this
    if (terms.needles.length === 0) return 0
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

  /** Order of two rows. */
  compare(a: number, b: number): number {
    return a === b ? 0 : this.comparePlaced(this.placed(a, this.rankOf(a)), this.placed(b, this.rankOf(b)))
  }

  /**
   * The first rows of those that `forEach` visits (quickest if they ascend).
   * @param rank what their names are worth, if it is known
   */
  first(
    forEach: (visit: (row: number) => void) => void,
    limit: number,
    rank = (row: number): number => this.rankOf(row),
  ): number[] {
    const { table } = this
    let steps = 0
    const top = new TopItems<PlacedRow>(limit, (a, b) => {
      if ((++steps & CHECK_MASK) === 0) table.work.checkCancelled()
      return this.comparePlaced(a, b)
    })
    forEach(row => {
      if ((++steps & CHECK_MASK) === 0) table.work.checkCancelled()
      const own = rank(row)
      const worst = top.worst()
      if (worst === undefined) {
        top.offer(this.placed(row, own))
        return
      }
      // Most rows come too late: that is seen before anything is made of them.
      if (own > worst.rank) return
      const depth = own === worst.rank ? this.depthOf(row) : 0
      if (depth > worst.depth) return
      if (own === worst.rank && depth === worst.depth && this.ageOf(row) > worst.age) return
      top.offer(this.placed(row, own))
    })
    return top.sorted().map(({ row }) => row)
  }

  private placed(row: number, rank: number): PlacedRow {
    return { row, rank, depth: this.depthOf(row), age: this.ageOf(row) }
  }

  private ageOf(row: number): number {
    const known = this.seconds(row)
    return Number.isNaN(known) ? Number.POSITIVE_INFINITY : -known
  }

  /** Nothing but age orders rows without terms. */
  private depthOf(row: number): number {
    return this.terms.needles.length === 0 ? 0 : this.depths.of(row)
  }

  private comparePlaced(a: PlacedRow, b: PlacedRow): number {
    const order = a.rank - b.rank || a.depth - b.depth
    if (order !== 0) return order
    if (a.age !== b.age) return a.age < b.age ? -1 : 1
    const { table } = this
    return (
      (Number.isFinite(a.age) ? this.ticks(b.row) - this.ticks(a.row) : 0) ||
      table.nameIdOf(a.row) - table.nameIdOf(b.row) ||
      compareByPath(table, a.row, b.row)
    )
  }
}
