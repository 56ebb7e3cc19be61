import { basename } from 'node:path'
import type { RootSpec } from '@hotpath/model'
import {
  drive,
  ListingBatches,
  listRoot,
  MftParser,
  type MftRows,
  type MftStats,
  rowsOfRecord,
  TableListing,
  type TablePiece,
  tablePieces,
  Volume,
} from '@hotpath/ntfs'
import { monotonicMicros } from '@hotpath/platform'
import type { ScanProblem } from '@hotpath/protocol'
import { ExclusionRules } from '../exclusion/exclusion-rules.js'
import { TableThreads } from '../volume/table-threads.js'
import { VolumeExclusion } from '../volume/volume-exclusion.js'
import { VolumeFile } from '../volume/volume-file.js'
import type { ScanSource, SourceBatch, SourceOptions, SourceProgress } from './scan-source.js'

/** The thread that lists keeps up with two that parse. */
const MAX_THREADS = 2

/** An NTFS file system in an image or on a device as a source of a scan, read from its master file table. */
export class VolumeSource implements ScanSource {
  readonly volume: string
  readonly prefix = new Uint8Array(0)
  readonly #options: SourceOptions
  readonly #file: VolumeFile
  readonly #volume: Volume
  readonly #parser: MftParser
  readonly #batches: ListingBatches
  readonly #listing: TableListing
  readonly #path: Uint8Array
  #threads: TableThreads | undefined
  /** Of the first pass: pieces that are read again are not counted again. */
  #tableStats: MftStats | undefined
  #toRead = Number.NaN
  #wasRead = 0

  /** Throws the error of node:fs if it cannot be opened, CorruptFileError if there is no NTFS file system in it. */
  constructor(root: RootSpec, options: SourceOptions) {
    this.#options = options
    this.#path = new Uint8Array(Buffer.from(root.path))
    this.#file = new VolumeFile(root.path)
    try {
      this.#volume = drive(Volume.open(root.path), request => this.#file.read(request))
    } catch (error) {
      this.#file.close()
      throw error
    }
    this.volume = `ntfs-${this.#volume.geometry.serial}`
    this.#parser = new MftParser(this.#volume.geometry.recordBytes)
    this.#batches = new ListingBatches(new Uint8Array(Buffer.from(basename(root.path))))
    const rules = new ExclusionRules({ root: this.#path, excludes: options.excludes })
    const sink = rules.hasRules ? new VolumeExclusion(rules, this.#batches) : this.#batches
    this.#listing = new TableListing(this.#volume.records, sink)
  }

  async *batches(): AsyncGenerator<SourceBatch, void, undefined> {
    const observed = monotonicMicros()
    const read = (request: { offset: number; length: number }) => this.#file.read(request)
    const { recordBytes } = this.#volume.geometry
    try {
      drive(listRoot(this.#volume, this.#parser, this.#listing), read)
      const pieces = drive(tablePieces(this.#volume), read)
      this.#toRead = pieces.reduce((sum, { count }) => sum + count, 0)
      const pieceBytes = pieces.reduce((most, { count }) => Math.max(most, count), 0) * recordBytes
      const threads = Math.max(1, Math.min(MAX_THREADS, this.#options.threads, pieces.length))
      this.#threads = new TableThreads(this.#volume, pieceBytes, threads, this.#options.signal)
      const scattered: number[] = []
      for await (const { rows, count } of this.#threads.parse(pieces)) {
        this.#listing.take(rows)
        for (let i = 0; i < rows.scatteredCount; i++) scattered.push(rows.scattered[i]!)
        this.#wasRead += count
        yield* this.#ready(observed)
      }
      this.#tableStats = this.#threads.stats
      for (const number of scattered) this.#takeScattered(number, this.#parser)
      this.#listing.settle()
      const again = pieces.filter(({ first, count }: TablePiece) => this.#listing.hasDeferred(first, count))
      for await (const { rows } of this.#threads.parse(again)) {
        this.#listing.take(rows)
        yield* this.#ready(observed)
      }
      const uncounted = new MftParser(recordBytes)
      for (const number of scattered) if (this.#listing.isDeferred(number)) this.#takeScattered(number, uncounted)
      this.#batches.end()
      yield* this.#ready(observed)
    } finally {
      await this.#threads?.close()
      this.#file.close()
    }
  }

  progress(): SourceProgress {
    const { entries, directories } = this.#batches
    const { torn, damaged } = this.#stats()
    const knownTotal = this.#wasRead > 0 ? Math.round((entries * this.#toRead) / this.#wasRead) : Number.NaN
    return { entries, directories, errors: torn + damaged, currentDirectory: this.#path, knownTotal }
  }

  problems(): readonly ScanProblem[] {
    const { torn, damaged } = this.#stats()
    const problem = (message: string): ScanProblem => ({ line: 0, path: this.#path, message })
    return [
      ...(torn > 0 ? [problem(`${torn} records of $MFT are torn or marked as bad: their files are not listed`)] : []),
      ...(damaged > 0 ? [problem(`${damaged} records of $MFT are damaged: listed as far as they can be read`)] : []),
    ]
  }

  #takeScattered(number: number, parser: MftParser): void {
    const rows: MftRows | undefined = drive(rowsOfRecord(this.#volume, number, parser), request =>
      this.#file.read(request),
    )
    if (rows !== undefined) this.#listing.take(rows)
  }

  *#ready(observed: number): Generator<SourceBatch> {
    for (const batch of this.#batches.take()) {
      const { entries, directories } = batch
      yield {
        entries,
        listedDirectory: directories,
        // Nothing was read before.
        listedObserved: new Float64Array(directories.length).fill(observed),
      }
      this.#batches.reuse(batch)
    }
  }

  #stats(): Pick<MftStats, 'torn' | 'damaged'> {
    const { torn = 0, damaged = 0 } = this.#tableStats ?? this.#threads?.stats ?? {}
    return { torn: torn + this.#parser.stats.torn, damaged: damaged + this.#parser.stats.damaged }
  }
}
