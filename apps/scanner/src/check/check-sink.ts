import { DirectoryDigest, Kind, type NodeRef } from '@hotpath/model'
import { monotonicMicros, type StatColumns } from '@hotpath/platform'
import { birthOf } from '../node-ref.js'
import type { RowSink } from '../walk/row-sink.js'
import { type CheckedDirectories, CheckedDirectoriesBuilder, type CheckedDirectory } from './checked-directories.js'

export interface CheckSinkOptions {
  /** Absolute path of the root. */
  readonly root: Uint8Array
  /** With a digest of the entries of each directory. */
  readonly isFull: boolean
  /** Scans of this root tell no sizes and times. */
  readonly namesOnly: boolean
  /** A batch with few directories is handed over after so many microseconds. */
  readonly maxAgeMicros: number
  onBatch(batch: CheckedDirectories): void
}

interface OpenDirectory extends CheckedDirectory {
  readonly number: number
  readonly digest: DirectoryDigest
  /** Entries come when all else was read. */
  isHeld: boolean
  isLeftOut: boolean
}

const SLASH = 0x2f

/** Turns what a walker finds into directories with digests: of the rows that a scan would send. */
export class CheckSink implements RowSink {
  /** It hands over by itself. */
  readonly isEmpty = true
  readonly isFull = false
  directories = 0
  entries = 0
  readonly #options: CheckSinkOptions
  readonly #builder: CheckedDirectoriesBuilder
  readonly #held = new Map<number, OpenDirectory>()
  readonly #row = {
    kind: Kind.file as Kind,
    size: 0,
    modified: { seconds: 0, ticks: 0 },
    changed: { seconds: 0, ticks: 0 },
    ref: { low: 0, high: 0, birth: 0 },
  }
  #open: OpenDirectory | undefined
  #lastBatch = monotonicMicros()

  constructor(options: CheckSinkOptions) {
    this.#options = options
    this.#builder = new CheckedDirectoriesBuilder(options.isFull)
  }

  addListing(number: number, observed: number, path: Uint8Array, node: StatColumns, salt: number): void {
    this.#open = {
      number,
      path: absolute(this.#options.root, path),
      observed,
      low: node.inodeLow[0]!,
      high: node.inodeHigh[0]!,
      birth: birthOf(node.created.seconds[0]!, node.created.ticks[0]!, salt, node.device[0]),
      modifiedSeconds: node.modified.seconds[0]!,
      modifiedTicks: node.modified.ticks[0]!,
      changedSeconds: node.changed.seconds[0]!,
      changedTicks: node.changed.ticks[0]!,
      digest: new DirectoryDigest(),
      isHeld: false,
      isLeftOut: false,
    }
  }

  endListing(isWhole: boolean): void {
    const open = this.#open
    this.#open = undefined
    if (open === undefined || !isWhole || open.isLeftOut) return
    if (open.isHeld) this.#held.set(open.number, open)
    else this.#tell(open)
  }

  /** A mount in the directory that is being read is put off: without it there is no digest. */
  hold(): void {
    if (this.#open !== undefined && this.#options.isFull) this.#open.isHeld = true
  }

  /** The directory that is being read is not told: what all of its entries are cannot be known. */
  leaveOut(): void {
    if (this.#open !== undefined && this.#options.isFull) this.#open.isLeftOut = true
  }

  add(
    parent: number,
    _directory: number,
    kind: Kind,
    names: Uint8Array,
    start: number,
    end: number,
    stats: StatColumns,
    at: number,
    salt: number,
    ref?: NodeRef,
  ): void {
    const digest = this.#digestOf(parent)
    if (digest === undefined) return
    const { created, modified, changed } = stats
    const row = this.#row
    row.kind = kind
    row.ref.low = ref?.low ?? stats.inodeLow[at]!
    row.ref.high = ref?.high ?? stats.inodeHigh[at]!
    row.ref.birth = ref?.birth ?? birthOf(created.seconds[at]!, created.ticks[at]!, salt, stats.device[at])
    const { namesOnly } = this.#options
    row.size = namesOnly ? Number.NaN : stats.size[at]!
    row.modified.seconds = namesOnly ? Number.NaN : modified.seconds[at]!
    row.modified.ticks = modified.ticks[at]!
    row.changed.seconds = namesOnly ? Number.NaN : changed.seconds[at]!
    row.changed.ticks = changed.ticks[at]!
    digest.add(names.subarray(start, end), row)
  }

  addBare(
    parent: number,
    _directory: number,
    kind: Kind,
    names: Uint8Array,
    start: number,
    end: number,
    low: number,
    high: number,
    salt: number,
  ): void {
    const digest = this.#digestOf(parent)
    if (digest === undefined) return
    const row = this.#row
    row.kind = kind
    row.size = Number.NaN
    row.modified.seconds = Number.NaN
    row.changed.seconds = Number.NaN
    row.ref.low = low
    row.ref.high = high
    row.ref.birth = birthOf(Number.NaN, 0, salt)
    digest.add(names.subarray(start, end), row)
  }

  /** Tells the directories that were held, and hands over what is left. */
  finish(): void {
    for (const directory of this.#held.values()) this.#tell(directory)
    this.#held.clear()
    this.#handOver()
  }

  #digestOf(parent: number): DirectoryDigest | undefined {
    if (!this.#options.isFull) return undefined
    return this.#open?.number === parent ? this.#open.digest : this.#held.get(parent)?.digest
  }

  #tell(directory: CheckedDirectory): void {
    this.directories++
    this.entries += directory.digest.count
    this.#builder.add(directory)
    if (this.#builder.isFull || monotonicMicros() - this.#lastBatch > this.#options.maxAgeMicros) this.#handOver()
  }

  #handOver(): void {
    if (!this.#builder.isEmpty) this.#options.onBatch(this.#builder.take())
    this.#lastBatch = monotonicMicros()
  }
}

/** Of a path relative to the root. */
function absolute(root: Uint8Array, path: Uint8Array): Uint8Array {
  if (path.length === 0) return root
  const start = root.at(-1) === SLASH ? root.length : root.length + 1
  const out = new Uint8Array(start + path.length)
  out.set(root)
  out[start - 1] = SLASH
  out.set(path, start)
  return out
}
