import type { HitFinder, WalkBudget } from './hit-finder.js'
import { compareByPath, firstByPath } from './path-order.js'
import type { RowFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import { firstByValue } from './value-order.js'

/** ns to go to a name and to find its rows. */
const NAME_NS = 250

/**
 * The first `limit` hits by name: dictionary order, rows of one name in path order. Names are walked in order, verified
 * as they come, unless sorting the hits is cheaper.
 */
export function firstByName(finder: HitFinder, descending: boolean, limit: number): number[] {
  const { table, known } = finder
  const { names, rest } = finder.parts
  const walk = new NameWalk(finder, descending, limit)
  if (known === undefined && names !== undefined) {
    const step = descending
      ? (id: number): number => names.verdicts.previous(id)
      : (id: number): number => names.verdicts.next(id)
    // With nothing but names no way is shorter.
    if (rest === undefined) return walk.over(step, undefined)
    const restNs = rest.testNs + NAME_NS
    const perHit = Math.max(1, names.estimate / Math.max(1, finder.estimate))
    const budget = perHit * restNs * limit < finder.allNs ? finder.walkBudget(restNs) : undefined
    const rows = budget && walk.over(step, rest, budget)
    if (rows && !budget.isSpent) return rows
  } else {
    const budget = finder.budgetFor(limit, (NAME_NS * table.dictionary.nameCount) / Math.max(1, table.rowCount))
    const step = descending
      ? (id: number): number => id
      : (id: number): number => (id < table.dictionary.nameCount ? id : -1)
    const rows = budget && walk.over(step, known ? undefined : finder.filter, budget)
    if (rows && !budget.isSpent) return rows
  }
  const { dictionary } = table
  const sign = descending ? -1 : 1
  return firstByValue(table, finder.all(), {
    limit,
    value: row => sign * dictionary.nameIdOf(row),
    tie: (a, b) => compareByPath(table, a, b),
  })
}

/** Goes from name to name, taking the hits of each. */
class NameWalk {
  constructor(
    private readonly finder: HitFinder,
    private readonly descending: boolean,
    private readonly limit: number,
  ) {}

  /** @param step a name at or after (before, when descending) the given one, or -1 */
  over(step: (id: number) => number, test: RowFilter | undefined, budget?: WalkBudget): number[] {
    const { finder, limit, descending } = this
    const { table, known } = finder
    const { dictionary } = table
    const rows: number[] = []
    let group: number[] = []
    let steps = 0
    const take = (row: number): boolean => {
      if ((++steps & CHECK_MASK) === 0) table.work.checkCancelled()
      if (budget && !budget.step()) return false
      if (known ? known.has(row) : !table.isHidden(row) && (test === undefined || test.test(row))) group.push(row)
      return true
    }
    const first = step(descending ? dictionary.nameCount - 1 : 0)
    for (let id = first; id >= 0 && rows.length < limit; id = step(descending ? id - 1 : id + 1)) {
      group = []
      dictionary.forEachRow(id, take)
      if (budget?.isSpent) break
      if (group.length === 1) rows.push(group[0])
      else if (group.length > 1) {
        const set = RowSet.ofList(table.rowCount, Uint32Array.from(group))
        for (const row of firstByPath(table, set, false, limit - rows.length)) rows.push(row)
      }
    }
    return rows
  }
}
