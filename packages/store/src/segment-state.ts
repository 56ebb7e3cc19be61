import type { DirectoryPlace } from '@hotpath/index-format'
import { CorruptFileError, type EntryColumns, type EntryRow, NO_DIRECTORY, type NodeRef } from '@hotpath/model'
import { RoaringBitmap32 } from './bitmap.js'
import { isSameName } from './entry-row.js'
import type { OpenSegment } from './segment-access.js'

export type SegmentOrigin = 'scan' | 'flush' | 'merge'

/** A segment that was just built. */
export interface NewSegment {
  readonly segment: SegmentState
  /** The columns it was built from: their memory may be used again. */
  readonly rows: EntryColumns
}

/**
 * A segment of a view: the file and what has changed since it was written. A damaged page does not throw here: the
 * segment becomes `broken` and answers as if it were empty from then on; whoever drives the view sets it aside.
 */
export class SegmentState {
  /** Entry ids that are no longer entries; stubs may be among them (stubs of deleted directories are). */
  readonly dead: RoaringBitmap32
  private deadCount: number
  private stubSet: RoaringBitmap32 | undefined
  /** Directory ids whose current place is not what this segment says. */
  readonly stale = new Set<number>()
  broken: CorruptFileError | undefined
  readonly dirCount: number
  readonly fileCount: number

  constructor(
    readonly id: number,
    readonly origin: SegmentOrigin,
    readonly file: string,
    private readonly segment: OpenSegment,
    dead: RoaringBitmap32 = new RoaringBitmap32(),
    /** Generation of the tombstone file on disk and the number of ids in it; 0: none. */
    public deadGeneration = 0,
    public durableDeadCount = 0,
  ) {
    this.dead = dead
    this.deadCount = dead.size
    this.dirCount = segment.access.dirCount
    this.fileCount = segment.access.fileCount
  }

  get sizeBytes(): number {
    return this.segment.sizeBytes
  }

  get stubCount(): number {
    return this.segment.access.stubCount
  }

  get rowCount(): number {
    return this.dirCount + this.fileCount
  }

  /** Rows that are entries. Cost: see `stubs`. */
  get entryCount(): number {
    if (this.stubCount === 0) return this.rowCount - this.deadCount
    const { stubs } = this
    return this.rowCount - stubs.size - this.deadCount + stubs.andCardinality(this.dead)
  }

  /** Local rows of stubs. Cost: the directories up to the last one, once; those of merged segments are the first. */
  get stubs(): RoaringBitmap32 {
    if (!this.stubSet) {
      this.stubSet = new RoaringBitmap32()
      for (let local = 0, left = this.stubCount; left > 0 && local < this.dirCount; local++) {
        if (!this.isStub(local)) continue
        this.stubSet.add(local)
        left--
      }
    }
    return this.stubSet
  }

  get deadSize(): number {
    return this.deadCount
  }

  /** Bytes of each section. */
  sections(): { tag: string; sizeBytes: number }[] {
    return this.segment.sections()
  }

  close(): void {
    this.broken ??= new CorruptFileError(this.file, 0, 'an open segment', 'a closed one')
    this.segment.close()
  }

  /** True for entries: neither stub nor dead. */
  isLive(entry: number): boolean {
    if (this.deadCount > 0 && this.dead.has(entry)) return false
    return entry >= this.dirCount || !this.isStub(entry)
  }

  isDead(entry: number): boolean {
    return this.deadCount > 0 && this.dead.has(entry)
  }

  /** Entry ids [from, to) are no longer entries. */
  kill(from: number, to: number): void {
    if (from >= to) return
    if (to === from + 1) this.dead.add(from)
    else this.dead.addRange(from, to)
    this.deadCount = this.dead.size
  }

  isStub(local: number): boolean {
    return this.read(true, access => access.isStub(local))
  }

  findDir(dirId: number): number {
    return this.read(-1, access => access.findDir(dirId))
  }

  dirIdOf(local: number): number {
    return this.read(NO_DIRECTORY, access => access.dirIdOf(local))
  }

  /** Directory id of the parent of a local directory; NO_DIRECTORY for the root. */
  parentIdOf(local: number): number {
    return this.read(NO_DIRECTORY, access => {
      const parent = access.parentOf(local)
      return parent < 0 ? NO_DIRECTORY : access.dirIdOf(parent)
    })
  }

  /** Directory id of what holds an entry; NO_DIRECTORY for the root. */
  directoryIdOf(entry: number): number {
    if (entry < this.dirCount) return this.parentIdOf(entry)
    return this.read(NO_DIRECTORY, access => access.dirIdOf(access.directoryOfFile(entry - this.dirCount)))
  }

  /** Where this segment believes a local directory to be. */
  placeOf(local: number): DirectoryPlace {
    return { parentId: this.parentIdOf(local), name: this.nameOf(local) }
  }

  findChild(local: number, name: Uint8Array): number {
    return this.read(-1, access => access.findChild(local, name))
  }

  forEachChild(local: number, visit: (entry: number) => void): void {
    for (const entry of this.collected((access, found) => access.forEachChild(local, found))) visit(entry)
  }

  /** Child directories of a local directory, stubs and dead ones included. Cost: one step each. */
  childDirectories(local: number): number[] {
    return this.collected((access, found) => {
      const end = access.dirEnd(local)
      for (let child = local + 1; child < end; child = access.dirEnd(child)) found(child)
    })
  }

  /** Entry ids [from, to) of the files of a local directory, dead ones included. */
  filesOf(local: number): [from: number, to: number] {
    return this.read([0, 0], access => [
      this.dirCount + access.firstFile(local),
      this.dirCount + access.firstFile(local + 1),
    ])
  }

  /** Children with names from `from` on and before `to` (undefined: to the last). */
  childrenBetween(local: number, from: Uint8Array, to: Uint8Array | undefined): number[] {
    return this.collected((access, found) => access.forEachChildBetween(local, from, to, found))
  }

  /** Entries of a node, stubs and dead ones included. */
  findRef(ref: NodeRef): number[] {
    return this.collected((access, found) => access.findRef(ref.low, ref.high, ref.birth, found))
  }

  nameOf(entry: number): Uint8Array {
    return this.read(new Uint8Array(0), access => access.nameOf(entry))
  }

  hasName(entry: number, name: Uint8Array): boolean {
    return isSameName(this.nameOf(entry), name)
  }

  readRow(entry: number): EntryRow {
    return this.read<EntryRow>({ kind: entry < this.dirCount ? 1 : 0, size: Number.NaN }, access => {
      const row = access.readRow(entry)
      const { ref } = row
      // Rows of sources without refs, merged with others, have zeros.
      return ref && ref.low === 0 && ref.high === 0 && ref.birth === 0 ? { ...row, ref: undefined } : row
    })
  }

  /** Local rows [local, end) of a subtree as ranges of entry ids: its directories and its files. */
  subtreeRanges(from: number, to: number): [number, number][] {
    return this.read<[number, number][]>([], access => [
      [from, to],
      [this.dirCount + access.firstFile(from), this.dirCount + access.firstFile(to)],
    ])
  }

  dirEnd(local: number): number {
    return this.read(local + 1, access => access.dirEnd(local))
  }

  private collected(walk: (access: OpenSegment['access'], found: (entry: number) => void) => void): number[] {
    return this.read<number[]>([], access => {
      const entries: number[] = []
      walk(access, entry => void entries.push(entry))
      return entries
    })
  }

  private read<T>(fallback: T, use: (access: OpenSegment['access']) => T): T {
    if (this.broken) return fallback
    try {
      return use(this.segment.access)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      this.broken = error
      return fallback
    }
  }
}
