import { NO_DIRECTORY } from '@hotpath/model'
import type { DeltaRow } from './delta.js'
import type { SegmentState } from './segment-state.js'
import type { View } from './view.js'

/** What is in a directory now, the directory's own row included. */
export interface Subtree {
  /** Ranges of entry ids; stubs and dead entries may be among them. */
  readonly ranges: { readonly segment: SegmentState; readonly from: number; readonly to: number }[]
  readonly rows: DeltaRow[]
}

/**
 * Finds a subtree. In each segment it is the range of the directory's row, without the islands that left it (directories
 * whose current place is outside), and with those that came. Cost: the islands, and the smaller of the subtree's
 * directories and the delta's.
 */
export function subtreeOf(view: View, dirId: number): Subtree {
  const ranges: Subtree['ranges'] = []
  const known = new Map<number, boolean>()
  const spans: { segment: SegmentState; from: number; to: number }[] = []
  let dirs = 0
  for (const segment of view.segments) {
    for (const [from, to] of subtreeSpans(view, segment, dirId, known)) {
      spans.push({ segment, from, to })
      dirs += to - from
      for (const [low, high] of segment.subtreeRanges(from, to)) {
        if (low < high) ranges.push({ segment, from: low, to: high })
      }
    }
  }
  return { ranges, rows: deltaRows(view, dirId, spans, dirs, known) }
}

/** Local directory ranges of one segment that are in the subtree now, ascending. */
function subtreeSpans(
  view: View,
  segment: SegmentState,
  dirId: number,
  known: Map<number, boolean>,
): [number, number][] {
  const tops: { local: number; end: number; inside: boolean }[] = []
  const add = (id: number, inside: boolean): void => {
    const local = segment.findDir(id)
    if (local >= 0) tops.push({ local, end: segment.dirEnd(local), inside })
  }
  add(dirId, true)
  for (const id of segment.stale) if (id !== dirId) add(id, view.isWithin(id, dirId, known))
  if (tops.length === 0) return []
  tops.sort((a, b) => a.local - b.local)
  // Nested tops: the innermost one decides. `open` holds those around the current position.
  const spans: [number, number][] = []
  const open: typeof tops = []
  let from = 0
  const upTo = (position: number): void => {
    const innermost = open.at(-1)
    if (innermost?.inside && from < position) spans.push([from, position])
    from = position
  }
  const closeBefore = (position: number): void => {
    for (let top = open.at(-1); top !== undefined && top.end <= position; top = open.at(-1)) {
      upTo(top.end)
      open.pop()
    }
  }
  for (const top of tops) {
    closeBefore(top.local)
    upTo(top.local)
    open.push(top)
  }
  closeBefore(segment.dirCount)
  return spans
}

function deltaRows(
  view: View,
  dirId: number,
  spans: readonly { segment: SegmentState; from: number; to: number }[],
  dirs: number,
  known: Map<number, boolean>,
): DeltaRow[] {
  const rows: DeltaRow[] = []
  const { delta } = view
  if (dirs > delta.parentCount) {
    for (const parent of delta.parents()) {
      if (view.isWithin(parent, dirId, known)) rows.push(...delta.childrenOf(parent))
    }
    return rows
  }
  const seen = new Set<number>([dirId])
  const queue = [dirId]
  const visit = (id: number): void => {
    if (id === NO_DIRECTORY || seen.has(id)) return
    seen.add(id)
    queue.push(id)
  }
  for (const { segment, from, to } of spans) for (let local = from; local < to; local++) visit(segment.dirIdOf(local))
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const row of delta.childrenOf(id)) {
      rows.push(row)
      visit(row.directory)
    }
  }
  return rows
}
