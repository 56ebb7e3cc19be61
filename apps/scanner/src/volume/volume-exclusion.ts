import { Kind } from '@hotpath/model'
import { type ListingBatches, type ListingSink, type MftRows, ROOT_NUMBER } from '@hotpath/ntfs'
import type { ExclusionRules } from '../exclusion/exclusion-rules.js'
import { joinPath } from '../walk/pending-directories.js'

/** Leaves out what the rules of a scan say, and passes on the rest. Knows the path of each directory: some 150 bytes each. */
export class VolumeExclusion implements ListingSink {
  readonly #paths = new Map<number, Uint8Array>([[ROOT_NUMBER, new Uint8Array(0)]])

  constructor(
    private readonly rules: ExclusionRules,
    private readonly to: ListingBatches,
  ) {}

  leavesOut(rows: MftRows, row: number, parent: number): boolean {
    return this.rules.excludes(null, this.#pathOf(parent), nameOf(rows, row), rows.kind[row] === Kind.directory)
  }

  root(rows: MftRows, row: number): void {
    this.to.root(rows, row)
  }

  entry(rows: MftRows, row: number, parent: number, directory: number): void {
    if (directory !== 0) this.#paths.set(directory, joinPath(this.#pathOf(parent), nameOf(rows, row)).slice())
    this.to.entry(rows, row, parent, directory)
  }

  missing(name: string, record: number, sequence: number, parent: number, directory: number): void {
    this.#paths.set(directory, joinPath(this.#pathOf(parent), new Uint8Array(Buffer.from(name))).slice())
    this.to.missing(name, record, sequence, parent, directory)
  }

  endOfRows(): void {
    this.to.endOfRows()
  }

  #pathOf(directory: number): Uint8Array {
    return this.#paths.get(directory)!
  }
}

function nameOf(rows: MftRows, row: number): Uint8Array {
  return rows.names.subarray(rows.nameOffsets[row]!, rows.nameOffsets[row + 1]!)
}
