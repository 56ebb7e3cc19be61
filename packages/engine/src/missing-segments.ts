import type { EngineOp } from '@hotpath/model'

export type AddSegment = Extract<EngineOp, { op: 'addSegment' }>
type Kill = Extract<EngineOp, { op: 'kill' }>

/** A segment of a view that is not open, and what has happened to its entries meanwhile. */
export interface MissingSegment {
  readonly op: AddSegment
  /** Ranges as in `kill`. */
  readonly kills: Uint32Array[]
}

/**
 * Milliseconds between two attempts to open what is missing. An attempt that fails costs some microseconds, so this bounds
 * log lines and checks of the store, not time.
 */
const AGAIN_MS = 1_000

/**
 * Segments that answers lack although the store has not dropped them: no descriptor or memory was left to open them, or
 * they looked damaged and the store has not decided yet. They are opened again later, with what was killed meanwhile.
 */
export class MissingSegments {
  private readonly byKey = new Map<string, MissingSegment>()
  private nextAttemptMs = 0

  get size(): number {
    return this.byKey.size
  }

  add(missing: MissingSegment): void {
    const { view, segment } = missing.op
    this.nextAttemptMs = performance.now() + AGAIN_MS
    this.byKey.set(keyOf(view, segment), missing)
  }

  /** Entries of a segment go, if it is one of these. */
  kill({ view, segment, ranges }: Kill): void {
    this.byKey.get(keyOf(view, segment))?.kills.push(ranges)
  }

  drop(view: number, segment: number): void {
    this.byKey.delete(keyOf(view, segment))
  }

  /** @returns what was missing of a view that goes */
  dropView(view: number): MissingSegment[] {
    const gone = [...this.byKey.values()].filter(({ op }) => op.view === view)
    for (const { op } of gone) this.drop(op.view, op.segment)
    return gone
  }

  /** Everything, if it is time for another attempt. What succeeds is to be dropped. */
  due(): MissingSegment[] {
    if (this.byKey.size === 0 || performance.now() < this.nextAttemptMs) return []
    this.nextAttemptMs = performance.now() + AGAIN_MS
    return [...this.byKey.values()]
  }
}

function keyOf(view: number, segment: number): string {
  return `${view}/${segment}`
}
