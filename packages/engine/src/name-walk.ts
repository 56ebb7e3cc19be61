import type { HitFinder, WalkBudget } from './hit-finder.js'
import { InverseRows } from './inverse-rows.js'
import { firstByPath } from './path-order.js'
import type { RowFilter } from './row-filter.js'
import { type RowCursor, RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'

/** Names whose rows are read ahead while the segment is cold. */
const EXPECTED_NAMES = 100
/** Rows of a name up to which all are tested before they are put in path order. */
const FEW_ROWS = 8

/** ns to go to a name and to find its rows. */
export const NAME_NS = 250

/** Goes from name to name, taking the hits of each in path order. */
export class NameWalk {
  constructor(
    private readonly finder: HitFinder,
    private readonly limit: number,
  ) {}

  /**
   * @param next gives one name after the other, then -1 for good
   * @param test what else rows must pass, if the hits are not known
   * @returns undefined if the budget did not suffice
   */
  over(next: () => number, test: RowFilter | undefined, budget?: WalkBudget): number[] | undefined {
    const { finder, limit } = this
    const { table, known } = finder
    const { dictionary } = table
    const rows: number[] = []
    let group: number[] = []
    let steps = 0
    const isHit = (row: number): boolean => {
      if ((++steps & CHECK_MASK) === 0) table.work.checkCancelled()
      if (budget && !budget.step()) return false
      return known ? known.has(row) : !table.isHidden(row) && (test === undefined || test.test(row))
    }
    const take = (row: number): boolean => {
      if (isHit(row)) group.push(row)
      return !budget?.isSpent
    }
    const append = (found: RowCursor): void => {
      for (const row of firstByPath(table, found, false, limit - rows.length)) rows.push(row)
    }
    const step = dictionary.isCold ? this.readingAhead(next) : next
    while (rows.length < limit) {
      const id = step()
      if (id < 0) break
      // With displaced directories several walks go over the rows: they must be known.
      if (dictionary.rowCountOf(id) > FEW_ROWS && table.segment.displaced.size === 0) {
        append(new InverseRows(dictionary, id, isHit))
      } else {
        group = []
        dictionary.forEachRow(id, take)
        if (group.length === 1) rows.push(group[0])
        else if (group.length > 1) append(RowSet.ofList(table.rowCount, Uint32Array.from(group)))
      }
      if (budget?.isSpent) return undefined
    }
    return budget?.isSpent ? undefined : rows
  }

  /** Has the rows of the first names read ahead, as many as could be on the page. */
  private readingAhead(next: () => number): () => number {
    const { limit, finder } = this
    const ids: number[] = []
    while (ids.length < Math.min(limit, EXPECTED_NAMES)) {
      const id = next()
      if (id < 0) break
      ids.push(id)
    }
    finder.table.dictionary.expectRowsOf(ids)
    let at = 0
    return () => (at < ids.length ? ids[at++] : next())
  }
}
