import { Kind } from '@hotpath/model'
import { type ListingBatches, type ListingSink, type MftRows, streamName } from '@hotpath/ntfs'
import type { ExclusionRules } from '../exclusion/exclusion-rules.js'
import { DirectoryPaths } from './directory-paths.js'

/** Leaves out what the rules of a scan say, and passes on the rest. */
export class VolumeExclusion implements ListingSink {
  readonly #paths = new DirectoryPaths()

  constructor(
    private readonly rules: ExclusionRules,
    private readonly to: ListingBatches,
  ) {}

  leavesOut(rows: MftRows, row: number, parent: number): boolean {
    return this.rules.excludes(null, this.#paths.of(parent), nameOf(rows, row), rows.kind[row] === Kind.directory)
  }

  root(rows: MftRows, row: number): void {
    this.to.root(rows, row)
  }

  entry(rows: MftRows, row: number, parent: number, directory: number): void {
    if (directory !== 0) this.#paths.add(directory, parent, nameOf(rows, row))
    this.to.entry(rows, row, parent, directory)
  }

  stream(rows: MftRows, row: number, stream: number, parent: number): void {
    if (!this.rules.excludes(null, this.#paths.of(parent), streamName(rows, row, stream), false))
      this.to.stream(rows, row, stream, parent)
  }

  missing(name: string, record: number, sequence: number, parent: number, directory: number): void {
    this.#paths.add(directory, parent, new Uint8Array(Buffer.from(name)))
    this.to.missing(name, record, sequence, parent, directory)
  }

  endOfRows(): void {
    this.to.endOfRows()
  }
}

function nameOf(rows: MftRows, row: number): Uint8Array {
  return rows.names.subarray(rows.nameOffsets[row]!, rows.nameOffsets[row + 1]!)
}
