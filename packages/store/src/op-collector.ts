import type { EngineOp } from '@hotpath/model'
import type { DeltaRow } from './delta.js'
import { putRows } from './view-ops.js'

/** What one atomic step changed in a view, as operations for query workers. */
export class OpCollector {
  private readonly kills = new Map<number, number[]>()
  private readonly puts = new Map<number, DeltaRow>()
  private readonly removes: number[] = []

  constructor(private readonly view: number) {}

  kill(segment: number, from: number, to: number): void {
    if (from >= to) return
    const ranges = this.kills.get(segment)
    if (ranges) ranges.push(from, to)
    else this.kills.set(segment, [from, to])
  }

  put(row: DeltaRow): void {
    this.puts.set(row.slot, row)
  }

  remove(row: DeltaRow): void {
    // A row that came and went within one step was never seen.
    if (!this.puts.delete(row.slot)) this.removes.push(row.slot)
  }

  /** Tombstones, removed and added rows since the last call, in this order. */
  take(): EngineOp[] {
    const { view } = this
    const ops: EngineOp[] = []
    for (const [segment, ranges] of this.kills) {
      ops.push({ op: 'kill', view, segment, ranges: joinRanges(ranges) })
    }
    if (this.removes.length > 0) ops.push({ op: 'remove', view, slots: Uint32Array.from(this.removes) })
    if (this.puts.size > 0) ops.push(putRows(view, [...this.puts.values()]))
    this.kills.clear()
    this.puts.clear()
    this.removes.length = 0
    return ops
  }
}

/** Sorted, without overlap, neighbours joined. */
function joinRanges(ranges: readonly number[]): Uint32Array {
  const pairs: [number, number][] = []
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i], ranges[i + 1]])
  pairs.sort((a, b) => a[0] - b[0])
  const joined: number[] = []
  for (const [from, to] of pairs) {
    const last = joined.length - 1
    if (last > 0 && from <= joined[last]) joined[last] = Math.max(joined[last], to)
    else joined.push(from, to)
  }
  return Uint32Array.from(joined)
}
