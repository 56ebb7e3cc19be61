import { copyRange, keyOf } from '@hotpath/index-format'
import {
  type Access,
  type EntryColumns,
  type EntryRow,
  KIND_MASK,
  KIND_STUB,
  Kind,
  NO_DIRECTORY,
  type NodeRef,
  TIME_COLUMNS,
  type TimeColumnName,
} from '@hotpath/model'
import { ByteArena } from './byte-arena.js'

/** Rows for which room is made at once. */
const FIRST_ROWS = 64
/** Rows that were removed are squeezed out when they are more than the others, and more than so many. */
const LEAST_GARBAGE = 1024

interface Times {
  seconds: Float64Array
  ticks: Uint32Array
}

interface Refs {
  low: Uint32Array
  high: Uint32Array
  birth: Uint32Array
}

interface AccessParts {
  mode: Uint32Array
  user: Uint32Array
  group: Uint32Array
}

/** Bit of `kind`: the row was removed. */
const GONE = 0x40

/**
 * The rows that changed since the last flush: a few tens of thousands at most, searched one by one. Columns of numbers and
 * two arenas of bytes: about 100 bytes a row and its name twice. Rows are numbered from 0 to `end`; some are gone.
 */
export class DeltaState {
  /** Numbers of rows are below this. */
  end = 0
  parent = new Uint32Array(0)
  /** Own directory id, 0 for files. */
  directory = new Uint32Array(0)
  size = new Float64Array(0)
  keys = new ByteArena()
  names = new ByteArena()
  /** Name of row i: names[nameEnds[i - 1] … nameEnds[i]), its key likewise. */
  nameEnds = new Uint32Array(0)
  keyEnds = new Uint32Array(0)
  private kind = new Uint8Array(0)
  private slots = new Float64Array(0)
  private readonly times: Partial<Record<TimeColumnName, Times>> = {}
  private attributes: Uint32Array | undefined
  private refs: Refs | undefined
  private access: AccessParts | undefined
  private rowOfSlot = new Map<number, number>()
  /** Live row of each directory that has one here. */
  private rowOfDirectory = new Map<number, number>()
  private stubs = 0
  /** How often rows were given new numbers. */
  squeezes = 0

  /** Rows that are entries. */
  get entryCount(): number {
    return this.rowOfSlot.size - this.stubs
  }

  /** True if the row is there and is no stub. */
  isEntry(row: number): boolean {
    return (this.kind[row] & (GONE | KIND_STUB)) === 0
  }

  isDirectory(row: number): boolean {
    return (this.kind[row] & KIND_MASK) === Kind.directory
  }

  nameStart(row: number): number {
    return row === 0 ? 0 : this.nameEnds[row - 1]
  }

  keyStart(row: number): number {
    return row === 0 ? 0 : this.keyEnds[row - 1]
  }

  /** A copy. */
  nameOf(row: number): Uint8Array {
    return copyRange(this.names.bytes, this.nameStart(row), this.nameEnds[row])
  }

  /** A copy. */
  keyOf(row: number): Uint8Array {
    return copyRange(this.keys.bytes, this.keyStart(row), this.keyEnds[row])
  }

  /** Seconds of a time; NaN if unknown. */
  secondsOf(row: number, column: TimeColumnName): number {
    return this.times[column]?.seconds[row] ?? Number.NaN
  }

  ticksOf(row: number, column: TimeColumnName): number {
    return this.times[column]?.ticks[row] ?? 0
  }

  /** Live row of a directory, or -1. */
  rowOf(dirId: number): number {
    return this.rowOfDirectory.get(dirId) ?? -1
  }

  /** Ids of the directories that have a row here. */
  directories(): IterableIterator<number> {
    return this.rowOfDirectory.keys()
  }

  /** @returns the directories among the new rows */
  put(slots: Uint32Array, columns: EntryColumns): number[] {
    const directories: number[] = []
    this.reserve(this.end + columns.count)
    for (let i = 0; i < columns.count; i++) {
      const row = this.append(columns, i)
      this.slots[row] = slots[i]
      this.rowOfSlot.set(slots[i], row)
      if (columns.directory[i] === NO_DIRECTORY) continue
      this.rowOfDirectory.set(columns.directory[i], row)
      directories.push(columns.directory[i])
    }
    return directories
  }

  private append(columns: EntryColumns, i: number): number {
    const row = this.end++
    const name = copyRange(columns.names, columns.nameOffsets[i], columns.nameOffsets[i + 1])
    this.nameEnds[row] = this.names.push(name)
    this.keyEnds[row] = this.keys.push(keyOf(name))
    this.parent[row] = columns.parent[i]
    this.directory[row] = columns.directory[i]
    this.kind[row] = columns.kind[i] & (KIND_MASK | KIND_STUB)
    if (columns.kind[i] & KIND_STUB) this.stubs++
    this.size[row] = this.isDirectory(row) ? Number.NaN : columns.size[i]
    for (const column of TIME_COLUMNS) {
      const source = columns[column]
      if (source === undefined) continue
      const times = this.timesOf(column)
      times.seconds[row] = source.seconds[i]
      times.ticks[row] = source.ticks[i]
    }
    if (columns.attributes) {
      this.attributes ??= new Uint32Array(this.parent.length)
      this.attributes[row] = columns.attributes[i]
    }
    if (columns.ref) {
      const refs = this.ownRefs()
      refs.low[row] = columns.ref.low[i]
      refs.high[row] = columns.ref.high[i]
      refs.birth[row] = columns.ref.birth[i]
    }
    if (columns.access) {
      const { length } = this.parent
      this.access ??= { mode: new Uint32Array(length), user: new Uint32Array(length), group: new Uint32Array(length) }
      this.access.mode[row] = columns.access.mode[i]
      this.access.user[row] = columns.access.user[i]
      this.access.group[row] = columns.access.group[i]
    }
    return row
  }

  /** @returns the directories among the removed rows */
  remove(slots: Uint32Array): number[] {
    const directories: number[] = []
    for (const slot of slots) {
      const row = this.rowOfSlot.get(slot)
      if (row === undefined) continue
      this.rowOfSlot.delete(slot)
      if (this.kind[row] & KIND_STUB) this.stubs--
      this.kind[row] |= GONE
      const dirId = this.directory[row]
      if (dirId === NO_DIRECTORY) continue
      // A directory that moved has its new row already when the old one is removed.
      if (this.rowOfDirectory.get(dirId) === row) this.rowOfDirectory.delete(dirId)
      directories.push(dirId)
    }
    if (this.end - this.rowOfSlot.size > Math.max(LEAST_GARBAGE, this.rowOfSlot.size)) this.squeeze()
    return directories
  }

  /** Metadata of a row. */
  rowAt(row: number): EntryRow {
    const time = (column: TimeColumnName) => {
      const times = this.times[column]
      return times && { seconds: times.seconds[row], ticks: times.ticks[row] }
    }
    return {
      kind: this.kindOf(row),
      size: this.size[row],
      modified: time('modified'),
      changed: time('changed'),
      created: time('created'),
      accessed: time('accessed'),
      attributes: this.attributes?.[row],
      ref: this.refAt(row),
    }
  }

  /** Who may list the directory of a row; undefined if the source did not say. */
  accessOf(row: number): Access | undefined {
    const { access } = this
    return access && { mode: access.mode[row], user: access.user[row], group: access.group[row] }
  }

  kindOf(row: number): Kind {
    return KINDS[this.kind[row] & KIND_MASK] ?? Kind.other
  }

  /** Attributes as the source gave them; 0 if it gave none. */
  attributesOf(row: number): number {
    return this.attributes?.[row] ?? 0
  }

  /** False where no row has a ref (file lists). */
  get hasRefs(): boolean {
    return this.refs !== undefined
  }

  refAt(row: number): NodeRef | undefined {
    if (this.refs === undefined) return undefined
    const ref = { low: this.refs.low[row], high: this.refs.high[row], birth: this.refs.birth[row] }
    return ref.low === 0 && ref.high === 0 && ref.birth === 0 ? undefined : ref
  }

  private timesOf(column: TimeColumnName): Times {
    let times = this.times[column]
    if (times === undefined) {
      // Rows that came before this column did have no time.
      times = {
        seconds: new Float64Array(this.parent.length).fill(Number.NaN),
        ticks: new Uint32Array(this.parent.length),
      }
      this.times[column] = times
    }
    return times
  }

  private ownRefs(): Refs {
    const { length } = this.parent
    this.refs ??= { low: new Uint32Array(length), high: new Uint32Array(length), birth: new Uint32Array(length) }
    return this.refs
  }

  private reserve(rows: number): void {
    if (rows <= this.parent.length) return
    const length = Math.max(FIRST_ROWS, rows, this.parent.length * 2)
    const u32 = (old: Uint32Array): Uint32Array<ArrayBuffer> => grown(old, new Uint32Array(length))
    const f64 = (old: Float64Array): Float64Array<ArrayBuffer> => grown(old, new Float64Array(length).fill(Number.NaN))
    this.kind = grown(this.kind, new Uint8Array(length))
    this.parent = u32(this.parent)
    this.directory = u32(this.directory)
    this.nameEnds = u32(this.nameEnds)
    this.keyEnds = u32(this.keyEnds)
    this.size = f64(this.size)
    this.slots = f64(this.slots)
    for (const column of TIME_COLUMNS) {
      const times = this.times[column]
      if (times) this.times[column] = { seconds: f64(times.seconds), ticks: u32(times.ticks) }
    }
    if (this.attributes) this.attributes = u32(this.attributes)
    const { access } = this
    if (access) this.access = { mode: u32(access.mode), user: u32(access.user), group: u32(access.group) }
    if (this.refs) this.refs = { low: u32(this.refs.low), high: u32(this.refs.high), birth: u32(this.refs.birth) }
  }

  /** Moves the rows that are there to the front. */
  private squeeze(): void {
    this.squeezes++
    const names = new ByteArena()
    const keys = new ByteArena()
    const nameEnds = new Uint32Array(this.parent.length)
    const keyEnds = new Uint32Array(this.parent.length)
    const moved = new Map<number, number>()
    for (let row = 0; row < this.end; row++) {
      if (this.kind[row] & GONE) continue
      const to = moved.size
      moved.set(row, to)
      nameEnds[to] = names.push(this.names.bytes, this.nameStart(row), this.nameEnds[row])
      keyEnds[to] = keys.push(this.keys.bytes, this.keyStart(row), this.keyEnds[row])
      this.copyRow(row, to)
    }
    this.names = names
    this.keys = keys
    this.nameEnds = nameEnds
    this.keyEnds = keyEnds
    this.end = moved.size
    this.rowOfSlot = renumbered(this.rowOfSlot, moved)
    this.rowOfDirectory = renumbered(this.rowOfDirectory, moved)
  }

  private copyRow(from: number, to: number): void {
    this.parent[to] = this.parent[from]
    this.directory[to] = this.directory[from]
    this.kind[to] = this.kind[from]
    this.size[to] = this.size[from]
    this.slots[to] = this.slots[from]
    for (const column of TIME_COLUMNS) {
      const times = this.times[column]
      if (times === undefined) continue
      times.seconds[to] = times.seconds[from]
      times.ticks[to] = times.ticks[from]
    }
    if (this.attributes) this.attributes[to] = this.attributes[from]
    const { access } = this
    if (access) for (const part of [access.mode, access.user, access.group]) part[to] = part[from]
    if (this.refs) for (const part of [this.refs.low, this.refs.high, this.refs.birth]) part[to] = part[from]
  }
}

const KINDS: Readonly<Record<number, Kind>> = {
  [Kind.file]: Kind.file,
  [Kind.directory]: Kind.directory,
  [Kind.symlink]: Kind.symlink,
}

/** Copies values to the front of an array. */
function grown<A extends { set(values: ArrayLike<number>): void }>(values: ArrayLike<number>, larger: A): A {
  larger.set(values)
  return larger
}

function renumbered(rows: ReadonlyMap<number, number>, moved: ReadonlyMap<number, number>): Map<number, number> {
  const result = new Map<number, number>()
  for (const [name, row] of rows) {
    const to = moved.get(row)
    if (to !== undefined) result.set(name, to)
  }
  return result
}
