import { radixOrder } from './radix-order.js'

/**
 * Length of the lists of newest and largest rows: a share of the rows, at most 262,144 (1 MB), where walking them stops
 * paying against a heap over the hits; at least 4,096, one page times four.
 */
const EXTREMES_MAX = 262_144
const EXTREMES_MIN = 4096
const EXTREMES_SHARE = 16

/**
 * Rows with the largest values, largest first; of equal values those with the larger `minor` first, then by row.
 * Unknown values (NaN) and rows with `skip[row] = 1` are not listed. Rows whose value ties with the first one left out are
 * left out too: who walks the list knows that every row outside has a strictly smaller value.
 * Cost: a selection and a radix sort of what is listed; 20 ms for a million rows.
 */
export function extremeRows(values: Float64Array, minor?: Uint32Array, skip?: Uint8Array): Uint32Array {
  const count = values.length
  const limit = Math.min(EXTREMES_MAX, Math.max(EXTREMES_MIN, Math.floor(count / EXTREMES_SHARE)))
  const known = new Float64Array(count)
  let knownCount = 0
  for (let row = 0; row < count; row++) {
    if (skip?.[row] !== 1 && !Number.isNaN(values[row])) known[knownCount++] = values[row]
  }
  const all = knownCount <= limit
  const threshold = all ? 0 : nthSmallest(known, knownCount, knownCount - limit - 1)
  const rows = new Uint32Array(Math.min(limit, knownCount))
  let found = 0
  for (let row = 0; row < count && found < rows.length; row++) {
    if (skip?.[row] !== 1 && (all ? !Number.isNaN(values[row]) : values[row] > threshold)) rows[found++] = row
  }
  return largestFirst(rows.subarray(0, found), values, minor)
}

/** The same for the smallest values, smallest first. */
export function smallestRows(values: Float64Array, minor?: Uint32Array, skip?: Uint8Array): Uint32Array {
  return extremeRows(
    values.map(value => -value),
    minor?.map(value => ~value),
    skip,
  )
}

function largestFirst(rows: Uint32Array, values: Float64Array, minor: Uint32Array | undefined): Uint32Array {
  const high = new Uint32Array(rows.length)
  const low = new Uint32Array(rows.length)
  const less = new Uint32Array(rows.length)
  const bits = new DataView(new ArrayBuffer(8))
  for (let i = 0; i < rows.length; i++) {
    // Adding zero makes -0 and 0 one value.
    bits.setFloat64(0, values[rows[i]] + 0)
    const top = bits.getUint32(0)
    const rest = bits.getUint32(4)
    // Bits of doubles ascend with positive values and descend with negative ones; inverted, for the largest first.
    const negative = top >= 0x80000000
    high[i] = negative ? top : ~(top | 0x80000000)
    low[i] = negative ? rest : ~rest
    less[i] = minor === undefined ? 0 : ~minor[rows[i]]
  }
  return radixOrder([less, low, high], rows.length).map(i => rows[i])
}

/** The value that would be at position `n` of values[0 … count) sorted ascending. Reorders them. Cost: linear on average. */
function nthSmallest(values: Float64Array, count: number, n: number): number {
  let from = 0
  let to = count - 1
  // Positions from a fixed sequence: rows that are sorted, or made to be slow for a middle pivot, cost no more than others.
  let seed = 1
  while (from < to) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    const pivot = values[from + ((seed >>> 8) % (to - from + 1))]
    let i = from
    let j = to
    while (i <= j) {
      while (values[i] < pivot) i++
      while (values[j] > pivot) j--
      if (i > j) break
      const value = values[i]
      values[i++] = values[j]
      values[j--] = value
    }
    if (n <= j) to = j
    else if (n >= i) from = i
    else break
  }
  return values[n]
}
