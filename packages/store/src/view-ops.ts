import type { EngineOp } from '@hotpath/model'
import type { DeltaRow } from './delta.js'
import type { RootState } from './root-state.js'
import { RowBuffer } from './row-buffer.js'
import type { SegmentState } from './segment-state.js'
import type { View, ViewOptions } from './view.js'

/** How views and what is in them are said to query workers. */

export function createView({ id, root, volume, prefix, virtualRoot }: ViewOptions): EngineOp {
  return { op: 'createView', view: id, root, volume, prefix, virtualRoot }
}

/** `partial`: the view answers while its scan is not finished. */
export function activateView(view: View, partial: boolean): EngineOp {
  return { op: 'activateView', view: view.id, root: view.root, partial }
}

/** A segment joins a view, with what is dead in it now. */
export function addSegment(view: number, segment: SegmentState): EngineOp {
  return {
    op: 'addSegment',
    view,
    segment: segment.id,
    file: segment.file,
    dead: segment.deadSize > 0 ? new Uint8Array(segment.dead.serialize('portable')) : new Uint8Array(0),
    origin: segment.origin,
  }
}

/** Rows join the delta. */
export function putRows(view: number, rows: readonly DeltaRow[]): EngineOp {
  const buffer = RowBuffer.ofSize(
    rows.length,
    rows.reduce((sum, { name }) => sum + name.length, 0),
  )
  for (const { parent, directory, name, row } of rows) buffer.add(parent, directory, row.kind, name, row)
  return { op: 'put', view, slots: Uint32Array.from(rows, row => row.slot), rows: buffer.columns() }
}

/** Makes an empty worker equal to those that got every list so far. */
export function snapshotOf(roots: Iterable<RootState>): EngineOp[] {
  const ops: EngineOp[] = []
  for (const { spec, active, scan, scanVisible, partial } of roots) {
    if (active) ops.push(...contentsOf(active), activateView(active, false))
    if (scan) ops.push(...contentsOf(scan.view))
    if (scan && scanVisible) ops.push(activateView(scan.view, true))
    if (partial) ops.push({ op: 'markPartial', root: spec.id, partial: true })
  }
  return ops
}

function contentsOf({ id, options, segments, delta }: View): EngineOp[] {
  const ops = [createView(options), ...segments.map(segment => addSegment(id, segment))]
  if (delta.size > 0) ops.push(putRows(id, [...delta.values()]))
  return ops
}
