import { BLOCK_NAMES, type NumberColumnView, type SegmentReader, type Table } from '@hotpath/index-format'
import { Bitset } from './bitset.js'
import { candidateBlocks, PlainPostingSets } from './candidate-blocks.js'
import type { NameExpression } from './name-expression.js'
import type { NameMatcher } from './name-matcher.js'
import { evaluateName } from './name-test.js'
import { type BlockDecider, NameVerdicts } from './name-verdicts.js'
import { nearWordsOf } from './near-words.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK, type SearchWork } from './search-work.js'

/** The matcher in plain TypeScript: the oracle of the WebAssembly one, and what runs where that cannot. */
export class PlainNameMatcher implements NameMatcher {
  constructor(
    private readonly reader: SegmentReader,
    private readonly table: Table,
  ) {}

  verdicts(expression: NameExpression, work: SearchWork): NameVerdicts {
    const { dictionary } = this
    const postings = new PlainPostingSets(dictionary, run => nearWordsOf(this.reader, run))
    const candidates = candidateBlocks(dictionary, expression, postings)
    return new NameVerdicts(dictionary.nameCount, candidates, this.decider(expression), work)
  }

  decider(expression: NameExpression): BlockDecider {
    const { dictionary } = this
    const decide = (block: number): number => {
      let word = 0
      const last = Math.min(dictionary.nameCount, (block + 1) * BLOCK_NAMES) - 1
      dictionary.forEachName(block * BLOCK_NAMES, (cursor, id) => {
        const key = cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)
        if (evaluateName(expression, cursor.name.subarray(0, cursor.nameLength), key)) word |= 1 << (id & 31)
        return id < last
      })
      return word
    }
    const decideAll = (blocks: Uint32Array, words: Uint32Array): void => {
      for (const block of blocks) words[block] = decide(block)
    }
    return { decide, decideAll }
  }

  rowsOf(verdicts: NameVerdicts): RowSet {
    return this.rowsNamed(verdicts.all())
  }

  rowsNamed(names: Bitset): RowSet {
    const column = this.dictionary.nameIdColumn
    const rows = new Bitset(this.dictionary.rowCount)
    for (let row = 0; row < rows.size; row++) if (names.has(column.at(row))) rows.add(row)
    return RowSet.ofBits(rows)
  }

  countRows(verdicts: NameVerdicts): number {
    let count = 0
    verdicts.all().forEach(id => {
      count += this.dictionary.rowCountOf(id)
    })
    return count
  }

  placesByName(rows: Bitset, { checkCancelled }: SearchWork): Bitset {
    const places = new Bitset(rows.size)
    for (let place = 0; place < rows.size; place++) {
      if ((place & CHECK_MASK) === 0) checkCancelled()
      if (rows.has(this.dictionary.rowAtInverse(place))) places.add(place)
    }
    return places
  }

  rowsInRange(column: NumberColumnView, low: number, high: number): RowSet {
    const rows = new Bitset(column.length)
    const values = column.all()
    for (let row = 0; row < values.length; row++) if (values[row] >= low && values[row] <= high) rows.add(row)
    return RowSet.ofBits(rows)
  }

  rowsOfSizes(min: number, max: number): RowSet {
    const { sizes } = this.reader
    const rows = new Bitset(this.dictionary.rowCount)
    if (sizes === undefined) return RowSet.ofBits(rows, 0)
    const values = new Float64Array(sizes.count)
    sizes.read(0, sizes.count, values)
    for (let row = 0; row < values.length; row++) if (values[row] >= min && values[row] <= max) rows.add(row)
    return RowSet.ofBits(rows)
  }

  private get dictionary() {
    return this.table === 'd' ? this.reader.dirs : this.reader.files
  }
}
