import type { HitFinder, WalkBudget } from './hit-finder.js'
import { InverseRows } from './inverse-rows.js'
import type { NamesFilter } from './names-filter.js'
import { compareByPath, firstByPath } from './path-order.js'
import type { RowFilter } from './row-filter.js'
import { type RowCursor, RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'
import { firstByValue } from './value-order.js'

/** ns to go to a name and to find its rows. */
const NAME_NS = 250

/** Directories looked at one after the other before one is searched for. */
const NEAR_DIRECTORIES = 8
/** Rows of a name up to which all are tested before they are put in path order. */
const FEW_ROWS = 8

/**
 * The first `limit` hits by name: dictionary order, rows of one name in path order. Names are walked in order, verified
 * as they come, unless sorting the hits is cheaper.
 */
export function firstByName(finder: HitFinder, descending: boolean, limit: number): number[] {
  const walked = walkByName(finder, descending, limit)
  if (walked) return walked
  return firstNamed(finder.table, finder.all(), descending, limit)
}

/** The first `limit` rows of a set by name. */
export function firstNamed(table: TableRows, rows: RowSet, descending: boolean, limit: number): number[] {
  const { dictionary } = table
  const sign = descending ? -1 : 1
  const order = {
    limit,
    value: (row: number): number => sign * dictionary.nameIdOf(row),
    tie: (a: number, b: number): number => compareByPath(table, a, b),
  }
  // Files of a directory stand by name: once one of them comes too late, so do the others.
  const skip = table.table === 'f' && !descending ? afterSiblings(table) : undefined
  return firstByValue(table, rows, order, skip)
}

/** The first row after the other files in the directory of a file; for files that ascend. */
function afterSiblings({ reader }: TableRows): (row: number) => number {
  let local = 0
  let end = reader.firstFile(1)
  return row => {
    // Mostly one of the next directories.
    for (let steps = 0; row >= end && steps < NEAR_DIRECTORIES; steps++) end = reader.firstFile(++local + 1)
    if (row >= end) {
      local = reader.directoryOfFile(row)
      end = reader.firstFile(local + 1)
    }
    return end
  }
}

/** The same by walking alone; undefined if that does not promise to be cheaper, or was broken off. */
export function walkByName(finder: HitFinder, descending: boolean, limit: number): number[] | undefined {
  const { table, known } = finder
  const { dictionary, rowCount } = table
  const { names, rest } = finder.parts
  const walk = new NameWalk(finder, descending, limit)
  if (known === undefined && names !== undefined) {
    const step = descending
      ? (id: number): number => names.verdicts.previous(id)
      : (id: number): number => names.verdicts.next(id)
    // With nothing but names no way is shorter.
    if (rest === undefined) return walk.over(step, undefined)
    const stepNs = rest.testNs + NAME_NS
    const expectedNs = (limit / Math.max(1, finder.estimate)) * (names.estimate * stepNs + names.allNs)
    if (expectedNs > finder.allNs()) return undefined
    return walk.over(step, rest, finder.walkBudget(expectedNs, stepNs))
  }
  const budget = finder.budgetFor(limit, (NAME_NS * dictionary.nameCount) / Math.max(1, rowCount))
  const step = descending ? (id: number): number => id : (id: number): number => (id < dictionary.nameCount ? id : -1)
  return budget && walk.over(step, known ? undefined : finder.filter, budget)
}

/** The first `limit` hits by name among rows of some names (`among`), which all that pass `test` have. */
export function walkSomeNames(
  finder: HitFinder,
  names: NamesFilter,
  among: RowSet,
  test: RowFilter,
  limit: number,
): number[] {
  const step = (from: number): number => {
    let id = among.next(from)
    while (id >= 0 && !names.verdicts.has(id)) id = among.next(id + 1)
    return id
  }
  return new NameWalk(finder, false, limit).over(step, test) ?? []
}

/** Names whose rows are read ahead while the segment is cold. */
const EXPECTED_NAMES = 100

/** Goes from name to name, taking the hits of each. */
class NameWalk {
  constructor(
    private readonly finder: HitFinder,
    private readonly descending: boolean,
    private readonly limit: number,
  ) {}

  /** Has the rows of the first names read ahead, as many as could be on the page. */
  private expectRows(first: number, step: (id: number) => number): void {
    const { descending, limit, finder } = this
    const ids: number[] = []
    for (let id = first; id >= 0 && ids.length < Math.min(limit, EXPECTED_NAMES); ) {
      ids.push(id)
      id = step(descending ? id - 1 : id + 1)
    }
    finder.table.dictionary.expectRowsOf(ids)
  }

  /**
   * @param step a name at or after (before, when descending) the given one, or -1
   * @returns undefined if the budget did not suffice
   */
  over(step: (id: number) => number, test: RowFilter | undefined, budget?: WalkBudget): number[] | undefined {
    const { finder, limit, descending } = this
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
    const first = step(descending ? dictionary.nameCount - 1 : 0)
    if (dictionary.isCold) this.expectRows(first, step)
    for (let id = first; id >= 0 && rows.length < limit; id = step(descending ? id - 1 : id + 1)) {
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
    return rows
  }
}
