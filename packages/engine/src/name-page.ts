import type { HitFinder } from './hit-finder.js'
import { NAME_NS, NameWalk } from './name-walk.js'
import type { NamesFilter } from './names-filter.js'
import { compareByPath } from './path-order.js'
import type { RowFilter } from './row-filter.js'
import type { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'
import { firstByValue } from './value-order.js'

/** Directories looked at one after the other before one is searched for. */
const NEAR_DIRECTORIES = 8

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
  const walk = new NameWalk(finder, limit)
  const inOrder = (step: (id: number) => number): (() => number) => stepping(step, descending, dictionary.nameCount)
  if (known === undefined && names !== undefined) {
    const step = descending
      ? (id: number): number => names.verdicts.previous(id)
      : (id: number): number => names.verdicts.next(id)
    // With nothing but names no way is shorter.
    if (rest === undefined) return walk.over(inOrder(step), undefined)
    const stepNs = rest.testNs + NAME_NS
    const expectedNs = (limit / Math.max(1, finder.estimate)) * (names.estimate * stepNs + names.allNs)
    if (expectedNs > finder.allNs()) return undefined
    return walk.over(inOrder(step), rest, finder.walkBudget(expectedNs, stepNs))
  }
  const budget = finder.budgetFor(limit, (NAME_NS * dictionary.nameCount) / Math.max(1, rowCount))
  const step = descending ? (id: number): number => id : (id: number): number => (id < dictionary.nameCount ? id : -1)
  return budget && walk.over(inOrder(step), known ? undefined : finder.filter, budget)
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
  const next = stepping(step, false, finder.table.dictionary.nameCount)
  return new NameWalk(finder, limit).over(next, test) ?? []
}

/** One name after the other by `step`, which gives a name at or after (before, when descending) the given one, or -1. */
function stepping(step: (id: number) => number, descending: boolean, nameCount: number): () => number {
  let from = descending ? nameCount - 1 : 0
  let ended = false
  return () => {
    if (ended) return -1
    const id = step(from)
    ended = id < 0
    from = descending ? id - 1 : id + 1
    return id
  }
}
