import type { DictionaryReader } from '@hotpath/index-format'
import type { RowCursor } from './row-set.js'

/** The rows of one name that pass a test, read out of the dictionary and tested when they are reached. */
export class InverseRows implements RowCursor {
  private readonly start: number
  private readonly end: number
  /** Position of the row that was given last. */
  private at: number

  constructor(
    private readonly dictionary: DictionaryReader,
    nameId: number,
    private readonly test: (row: number) => boolean,
  ) {
    this.start = dictionary.inverseStartOf(nameId)
    this.end = Math.min(dictionary.rowCount, this.start + dictionary.rowCountOf(nameId))
    this.at = this.start
  }

  next(from: number): number {
    for (this.at = this.positionOf(from); this.at < this.end; this.at++) {
      const row = this.dictionary.rowAtInverse(this.at)
      if (this.test(row)) return row
    }
    return -1
  }

  previous(from: number): number {
    for (this.at = this.positionOf(from + 1) - 1; this.at >= this.start; this.at--) {
      const row = this.dictionary.rowAtInverse(this.at)
      if (this.test(row)) return row
    }
    return -1
  }

  /** First position whose row is not below `row`: near the last one as a rule, else by halving. */
  private positionOf(row: number): number {
    const { dictionary, start, end } = this
    const next = Math.max(start, this.at)
    if (next < end && dictionary.rowAtInverse(next) < row) {
      if (next + 1 === end || dictionary.rowAtInverse(next + 1) >= row) return next + 1
    } else if (next === start) return start
    let low = start
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if (dictionary.rowAtInverse(middle) < row) low = middle + 1
      else high = middle
    }
    return low
  }
}
