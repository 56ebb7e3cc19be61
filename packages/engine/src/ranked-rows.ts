import { popcount } from './bitset.js'
import type { RowSet } from './row-set.js'

/** Words of bits between two counts: 512 rows. */
const GROUP_WORDS = 16

/**
 * A set of rows that knows where each stands in it. Cost: some comparisons for each question. Memory: 4 bytes for each 512
 * rows of the table beside the set.
 */
export class RankedRows {
  readonly length: number
  /** Rows before each group, where the set has bits. */
  private readonly before: Uint32Array

  constructor(readonly rows: RowSet) {
    const words = rows.bits?.words
    this.before = new Uint32Array(words === undefined ? 0 : Math.ceil(words.length / GROUP_WORDS))
    if (words === undefined) {
      this.length = rows.list.length
      return
    }
    let count = 0
    for (let group = 0, word = 0; group < this.before.length; group++) {
      this.before[group] = count
      for (const end = Math.min(words.length, word + GROUP_WORDS); word < end; word++) {
        if (words[word] !== 0) count += popcount(words[word])
      }
    }
    this.length = count
  }

  /** Rows of the set that are less than `row`. */
  countBelow(row: number): number {
    const words = this.rows.bits?.words
    if (words === undefined) return firstNotBelow(this.rows.list, row)
    const word = row >>> 5
    if (word >= words.length) return this.length
    const group = Math.floor(word / GROUP_WORDS)
    let count = this.before[group]
    for (let i = group * GROUP_WORDS; i < word; i++) count += popcount(words[i])
    return count + popcount(words[word] & ((1 << (row & 31)) - 1))
  }

  /** The row that has `rank` others before it, below `length`. */
  at(rank: number): number {
    const words = this.rows.bits?.words
    if (words === undefined) return this.rows.list[rank]
    let low = 0
    let high = this.before.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.before[middle] <= rank) low = middle
      else high = middle
    }
    let left = rank - this.before[low]
    for (let word = low * GROUP_WORDS; ; word++) {
      const count = popcount(words[word])
      if (left >= count) {
        left -= count
        continue
      }
      let bits = words[word]
      for (; left > 0; left--) bits &= bits - 1
      return (word << 5) + 31 - Math.clz32(bits & -bits)
    }
  }

  get bytes(): number {
    const { list, bits } = this.rows
    return list.byteLength + (bits?.words.byteLength ?? 0) + this.before.byteLength
  }
}

function firstNotBelow(list: Uint32Array, row: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle] < row) low = middle + 1
    else high = middle
  }
  return low
}
