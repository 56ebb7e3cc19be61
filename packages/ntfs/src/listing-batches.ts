import { type EntryColumns, Kind, MISSING } from '@hotpath/model'
import { copyRow, copyRows, entriesOf, type ListingColumns, listingColumns } from './listing-columns.js'
import type { MftRows } from './mft-rows.js'
import { type ListingSink, ROOT_NUMBER } from './table-listing.js'

/** Rows and bytes of names of a batch at most: about 0.5 MiB with all columns. A store lets 16 be on their way. */
const BATCH_ROWS = 4_096
const BATCH_NAME_BYTES = 256 * 1024
/** Of a file and a stream of it. */
const LONGEST_NAME_BYTES = 2 * 255 * 3 + 1
const COLON = 0x3a
const TIMES = ['modified', 'changed', 'created', 'accessed'] as const

/** A batch; its columns are views of memory that `reuse` gives back. */
export interface ListingBatch {
  readonly entries: EntryColumns
  /** Numbers of the directories whose rows are in it. */
  readonly directories: Uint32Array
}

/**
 * Collects the entries of a volume in batches. The ref of a node is its record number and its sequence number. Rows that follow each
 * other in a piece are copied together, a column at a time.
 */
export class ListingBatches implements ListingSink {
  /** Of all batches: directories included, the root, too. */
  entries = 0
  directories = 0
  #ready: ListingBatch[] = []
  readonly #memory = new WeakMap<ListingBatch, ListingColumns>()
  readonly #spare: ListingColumns[] = []
  #columns = listingColumns(BATCH_ROWS, BATCH_NAME_BYTES)
  /** With those that are not copied yet: rows [start, end) of `source`. */
  #rows = 0
  #nameBytes = 0
  #source: MftRows | undefined
  #start = 0
  #end = 0
  readonly #listed = new Uint32Array(BATCH_ROWS)
  #listedCount = 0

  /** @param name of the root: what paths begin with */
  constructor(private readonly name: Uint8Array) {}

  /** Batches that are full. */
  take(): ListingBatch[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  /** The batch was sent: its memory can be filled again. */
  reuse(batch: ListingBatch): void {
    const columns = this.#memory.get(batch)
    if (columns !== undefined) this.#spare.push(columns)
    this.#memory.delete(batch)
  }

  /** Makes a batch of what is left. */
  end(): void {
    this.endOfRows()
    if (this.#rows === 0) return
    const directories = this.#listed.slice(0, this.#listedCount)
    const batch = { directories, entries: entriesOf(this.#columns, this.#rows) }
    this.#memory.set(batch, this.#columns)
    this.#ready.push(batch)
    this.#columns = this.#spare.pop() ?? listingColumns(BATCH_ROWS, BATCH_NAME_BYTES)
    this.#rows = 0
    this.#nameBytes = 0
    this.#listedCount = 0
  }

  root(rows: MftRows, row: number): void {
    const at = this.#addNamed(this.name, 0, ROOT_NUMBER)
    copyRow(rows, row, this.#columns, at)
  }

  entry(rows: MftRows, row: number, parent: number, directory: number): void {
    if (row !== this.#end || rows !== this.#source) this.#begin(rows, row)
    const nameBytes = rows.nameOffsets[row + 1]! - rows.nameOffsets[row]!
    if (!this.#hasRoom()) {
      this.end()
      this.#begin(rows, row)
    }
    this.#end++
    this.#add(nameBytes, parent, directory)
  }

  files(rows: MftRows, start: number, end: number, parent: number): void {
    for (let row = start; row < end; ) {
      if (row !== this.#end || rows !== this.#source) this.#begin(rows, row)
      const count = this.#fitting(rows, row, end)
      if (count === 0) {
        this.end()
        continue
      }
      const at = this.#rows
      this.#columns.parent.fill(parent, at, at + count)
      this.#columns.directory.fill(0, at, at + count)
      row += count
      this.#end = row
      this.#rows += count
      this.#nameBytes += rows.nameOffsets[row]! - rows.nameOffsets[row - count]!
      this.entries += count
    }
  }

  stream(rows: MftRows, row: number, stream: number, parent: number): void {
    const at = this.#addNamed(streamName(rows, row, stream), parent, 0)
    copyRow(rows, row, this.#columns, at)
    this.#columns.kind[at] = Kind.file
    this.#columns.size[at] = rows.streams!.size[stream]!
  }

  missing(name: string, record: number, sequence: number, parent: number, directory: number): void {
    const at = this.#addNamed(new Uint8Array(Buffer.from(name)), parent, directory)
    const columns = this.#columns
    columns.kind[at] = Kind.directory
    columns.size[at] = 0
    columns.attributes[at] = 0
    for (const time of TIMES) {
      columns[time].seconds[at] = Number.NaN
      columns[time].ticks[at] = 0
    }
    columns.ref.low[at] = record
    columns.ref.high[at] = MISSING
    columns.ref.birth[at] = sequence
  }

  endOfRows(): void {
    if (this.#source !== undefined && this.#end > this.#start) {
      const at = this.#rows - (this.#end - this.#start)
      copyRows(this.#source, this.#start, this.#end, this.#columns, at)
    }
    this.#source = undefined
    this.#start = this.#end = 0
  }

  #begin(rows: MftRows, row: number): void {
    this.endOfRows()
    this.#source = rows
    this.#start = this.#end = row
  }

  /** How many of rows [start, end) there is room for. */
  #fitting({ nameOffsets }: MftRows, start: number, end: number): number {
    const room = BATCH_NAME_BYTES - this.#nameBytes
    let count = Math.min(end - start, BATCH_ROWS - this.#rows)
    while (count > 0 && nameOffsets[start + count]! - nameOffsets[start]! > room) count--
    return count
  }

  #hasRoom(): boolean {
    return this.#rows < BATCH_ROWS && this.#nameBytes <= BATCH_NAME_BYTES - LONGEST_NAME_BYTES
  }

  /** Adds a row whose name is not that of a row. Returns its place. */
  #addNamed(name: Uint8Array, parent: number, directory: number): number {
    this.endOfRows()
    if (!this.#hasRoom()) this.end()
    const { names, nameOffsets } = this.#columns
    const at = this.#rows
    names.set(name, nameOffsets[at]!)
    nameOffsets[at + 1] = nameOffsets[at]! + name.length
    this.#add(name.length, parent, directory)
    return at
  }

  #add(nameBytes: number, parent: number, directory: number): void {
    const at = this.#rows++
    this.#nameBytes += nameBytes
    this.#columns.parent[at] = parent
    this.#columns.directory[at] = directory
    this.entries++
    if (directory === 0) return
    this.directories++
    this.#listed[this.#listedCount++] = directory
  }
}

/** `file:stream`. */
export function streamName({ names, nameOffsets, streams }: MftRows, row: number, stream: number): Uint8Array {
  const file = names.subarray(nameOffsets[row]!, nameOffsets[row + 1]!)
  const own = streams!.names.subarray(streams!.nameOffsets[stream]!, streams!.nameOffsets[stream + 1]!)
  const name = new Uint8Array(file.length + 1 + own.length)
  name.set(file)
  name[file.length] = COLON
  name.set(own, file.length + 1)
  return name
}
