import { type EntryColumns, KIND_MASK, KIND_STUB, Kind } from '@hotpath/model'
import { RowBuffer } from './row-buffer.js'

/** Rows from which on the index grows to its expected size at once. */
const LEAP_ROWS = 1 << 14

/** Rows of a scan that become one segment, with an exact index by (directory, name). */
export class Slice {
  readonly rows: RowBuffer
  private hashes = new Uint32Array(1024)
  /** Row index + 1, open addressing at most half full. */
  private table = new Uint32Array(2048)

  /**
   * @param expectedRows how many rows there will be if there are many
   * @param roomRows for how many rows columns have room then: slices that follow take their memory, and may be larger
   * @param spare columns whose memory the rows may take
   */
  constructor(
    private readonly expectedRows = 0,
    private readonly roomRows = expectedRows,
    spare?: EntryColumns,
  ) {
    this.rows = new RowBuffer(roomRows, spare)
  }

  /** The slice that comes after this one, which is looked up no more: the index of the next takes its memory. */
  following(expectedRows: number, spare: EntryColumns | undefined): Slice {
    const next = new Slice(expectedRows, this.roomRows, spare)
    next.hashes = this.hashes
    next.table = this.table.fill(0)
    return next
  }

  get count(): number {
    return this.rows.count
  }

  /** Row with this parent and name, or -1. */
  find(hash: number, parent: number, names: Uint8Array, from: number, to: number): number {
    const { rows } = this
    const mask = this.table.length - 1
    for (let at = hash & mask; this.table[at] !== 0; at = (at + 1) & mask) {
      const row = this.table[at] - 1
      if (this.hashes[row] !== hash || rows.parent[row] !== parent) continue
      const start = rows.nameOffsets[row]
      if (rows.nameOffsets[row + 1] - start !== to - from) continue
      let i = 0
      while (i < to - from && rows.names[start + i] === names[from + i]) i++
      if (i === to - from) return row
    }
    return -1
  }

  /** Adds row `from` of a batch. With `replaces` the index names the new row in place of that one. @returns its index */
  add(entries: EntryColumns, from: number, parent: number, directory: number, hash: number, replaces: number): number {
    const row = this.rows.addFrom(entries, from, parent, directory)
    this.index(row, hash, replaces)
    return row
  }

  /** Indexes a row that was added to `rows` (a copy of a batch's row), with its place in the view's directory ids. */
  adopt(row: number, parent: number, directory: number, hash: number, replaces: number): void {
    this.rows.parent[row] = parent
    this.rows.directory[row] = directory
    this.index(row, hash, replaces)
  }

  /** A file that is there again: the later row is what counts. */
  replace(row: number, entries: EntryColumns, from: number): void {
    this.rows.replaceFrom(row, entries, from)
  }

  /** Adds a row without metadata that nothing will look for. */
  addStub(parent: number, directory: number, name: Uint8Array): number {
    const row = this.rows.add(parent, directory, Kind.directory | KIND_STUB, name, {
      kind: Kind.directory,
      size: Number.NaN,
    })
    this.reserve(row)
    return row
  }

  /** A file gives way to the directory of the same name: as a second row of that directory the builder drops it. */
  yieldTo(row: number, directory: number): void {
    this.rows.kind[row] = Kind.directory | KIND_STUB
    this.rows.directory[row] = directory
  }

  isFile(row: number): boolean {
    return (this.rows.kind[row] & KIND_MASK) !== Kind.directory
  }

  /** A filter of the (directory, name) pairs here. */
  filter(): NameFilter {
    let capacity = 16
    while (capacity < this.count * 2) capacity *= 2
    const filter = new NameFilter(capacity)
    // Row by row reads the hashes in order, and slot by slot does not; what stubs have there does no harm.
    for (let row = 0; row < this.count; row++) filter.add(this.hashes[row])
    return filter
  }

  private index(row: number, hash: number, replaces: number): void {
    this.reserve(row)
    this.hashes[row] = hash
    const mask = this.table.length - 1
    let at = hash & mask
    while (this.table[at] !== 0 && this.table[at] !== replaces + 1) at = (at + 1) & mask
    this.table[at] = row + 1
  }

  /** Rows for which room is made at once, when it is clear that there are many. */
  private leap(): number {
    return this.count > LEAP_ROWS ? this.expectedRows : 0
  }

  private reserve(row: number): void {
    if (row >= this.hashes.length) {
      const larger = new Uint32Array(Math.max(row + 1, this.hashes.length * 2, this.leap()))
      larger.set(this.hashes)
      this.hashes = larger
    }
    if ((row + 1) * 2 <= this.table.length) return
    const old = this.table
    let slots = old.length * 2
    while (slots < Math.max(row + 1, this.leap()) * 2) slots *= 2
    this.table = new Uint32Array(slots)
    const mask = this.table.length - 1
    for (const slot of old) {
      if (slot === 0) continue
      let at = this.hashes[slot - 1] & mask
      while (this.table[at] !== 0) at = (at + 1) & mask
      this.table[at] = slot
    }
  }
}

/**
 * Says "certainly not" or "perhaps" for a hash: fingerprints of 16 bits, about 4 bytes an entry, wrong once in some
 * 30,000 questions. It spares a look into earlier slices for nearly every row of a scan.
 */
export class NameFilter {
  private readonly slots: Uint16Array

  /** @param capacity a power of two, at least twice the number of hashes */
  constructor(capacity: number) {
    this.slots = new Uint16Array(capacity)
  }

  add(hash: number): void {
    const mask = this.slots.length - 1
    const print = fingerprint(hash)
    let at = hash & mask
    while (this.slots[at] !== 0) {
      if (this.slots[at] === print) return
      at = (at + 1) & mask
    }
    this.slots[at] = print
  }

  mayHave(hash: number): boolean {
    const mask = this.slots.length - 1
    const print = fingerprint(hash)
    for (let at = hash & mask; this.slots[at] !== 0; at = (at + 1) & mask) if (this.slots[at] === print) return true
    return false
  }
}

function fingerprint(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 16 || 1
}

/** 32 bits of a directory id and a name. */
export function nameHash(parent: number, names: Uint8Array, from: number, to: number): number {
  let hash = Math.imul(parent ^ 0x811c9dc5, 0x01000193)
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ names[i], 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x7feb352d)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x846ca68b)
  return (hash ^ (hash >>> 16)) >>> 0
}
