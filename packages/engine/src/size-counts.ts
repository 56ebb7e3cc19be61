import type { SizeColumn } from '@hotpath/index-format'
import { CHECK_MASK } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'

/** Sizes below this are counted in an array (4 MB) where there are many files, larger ones, a few percent of all, in a map. */
const SMALL_SIZES = 1 << 20
/** Files from which the array pays: making it takes as long as counting so many in a map. */
const MANY_FILES = 1 << 14
/** Sizes decoded at once. */
const CHUNK_ROWS = 8192

/** How many files of the segments of some views have each size. */
export class SizeCounts {
  private small = new Uint32Array(0)
  private large = new Map<number, number>()
  /** How many dead rows of each segment have been taken off. */
  private readonly counted = new Map<SegmentState, number>()

  /** Files of a known size; valid after `update`. */
  countOf(size: number): number {
    return (size < this.small.length ? this.small[size] : this.large.get(size)) ?? 0
  }

  /** Catches up. Cost: a pass over the sizes of segments that are new (10–20 ns each), then what was tombstoned. */
  update(views: readonly ViewState[], checkCancelled: () => void): void {
    const segments = new Set(views.flatMap(view => view.segments))
    for (const segment of this.counted.keys()) if (!segments.has(segment)) this.forget()
    try {
      if (this.small.length === 0 && filesOf(segments) >= MANY_FILES) {
        this.forget()
        this.small = new Uint32Array(SMALL_SIZES)
      }
      for (const segment of segments) {
        if (!this.counted.has(segment)) this.add(segment, checkCancelled)
        this.takeOff(segment, checkCancelled)
      }
    } catch (error) {
      // Half a segment must not count.
      this.forget()
      throw error
    }
  }

  private forget(): void {
    this.small = new Uint32Array(0)
    this.large = new Map()
    this.counted.clear()
  }

  private add(segment: SegmentState, checkCancelled: () => void): void {
    const { sizes } = segment.reader
    if (sizes !== undefined) {
      forEachSize(sizes, checkCancelled, (_row, size) => {
        this.change(size, 1)
      })
    }
    this.counted.set(segment, 0)
  }

  private takeOff(segment: SegmentState, checkCancelled: () => void): void {
    const { sizes } = segment.reader
    const { f: dead } = segment.deadRows
    let steps = 0
    for (const row of dead.rows().subarray(this.counted.get(segment))) {
      if ((++steps & CHECK_MASK) === 0) checkCancelled()
      if (sizes !== undefined) this.change(sizes.at(row), -1)
    }
    this.counted.set(segment, dead.length)
  }

  private change(size: number, by: 1 | -1): void {
    if (Number.isNaN(size)) return
    if (size < this.small.length) this.small[size] += by
    else this.large.set(size, (this.large.get(size) ?? 0) + by)
  }
}

function filesOf(segments: Iterable<SegmentState>): number {
  let files = 0
  for (const { reader } of segments) files += reader.fileCount
  return files
}

/** Visits the sizes of all rows in order; unknown ones are NaN. */
export function forEachSize(
  sizes: SizeColumn,
  checkCancelled: () => void,
  visit: (row: number, size: number) => void,
): void {
  const chunk = new Float64Array(Math.min(CHUNK_ROWS, sizes.count))
  for (let from = 0; from < sizes.count; from += CHUNK_ROWS) {
    checkCancelled()
    const to = Math.min(sizes.count, from + CHUNK_ROWS)
    sizes.read(from, to, chunk)
    for (let row = from; row < to; row++) visit(row, chunk[row - from])
  }
}
