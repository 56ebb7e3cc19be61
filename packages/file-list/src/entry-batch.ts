import { type EntryColumns, KIND_STUB, Kind, type TimeColumn } from '@hotpath/model'
import { LIST_TIMES, type ListTime, type RowValues } from './row-values.js'

/** Which optional columns the rows of a list have. */
export interface ListColumns {
  readonly times: readonly ListTime[]
  readonly attributes: boolean
}

/** Rows under construction as columns. Grows as needed; `take` empties it. */
export class EntryBatch {
  private rows = 0
  private parent = new Uint32Array(1024)
  private directory = new Uint32Array(1024)
  private kind = new Uint8Array(1024)
  private size = new Float64Array(1024)
  private attributes = new Uint32Array(1024)
  private readonly seconds = LIST_TIMES.map(() => new Float64Array(1024))
  private readonly ticks = LIST_TIMES.map(() => new Uint32Array(1024))
  private nameOffsets = new Uint32Array(1025)
  private names = new Uint8Array(32_768)

  constructor(private readonly columns: ListColumns) {}

  get count(): number {
    return this.rows
  }

  /** Appends the row named bytes[from … to) and returns its index. */
  append(
    parent: number,
    directory: number,
    kind: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    values: RowValues | undefined,
  ): number {
    if (this.rows === this.parent.length) this.growRows()
    const row = this.rows++
    const start = this.nameOffsets[row]!
    const end = start + to - from
    while (end > this.names.length) this.names = resized(this.names, this.names.length * 2)
    for (let i = from, at = start; i < to; i++, at++) this.names[at] = bytes[i]!
    this.nameOffsets[row + 1] = end
    this.parent[row] = parent
    this.directory[row] = directory
    this.kind[row] = kind
    this.size[row] = values ? values.size : Number.NaN
    this.attributes[row] = values ? values.attributes : 0
    for (let i = 0; i < LIST_TIMES.length; i++) {
      this.seconds[i]![row] = values ? values.seconds[i]! : Number.NaN
      this.ticks[i]![row] = values ? values.ticks[i]! : 0
    }
    return row
  }

  /** A row that turns out to be a directory. */
  makeDirectory(row: number, directory: number): void {
    this.kind[row] = Kind.directory
    this.directory[row] = directory
  }

  parentOf(row: number): number {
    return this.parent[row]!
  }

  /**
   * Empties the batch into columns of their own; the rows in `held` (ascending) stay and become rows 0, 1, 2 … of the
   * batch.
   */
  take(held: readonly number[]): EntryColumns {
    if (held.length === 0) {
      const taken = this.copy(undefined)
      this.rows = 0
      return taken
    }
    const isHeld = new Set(held)
    const others = Array.from({ length: this.rows }, (_, row) => row).filter(row => !isHeld.has(row))
    const taken = this.copy(others)
    const kept = this.copy(held)
    this.rows = kept.count
    this.parent.set(kept.parent)
    this.directory.set(kept.directory)
    this.kind.set(kept.kind)
    this.size.set(kept.size)
    this.names.set(kept.names)
    this.nameOffsets.set(kept.nameOffsets)
    if (kept.attributes) this.attributes.set(kept.attributes)
    for (const time of this.columns.times) {
      const index = LIST_TIMES.indexOf(time)
      this.seconds[index]!.set(kept[time]!.seconds)
      this.ticks[index]!.set(kept[time]!.ticks)
    }
    return taken
  }

  /** Copies of all rows, or of those given. */
  private copy(rows: readonly number[] | undefined): EntryColumns {
    const count = rows ? rows.length : this.rows
    const pick = <T extends Uint8Array | Uint32Array | Float64Array>(column: T, into: T): T => {
      if (rows) for (let i = 0; i < count; i++) into[i] = column[rows[i]!]!
      else into.set(column.subarray(0, count))
      return into
    }
    const times: Partial<Record<ListTime, TimeColumn>> = {}
    for (const time of this.columns.times) {
      const index = LIST_TIMES.indexOf(time)
      times[time] = {
        seconds: pick(this.seconds[index]!, new Float64Array(count)),
        ticks: pick(this.ticks[index]!, new Uint32Array(count)),
      }
    }
    const { names, nameOffsets } = this.copyNames(rows)
    return {
      count,
      parent: pick(this.parent, new Uint32Array(count)),
      directory: pick(this.directory, new Uint32Array(count)),
      kind: pick(this.kind, new Uint8Array(count)),
      nameOffsets,
      names,
      size: pick(this.size, new Float64Array(count)),
      ...times,
      ...(this.columns.attributes && { attributes: pick(this.attributes, new Uint32Array(count)) }),
    }
  }

  private copyNames(rows: readonly number[] | undefined): { names: Uint8Array; nameOffsets: Uint32Array } {
    if (!rows) {
      const nameOffsets = this.nameOffsets.slice(0, this.rows + 1)
      return { nameOffsets, names: this.names.slice(0, nameOffsets[this.rows]) }
    }
    const nameOffsets = new Uint32Array(rows.length + 1)
    rows.forEach((row, i) => {
      nameOffsets[i + 1] = nameOffsets[i]! + this.nameOffsets[row + 1]! - this.nameOffsets[row]!
    })
    const names = new Uint8Array(nameOffsets[rows.length]!)
    rows.forEach((row, i) => {
      names.set(this.names.subarray(this.nameOffsets[row], this.nameOffsets[row + 1]), nameOffsets[i])
    })
    return { names, nameOffsets }
  }

  private growRows(): void {
    const length = this.parent.length * 2
    this.parent = resized(this.parent, length)
    this.directory = resized(this.directory, length)
    this.kind = resized(this.kind, length)
    this.size = resized(this.size, length)
    this.attributes = resized(this.attributes, length)
    this.nameOffsets = resized(this.nameOffsets, length + 1)
    for (let i = 0; i < LIST_TIMES.length; i++) {
      this.seconds[i] = resized(this.seconds[i]!, length)
      this.ticks[i] = resized(this.ticks[i]!, length)
    }
  }
}

/** Kind of a directory that is only here because of what lies below it. */
export const STUB_DIRECTORY = Kind.directory | KIND_STUB

function resized<T extends Uint8Array | Uint32Array | Float64Array>(old: T, length: number): T
function resized(old: Uint8Array | Uint32Array | Float64Array, length: number) {
  const larger =
    old instanceof Uint8Array
      ? new Uint8Array(length)
      : old instanceof Uint32Array
        ? new Uint32Array(length)
        : new Float64Array(length)
  larger.set(old)
  return larger
}
