import { DirectoryDigest, type EntryRow, NO_DIRECTORY, type NodeRef, type Time } from '@hotpath/model'
import { isSameTime, nameKey } from './entry-row.js'
import type { Live } from './live-entries.js'
import { entryAtPath, pathOfDirectory } from './path-lookup.js'
import type { ListRequest } from './store-types.js'
import type { View } from './view.js'

/** Digest of all entries of a directory: how many, and the halves of the sum (DirectoryDigest). */
export interface DigestSum {
  readonly count: number
  readonly low: number
  readonly high: number
}

/** Rows that are summed up in one step: some 3 ms. */
const STEP_ROWS = 1_024

/**
 * The directories of one generation of a root, for those who compare them with the disk. Only reads. Directories are named
 * by the ids of the view. What takes long is a generator: each step is a few milliseconds, and changes may come between.
 */
export class IndexedDirectories {
  constructor(private readonly view: View) {}

  /** Ids from here on are given to directories that come from now on. */
  get nextId(): number {
    return this.view.nextDirectoryId
  }

  /** Directories of the generation, about: dead ones that are still in segments count, too. */
  get approximateCount(): number {
    return this.view.segments.reduce((sum, segment) => sum + segment.dirCount - segment.stubCount, 0)
  }

  /** Id of the directory that is this node; 0 if there is none. */
  find(ref: NodeRef): number {
    return this.view.directoryOf(ref)
  }

  /** Id of the directory at an absolute path, as answers write it; 0 if there is none. */
  findAt(path: Uint8Array): number {
    const live = entryAtPath(this.view, path)
    return live ? this.view.directoryIdOf(live) : NO_DIRECTORY
  }

  /** Id of the directory that holds it: 0 for the root, -1 for one that is not there. */
  parentOf(id: number): number {
    return this.view.parentOf(id)
  }

  /** The scan could not list it, or did not enter it (another file system). */
  isUnread(id: number): boolean {
    return this.view.unread.has(id)
  }

  /** Whether its own times are these. */
  hasTimes(id: number, modified: Time | undefined, changed: Time | undefined): boolean {
    const row = this.rowOf(id)
    return row !== undefined && isSameTime(row.modified, modified) && isSameTime(row.changed, changed)
  }

  /** What a watcher needs to list it; undefined if it is not there. */
  requestOf(id: number): ListRequest | undefined {
    const ref = this.rowOf(id)?.ref
    const path = ref && pathOfDirectory(this.view, id)
    return ref && path ? { ref, path } : undefined
  }

  /** Ids of all directories, each once unless it moves meanwhile. Cost of a step: one directory. */
  *all(): Generator<number> {
    const { view } = this
    for (const segment of [...view.segments]) {
      for (let local = 0; local < segment.dirCount; local++) if (segment.isLive(local)) yield segment.dirIdOf(local)
    }
    for (const row of view.delta.values()) if (row.directory !== NO_DIRECTORY) yield row.directory
  }

  /** Digest of a directory, in steps. Returns undefined if its entries changed meanwhile. */
  *digest(id: number): Generator<void, DigestSum | undefined> {
    const digest = new DirectoryDigest()
    const isWhole = yield* this.eachEntry(id, live => digest.add(this.view.nameOf(live), this.view.rowOf(live)))
    return isWhole ? { count: digest.count, low: digest.low, high: digest.high } : undefined
  }

  /**
   * Each entry of a directory by its name, as text that is another one where anything of its digest is, in steps.
   * Returns undefined if its entries changed meanwhile.
   */
  *entries(id: number): Generator<void, ReadonlyMap<string, string> | undefined> {
    const found = new Map<string, string>()
    const digest = new DirectoryDigest()
    const isWhole = yield* this.eachEntry(id, live => {
      const name = this.view.nameOf(live)
      digest.reset()
      digest.add(name, this.view.rowOf(live))
      found.set(nameKey(name), `${digest.low}.${digest.high}`)
    })
    return isWhole ? found : undefined
  }

  /** @returns false if the entries of the directory changed between steps */
  private *eachEntry(id: number, visit: (live: Live) => void): Generator<void, boolean> {
    const { view } = this
    const sum = view.sums.begin(id)
    try {
      let rows = 0
      for (const live of this.childrenOf(id)) {
        visit(live)
        if (++rows % STEP_ROWS !== 0) continue
        yield
        if (sum.hasChanged) return false
      }
      return true
    } finally {
      view.sums.end(id, sum)
    }
  }

  /** As `View.childrenOf`, without a list of all. */
  private *childrenOf(id: number): Generator<Live> {
    const { delta, segments } = this.view
    for (const row of delta.childrenOf(id)) yield { delta: row }
    for (const segment of [...segments]) {
      const local = segment.findDir(id)
      if (local < 0) continue
      for (const entry of segment.childDirectories(local)) if (segment.isLive(entry)) yield { segment, entry }
      const [from, to] = segment.filesOf(local)
      for (let entry = from; entry < to; entry++) if (segment.isLive(entry)) yield { segment, entry }
    }
  }

  private rowOf(id: number): EntryRow | undefined {
    const live = this.view.liveDirectory(id)
    return live && this.view.rowOf(live)
  }
}
