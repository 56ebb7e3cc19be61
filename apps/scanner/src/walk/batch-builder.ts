import { Kind, type NodeRef } from '@hotpath/model'
import { packMode, type StatColumns } from '@hotpath/platform'
import { birthOf } from '../node-ref.js'
import { type PackedBatch, packedBytes, ROW_BYTES, unpackBatch } from './packed-batch.js'
import type { RowSink } from './row-sink.js'

/** Rows of one batch at most. */
const MAX_ROWS = 16_384
/** Bytes of one batch, roughly: a quarter of what one message may be, and 5 ms of work. */
const MAX_BYTES = 1 << 20
/** No name is longer (Linux allows 255 bytes, some file systems more). */
const LONGEST_NAME_BYTES = 4096
/** Listings are as many as directories with rows, or empty ones. */
const MAX_LISTED = 16_384

/** Collects rows until a batch is full, then packs them. Reuses its memory; a packed batch is a copy. */
export class BatchBuilder implements RowSink {
  #rows = 0
  #nameBytes = 0
  #listed = 0
  #currentDirectory: Uint8Array = new Uint8Array(0)
  readonly #namesOnly: boolean
  readonly #columns = {
    parent: new Uint32Array(MAX_ROWS),
    directory: new Uint32Array(MAX_ROWS),
    kind: new Uint8Array(MAX_ROWS),
    nameOffsets: new Uint32Array(MAX_ROWS + 1),
    names: new Uint8Array(MAX_BYTES + LONGEST_NAME_BYTES),
    size: new Float64Array(MAX_ROWS),
    modified: { seconds: new Float64Array(MAX_ROWS), ticks: new Uint32Array(MAX_ROWS) },
    changed: { seconds: new Float64Array(MAX_ROWS), ticks: new Uint32Array(MAX_ROWS) },
    created: { seconds: new Float64Array(MAX_ROWS), ticks: new Uint32Array(MAX_ROWS) },
    ref: { low: new Uint32Array(MAX_ROWS), high: new Uint32Array(MAX_ROWS), birth: new Uint32Array(MAX_ROWS) },
  }
  readonly #access: { readonly mode: Uint32Array; readonly user: Uint32Array; readonly group: Uint32Array } | undefined
  readonly #listedDirectory = new Uint32Array(MAX_LISTED)
  readonly #listedObserved = new Float64Array(MAX_LISTED)

  /**
   * @param namesOnly no sizes and times
   * @param access who may list each directory, too
   */
  constructor(namesOnly: boolean, access = false) {
    this.#namesOnly = namesOnly
    const column = () => new Uint32Array(MAX_ROWS)
    if (access) this.#access = { mode: column(), user: column(), group: column() }
  }

  get isEmpty(): boolean {
    return this.#rows === 0 && this.#listed === 0
  }

  /** No row may be added before `take`. */
  get isFull(): boolean {
    return (
      this.#rows === MAX_ROWS ||
      this.#listed === MAX_LISTED ||
      this.#rows * ROW_BYTES + this.#nameBytes + this.#listed * 12 >= MAX_BYTES
    )
  }

  /** Notes that the listing of a directory begins. */
  addListing(directory: number, observed: number, path: Uint8Array): void {
    this.#listedDirectory[this.#listed] = directory
    this.#listedObserved[this.#listed] = observed
    this.#listed++
    this.#currentDirectory = path
  }

  /** Rows may come later: a batch knows no end of a listing. */
  endListing(): void {}

  add(
    parent: number,
    directory: number,
    kind: number,
    names: Uint8Array,
    start: number,
    end: number,
    stats: StatColumns,
    row: number,
    salt: number,
    ref?: NodeRef,
  ): void {
    const at = this.#rows
    const columns = this.#begin(parent, directory, kind, names, start, end)
    columns.ref.low[at] = stats.inodeLow[row]!
    columns.ref.high[at] = stats.inodeHigh[row]!
    const { created, device } = stats
    columns.ref.birth[at] = birthOf(created.seconds[row]!, created.ticks[row]!, salt, device[row])
    if (ref !== undefined) {
      columns.ref.low[at] = ref.low
      columns.ref.high[at] = ref.high
      columns.ref.birth[at] = ref.birth
    }
    if (this.#access !== undefined && kind === Kind.directory) {
      this.#access.mode[at] = packMode(stats.mode[row]!, stats.acl[row]!)
      this.#access.user[at] = stats.user[row]!
      this.#access.group[at] = stats.group[row]!
    }
    if (this.#namesOnly) {
      columns.size[at] = Number.NaN
      return
    }
    // The size of a directory says something about the file system, nothing about what is in it.
    columns.size[at] = kind === Kind.directory ? 0 : stats.size[row]!
    columns.modified.seconds[at] = stats.modified.seconds[row]!
    columns.modified.ticks[at] = stats.modified.ticks[row]!
    columns.changed.seconds[at] = stats.changed.seconds[row]!
    columns.changed.ticks[at] = stats.changed.ticks[row]!
    columns.created.seconds[at] = stats.created.seconds[row]!
    columns.created.ticks[at] = stats.created.ticks[row]!
  }

  addBare(
    parent: number,
    directory: number,
    kind: number,
    names: Uint8Array,
    start: number,
    end: number,
    inodeLow: number,
    inodeHigh: number,
    salt: number,
  ): void {
    const at = this.#rows
    const columns = this.#begin(parent, directory, kind, names, start, end)
    columns.ref.low[at] = inodeLow
    columns.ref.high[at] = inodeHigh
    columns.ref.birth[at] = birthOf(Number.NaN, 0, salt)
    columns.size[at] = Number.NaN
    for (const time of [columns.modified, columns.changed, columns.created]) {
      time.seconds[at] = Number.NaN
      time.ticks[at] = 0
    }
  }

  /** The rows so far as a packed batch; begins a new one. */
  take(): PackedBatch {
    const columns = this.#columns
    const rows = this.#rows
    const sizes = {
      rows,
      nameBytes: this.#nameBytes,
      listed: this.#listed,
      namesOnly: this.#namesOnly,
      access: this.#access !== undefined,
    }
    const packed: PackedBatch = {
      ...sizes,
      buffer: new ArrayBuffer(packedBytes(sizes)),
      currentDirectory: this.#currentDirectory,
    }
    const out = unpackBatch(packed)
    const { entries } = out
    entries.parent.set(columns.parent.subarray(0, rows))
    entries.directory.set(columns.directory.subarray(0, rows))
    entries.kind.set(columns.kind.subarray(0, rows))
    entries.nameOffsets.set(columns.nameOffsets.subarray(0, rows + 1))
    entries.names.set(columns.names.subarray(0, this.#nameBytes))
    entries.size.set(columns.size.subarray(0, rows))
    for (const half of ['low', 'high', 'birth'] as const) entries.ref![half].set(columns.ref[half].subarray(0, rows))
    if (this.#access !== undefined)
      for (const part of ['mode', 'user', 'group'] as const)
        entries.access![part].set(this.#access[part].subarray(0, rows))
    if (!this.#namesOnly)
      for (const time of ['modified', 'changed', 'created'] as const) {
        entries[time]!.seconds.set(columns[time].seconds.subarray(0, rows))
        entries[time]!.ticks.set(columns[time].ticks.subarray(0, rows))
      }
    out.listedDirectory.set(this.#listedDirectory.subarray(0, this.#listed))
    out.listedObserved.set(this.#listedObserved.subarray(0, this.#listed))
    this.#rows = 0
    this.#nameBytes = 0
    this.#listed = 0
    return packed
  }

  #begin(parent: number, directory: number, kind: number, names: Uint8Array, start: number, end: number) {
    const columns = this.#columns
    const at = this.#rows++
    if (this.#access !== undefined) {
      this.#access.mode[at] = 0
      this.#access.user[at] = 0
      this.#access.group[at] = 0
    }
    columns.parent[at] = parent
    columns.directory[at] = directory
    columns.kind[at] = kind
    let to = this.#nameBytes
    for (let from = start; from < end; from++) columns.names[to++] = names[from]!
    this.#nameBytes = to
    columns.nameOffsets[at + 1] = to
    return columns
  }
}
