import { Bitset } from './bitset.js'

/** Above one row in so many, bits take less room than a list, and are read as fast. */
const LIST_SHARE = 64

/** Something that lists rows in both directions. */
export interface RowCursor {
  /** First row at or after `from`, or -1. */
  next(from: number): number
  /** Last row at or before `from`, or -1. */
  previous(from: number): number
}

/** A set of the rows 0 … size - 1 of a table: a list while they are few, else bits. Never changed once made. */
export class RowSet implements RowCursor {
  private constructor(
    readonly size: number,
    /** -1: not counted yet. */
    private counted: number,
    /** The rows, ascending, where there are no bits. Not to be changed. */
    readonly list: Uint32Array,
    /** Not to be changed. */
    readonly bits: Bitset | undefined,
  ) {}

  /** Number of rows. Bits are counted when somebody asks, which takes a millisecond for ten million. */
  get count(): number {
    if (this.counted < 0) this.counted = this.bits?.count() ?? this.list.length
    return this.counted
  }

  /** True if that many rows are kept as a list. */
  static prefersList(size: number, count: number): boolean {
    return count * LIST_SHARE <= size
  }

  static none(size: number): RowSet {
    return new RowSet(size, 0, NO_ROWS, undefined)
  }

  static full(size: number): RowSet {
    return RowSet.ofBits(Bitset.full(size), size)
  }

  /** @param list ascending; kept */
  static ofList(size: number, list: Uint32Array): RowSet {
    if (RowSet.prefersList(size, list.length)) return new RowSet(size, list.length, list, undefined)
    const bits = new Bitset(size)
    for (let i = 0; i < list.length; i++) bits.add(list[i])
    return new RowSet(size, list.length, NO_ROWS, bits)
  }

  /**
   * @param bits kept
   * @param count how many are set, if that is known
   */
  static ofBits(bits: Bitset, count = -1): RowSet {
    if (count < 0 || !RowSet.prefersList(bits.size, count)) return new RowSet(bits.size, count, NO_ROWS, bits)
    const list = new Uint32Array(count)
    let at = 0
    bits.forEach(row => {
      list[at++] = row
    })
    return new RowSet(bits.size, count, list, undefined)
  }

  /** Rows that are in both. Where they are few, no copy is made of all the bits. */
  private static ofBoth(a: Bitset, b: Bitset): RowSet {
    const count = a.countWith(b)
    if (!RowSet.prefersList(a.size, count)) return new RowSet(a.size, count, NO_ROWS, a.clone().and(b))
    const list = new Uint32Array(count)
    let at = 0
    a.forEachWith(b, row => {
      list[at++] = row
    })
    return new RowSet(a.size, count, list, undefined)
  }

  /** True if the rows are kept as a list, where `has` halves its way. */
  get isList(): boolean {
    return this.bits === undefined
  }

  has(row: number): boolean {
    if (this.bits) return this.bits.has(row)
    const at = this.lowerBound(row)
    return at < this.list.length && this.list[at] === row
  }

  next(from: number): number {
    if (this.bits) return this.bits.next(from)
    const at = this.lowerBound(from)
    return at < this.list.length ? this.list[at] : -1
  }

  previous(from: number): number {
    if (this.bits) return this.bits.previous(Math.min(from, this.size - 1))
    const at = this.lowerBound(from + 1)
    return at > 0 ? this.list[at - 1] : -1
  }

  /** Ascending. */
  forEach(visit: (row: number) => void): void {
    if (this.bits) this.bits.forEach(visit)
    else for (let i = 0; i < this.list.length; i++) visit(this.list[i])
  }

  /** The rows that pass. */
  filter(test: (row: number) => boolean): RowSet {
    if (this.bits === undefined) return RowSet.ofList(this.size, this.list.filter(test))
    const words = new Uint32Array(this.bits.words.length)
    let count = 0
    this.bits.forEach(row => {
      if (!test(row)) return
      words[row >>> 5] |= 1 << (row & 31)
      count++
    })
    return RowSet.ofBits(new Bitset(this.size, words), count)
  }

  and(other: RowSet): RowSet {
    if (this.bits === undefined)
      return RowSet.ofList(
        this.size,
        this.list.filter(row => other.has(row)),
      )
    if (other.bits === undefined) return other.and(this)
    return RowSet.ofBoth(this.bits, other.bits)
  }

  /** Number of rows that are in both. */
  countWith(other: RowSet): number {
    return this.bits && other.bits ? this.bits.countWith(other.bits) : this.and(other).count
  }

  or(other: RowSet): RowSet {
    if (this.bits === undefined && this.list.length === 0) return other
    if (other.bits === undefined && other.list.length === 0) return this
    if (this.bits === undefined && other.bits === undefined)
      return RowSet.ofList(this.size, united(this.list, other.list))
    const bits = this.toBits()
    if (other.bits) bits.or(other.bits)
    else
      other.forEach(row => {
        bits.add(row)
      })
    return RowSet.ofBits(bits)
  }

  /** The rows that are not in `bits`. */
  without(bits: Bitset): RowSet {
    if (this.bits === undefined)
      return RowSet.ofList(
        this.size,
        this.list.filter(row => !bits.has(row)),
      )
    return RowSet.ofBits(this.bits.clone().andNot(bits))
  }

  complement(): RowSet {
    return RowSet.ofBits(this.toBits().complement(), this.size - this.count)
  }

  /** A copy as bits. */
  toBits(): Bitset {
    if (this.bits) return this.bits.clone()
    const bits = new Bitset(this.size)
    for (let i = 0; i < this.list.length; i++) bits.add(this.list[i])
    return bits
  }

  /** First position in the list whose row is not below `row`. */
  private lowerBound(row: number): number {
    const { list } = this
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (list[middle] < row) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Rows of either list, ascending. */
function united(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(a.length + b.length)
  let count = 0
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const row = Math.min(a[i], b[j])
    if (a[i] === row) i++
    if (b[j] === row) j++
    out[count++] = row
  }
  for (; i < a.length; i++) out[count++] = a[i]
  for (; j < b.length; j++) out[count++] = b[j]
  return out.subarray(0, count)
}

const NO_ROWS = new Uint32Array(0)
