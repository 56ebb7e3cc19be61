import { BLOCK_NAMES } from '@hotpath/index-format'
import { Bitset } from './bitset.js'
import type { NameNumbers } from './name-numbers.js'
import type { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { SplitRows } from './split-columns.js'
import type { TableRows } from './table-rows.js'

/** Above one row in so many a pass over all names and rows is quicker than looking at each row. */
const DENSE_SHARE = 8

/**
 * Splits rows by a number that their names have; undefined where it is quicker to look at each row. Cost: a look at each
 * name, 2 ns, and two passes over the rows, 2 ns each.
 */
export function splitByNames(
  table: TableRows,
  rows: RowSet,
  numbers: NameNumbers,
  low: number,
  high: number,
): SplitRows | undefined {
  const range = numbers.range(low, high)
  if (range === undefined || rows.count * DENSE_SHARE < table.rowCount) return undefined
  const { matcher, work } = table
  const { from, to, descending } = range
  const codes = numbers.codes()
  const inside = namesBetween(codes, from, to, work.checkCancelled)
  const before = descending
    ? namesBetween(codes, Math.floor(to) + 1, Number.POSITIVE_INFINITY, work.checkCancelled)
    : // Codes are whole.
      namesBetween(codes, 0, Math.ceil(from) - 1, work.checkCancelled)
  return {
    before: before.next(0) < 0 ? 0 : rows.countWith(matcher.rowsNamed(before, work)),
    inside: rows.and(matcher.rowsNamed(inside, work)),
  }
}

/** Names with the codes from … to, both included. */
function namesBetween(codes: ArrayLike<number>, from: number, to: number, checkCancelled: () => void): Bitset {
  const names = new Bitset(codes.length)
  for (let first = 0, word = 0; first < codes.length; first += BLOCK_NAMES, word++) {
    if ((first & CHECK_MASK) === 0) checkCancelled()
    const end = Math.min(codes.length, first + BLOCK_NAMES)
    let found = 0
    for (let id = first, bit = 1; id < end; id++, bit <<= 1) {
      const code = codes[id]
      if (code >= from && code <= to) found |= bit
    }
    names.words[word] = found
  }
  return names
}
