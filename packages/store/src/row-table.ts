import type { DeltaRow } from './delta.js'
import { refKey } from './entry-row.js'

/** Live rows that are not in a segment, found by (directory, name), by node and by directory id. */
export class RowTable {
  private readonly rows = new Map<number, DeltaRow>()
  private readonly byParent = new Map<number, Map<string, DeltaRow>>()
  private readonly byRef = new Map<string, DeltaRow[]>()
  private readonly byDirectory = new Map<number, DeltaRow>()

  get size(): number {
    return this.rows.size
  }

  /** Directories that have children here. */
  get parentCount(): number {
    return this.byParent.size
  }

  values(): IterableIterator<DeltaRow> {
    return this.rows.values()
  }

  has(row: DeltaRow): boolean {
    return this.rows.get(row.slot) === row
  }

  find(parent: number, key: string): DeltaRow | undefined {
    return this.byParent.get(parent)?.get(key)
  }

  directoryRow(dirId: number): DeltaRow | undefined {
    return this.byDirectory.get(dirId)
  }

  hasChildren(parent: number): boolean {
    return this.byParent.has(parent)
  }

  childrenOf(parent: number): Iterable<DeltaRow> {
    return this.byParent.get(parent)?.values() ?? []
  }

  parents(): IterableIterator<number> {
    return this.byParent.keys()
  }

  entriesOf(ref: string): readonly DeltaRow[] {
    return this.byRef.get(ref) ?? []
  }

  /** The place (parent, name) must be free. */
  add(row: DeltaRow): void {
    this.rows.set(row.slot, row)
    let children = this.byParent.get(row.parent)
    if (!children) {
      children = new Map()
      this.byParent.set(row.parent, children)
    }
    children.set(row.key, row)
    if (row.directory !== 0) this.byDirectory.set(row.directory, row)
    if (row.row.ref) {
      const key = refKey(row.row.ref)
      const entries = this.byRef.get(key)
      if (entries) entries.push(row)
      else this.byRef.set(key, [row])
    }
  }

  /** @returns false if the row is not here any more */
  delete(row: DeltaRow): boolean {
    if (this.rows.get(row.slot) !== row) return false
    this.rows.delete(row.slot)
    const children = this.byParent.get(row.parent)
    if (children?.get(row.key) === row) {
      children.delete(row.key)
      if (children.size === 0) this.byParent.delete(row.parent)
    }
    if (this.byDirectory.get(row.directory) === row) this.byDirectory.delete(row.directory)
    if (row.row.ref) {
      const key = refKey(row.row.ref)
      const left = (this.byRef.get(key) ?? []).filter(entry => entry !== row)
      if (left.length > 0) this.byRef.set(key, left)
      else this.byRef.delete(key)
    }
    return true
  }
}
