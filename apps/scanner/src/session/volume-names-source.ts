import { CancelledError, type RootSpec } from '@hotpath/model'
import { ListingBatches, TableListing } from '@hotpath/ntfs'
import { monotonicMicros } from '@hotpath/platform'
import type { ScanProblem } from '@hotpath/protocol'
import { ExclusionRules } from '../exclusion/exclusion-rules.js'
import { rootNameOf } from '../volume/raw-volume.js'
import { VolumeExclusion } from '../volume/volume-exclusion.js'
import { type NameCalls, rootRow, VolumeNames } from '../volume/volume-names.js'
import type { ScanSource, SourceBatch, SourceOptions, SourceProgress } from './scan-source.js'

/**
 * A volume of Windows that may not be read, as a source of a scan: what Windows tells of the names in it. Sizes and times are
 * unknown, a file with several names has one of them, links to files are files. The refs are those of the table.
 */
export class VolumeNamesSource implements ScanSource {
  readonly volume: string
  readonly prefix = new Uint8Array(0)
  readonly #names: VolumeNames
  readonly #batches: ListingBatches
  readonly #listing: TableListing
  readonly #path: Uint8Array
  #firstPass = 0

  /** Throws WindowsCallError or CorruptFileError if Windows does not tell the names either. */
  constructor(
    root: RootSpec,
    private readonly options: Pick<SourceOptions, 'excludes' | 'signal'>,
    calls: NameCalls,
  ) {
    this.#path = new Uint8Array(Buffer.from(root.path))
    try {
      this.#names = new VolumeNames(root.path, calls)
    } catch (error) {
      calls.close()
      throw error
    }
    this.volume = `ntfs-${this.#names.volume.serial}`
    this.#batches = new ListingBatches(new Uint8Array(Buffer.from(rootNameOf(root.path))))
    const rules = new ExclusionRules({ root: this.#path, excludes: options.excludes })
    const sink = rules.hasRules ? new VolumeExclusion(rules, this.#batches) : this.#batches
    this.#listing = new TableListing(this.#names.volume.records, sink)
  }

  async *batches(): AsyncGenerator<SourceBatch, void, undefined> {
    const observed = monotonicMicros()
    try {
      this.#listing.take(rootRow())
      yield* this.#pass(observed)
      this.#firstPass = this.#names.told
      this.#listing.settle()
      // What lies in a directory with a higher record number was only noted.
      yield* this.#pass(observed)
      this.#batches.end()
      yield* this.#ready(observed)
    } finally {
      this.#names.close()
    }
  }

  progress(): SourceProgress {
    const { entries, directories } = this.#batches
    const knownTotal = this.#firstPass > 0 ? Math.max(entries, this.#firstPass) : Number.NaN
    return { entries, directories, errors: 1, currentDirectory: this.#path, knownTotal }
  }

  problems(): readonly ScanProblem[] {
    const message = 'the volume may not be read: names only, without sizes, times and further names of hard links'
    return [{ line: 0, path: this.#path, message }]
  }

  *#pass(observed: number): Generator<SourceBatch> {
    for (const rows of this.#names.rows()) {
      if (this.options.signal.aborted) throw new CancelledError('the scan was cancelled')
      this.#listing.take(rows)
      yield* this.#ready(observed)
    }
  }

  *#ready(observed: number): Generator<SourceBatch> {
    for (const batch of this.#batches.take()) {
      const { entries, directories } = batch
      const listedObserved = new Float64Array(directories.length).fill(observed)
      yield { entries, listedDirectory: directories, listedObserved }
      this.#batches.reuse(batch)
    }
  }
}
