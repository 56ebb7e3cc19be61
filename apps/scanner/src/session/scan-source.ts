import type { EntryColumns, JournalPosition, RootSpec } from '@hotpath/model'
import type { ScanProblem } from '@hotpath/protocol'
import type { WalkPool } from '../walk/walk-pool.js'

/** A batch of a scan, before it has a number, valid until the next one is asked for. Tables as in EntryBatch. */
export interface SourceBatch {
  readonly entries: EntryColumns
  readonly listedDirectory: Uint32Array
  readonly listedObserved: Float64Array
}

export interface SourceProgress {
  readonly entries: number
  readonly directories: number
  /** Directories and rows that could not be read. */
  readonly errors: number
  readonly currentDirectory: Uint8Array
  /** Entries that there will be, NaN where that cannot be said. */
  readonly knownTotal: number
}

/** What a scan reads. Iterate over `batches` once. */
export interface ScanSource {
  readonly volume: string
  readonly prefix: Uint8Array
  /** Where the change journal of the volume ended before anything else was read. Left out: there is none. */
  readonly journal?: JournalPosition | undefined
  batches(): AsyncIterable<SourceBatch>
  progress(): SourceProgress
  /** The first 100. */
  problems(): readonly ScanProblem[]
}

/** What a source is made with. */
export interface SourceOptions {
  readonly excludes: readonly string[]
  /** Absolute paths of directories that are left out. */
  readonly excludedDirectories: readonly string[]
  readonly crossDevices: boolean
  readonly threads: number
  readonly namesOnly: boolean
  /** Of trees: who may list each directory, too. */
  readonly access?: boolean
  /** Of volumes: alternate streams, too. */
  readonly streams?: boolean
  /** Volumes are read at idle priority of processor and disk. */
  readonly idle?: boolean
  readonly signal: AbortSignal
  /** Threads for walks. */
  readonly pool?: WalkPool
}

/** Opens what a root names; throws if it cannot be read at all. */
export type OpenSource = (root: RootSpec, options: SourceOptions) => ScanSource
