import { BLOCK_NAMES } from '@hotpath/index-format'
import type { RelevanceTerms } from '@hotpath/query'
import type { CodeRange, NameNumbers } from './name-numbers.js'
import { rankOf } from './ranked-names.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'

/**
 * What names are worth (`rankOf`), found out block by block when somebody asks: for tolerant terms, which no kernel ranks. Memory:
 * four bytes a name of the table.
 */
export class NameRelevances implements NameNumbers {
  private readonly ranks: Uint32Array
  private readonly known: Uint8Array
  private steps = 0

  constructor(
    private readonly table: TableRows,
    private readonly terms: RelevanceTerms,
  ) {
    const { nameCount, blockCount } = table.dictionary
    this.ranks = new Uint32Array(nameCount)
    this.known = new Uint8Array(blockCount)
  }

  of(nameId: number): number {
    const block = nameId >>> 5
    if (this.known[block] === 0) this.find(block)
    return this.ranks[nameId]
  }

  codes(): Uint32Array {
    for (let block = 0; block < this.known.length; block++) if (this.known[block] === 0) this.find(block)
    return this.ranks
  }

  range(low: number, high: number): CodeRange {
    return { from: low, to: high, descending: false }
  }

  private find(block: number): void {
    const { terms, ranks, table } = this
    if ((++this.steps & (CHECK_MASK >>> 5)) === 0) table.work.checkCancelled()
    const last = Math.min(ranks.length, (block + 1) * BLOCK_NAMES) - 1
    table.dictionary.forEachName(block * BLOCK_NAMES, (cursor, id) => {
      const name = cursor.name.subarray(0, cursor.nameLength)
      const key = cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)
      ranks[id] = rankOf(terms, name, key)
      return id < last
    })
    this.known[block] = 1
  }
}
