import type { HotSlot, HotTable } from '@hotpath/hot-score'
import type { Table } from '@hotpath/index-format'
import { RowSet } from './row-set.js'

/** Rows, their records and what these are worth, best first. */
export interface StandingOrder {
  readonly rows: Uint32Array
  readonly slots: Uint32Array
  readonly standings: Float64Array
}

/** The entries of a segment whose nodes were opened, each with its hot record. Few: some thousands of millions. */
export class OpenedRows {
  private readonly slots = new Map<number, HotSlot>()
  private readonly sets: Partial<Record<Table, RowSet>> = {}
  private readonly orders: Partial<
    Record<Table, { readonly version: number; readonly order: StandingOrder | undefined }>
  > = {}

  constructor(
    private readonly dirCount: number,
    private readonly fileCount: number,
  ) {}

  /** Slot of an entry's record; 0: it was never opened. */
  slotOf(entry: number): HotSlot {
    return this.slots.get(entry) ?? 0
  }

  add(entry: number, slot: HotSlot): void {
    this.slots.set(entry, slot)
    this.forget()
  }

  /** These records are gone. */
  drop(gone: ReadonlySet<HotSlot>): void {
    for (const [entry, slot] of this.slots) if (gone.has(slot)) this.slots.delete(entry)
    this.forget()
  }

  /** Rows of a table, those that are no entries any more among them. Found once, until something changes. */
  rows(table: Table): RowSet {
    this.sets[table] ??= this.passing(table, () => true)
    return this.sets[table]
  }

  /**
   * Rows of a table, those with the best standing (`standingOf`) first; undefined where scores have none. Found once, until a
   * record changes.
   */
  byStanding(table: Table, hot: HotTable): StandingOrder | undefined {
    let known = this.orders[table]
    if (known === undefined || known.version !== hot.version) {
      known = { version: hot.version, order: this.standingOrder(table, hot) }
      this.orders[table] = known
    }
    return known.order
  }

  private standingOrder(table: Table, hot: HotTable): StandingOrder | undefined {
    const first = table === 'd' ? 0 : this.dirCount
    const standings: { row: number; slot: HotSlot; standing: number }[] = []
    this.rows(table).forEach(row => {
      const slot = this.slotOf(first + row)
      const standing = hot.standingAt(slot)
      if (standing !== undefined) standings.push({ row, slot, standing })
    })
    if (standings.length < this.rows(table).count) return undefined
    standings.sort((a, b) => b.standing - a.standing)
    return {
      rows: Uint32Array.from(standings, ({ row }) => row),
      slots: Uint32Array.from(standings, ({ slot }) => slot),
      standings: Float64Array.from(standings, ({ standing }) => standing),
    }
  }

  /** Rows of a table whose record passes. */
  passing(table: Table, test: (slot: HotSlot) => boolean): RowSet {
    const first = table === 'd' ? 0 : this.dirCount
    const size = table === 'd' ? this.dirCount : this.fileCount
    const rows: number[] = []
    for (const [entry, slot] of this.slots) {
      if (entry >= first && entry < first + size && test(slot)) rows.push(entry - first)
    }
    return RowSet.ofList(size, Uint32Array.from(rows).sort())
  }

  private forget(): void {
    delete this.sets.d
    delete this.sets.f
    delete this.orders.d
    delete this.orders.f
  }
}
