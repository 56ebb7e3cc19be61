import type { RefColumn, TimeColumn } from '@hotpath/model'

/** Directories as a check found them; columns as in CheckBatch. */
export interface CheckedDirectories {
  readonly refs: RefColumn
  readonly modified: TimeColumn
  readonly changed: TimeColumn
  readonly observed: Float64Array
  readonly children?: Uint32Array
  readonly digestLow?: Uint32Array
  readonly digestHigh?: Uint32Array
  readonly pathOffsets: Uint32Array
  readonly paths: Uint8Array
}

/** One of them. */
export interface CheckedDirectory {
  /** Absolute. */
  readonly path: Uint8Array
  readonly observed: number
  readonly low: number
  readonly high: number
  readonly birth: number
  readonly modifiedSeconds: number
  readonly modifiedTicks: number
  readonly changedSeconds: number
  readonly changedTicks: number
  readonly digest: { readonly count: number; readonly low: number; readonly high: number }
}

/** A message of this size is as much work as one of a scan. */
const MAX_DIRECTORIES = 4096
const MAX_BYTES = 1 << 20
/** Bytes of a row without its path, with all columns. */
const ROW_BYTES = 60

/** Collects directories until there are enough for one batch. */
export class CheckedDirectoriesBuilder {
  #rows: CheckedDirectory[] = []
  #pathBytes = 0

  constructor(private readonly hasDigests: boolean) {}

  get isEmpty(): boolean {
    return this.#rows.length === 0
  }

  get isFull(): boolean {
    return this.#rows.length >= MAX_DIRECTORIES || this.#rows.length * ROW_BYTES + this.#pathBytes >= MAX_BYTES
  }

  add(directory: CheckedDirectory): void {
    this.#rows.push(directory)
    this.#pathBytes += directory.path.length
  }

  /** What was added; begins anew. */
  take(): CheckedDirectories {
    const rows = this.#rows
    const u32 = (value: (row: CheckedDirectory) => number) => Uint32Array.from(rows, value)
    const f64 = (value: (row: CheckedDirectory) => number) => Float64Array.from(rows, value)
    const pathOffsets = new Uint32Array(rows.length + 1)
    const paths = new Uint8Array(this.#pathBytes)
    for (const [i, { path }] of rows.entries()) {
      paths.set(path, pathOffsets[i]!)
      pathOffsets[i + 1] = pathOffsets[i]! + path.length
    }
    this.#rows = []
    this.#pathBytes = 0
    return {
      refs: { low: u32(row => row.low), high: u32(row => row.high), birth: u32(row => row.birth) },
      modified: { seconds: f64(row => row.modifiedSeconds), ticks: u32(row => row.modifiedTicks) },
      changed: { seconds: f64(row => row.changedSeconds), ticks: u32(row => row.changedTicks) },
      observed: f64(row => row.observed),
      ...(this.hasDigests && {
        children: u32(row => row.digest.count),
        digestLow: u32(row => row.digest.low),
        digestHigh: u32(row => row.digest.high),
      }),
      pathOffsets,
      paths,
    }
  }
}
