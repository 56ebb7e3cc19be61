import type { NumberColumnView } from '@hotpath/index-format'
import type { Bitset } from './bitset.js'
import type { NameExpression } from './name-expression.js'
import type { BlockDecider, NameVerdicts } from './name-verdicts.js'
import type { RowSet } from './row-set.js'
import type { SearchWork } from './search-work.js'

/** Reads the dictionary and the columns of one table of one segment in bulk. Tombstones play no part here. */
export interface NameMatcher {
  /** Which names pass the expression, found out when asked. */
  verdicts(expression: NameExpression, work: SearchWork): NameVerdicts
  /** Decides the expression for blocks of names, on this thread alone. */
  decider(expression: NameExpression): BlockDecider
  /** Rows whose name passes. */
  rowsOf(names: NameVerdicts, work: SearchWork): RowSet
  /** Rows that have one of some names. */
  rowsNamed(names: Bitset, work: SearchWork): RowSet
  /** How many rows have a name that passes. */
  countRows(names: NameVerdicts, work: SearchWork): number
  /** Where rows stand in the lists of rows by name (the dictionary's inverse): bit i says if the i-th row there is one of them. */
  placesByName(rows: Bitset, work: SearchWork): Bitset
  /** Rows of a plain u32 column with low ≤ value ≤ high. */
  rowsInRange(column: NumberColumnView, low: number, high: number): RowSet
  /** Rows of the files table with a known size of min … max bytes, both included. */
  rowsOfSizes(min: number, max: number, work: SearchWork): RowSet
}
