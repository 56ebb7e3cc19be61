import type { EntryRow } from '@hotpath/model'
import { RowTable } from './row-table.js'

/** Order of observations: boots in the order in which they were seen, then the monotonic clock of that boot. */
export interface Observed {
  /** Index of the boot; -1: older than every observation. */
  readonly boot: number
  /** Microseconds. */
  readonly time: number
}

/** Older than every observation: rows of segments do not carry their time. */
export const LONG_AGO: Observed = { boot: -1, time: 0 }

export function isLater(a: Observed, b: Observed): boolean {
  return a.boot !== b.boot ? a.boot > b.boot : a.time > b.time
}

/** A live entry that is not in a segment yet. */
export interface DeltaRow {
  /** Unique for the life of the view. */
  readonly slot: number
  readonly parent: number
  /** Own directory id, 0 for other kinds. */
  readonly directory: number
  readonly name: Uint8Array
  /** nameKey(name). */
  readonly key: string
  readonly row: EntryRow
  observed: Observed
  /** The row is in a segment that is being built. */
  frozen: boolean
}

/**
 * Rows changed since the last flush. While a segment is built of them they are a table of their own, so that all of them can
 * leave in one step when the segment is there. A place (directory, name) has a row in one of the two at most.
 */
export class Delta {
  private young = new RowTable()
  /** Rows that are `frozen`. */
  private old: RowTable | undefined

  get size(): number {
    return this.young.size + (this.old?.size ?? 0)
  }

  /** Rows that are not in a segment that is being built. */
  get unflushed(): number {
    return this.young.size
  }

  /** Directories that have children here, or more. */
  get parentCount(): number {
    return this.young.parentCount + (this.old?.parentCount ?? 0)
  }

  *values(): Iterable<DeltaRow> {
    if (this.old) yield* this.old.values()
    yield* this.young.values()
  }

  has(row: DeltaRow): boolean {
    return this.tableOf(row)?.has(row) ?? false
  }

  find(parent: number, key: string): DeltaRow | undefined {
    return this.young.find(parent, key) ?? this.old?.find(parent, key)
  }

  directoryRow(dirId: number): DeltaRow | undefined {
    return this.young.directoryRow(dirId) ?? this.old?.directoryRow(dirId)
  }

  *childrenOf(parent: number): Iterable<DeltaRow> {
    if (this.old) yield* this.old.childrenOf(parent)
    yield* this.young.childrenOf(parent)
  }

  /** Each once. */
  *parents(): Iterable<number> {
    yield* this.young.parents()
    for (const parent of this.old?.parents() ?? []) if (!this.young.hasChildren(parent)) yield parent
  }

  entriesOf(ref: string): readonly DeltaRow[] {
    const young = this.young.entriesOf(ref)
    const old = this.old?.entriesOf(ref) ?? []
    return old.length === 0 ? young : young.length === 0 ? old : [...old, ...young]
  }

  /** The place (parent, name) must be free. */
  add(row: DeltaRow): void {
    this.young.add(row)
  }

  /** @returns false if the row is not here any more */
  delete(row: DeltaRow): boolean {
    return this.tableOf(row)?.delete(row) ?? false
  }

  /** All rows are `frozen` from now on; none may be already. @returns them */
  freeze(): DeltaRow[] {
    const rows = [...this.young.values()]
    for (const row of rows) row.frozen = true
    this.old = this.young
    this.young = new RowTable()
    return rows
  }

  /** Takes the frozen rows out. @returns those that were left */
  dropFrozen(): DeltaRow[] {
    const rows = [...(this.old?.values() ?? [])]
    this.old = undefined
    return rows
  }

  /** Frozen rows, if there are any, are as the others again. */
  thaw(): void {
    for (const row of this.dropFrozen()) {
      row.frozen = false
      this.young.add(row)
    }
  }

  private tableOf(row: DeltaRow): RowTable | undefined {
    return row.frozen ? this.old : this.young
  }
}
