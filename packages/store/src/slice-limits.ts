/** Rows of the slices of a scan. */
export interface SliceLimits {
  /** Rows of the first one. */
  readonly firstSliceRows: number
  /** Rows of those after it, until the scan has brought `GROWTH` times as many. */
  readonly leastSliceRows: number
  /** Rows of a slice at most. */
  readonly sliceRows: number
}

/** A slice has at most one row for so many that came before it, unless it is of the least size. */
const GROWTH = 4
/** Of the largest size. */
const LEAST_PART = 4
const FIRST_PART = 8

/**
 * Slices grow with the scan. While one is built the next is filled, so what is left to build when the last row is here is one slice,
 * which nothing overlaps; small slices stay in the processor's caches and in memory that was touched before. Large scans need large
 * slices, because each slice repeats ancestors and names, and all are merged.
 * @param sliceRows of the largest
 * @param firstSliceRows what the first slice has if queries see it as it comes; undefined: they do not
 */
export function sliceLimits(sliceRows: number, firstSliceRows: number | undefined): SliceLimits {
  const leastSliceRows = Math.ceil(sliceRows / LEAST_PART)
  return { sliceRows, leastSliceRows, firstSliceRows: firstSliceRows ?? leastSliceRows }
}

/** Rows of the first slice where nothing else is asked for: smaller, so that a first scan shows something soon. */
export function shownSliceRows(sliceRows: number): number {
  return Math.ceil(sliceRows / FIRST_PART)
}

/** Rows of the slice that follows after `rows` rows of the scan. */
export function rowsOfNextSlice({ leastSliceRows, sliceRows }: SliceLimits, rows: number): number {
  return Math.min(sliceRows, Math.max(leastSliceRows, Math.ceil(rows / GROWTH)))
}
