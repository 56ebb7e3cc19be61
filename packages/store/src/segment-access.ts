import type { DirectoryPlace, SegmentStats } from '@hotpath/index-format'
import type { EntryColumns, EntryRow } from '@hotpath/model'

/**
 * What the store reads of a segment (SegmentReader of index-format). Entry ids: 0 … dirCount - 1 are directories in
 * depth-first preorder (0 = the view's root), then dirCount + i is file i, files grouped by directory in that order.
 * Methods throw CorruptFileError when they touch a damaged page.
 */
export interface SegmentAccess {
  readonly dirCount: number
  readonly fileCount: number
  readonly stubCount: number
  dirIdOf(local: number): number
  findDir(dirId: number): number
  isStub(local: number): boolean
  parentOf(local: number): number
  dirEnd(local: number): number
  firstFile(local: number): number
  directoryOfFile(file: number): number
  findChild(local: number, name: Uint8Array): number
  forEachChild(local: number, visit: (entry: number) => void): void
  /** Children with names from `from` on and before `to` (undefined: to the last), in dictionary order. */
  forEachChildBetween(local: number, from: Uint8Array, to: Uint8Array | undefined, visit: (entry: number) => void): void
  findRef(low: number, high: number, birth: number, visit: (entry: number) => void): void
  nameOf(entry: number): Uint8Array
  readRow(entry: number): EntryRow
}

export interface SectionSize {
  readonly tag: string
  readonly sizeBytes: number
}

/** A segment opened for reading. */
export interface OpenSegment {
  readonly access: SegmentAccess
  readonly sizeBytes: number
  sections(): SectionSize[]
  /** Afterwards no method of `access` may be called. */
  close(): void
}

export interface BuiltSegment {
  readonly stats: SegmentStats
  /** The columns it was built from: their memory may be used again. */
  readonly rows: EntryColumns
}

export interface MergeSource {
  readonly file: string
  /** Entry ids that are left out: roaring bitmap (portable), empty bytes if none. */
  readonly dead: Uint8Array
}

export interface MergedSegment {
  readonly stats: SegmentStats
  /** For each source: new entry id of each old one, NOT_MERGED if it is not in the result. */
  readonly mapping: Uint32Array[]
}

/** Reads and writes segment files. Building and merging run one after the other, in the order of the calls. */
export interface SegmentBackend {
  /** @throws CorruptFileError, UnsupportedVersionError, or ENOENT */
  open(file: string): Promise<OpenSegment>
  /** The file is there whole and synced, or not at all. The columns may be taken over (transferred) meanwhile. */
  build(rows: EntryColumns, file: string): Promise<BuiltSegment>
  /** `places`: where directories are whose entry is in none of the sources and that a source has elsewhere. */
  merge(
    sources: readonly MergeSource[],
    places: ReadonlyMap<number, DirectoryPlace>,
    file: string,
  ): Promise<MergedSegment>
  /** Reads every checksum. @throws CorruptFileError */
  verify(file: string): Promise<void>
  stop(): Promise<void>
}
