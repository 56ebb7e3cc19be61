import type { SegmentState } from './segment-state.js'

export interface CompactionLimits {
  /** Segments of similar size that are merged into one. Four: each row is rewritten about log4(n) times. */
  readonly segmentsPerTier: number
  /** Segments a view may have; each costs every query a look. */
  readonly maxSegments: number
  /** Directories that may be elsewhere than some segment says; each costs every subtree query a step. */
  readonly maxStale: number
  /** Share of dead rows at which a segment is rewritten alone. */
  readonly maxDeadShare: number
}

export const DEFAULT_COMPACTION_LIMITS: CompactionLimits = {
  segmentsPerTier: 4,
  maxSegments: 10,
  maxStale: 1000,
  maxDeadShare: 0.3,
}

/** Segments below this many rows are one tier: what a flush makes. */
const SMALLEST_TIER_ROWS = 32_768

/**
 * Segments to merge now, oldest first; empty if the view is in good shape.
 * @param fresh segments that were just merged: what is wrong in them came after the freeze, and merging them again as of
 *   the freeze would change nothing
 */
export function chooseMerge(
  segments: readonly SegmentState[],
  limits: CompactionLimits,
  fresh: ReadonlySet<SegmentState> = new Set(),
): SegmentState[] {
  const stale = segments.filter(segment => segment.stale.size > 0 && !fresh.has(segment))
  if (stale.reduce((sum, segment) => sum + segment.stale.size, 0) > limits.maxStale) return stale

  const tierOf = (segment: SegmentState): number =>
    Math.max(
      0,
      Math.ceil(Math.log(Math.max(1, segment.rowCount) / SMALLEST_TIER_ROWS) / Math.log(limits.segmentsPerTier)),
    )
  for (let tier = 0; tier <= 16; tier++) {
    const upTo = segments.filter(segment => tierOf(segment) <= tier)
    if (segments.filter(segment => tierOf(segment) === tier).length >= limits.segmentsPerTier) return upTo
  }
  if (segments.length > limits.maxSegments) {
    const bySize = [...segments].sort((a, b) => a.rowCount - b.rowCount)
    const small = new Set(bySize.slice(0, Math.ceil(segments.length / 2) + 1))
    return segments.filter(segment => small.has(segment))
  }
  const rotten = segments.find(
    segment =>
      !fresh.has(segment) &&
      segment.rowCount >= SMALLEST_TIER_ROWS &&
      segment.deadSize > segment.rowCount * limits.maxDeadShare,
  )
  return rotten ? [rotten] : []
}
