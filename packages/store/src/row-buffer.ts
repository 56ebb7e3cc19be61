import {
  type AccessColumn,
  type EntryColumns,
  type EntryRow,
  type NodeRef,
  TIME_COLUMNS,
  type TimeColumnName,
} from '@hotpath/model'
import { doubles, grown, ownMemory, sharedMemory, whole, words } from './column-memory.js'

interface GrowingTime {
  seconds: Float64Array
  ticks: Uint32Array
}

interface GrowingRef {
  low: Uint32Array
  high: Uint32Array
  birth: Uint32Array
}

interface GrowingAccess {
  mode: Uint32Array
  user: Uint32Array
  group: Uint32Array
}

const ACCESS_PARTS = ['mode', 'user', 'group'] as const

const INITIAL_ROWS = 64
const INITIAL_NAME_BYTES = 1024
/** Rows from which on a buffer grows to what is expected at once: pages of it that are never written cost nothing. */
const LEAP_ROWS = 1 << 14
/** Bytes of a name for which room is made then. */
const EXPECTED_NAME_BYTES = 24

/**
 * Collects rows as columns. Optional columns exist once a row has them; earlier rows are unknown there. Columns of many rows are in memory
 * that threads share.
 */
export class RowBuffer {
  count = 0
  parent: Uint32Array = new Uint32Array(INITIAL_ROWS)
  directory: Uint32Array = new Uint32Array(INITIAL_ROWS)
  kind: Uint8Array = new Uint8Array(INITIAL_ROWS)
  nameOffsets: Uint32Array = new Uint32Array(INITIAL_ROWS + 1)
  names: Uint8Array = new Uint8Array(INITIAL_NAME_BYTES)
  size: Float64Array = new Float64Array(INITIAL_ROWS)
  private readonly times: Partial<Record<TimeColumnName, GrowingTime>> = {}
  private attributes: Uint32Array | undefined
  private ref: GrowingRef | undefined
  private access: GrowingAccess | undefined

  /** Columns of an earlier buffer that no row of this one has asked for yet. */
  private spare: EntryColumns | undefined
  private makeMemory = ownMemory

  /**
   * @param expectedRows how many rows there will be if there are many
   * @param spare columns whose memory is used: those of an earlier buffer's `views`
   */
  constructor(
    private readonly expectedRows = 0,
    spare?: EntryColumns,
  ) {
    if (spare === undefined || spare.parent.buffer.byteLength < INITIAL_ROWS * 4) return
    this.spare = spare
    this.parent = words(spare.parent)
    this.directory = words(spare.directory)
    this.kind = new Uint8Array(spare.kind.buffer)
    this.nameOffsets = words(spare.nameOffsets)
    this.nameOffsets[0] = 0
    this.names = new Uint8Array(spare.names.buffer)
    this.size = doubles(spare.size)
    if (this.parent.buffer instanceof SharedArrayBuffer) this.makeMemory = sharedMemory
  }

  /** A buffer with room for so many rows and bytes of names: when it is full, `columns` copies nothing. */
  static ofSize(rows: number, nameBytes: number): RowBuffer {
    const buffer = new RowBuffer()
    const room = Math.max(1, rows)
    buffer.parent = new Uint32Array(room)
    buffer.directory = new Uint32Array(room)
    buffer.kind = new Uint8Array(room)
    buffer.nameOffsets = new Uint32Array(room + 1)
    buffer.names = new Uint8Array(nameBytes)
    buffer.size = new Float64Array(room)
    return buffer
  }

  /** Adds a row. `kind` carries KIND_STUB. @returns its index */
  add(parent: number, directory: number, kind: number, name: Uint8Array, row: EntryRow): number {
    const i = this.start(parent, directory, kind, name, 0, name.length)
    this.size[i] = row.size
    for (const column of TIME_COLUMNS) {
      const time = row[column]
      if (time === undefined || Number.isNaN(time.seconds)) continue
      const target = this.timeColumn(column)
      target.seconds[i] = time.seconds
      target.ticks[i] = time.ticks
    }
    if (row.attributes !== undefined && row.attributes !== 0) this.attributeColumn()[i] = row.attributes
    if (row.ref) this.setRef(i, row.ref)
    if (row.access) for (const part of ACCESS_PARTS) this.accessColumn()[part][i] = row.access[part]
    return i
  }

  /** Adds row `from` of other columns under other directory numbers. @returns its index */
  addFrom(entries: EntryColumns, from: number, parent: number, directory: number): number {
    const { nameOffsets } = entries
    const i = this.start(parent, directory, entries.kind[from], entries.names, nameOffsets[from], nameOffsets[from + 1])
    this.describe(i, entries, from)
    return i
  }

  /**
   * Adds rows [from, to) of other columns as they are, parents and directories included, for the caller to translate.
   * Cost: one copy a column. @returns index of the first
   */
  addRange(entries: EntryColumns, from: number, to: number): number {
    const start = this.count
    const end = start + to - from
    while (end > this.parent.length) this.grow()
    const { nameOffsets } = entries
    const shift = this.nameOffsets[start] - nameOffsets[from]
    this.reserveNames(nameOffsets[to] + shift)
    this.names.set(entries.names.subarray(nameOffsets[from], nameOffsets[to]), this.nameOffsets[start])
    for (let row = from, i = start + 1; row < to; row++, i++) this.nameOffsets[i] = nameOffsets[row + 1] + shift
    this.parent.set(entries.parent.subarray(from, to), start)
    this.directory.set(entries.directory.subarray(from, to), start)
    this.kind.set(entries.kind.subarray(from, to), start)
    this.size.set(entries.size.subarray(from, to), start)
    this.count = end
    for (const column of TIME_COLUMNS) {
      const source = entries[column]
      if (source === undefined) {
        this.times[column]?.seconds.fill(Number.NaN, start, end)
        this.times[column]?.ticks.fill(0, start, end)
        continue
      }
      const target = this.timeColumn(column)
      target.seconds.set(source.seconds.subarray(from, to), start)
      target.ticks.set(source.ticks.subarray(from, to), start)
    }
    if (entries.attributes) this.attributeColumn().set(entries.attributes.subarray(from, to), start)
    else this.attributes?.fill(0, start, end)
    const access = entries.access ? this.accessColumn() : this.access
    for (const part of ACCESS_PARTS) {
      if (entries.access) access?.[part].set(entries.access[part].subarray(from, to), start)
      else access?.[part].fill(0, start, end)
    }
    const ref = entries.ref ? this.refColumn() : this.ref
    for (const part of ['low', 'high', 'birth'] as const) {
      if (entries.ref) ref?.[part].set(entries.ref[part].subarray(from, to), start)
      else ref?.[part].fill(0, start, end)
    }
    return start
  }

  /** Takes the last rows away: `count` are left. */
  truncate(count: number): void {
    this.count = count
  }

  /** Gives row `i` kind and metadata of row `from` of other columns, in place of its own. */
  replaceFrom(i: number, entries: EntryColumns, from: number): void {
    this.kind[i] = entries.kind[from]
    for (const time of Object.values(this.times)) {
      time.seconds[i] = Number.NaN
      time.ticks[i] = 0
    }
    if (this.attributes) this.attributes[i] = 0
    if (this.ref) this.setRef(i, { low: 0, high: 0, birth: 0 })
    if (this.access) for (const part of ACCESS_PARTS) this.access[part][i] = 0
    this.describe(i, entries, from)
  }

  private describe(i: number, entries: EntryColumns, from: number): void {
    this.size[i] = entries.size[from]
    for (let t = 0; t < TIME_COLUMNS.length; t++) {
      const source = entries[TIME_COLUMNS[t]]
      if (source === undefined) continue
      const target = this.timeColumn(TIME_COLUMNS[t])
      target.seconds[i] = source.seconds[from]
      target.ticks[i] = source.ticks[from]
    }
    if (entries.attributes) this.attributeColumn()[i] = entries.attributes[from]
    if (entries.access) for (const part of ACCESS_PARTS) this.accessColumn()[part][i] = entries.access[part][from]
    if (entries.ref) {
      const target = this.refColumn()
      target.low[i] = entries.ref.low[from]
      target.high[i] = entries.ref.high[from]
      target.birth[i] = entries.ref.birth[from]
    }
  }

  /** The rows as columns over the same memory: for who takes it over. Nothing may be added afterwards. */
  views(): EntryColumns {
    const { count, attributes, ref, access } = this
    const times: Partial<Record<TimeColumnName, GrowingTime>> = {}
    for (const column of TIME_COLUMNS) {
      const time = this.times[column]
      if (time) times[column] = { seconds: time.seconds.subarray(0, count), ticks: time.ticks.subarray(0, count) }
    }
    return {
      count,
      parent: this.parent.subarray(0, count),
      directory: this.directory.subarray(0, count),
      kind: this.kind.subarray(0, count),
      nameOffsets: this.nameOffsets.subarray(0, count + 1),
      names: this.names.subarray(0, this.nameOffsets[count]),
      size: this.size.subarray(0, count),
      ...times,
      ...(attributes && { attributes: attributes.subarray(0, count) }),
      ...(access && { access: accessOf(access, part => part.subarray(0, count)) }),
      ...(ref && {
        ref: {
          low: ref.low.subarray(0, count),
          high: ref.high.subarray(0, count),
          birth: ref.birth.subarray(0, count),
        },
      }),
    }
  }

  /** The rows as columns of exactly their length, copied where their memory is larger. Nothing may be added afterwards. */
  columns(): EntryColumns {
    const from = this.views()
    const times: Partial<Record<TimeColumnName, GrowingTime>> = {}
    for (const column of TIME_COLUMNS) {
      const time = from[column]
      if (time) times[column] = { seconds: whole(time.seconds), ticks: whole(time.ticks) }
    }
    return {
      count: from.count,
      parent: whole(from.parent),
      directory: whole(from.directory),
      kind: whole(from.kind),
      nameOffsets: whole(from.nameOffsets),
      names: whole(from.names),
      size: whole(from.size),
      ...times,
      ...(from.attributes && { attributes: whole(from.attributes) }),
      ...(from.access && { access: accessOf(from.access, whole) }),
      ...(from.ref && {
        ref: { low: whole(from.ref.low), high: whole(from.ref.high), birth: whole(from.ref.birth) },
      }),
    }
  }

  /** Bytes that the row's name takes, as a view. */
  nameAt(i: number): Uint8Array {
    return this.names.subarray(this.nameOffsets[i], this.nameOffsets[i + 1])
  }

  setRef(i: number, ref: NodeRef): void {
    const target = this.refColumn()
    target.low[i] = ref.low
    target.high[i] = ref.high
    target.birth[i] = ref.birth
  }

  private start(
    parent: number,
    directory: number,
    kind: number,
    names: Uint8Array,
    nameStart: number,
    nameEnd: number,
  ): number {
    const i = this.count
    if (i === this.parent.length) this.grow()
    const at = this.nameOffsets[i]
    const end = at + nameEnd - nameStart
    this.reserveNames(end)
    // A loop beats set() for names of some 20 bytes.
    for (let from = nameStart, to = at; from < nameEnd; from++, to++) this.names[to] = names[from]
    this.nameOffsets[i + 1] = end
    this.parent[i] = parent
    this.directory[i] = directory
    this.kind[i] = kind
    this.count = i + 1
    this.clear(i)
    return i
  }

  /** Metadata of a new row: unknown, whatever a row that was taken away had there. */
  private clear(i: number): void {
    this.size[i] = 0
    for (let t = 0; t < TIME_COLUMNS.length; t++) {
      const time = this.times[TIME_COLUMNS[t]]
      if (time === undefined) continue
      time.seconds[i] = Number.NaN
      time.ticks[i] = 0
    }
    if (this.attributes) this.attributes[i] = 0
    if (this.access) for (const part of ACCESS_PARTS) this.access[part][i] = 0
    if (this.ref) {
      this.ref.low[i] = 0
      this.ref.high[i] = 0
      this.ref.birth[i] = 0
    }
  }

  private reserveNames(bytes: number): void {
    if (bytes <= this.names.length) return
    const leap = this.parent.length >= LEAP_ROWS ? this.parent.length * EXPECTED_NAME_BYTES : 0
    this.names = grown(this.names, new Uint8Array(this.makeMemory(Math.max(bytes, this.names.length * 2, leap))))
  }

  private grow(): void {
    this.spare = undefined
    const doubled = this.parent.length * 2
    const isLarge = doubled > LEAP_ROWS && this.expectedRows > 0
    const rows = isLarge ? Math.max(doubled, this.expectedRows) : doubled
    if (isLarge) this.makeMemory = sharedMemory
    this.parent = grown(this.parent, this.newWords(rows))
    this.directory = grown(this.directory, this.newWords(rows))
    this.kind = grown(this.kind, new Uint8Array(this.makeMemory(rows)))
    this.nameOffsets = grown(this.nameOffsets, this.newWords(rows + 1))
    this.size = grown(this.size, this.newDoubles(rows))
    for (const column of TIME_COLUMNS) {
      const time = this.times[column]
      if (!time) continue
      time.seconds = grown(time.seconds, this.newDoubles(rows))
      time.ticks = grown(time.ticks, this.newWords(rows))
    }
    if (this.attributes) this.attributes = grown(this.attributes, this.newWords(rows))
    if (this.access) {
      for (const part of ACCESS_PARTS) this.access[part] = grown(this.access[part], this.newWords(rows))
    }
    if (this.ref) {
      this.ref.low = grown(this.ref.low, this.newWords(rows))
      this.ref.high = grown(this.ref.high, this.newWords(rows))
      this.ref.birth = grown(this.ref.birth, this.newWords(rows))
    }
  }

  private timeColumn(column: TimeColumnName): GrowingTime {
    let time = this.times[column]
    if (!time) {
      const rows = this.parent.length
      const spare = this.spare?.[column]
      time = spare
        ? { seconds: doubles(spare.seconds), ticks: words(spare.ticks).fill(0, 0, this.count) }
        : { seconds: this.newDoubles(rows), ticks: this.newWords(rows) }
      time.seconds.fill(Number.NaN, 0, this.count)
      this.times[column] = time
    }
    return time
  }

  private attributeColumn(): Uint32Array {
    if (this.attributes === undefined) {
      const spare = this.spare?.attributes
      this.attributes = spare ? words(spare).fill(0, 0, this.count) : this.newWords(this.parent.length)
    }
    return this.attributes
  }

  private accessColumn(): GrowingAccess {
    if (this.access === undefined) {
      const { access } = this.spare ?? {}
      this.access = accessOf(access, part => words(part).fill(0, 0, this.count)) ?? {
        mode: this.newWords(this.parent.length),
        user: this.newWords(this.parent.length),
        group: this.newWords(this.parent.length),
      }
    }
    return this.access
  }

  private refColumn(): GrowingRef {
    if (this.ref === undefined) {
      const spare = this.spare?.ref
      const part = (from: Uint32Array | undefined): Uint32Array =>
        from ? words(from).fill(0, 0, this.count) : this.newWords(this.parent.length)
      this.ref = { low: part(spare?.low), high: part(spare?.high), birth: part(spare?.birth) }
    }
    return this.ref
  }

  private newWords(count: number): Uint32Array {
    return new Uint32Array(this.makeMemory(count * 4))
  }

  private newDoubles(count: number): Float64Array {
    return new Float64Array(this.makeMemory(count * 8))
  }
}

function accessOf(from: AccessColumn, part: (of: Uint32Array) => Uint32Array): GrowingAccess
function accessOf(from: AccessColumn | undefined, part: (of: Uint32Array) => Uint32Array): GrowingAccess | undefined
function accessOf(from: AccessColumn | undefined, part: (of: Uint32Array) => Uint32Array): GrowingAccess | undefined {
  return from && { mode: part(from.mode), user: part(from.user), group: part(from.group) }
}
