import { BLOCK_NAMES } from '@hotpath/index-format'
import { Bitset } from './bitset.js'
import type { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { SplitRows } from './split-columns.js'
import type { TableRows } from './table-rows.js'

/** A number by name. */
export type NumberOfName = (nameId: number) => number

/** Above one row in so many a pass over all names and rows is quicker than looking at each row. */
const DENSE_SHARE = 8

/**
 * Splits rows by a number that their names have; undefined where it is quicker to look at each row. Cost: a look at each
 * name, and two passes over the rows, 2 ns each.
 */
export function splitByNames(
  table: TableRows,
  rows: RowSet,
  numberOf: NumberOfName,
  low: number,
  high: number,
): SplitRows | undefined {
  if (rows.count * DENSE_SHARE < table.rowCount) return undefined
  const { matcher, work } = table
  const { nameCount } = table.dictionary
  const before = new Bitset(nameCount)
  const inside = new Bitset(nameCount)
  for (let from = 0, word = 0; from < nameCount; from += BLOCK_NAMES, word++) {
    if ((from & CHECK_MASK) === 0) work.checkCancelled()
    const to = Math.min(nameCount, from + BLOCK_NAMES)
    let less = 0
    let same = 0
    for (let id = from, bit = 1; id < to; id++, bit <<= 1) {
      const own = numberOf(id)
      if (own < low) less |= bit
      else if (own <= high) same |= bit
    }
    before.words[word] = less
    inside.words[word] = same
  }
  return {
    before: before.next(0) < 0 ? 0 : rows.countWith(matcher.rowsNamed(before, work)),
    inside: rows.and(matcher.rowsNamed(inside, work)),
  }
}
