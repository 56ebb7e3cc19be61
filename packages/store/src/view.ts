import { type EngineOp, type EntryRow, Kind, NO_DIRECTORY } from '@hotpath/model'
import { type DeltaRow, LONG_AGO, type Observed } from './delta.js'
import { noteDisplaced } from './displaced.js'
import { nameKey } from './entry-row.js'
import { type FollowedNodes, VacatedNames } from './followed-nodes.js'
import { type Live, LiveEntries } from './live-entries.js'
import { OpCollector } from './op-collector.js'
import type { SegmentState } from './segment-state.js'
import { subtreeOf } from './subtree.js'
import { SumsUnderWay } from './sums-under-way.js'

export interface ViewOptions {
  readonly id: number
  readonly root: string
  readonly volume: string
  readonly prefix: Uint8Array
  readonly virtualRoot: boolean
  /** Who wants to know which nodes take over names. */
  readonly followed?: FollowedNodes | undefined
}

/**
 * One generation of one root: its live entries (segments, tombstones, delta), and what changes them. Reads and changes
 * are synchronous; `takeOps` tells query workers what changed since it was last called.
 *
 * Of a directory it is known whether its contents were told: `unlisted` ones are asked for, `unread` ones if they move.
 */
export class View extends LiveEntries {
  readonly id: number
  readonly root: string
  nextDirectoryId = 1
  /** Directory ids whose contents nobody has told yet. */
  readonly unlisted = new Set<number>()
  /**
   * Directories that the scan did not list: most could not be read, but one that moved before the scan came to it was
   * missed, and is asked for when the move is reported.
   */
  readonly unread = new Set<number>()
  /** Boot ids in the order in which they were seen; observations name them by index. */
  boots: string[] = []
  /** What was observed before the scan began is older than everything here. */
  observedFrom: Observed = LONG_AGO
  /** Names that followed nodes have left. */
  readonly vacated: VacatedNames | undefined
  /** Sums of large directories that are being made in steps, by directory id. */
  readonly sums = new SumsUnderWay()
  private nextSlot = 1
  private readonly ops: OpCollector
  /** While a segment is being built from the delta: rows of it that died, and directories that moved, since. */
  private since: { killed: DeltaRow[]; moved: Set<number> } | undefined

  constructor(readonly options: ViewOptions) {
    super()
    this.id = options.id
    this.root = options.root
    this.ops = new OpCollector(options.id)
    this.vacated = options.followed && new VacatedNames(options.followed)
  }

  takeOps(): EngineOp[] {
    return this.ops.take()
  }

  /** Index of a boot id; one that was never seen is the latest. */
  bootIndex(bootId: string): number {
    const known = this.boots.indexOf(bootId)
    return known >= 0 ? known : this.boots.push(bootId) - 1
  }

  // ---- Changing

  /** Adds a live entry; its place must be free. */
  put(parent: number, directory: number, name: Uint8Array, row: EntryRow, observed: Observed): DeltaRow {
    const added: DeltaRow = {
      slot: this.nextSlot++,
      parent,
      directory,
      name,
      key: nameKey(name),
      row,
      observed,
      frozen: false,
    }
    this.delta.add(added)
    this.ops.put(added)
    this.sums.changed(parent)
    this.vacated?.taken(parent, added.key, row, directory !== NO_DIRECTORY)
    if (directory !== NO_DIRECTORY) this.directoryPlaced(directory)
    return added
  }

  /** Takes one row away; what is below a directory stays (see removeSubtree). */
  removeRow(live: Live): void {
    if (this.sums.areThere) this.sums.changed(this.holderOf(live))
    if (this.vacated?.isNeeded && this.isStillLive(live)) this.tellLeft(live, this.vacated)
    if (live.delta) {
      if (!this.delta.delete(live.delta)) return
      if (live.delta.frozen) this.since?.killed.push(live.delta)
      this.ops.remove(live.delta)
    } else if (live.segment.isLive(live.entry)) {
      live.segment.kill(live.entry, live.entry + 1)
      this.ops.kill(live.segment.id, live.entry, live.entry + 1)
    }
  }

  private tellLeft(live: Live, vacated: VacatedNames): void {
    const row = this.rowOf(live)
    vacated.left(this.holderOf(live), nameKey(this.nameOf(live)), row, row.kind === Kind.directory)
  }

  /** Takes a directory and everything that is in it now. */
  removeSubtree(dirId: number): void {
    this.sums.allChanged()
    const subtree = subtreeOf(this, dirId)
    const own = this.liveDirectory(dirId)
    for (const { segment, from, to } of subtree.ranges) {
      segment.kill(from, to)
      this.ops.kill(segment.id, from, to)
    }
    for (const delta of subtree.rows) {
      this.removeRow({ delta })
      this.unlisted.delete(delta.directory)
    }
    if (own) this.removeRow(own)
    this.unlisted.delete(dirId)
    this.forgetDirectories()
  }

  /** Notes in every segment whether it still says the truth about where a directory is. */
  private directoryPlaced(dirId: number): void {
    this.since?.moved.add(dirId)
    const place = this.placeOf(dirId)
    if (place) for (const segment of this.segments) noteDisplaced(segment, dirId, place)
  }

  // ---- Segments

  /** A segment joins; what it says about directories that moved while it was built is compared. */
  addSegment(segment: SegmentState): void {
    this.sums.allChanged()
    this.segments.push(segment)
    for (const dirId of this.since?.moved ?? []) {
      const place = this.placeOf(dirId)
      if (place) noteDisplaced(segment, dirId, place)
    }
  }

  dropSegment(segment: SegmentState): void {
    this.sums.allChanged()
    const at = this.segments.indexOf(segment)
    if (at >= 0) this.segments.splice(at, 1)
    this.forgetDirectories()
  }

  // ---- Freezing (see flush.ts)

  /** Rows of the delta, which become `frozen`; from now on their deaths and moves of directories are remembered. */
  beginFreeze(): DeltaRow[] {
    this.since = { killed: [], moved: new Set() }
    const rows = this.delta.freeze()
    for (const row of rows) row.observed = LONG_AGO
    return rows
  }

  /** The frozen rows are now in `segment` and leave the delta; those that died meanwhile are dead there. */
  replaceFrozen(segment: SegmentState): void {
    for (const row of this.since?.killed ?? []) {
      const local = segment.findDir(row.parent)
      const entry = row.directory !== NO_DIRECTORY ? segment.findDir(row.directory) : segment.findChild(local, row.name)
      if (entry >= 0) segment.kill(entry, entry + 1)
    }
    if (this.since) this.since.killed = []
    for (const row of this.delta.dropFrozen()) this.ops.remove(row)
    this.addSegment(segment)
  }

  endFreeze(): void {
    this.since = undefined
    this.delta.thaw()
  }
}
