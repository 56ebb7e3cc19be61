import type { JournalPosition, RootSpec } from '@hotpath/model'
import {
  answer,
  drive,
  ListingBatches,
  largestOf,
  listVolumeBy,
  MftParser,
  type MftStats,
  type ReadRequest,
  TableListing,
  type TablePass,
  type TablePiece,
  Volume,
} from '@hotpath/ntfs'
import { monotonicMicros } from '@hotpath/platform'
import type { ScanProblem } from '@hotpath/protocol'
import { ExclusionRules } from '../exclusion/exclusion-rules.js'
import { journalOf } from '../volume/journal-of.js'
import { openVolumeFile, rootNameOf } from '../volume/raw-volume.js'
import { TableThreads } from '../volume/table-threads.js'
import { VolumeExclusion } from '../volume/volume-exclusion.js'
import type { VolumeFile } from '../volume/volume-file.js'
import type { ScanSource, SourceBatch, SourceOptions, SourceProgress } from './scan-source.js'

/** Beside the one that lists, which parses, too, while it would wait. */
const MAX_THREADS = 2
/** Of 1 MiB: in fewer a thread has not started before they are read. */
const MIN_PIECES = 128
const NO_BYTES = new Uint8Array(0)

/** An NTFS file system in an image or on a device as a source of a scan, read from its master file table. */
export class VolumeSource implements ScanSource {
  readonly volume: string
  readonly prefix = new Uint8Array(0)
  readonly journal: JournalPosition | undefined
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

  /** Throws the error of node:fs or WindowsCallError if it cannot be opened, CorruptFileError if there is no NTFS file system in it. */
  constructor(root: RootSpec, options: SourceOptions) {
    this.#options = options
    this.#path = new Uint8Array(Buffer.from(root.path))
    this.#file = openVolumeFile(root.path)
    try {
      this.journal = journalOf(this.#file)
      this.#volume = drive(Volume.open(root.path), request => this.#file.read(request))
    } catch (error) {
      this.#file.close()
      throw error
    }
    this.volume = `ntfs-${this.#volume.geometry.serial}`
    this.#parser = new MftParser(this.#volume.geometry.recordBytes)
    this.#batches = new ListingBatches(new Uint8Array(Buffer.from(rootNameOf(root.path))))
    const rules = new ExclusionRules({ root: this.#path, excludes: options.excludes })
    const sink = rules.hasRules ? new VolumeExclusion(rules, this.#batches) : this.#batches
    this.#listing = new TableListing(this.#volume.records, sink)
  }

  async *batches(): AsyncGenerator<SourceBatch, void, undefined> {
    const observed = monotonicMicros()
    const read = (request: ReadRequest) => this.#file.read(request)
    const byThreads = function* (pass: TablePass) {
      yield pass
    }
    const work = listVolumeBy(byThreads, this.#volume, this.#parser, this.#listing, this.#options)
    try {
      let step = work.next()
      while (step.done !== true) {
        if ('pieces' in step.value) {
          yield* this.#pass(step.value, observed)
          step = work.next(NO_BYTES)
        } else step = answer(work, step.value, read)
        yield* this.#ready(observed)
      }
      this.#batches.end()
      yield* this.#ready(observed)
    } finally {
      await this.#threads?.close()
      this.#file.close()
    }
  }

  async *#pass({ pieces, isAgain, take }: TablePass, observed: number): AsyncGenerator<SourceBatch, void, undefined> {
    if (isAgain) this.#tableStats = this.#threads?.stats
    else this.#toRead = pieces.reduce((sum, { count }) => sum + count, 0)
    this.#threads ??= this.#startThreads(pieces)
    for await (const { rows, count } of this.#threads.parse(pieces)) {
      take(rows)
      if (!isAgain) this.#wasRead += count
      yield* this.#ready(observed)
    }
  }

  #startThreads(pieces: readonly TablePiece[]): TableThreads {
    const { streams, idle, signal } = this.#options
    const threads = pieces.length < MIN_PIECES ? 0 : Math.min(MAX_THREADS, this.#options.threads - 1)
    const pieceBytes = largestOf(pieces) * this.#volume.geometry.recordBytes
    return new TableThreads(this.#volume, this.#file, pieceBytes, { threads, streams, idle, signal })
  }

  progress(): SourceProgress {
    const { entries, directories } = this.#batches
    const { torn, damaged } = this.#stats()
    const knownTotal = this.#wasRead > 0 ? Math.round((entries * this.#toRead) / this.#wasRead) : Number.NaN
    return { entries, directories, errors: torn + damaged, currentDirectory: this.#path, knownTotal }
  }

  problems(): readonly ScanProblem[] {
    const { torn, damaged } = this.#stats()
    const refused = this.#threads?.refused ?? []
    const problem = (message: string): ScanProblem => ({ line: 0, path: this.#path, message })
    return [
      ...(torn > 0 ? [problem(`${torn} records of $MFT are torn or marked as bad: their files are not listed`)] : []),
      ...(damaged > 0 ? [problem(`${damaged} records of $MFT are damaged: listed as far as they can be read`)] : []),
      ...(refused.length > 0 ? [problem(`read at normal priority: ${refused.join(', ')}`)] : []),
    ]
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
