import { type HotSlot, type HotTable, pathRef } from '@hotpath/hot-score'
import type { DeltaState } from './delta-state.js'
import { joinPath } from './path-text.js'

/**
 * The rows of a delta whose nodes were opened. Rows are looked up once, when they have come; all of them again after a
 * record of another node has come (50 ns a row), which is as often as a person opens something new.
 */
export class OpenedDelta {
  private readonly slots = new Map<number, HotSlot>()
  /** Rows below this were looked up. */
  private seen = 0
  private squeezes = 0

  constructor(
    private readonly delta: DeltaState,
    private readonly volume: number,
    private readonly table: HotTable,
    /** What stands before the names of the children of a directory. */
    private readonly childPrefixOf: (dirId: number) => Uint8Array,
  ) {}

  /** Call when records have come or gone. */
  recordsChanged(): void {
    this.slots.clear()
    this.seen = 0
  }

  /** Slot of a row's record; 0: it was never opened. */
  slotOf(row: number): HotSlot {
    this.lookUp()
    return this.slots.get(row) ?? 0
  }

  /** Every opened row, those that are no entries any more among them. */
  forEach(visit: (row: number, slot: HotSlot) => void): void {
    this.lookUp()
    for (const [row, slot] of this.slots) visit(row, slot)
  }

  private lookUp(): void {
    const { delta } = this
    if (delta.squeezes !== this.squeezes) {
      this.squeezes = delta.squeezes
      this.recordsChanged()
    }
    for (; this.seen < delta.end; this.seen++) {
      const slot = this.table.size > 0 ? this.find(this.seen) : 0
      if (slot !== 0) this.slots.set(this.seen, slot)
    }
  }

  private find(row: number): HotSlot {
    const { delta } = this
    const ref = delta.hasRefs ? delta.refAt(row) : this.pathRefOf(row)
    return ref === undefined ? 0 : this.table.find(this.volume, ref.low, ref.high, ref.birth)
  }

  /** Nodes of lists are named by their paths. */
  private pathRefOf(row: number) {
    const name = this.delta.nameOf(row)
    return pathRef(joinPath(this.childPrefixOf(this.delta.parent[row]), name), name)
  }
}
