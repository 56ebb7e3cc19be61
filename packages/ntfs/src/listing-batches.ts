import { type EntryColumns, Kind } from '@hotpath/model'
import type { MftRows } from './mft-rows.js'
import { type ListingSink, ROOT_NUMBER } from './table-listing.js'

/** Rows and bytes of names of a batch at most: about 1 MiB with all columns. */
const BATCH_ROWS = 8_192
const BATCH_NAME_BYTES = 512 * 1024
const LONGEST_NAME_BYTES = 255 * 3
/** Upper half of refs of directories that are gone: no record has such a number. */
const MISSING = 0xffff0000
const TIMES = ['modified', 'changed', 'created', 'accessed'] as const

/** A batch; its columns are views of memory that `reuse` gives back. */
export interface ListingBatch {
  readonly entries: EntryColumns
  /** Numbers of the directories whose rows are in it. */
  readonly directories: Uint32Array
}

/** Collects the entries of a volume in batches. The ref of a node is its record number and its sequence number. */
export class ListingBatches implements ListingSink {
  /** Of all batches: directories included, the root, too. */
  entries = 0
  directories = 0
  #ready: ListingBatch[] = []
  readonly #memory = new WeakMap<ListingBatch, Columns>()
  readonly #spare: Columns[] = []
  #columns = columnsFor(BATCH_ROWS)
  #rows = 0
  #listed: number[] = []

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
    if (this.#rows === 0) return
    const { parent, directory, kind, nameOffsets, names, size, attributes, ref, ...times } = this.#columns
    const count = this.#rows
    const time = (column: { seconds: Float64Array; ticks: Uint32Array }) => ({
      seconds: column.seconds.subarray(0, count),
      ticks: column.ticks.subarray(0, count),
    })
    const batch: ListingBatch = {
      directories: Uint32Array.from(this.#listed),
      entries: {
        count,
        parent: parent.subarray(0, count),
        directory: directory.subarray(0, count),
        kind: kind.subarray(0, count),
        nameOffsets: nameOffsets.subarray(0, count + 1),
        names: names.subarray(0, nameOffsets[count]),
        size: size.subarray(0, count),
        attributes: attributes.subarray(0, count),
        ref: {
          low: ref.low.subarray(0, count),
          high: ref.high.subarray(0, count),
          birth: ref.birth.subarray(0, count),
        },
        modified: time(times.modified),
        changed: time(times.changed),
        created: time(times.created),
        accessed: time(times.accessed),
      },
    }
    this.#memory.set(batch, this.#columns)
    this.#ready.push(batch)
    this.#columns = this.#spare.pop() ?? columnsFor(BATCH_ROWS)
    this.#rows = 0
    this.#listed = []
  }

  root(rows: MftRows, row: number): void {
    this.#add(this.name, 0, this.name.length, 0, ROOT_NUMBER)
    this.#describe(rows, row)
  }

  entry(rows: MftRows, row: number, parent: number, directory: number): void {
    this.#add(rows.names, rows.nameOffsets[row]!, rows.nameOffsets[row + 1]!, parent, directory)
    this.#describe(rows, row)
  }

  missing(name: string, record: number, sequence: number, parent: number, directory: number): void {
    const bytes = new Uint8Array(Buffer.from(name))
    this.#add(bytes, 0, bytes.length, parent, directory)
    const columns = this.#columns
    const at = this.#rows - 1
    columns.kind[at] = Kind.directory
    columns.size[at] = 0
    for (const time of TIMES) columns[time].seconds[at] = Number.NaN
    columns.ref.low[at] = record
    columns.ref.high[at] = MISSING
    columns.ref.birth[at] = sequence
  }

  #add(names: Uint8Array, start: number, end: number, parent: number, directory: number): void {
    const isFull =
      this.#rows === BATCH_ROWS || this.#columns.nameOffsets[this.#rows]! > BATCH_NAME_BYTES - LONGEST_NAME_BYTES
    if (isFull) this.end()
    const columns = this.#columns
    const at = this.#rows++
    const to = columns.nameOffsets[at]!
    // Short names: a loop is quicker than a view.
    for (let i = start; i < end; i++) columns.names[to + i - start] = names[i]!
    columns.nameOffsets[at + 1] = to + end - start
    columns.parent[at] = parent
    columns.directory[at] = directory
    this.entries++
    if (directory === 0) return
    this.directories++
    this.#listed.push(directory)
  }

  #describe(rows: MftRows, row: number): void {
    const columns = this.#columns
    const at = this.#rows - 1
    columns.kind[at] = rows.kind[row]!
    columns.size[at] = rows.size[row]!
    columns.attributes[at] = rows.attributes[row]!
    columns.ref.low[at] = rows.record[row]!
    columns.ref.high[at] = 0
    columns.ref.birth[at] = rows.sequence[row]!
    columns.modified.seconds[at] = rows.modified.seconds[row]!
    columns.modified.ticks[at] = rows.modified.ticks[row]!
    columns.changed.seconds[at] = rows.changed.seconds[row]!
    columns.changed.ticks[at] = rows.changed.ticks[row]!
    columns.created.seconds[at] = rows.created.seconds[row]!
    columns.created.ticks[at] = rows.created.ticks[row]!
    columns.accessed.seconds[at] = rows.accessed.seconds[row]!
    columns.accessed.ticks[at] = rows.accessed.ticks[row]!
  }
}

type Columns = ReturnType<typeof columnsFor>

function columnsFor(rows: number) {
  const time = () => ({ seconds: new Float64Array(rows), ticks: new Uint32Array(rows) })
  return {
    parent: new Uint32Array(rows),
    directory: new Uint32Array(rows),
    kind: new Uint8Array(rows),
    nameOffsets: new Uint32Array(rows + 1),
    names: new Uint8Array(BATCH_NAME_BYTES),
    size: new Float64Array(rows),
    attributes: new Uint32Array(rows),
    ref: { low: new Uint32Array(rows), high: new Uint32Array(rows), birth: new Uint32Array(rows) },
    modified: time(),
    changed: time(),
    created: time(),
    accessed: time(),
  }
}
