import type { SegmentState } from './segment-state.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'

/** Directories looked at one after the other, in growing steps, before one is searched for. */
const NEAR_STEPS = 8

/** One directory in so many searched for by itself costs as much as passing over all of them (10 ms for ten million entries). */
const SEARCHED_SHARE = 64
/** A depth that is not kept: this or more. */
const DEEP = 255

/** A byte for each directory of a segment, and for each file once many were asked for, as long as directories are where they were. */
interface KeptDepths {
  readonly version: number
  /** Components of the path of each directory. */
  readonly dirs: Uint8Array
  files: Uint8Array | undefined
}

const kept = new WeakMap<SegmentState, KeptDepths>()

/**
 * Components before the names of rows (`Depth` of the query language). Directories are remembered for the search, and
 * rows that ascend find theirs near the last one. Once many were asked for, a byte for each is kept beside the segment.
 * Cost: a search over directories and a climb for each of some thousand rows, then some 5 ns a row.
 */
export class RowDepths {
  private readonly known = new Map<number, number>()
  /** The directory of the last file. */
  private local = 0
  private steps = 0
  private kept: KeptDepths | undefined

  constructor(
    private readonly table: TableRows,
    private readonly tree: TreeMatcher,
  ) {
    const { segment } = table
    const former = kept.get(segment)
    if (former?.version === segment.displacedVersion) this.kept = former
  }

  of(row: number): number {
    if (this.table.table === 'd') {
      if (this.kept === undefined && this.areMany()) this.keepAll()
      return this.depthOf(row) - 1
    }
    if (this.kept?.files === undefined && this.areMany()) this.keepFiles()
    const depth = this.kept?.files?.[row] ?? DEEP
    return depth < DEEP ? depth : this.depthOf(this.directoryOf(row))
  }

  private areMany(): boolean {
    return ++this.steps * SEARCHED_SHARE > this.table.reader.dirCount
  }

  /** Components of the path of a directory. */
  private depthOf(local: number): number {
    const { known, table } = this
    const same = this.kept?.dirs[local] ?? DEEP
    if (same < DEEP) return same
    const climbed: number[] = []
    // Without recursion: a list can hold a path of any depth.
    let at = local
    let depth = known.get(at)
    while (depth === undefined) {
      if (at === 0 || table.segment.displaced.has(at)) {
        depth = this.tree.depthOf(at)
        known.set(at, depth)
        break
      }
      climbed.push(at)
      at = table.reader.parentOf(at)
      depth = known.get(at)
    }
    while (climbed.length > 0) known.set(climbed.pop() ?? 0, ++depth)
    return depth
  }

  private keepAll(): KeptDepths {
    const { segment, reader } = this.table
    const dirs = new Uint8Array(reader.dirCount)
    this.tree.forEachDepth((local, depth) => {
      dirs[local] = Math.min(depth, DEEP)
    })
    this.kept = { version: segment.displacedVersion, dirs, files: undefined }
    kept.set(segment, this.kept)
    return this.kept
  }

  private keepFiles(): void {
    const { reader } = this.table
    const { dirs } = this.kept ?? this.keepAll()
    const files = new Uint8Array(reader.fileCount)
    let first = 0
    for (let local = 0; local < dirs.length; local++) {
      const end = reader.firstFile(local + 1)
      files.fill(dirs[local], first, end)
      first = end
    }
    if (this.kept) this.kept.files = files
  }

  private directoryOf(file: number): number {
    const { reader } = this.table
    let { local } = this
    if (file >= reader.firstFile(local)) {
      for (let step = 1, tries = 0; tries < NEAR_STEPS; tries++, step *= 2) {
        const end = Math.min(reader.dirCount, local + step)
        if (reader.firstFile(end) > file) {
          this.local = this.between(local, end, file)
          return this.local
        }
        local = end
      }
    }
    this.local = reader.directoryOfFile(file)
    return this.local
  }

  /** The last directory at or after `low` and before `high` whose files begin at or before `file`. */
  private between(low: number, high: number, file: number): number {
    let [first, end] = [low, high]
    while (end - first > 1) {
      const middle = (first + end) >>> 1
      if (this.table.reader.firstFile(middle) <= file) first = middle
      else end = middle
    }
    return first
  }
}
