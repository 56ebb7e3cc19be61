import type { SegmentState } from './segment-state.js'

/** [from, to) one after the other: these entries are there no more. */
export function hideRanges(segment: SegmentState, ranges: Uint32Array): void {
  for (let i = 0; i < ranges.length; i += 2) segment.hide(ranges[i], ranges[i + 1])
}

/** What is dead in a segment, as kills. */
export function deadRangesOf({ deadRows, reader }: SegmentState): Uint32Array[] {
  const ranges = new Uint32Array(2 * (deadRows.d.length + deadRows.f.length))
  let at = 0
  for (const row of deadRows.d.rows()) {
    ranges[at++] = row
    ranges[at++] = row + 1
  }
  for (const row of deadRows.f.rows()) {
    ranges[at++] = reader.dirCount + row
    ranges[at++] = reader.dirCount + row + 1
  }
  return [ranges]
}
