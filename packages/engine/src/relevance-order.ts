import type { TimeColumnReader } from '@hotpath/index-format'
import type { RelevanceTerms } from '@hotpath/query'
import { type Candidate, expectNamesOfTied, firstCandidates } from './candidates.js'
import { compareByPath } from './path-order.js'
import { rankOf } from './ranked-names.js'
import { RowDepths } from './row-depths.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'
import { type TopRows, topRows } from './top-rows.js'
import type { TreeMatcher } from './tree-matcher.js'

/** More than any path has components: rank and depth are one number. */
const DEPTHS = 0x100_0000

/** Rows that are gathered while a segment is cold before what they are compared by is asked for: a megabyte. */
const GATHERED_ROWS = 32_768

/** Orders rows as `compareRelevance` of the query package does: by the rank of the name, then shallower, newer, by name and by path. */
export class RelevanceOrder {
  private readonly depths: RowDepths
  private readonly times: TimeColumnReader | undefined
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
    this.times = times
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
    if (a === b) return 0
    const order = this.placeOf(a, this.rankOf(a)) - this.placeOf(b, this.rankOf(b))
    if (order !== 0) return order
    const [left, right] = [this.ageOf(a), this.ageOf(b)]
    return left === right ? this.compareRest(a, b) : left < right ? -1 : 1
  }

  /**
   * The first rows of those that `forEach` visits (quickest if they ascend).
   * @param rank what their names are worth, if it is known
   * @param leastRank no more than that, but quicker to know
   */
  first(
    forEach: (visit: (row: number) => void) => void,
    limit: number,
    rank?: () => number,
    leastRank?: (row: number) => number,
  ): number[] {
    const { work, dictionary } = this.table
    let steps = 0
    const step = (): void => {
      if ((++steps & CHECK_MASK) === 0) work.checkCancelled()
    }
    const top = topRows(limit, { tie: (a, b) => this.compareRest(a, b), step })
    if (dictionary.isCold) {
      const visited: typeof forEach = visit =>
        forEach(row => {
          step()
          visit(row)
        })
      this.offerTogether(visited, limit, rank, top)
      return top.sorted()
    }
    forEach(row => {
      step()
      // Most rows come too late: that is seen before anything else is asked of them.
      if (leastRank !== undefined && leastRank(row) * DEPTHS > top.lastValue) return
      const own = rank?.() ?? this.rankOf(row)
      if (own * DEPTHS > top.lastValue) return
      const place = this.placeOf(row, own)
      if (place > top.lastValue) return
      const age = this.ageOf(row)
      if (place < top.lastValue || age <= top.lastMinor) top.offer(row, place, age)
    })
    return top.sorted()
  }

  /**
   * Offers the rows that can be among the first ones. Rows are gathered, and what they are compared by is asked for step by
   * step, of those that come in question so far: the disk is waited for once a step, not once a row.
   */
  private offerTogether(
    forEach: (visit: (row: number) => void) => void,
    limit: number,
    rank: (() => number) | undefined,
    top: TopRows,
  ): void {
    let gathered: Candidate[] = []
    const offer = (): void => {
      this.table.work.checkCancelled()
      if (rank === undefined) this.placeTogether(gathered)
      for (const { row, value, minor } of this.firstOf(gathered, limit, top)) top.offer(row, value, minor)
      gathered = []
    }
    forEach(row => {
      const place = rank === undefined ? 0 : this.placeOf(row, rank())
      if (place > top.lastValue) return
      gathered.push({ row, value: place, minor: 0 })
      if (gathered.length === GATHERED_ROWS) offer()
    })
    offer()
  }

  private placeTogether(candidates: readonly Candidate[]): void {
    const { dictionary } = this.table
    for (const { row } of candidates) dictionary.nameIdColumn.expect(row, 1)
    dictionary.fetchExpected()
    for (const each of candidates) each.value = this.placeOf(each.row, this.rankOf(each.row))
  }

  /** Those of the candidates, of which the places are known, that can be among the first `limit` and in `top`. */
  private firstOf(candidates: readonly Candidate[], limit: number, top: TopRows): Candidate[] {
    const { table, times } = this
    // Many candidates: their places are sorted as numbers, not they themselves.
    const places = Float64Array.from(candidates, ({ value }) => value).sort()
    const last = Math.min(top.lastValue, places[Math.min(limit, places.length) - 1])
    const near = candidates.filter(({ value }) => value <= last)
    for (const { row } of near) times?.seconds.expect(row)
    table.dictionary.fetchExpected()
    for (const each of near) each.minor = this.ageOf(each.row)
    const first = firstCandidates(
      near.filter(({ value, minor }) => value < top.lastValue || minor <= top.lastMinor),
      limit,
    )
    expectNamesOfTied(table, first)
    return first
  }

  /** Rank and depth. Nothing but age orders rows without terms. */
  private placeOf(row: number, rank: number): number {
    return this.terms.needles.length === 0 ? 0 : rank * DEPTHS + this.depths.of(row)
  }

  /** Negated seconds, Infinity where unknown: newer rows have less. */
  private ageOf(row: number): number {
    const known = this.seconds(row)
    return Number.isNaN(known) ? Number.POSITIVE_INFINITY : -known
  }

  /** Order of rows that are the same in rank, depth and second. */
  private compareRest(a: number, b: number): number {
    const { table } = this
    return (
      (Number.isNaN(this.seconds(a)) ? 0 : this.ticks(b) - this.ticks(a)) ||
      table.nameIdOf(a) - table.nameIdOf(b) ||
      compareByPath(table, a, b)
    )
  }
}
