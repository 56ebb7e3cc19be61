import { radixOrder } from './radix-order.js'

/**
 * Length of the lists of newest and largest rows: a share of the rows, at most 262,144 (1 MB), where walking them stops
 * paying against a heap over the hits; at least 4,096, one page times four.
 */
const EXTREMES_MAX = 262_144
const EXTREMES_MIN = 4096
const EXTREMES_SHARE = 16

/** Most rows that a list of the extremes of `count` rows holds. */
export function extremeLimit(count: number): number {
  return Math.min(EXTREMES_MAX, Math.max(EXTREMES_MIN, Math.floor(count / EXTREMES_SHARE)))
}

/**
 * Rows with the largest values, largest first; of equal values those with the larger `minor` first, then by row.
 * Unknown values (NaN) and rows with `skip[row] = 1` are not listed. Rows whose value ties with the first one left out are
 * left out too: who walks the list knows that every row outside has a strictly smaller value.
 * Cost: four passes over the values and a radix sort of what is listed, 30 ms for a million rows; no copy of the values.
 */
export function largestRows(values: Float64Array, minor?: Uint32Array, skip?: Uint8Array): Uint32Array {
  return extremeRows(values, minor, skip, 0)
}

/** The same for the smallest values, smallest first; of equal values those with the smaller `minor` first, then by row. */
export function smallestRows(values: Float64Array, minor?: Uint32Array, skip?: Uint8Array): Uint32Array {
  return extremeRows(values, minor, skip, 0xffffffff)
}

/** @param flip all ones to look for the smallest */
function extremeRows(
  values: Float64Array,
  minor: Uint32Array | undefined,
  skip: Uint8Array | undefined,
  flip: number,
): Uint32Array {
  const count = values.length
  const limit = extremeLimit(count)
  const words = new SortableWords(values, flip)
  const passes = (row: number): boolean => !Number.isNaN(values[row]) && (skip === undefined || skip[row] !== 1)
  const bound = boundOf(words, count, limit, passes)
  const rows = new Uint32Array(Math.min(count, limit))
  let found = 0
  for (let row = 0; row < count; row++) {
    if (passes(row) && (bound === undefined || words.above(row, bound.high, bound.low))) rows[found++] = row
  }
  const high = new Uint32Array(found)
  const low = new Uint32Array(found)
  const less = new Uint32Array(found)
  for (let i = 0; i < found; i++) {
    high[i] = ~words.high(rows[i])
    low[i] = ~words.low(rows[i])
    less[i] = minor === undefined ? 0 : ~(minor[rows[i]] ^ flip)
  }
  return radixOrder([less, low, high], found).map(i => rows[i])
}

/** Doubles as pairs of u32 that ascend as the doubles do (or descend, flipped). -0 is 0. */
class SortableWords {
  private readonly words: Uint32Array

  constructor(
    values: Float64Array,
    private readonly flip: number,
  ) {
    this.words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
  }

  high(row: number): number {
    const top = this.words[row * 2 + 1]
    if (top < 0x80000000) return (top ^ 0x80000000 ^ this.flip) >>> 0
    if (top === 0x80000000 && this.words[row * 2] === 0) return (0x80000000 ^ this.flip) >>> 0
    return (~top ^ this.flip) >>> 0
  }

  low(row: number): number {
    const top = this.words[row * 2 + 1]
    const rest = this.words[row * 2]
    const negative = top >= 0x80000000 && !(top === 0x80000000 && rest === 0)
    return ((negative ? ~rest : rest) ^ this.flip) >>> 0
  }

  above(row: number, high: number, low: number): boolean {
    const own = this.high(row)
    return own > high || (own === high && this.low(row) > low)
  }
}

/** The value of which `limit` rows or fewer are above it, found digit by digit; undefined if there are not more rows. */
function boundOf(
  words: SortableWords,
  count: number,
  limit: number,
  passes: (row: number) => boolean,
): { high: number; low: number } | undefined {
  if (count <= limit) return undefined
  const counts = new Uint32Array(0x10000)
  // The row that would be at this position, largest first, among those that share the digits found so far.
  let position = limit
  let high = 0
  let low = 0
  for (let digit = 0; digit < 4; digit++) {
    counts.fill(0)
    let total = 0
    for (let row = 0; row < count; row++) {
      if (!passes(row)) continue
      const own = words.high(row)
      if (digit === 1 && own >>> 16 !== high >>> 16) continue
      if (digit > 1 && own !== high) continue
      const rest = digit > 1 ? words.low(row) : 0
      if (digit === 3 && rest >>> 16 !== low >>> 16) continue
      counts[digit === 0 ? own >>> 16 : digit === 1 ? own & 0xffff : digit === 2 ? rest >>> 16 : rest & 0xffff]++
      total++
    }
    if (digit === 0 && total <= limit) return undefined
    let value = 0xffff
    while (position >= counts[value]) position -= counts[value--]
    if (digit === 0) high = (value << 16) >>> 0
    else if (digit === 1) high = (high | value) >>> 0
    else if (digit === 2) low = (value << 16) >>> 0
    else low = (low | value) >>> 0
  }
  return { high, low }
}
