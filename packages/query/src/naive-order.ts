import { compareBytes, keyOf } from '@hotpath/index-format'
import { type Entry, type EntryUse, isDirectory, nameOf, sizeOf } from './entry.js'
import { compareNames, comparePaths } from './name-order.js'
import { compareRelevance, type RelevanceTerms } from './relevance.js'

export const SORT_COLUMNS = ['name', 'path', 'size', 'modified', 'created', 'accessed', 'ext', 'hot', 'opened'] as const
export type SortColumn = (typeof SORT_COLUMNS)[number]

export interface Sort {
  readonly column: SortColumn
  readonly descending: boolean
}

/** Reads `name`, `size-desc` and so on; undefined if there is no such sort. */
export function parseSort(text: string): Sort | undefined {
  const descending = text.endsWith('-desc')
  const name = descending ? text.slice(0, -'-desc'.length) : text
  const column = SORT_COLUMNS.find(known => known === name)
  return column && { column, descending }
}

/**
 * The order of two entries: negative, 0 (same path) or positive. Primary orders:
 *
 * * `name`: by key, then by original bytes;
 * * `path`: component by component in the order of `name`, an ancestor before what is below it;
 * * `size`, `modified`, `created`, `accessed`: by value, unknown ones last; directories have size 0;
 * * `ext`: by the key of what follows the last dot of the name; directories and names without one are unknown, last;
 * * `hot`: hottest first; `opened`: by the time of the last open. Entries that were never opened come last, whether
 *   descending or not: they are most of all entries, and nobody asks for them by these orders.
 *
 * `descending` reverses the primary order and nothing else (unknown values of the others are then first): entries that are
 * equal in it are by relevance for `hot`, for all others by name, then by path, both ascending.
 *
 * @param terms of the query whose hits the entries are: what relevance goes by
 */
export function compareEntries(sort: Sort, terms: RelevanceTerms, a: Entry, b: Entry): number {
  if (isByUse(sort)) {
    const order = compareUses(sort, a.use, b.use)
    if (order !== 0) return order
    if (sort.column === 'hot') return compareRelevance(terms, a, b)
  }
  const primary = comparePrimary(sort.column, a, b)
  if (primary !== 0) return sort.descending ? -primary : primary
  return compareNames(nameOf(a), nameOf(b)) || comparePaths(a.components, b.components)
}

/** True for the orders in which entries that were never opened come last. */
function isByUse(sort: Sort): boolean {
  return sort.column === 'hot' || sort.column === 'opened'
}

/** The order of two uses in a sort by use; 0 also of two entries that were never opened. */
export function compareUses({ column, descending }: Sort, a: EntryUse | undefined, b: EntryUse | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  const order = column === 'hot' ? b.hot - a.hot : a.opened - b.opened
  return descending ? -order : order
}

/** What the sort `ext` goes by: the key after the last dot; undefined for directories and where nothing follows one. */
export function extensionOf(entry: Entry): Uint8Array | undefined {
  if (isDirectory(entry)) return undefined
  const key = keyOf(nameOf(entry))
  const dot = key.lastIndexOf(0x2e)
  return dot < 0 || dot === key.length - 1 ? undefined : key.subarray(dot + 1)
}

function comparePrimary(column: SortColumn, a: Entry, b: Entry): number {
  switch (column) {
    case 'name':
      return compareNames(nameOf(a), nameOf(b))
    case 'path':
      return comparePaths(a.components, b.components)
    case 'size':
      return compareKnown(sizeOf(a), sizeOf(b))
    case 'hot':
    case 'opened':
      return 0
    case 'ext': {
      const [left, right] = [extensionOf(a), extensionOf(b)]
      if (left && right) return compareBytes(left, right)
      return left ? -1 : right ? 1 : 0
    }
    default: {
      const [left, right] = [a[column], b[column]]
      const order = compareKnown(left?.seconds ?? Number.NaN, right?.seconds ?? Number.NaN)
      if (order !== 0 || !left || !right || Number.isNaN(left.seconds)) return order
      return left.ticks - right.ticks
    }
  }
}

/** Ascending, NaN (unknown) last. */
function compareKnown(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}
