import { copyRange, keyOf } from '@hotpath/index-format'
import { type EntryColumns, type EntryRow, KIND_MASK, KIND_STUB, Kind, type TimeColumn } from '@hotpath/model'

/** A row of the delta. */
export interface DeltaRow {
  readonly slot: number
  /** Directory id of the parent. */
  readonly parent: number
  /** Own directory id, 0 for files. */
  readonly directory: number
  readonly name: Uint8Array
  readonly key: Uint8Array
  readonly row: EntryRow
  readonly stub: boolean
}

/** The rows that changed since the last flush: a few tens of thousands at most, searched one by one. */
export class DeltaState {
  private readonly rows = new Map<number, DeltaRow>()
  /** Live row of each directory that has one here. */
  private readonly byDirectory = new Map<number, DeltaRow>()

  get size(): number {
    return this.rows.size
  }

  values(): IterableIterator<DeltaRow> {
    return this.rows.values()
  }

  directoryRow(dirId: number): DeltaRow | undefined {
    return this.byDirectory.get(dirId)
  }

  directories(): IterableIterator<DeltaRow> {
    return this.byDirectory.values()
  }

  /** @returns the directories among the new rows */
  put(slots: Uint32Array, columns: EntryColumns): DeltaRow[] {
    const directories: DeltaRow[] = []
    for (let i = 0; i < columns.count; i++) {
      const name = copyRange(columns.names, columns.nameOffsets[i], columns.nameOffsets[i + 1])
      const row: DeltaRow = {
        slot: slots[i],
        parent: columns.parent[i],
        directory: columns.directory[i],
        name,
        key: keyOf(name),
        row: rowOfColumns(columns, i),
        stub: (columns.kind[i] & KIND_STUB) !== 0,
      }
      this.rows.set(row.slot, row)
      if (row.directory !== 0) {
        this.byDirectory.set(row.directory, row)
        directories.push(row)
      }
    }
    return directories
  }

  /** @returns the directories among the removed rows */
  remove(slots: Uint32Array): DeltaRow[] {
    const directories: DeltaRow[] = []
    for (const slot of slots) {
      const row = this.rows.get(slot)
      if (row === undefined) continue
      this.rows.delete(slot)
      if (row.directory !== 0) {
        // A directory that moved has its new row already when the old one is removed.
        if (this.byDirectory.get(row.directory) === row) this.byDirectory.delete(row.directory)
        directories.push(row)
      }
    }
    return directories
  }
}

/** Metadata of row `i`. */
export function rowOfColumns(columns: EntryColumns, i: number): EntryRow {
  const time = (column: TimeColumn | undefined) => column && { seconds: column.seconds[i], ticks: column.ticks[i] }
  const kind = columns.kind[i] & KIND_MASK
  return {
    kind:
      kind === Kind.directory
        ? Kind.directory
        : kind === Kind.file
          ? Kind.file
          : kind === Kind.symlink
            ? Kind.symlink
            : Kind.other,
    size: kind === Kind.directory ? Number.NaN : columns.size[i],
    modified: time(columns.modified),
    changed: time(columns.changed),
    created: time(columns.created),
    accessed: time(columns.accessed),
    attributes: columns.attributes?.[i],
    ref: columns.ref && { low: columns.ref.low[i], high: columns.ref.high[i], birth: columns.ref.birth[i] },
  }
}
