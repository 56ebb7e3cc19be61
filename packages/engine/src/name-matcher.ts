import {
  BLOCK_NAMES,
  compareRange,
  type NamesBlockCursor,
  type NumberColumnView,
  type SegmentReader,
  type Table,
  utf8SequenceLength,
} from '@hotpath/index-format'
import { Bitset } from './bitset.js'
import { type Candidates, candidateBlocks } from './candidate-blocks.js'
import type { NameExpression } from './name-expression.js'
import { passesTest } from './name-test.js'

/** Work counters of a query, for `explain`. */
export interface MatchCounters {
  blocksVerified: number
  namesMatched: number
}

/** Decides name expressions over the dictionary of one table of one segment. */
export interface NameMatcher {
  /** Name ids for which the expression is true. */
  matchBits(expression: NameExpression, counters: MatchCounters): Bitset
  /** Rows whose name id is in `names`, by one pass over the names of all rows: for names that are many. */
  rowsOfNames(names: Bitset): Bitset
  /** Rows of a plain u32 column with low ≤ value ≤ high. */
  rowsInRange(column: NumberColumnView, low: number, high: number): Bitset
  /** The same, ascending, one at a time, until the visitor returns false: for pages that end early. */
  forEachMatch(expression: NameExpression, counters: MatchCounters, visit: (nameId: number) => boolean): void
}

/** The matcher in plain TypeScript: the oracle of the WebAssembly one, and what runs where that cannot. */
export class PlainNameMatcher implements NameMatcher {
  constructor(
    private readonly reader: SegmentReader,
    private readonly table: Table,
  ) {}

  matchBits(expression: NameExpression, counters: MatchCounters): Bitset {
    const bits = new Bitset(this.dictionary.nameCount)
    this.forEachMatch(expression, counters, id => {
      bits.add(id)
      return true
    })
    return bits
  }

  forEachMatch(expression: NameExpression, counters: MatchCounters, visit: (nameId: number) => boolean): void {
    const { dictionary } = this
    const blocks: Candidates = candidateBlocks(this.reader.frame, dictionary, expression)
    const total = blocks?.length ?? dictionary.blockCount
    for (let i = 0; i < total; i++) {
      const block = blocks?.[i] ?? i
      counters.blocksVerified++
      const last = Math.min(dictionary.nameCount, (block + 1) * BLOCK_NAMES) - 1
      let more = true
      dictionary.forEachName(block * BLOCK_NAMES, (cursor, id) => {
        if (evaluateOnCursor(expression, cursor)) {
          counters.namesMatched++
          more = visit(id)
        }
        return more && id < last
      })
      if (!more) return
    }
  }

  rowsOfNames(names: Bitset): Bitset {
    const column = this.dictionary.nameIdColumn
    const rows = new Bitset(this.dictionary.rowCount)
    for (let row = 0; row < rows.size; row++) if (names.has(column.at(row))) rows.add(row)
    return rows
  }

  rowsInRange(column: NumberColumnView, low: number, high: number): Bitset {
    const rows = new Bitset(column.length)
    const values = column.all()
    for (let row = 0; row < values.length; row++) if (values[row] >= low && values[row] <= high) rows.add(row)
    return rows
  }

  private get dictionary() {
    return this.table === 'd' ? this.reader.dirs : this.reader.files
  }
}

function evaluateOnCursor(expression: NameExpression, cursor: NamesBlockCursor): boolean {
  const key = cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)
  return evaluateName(expression, cursor.name.subarray(0, cursor.nameLength), key)
}

/** Decides a name expression for one name. */
export function evaluateName(expression: NameExpression, name: Uint8Array, key: Uint8Array): boolean {
  switch (expression.kind) {
    case 'name':
      return passesTest(expression.test, name, key)
    case 'extension':
      return expression.extensions.some(
        extension =>
          key.length > extension.length &&
          key[key.length - extension.length - 1] === 0x2e &&
          compareRange(key, key.length - extension.length, key.length, extension) === 0,
      )
    case 'length': {
      const characters = countCharacters(name)
      return characters >= expression.min && characters <= expression.max
    }
    case 'and':
      return expression.parts.every(part => evaluateName(part, name, key))
    case 'or':
      return expression.parts.some(part => evaluateName(part, name, key))
    case 'not':
      return !evaluateName(expression.part, name, key)
  }
}

/** Characters of a name; a byte that belongs to no UTF-8 sequence counts as one. */
export function countCharacters(name: Uint8Array): number {
  let characters = 0
  for (let at = 0; at < name.length; characters++) {
    at += name[at] < 0x80 ? 1 : Math.max(1, utf8SequenceLength(name, at, name.length))
  }
  return characters
}

/** True if some test of the expression looks at the original spelling. */
export function needsSpelling(expression: NameExpression): boolean {
  switch (expression.kind) {
    case 'name':
      return expression.test.spelling !== undefined
    case 'and':
    case 'or':
      return expression.parts.some(needsSpelling)
    case 'not':
      return needsSpelling(expression.part)
    default:
      return false
  }
}
