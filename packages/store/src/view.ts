import type { DirectoryPlace } from '@hotpath/index-format'
import { type EngineOp, type EntryRow, Kind, NO_DIRECTORY, type NodeRef } from '@hotpath/model'
import { Delta, type DeltaRow, LONG_AGO, type Observed } from './delta.js'
import { isSameName, nameKey, refKey } from './entry-row.js'
import { type FollowedNodes, VacatedNames } from './followed-nodes.js'
import { OpCollector } from './op-collector.js'
import type { SegmentState } from './segment-state.js'
import { subtreeOf } from './subtree.js'

/** A live entry: a row of the delta, or of a segment. */
export type Live =
  | { readonly delta: DeltaRow }
  | { readonly delta?: undefined; readonly segment: SegmentState; readonly entry: number }

export interface ViewOptions {
  readonly id: number
  readonly root: string
  readonly volume: string
  readonly prefix: Uint8Array
  readonly virtualRoot: boolean
  /** Who wants to know which nodes take over names. */
  readonly followed?: FollowedNodes | undefined
}

/** Directories of recent lookups by ref that are remembered; more are forgotten together. */
const REF_CACHE_LIMIT = 4096

/**
 * One generation of one root: segments, tombstones and delta. Every live entry is in exactly one of them. Reads and
 * changes are synchronous; `takeOps` tells query workers what changed since it was last called.
 */
export class View {
  readonly id: number
  readonly root: string
  readonly segments: SegmentState[] = []
  readonly delta = new Delta()
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
  /** Directories without an entry are there all the same (file lists). */
  impliedDirectories = false
  /** Times at which directories were listed, while a scan is being finished. */
  listedAt: ((dirId: number) => Observed | undefined) | undefined
  /** Names that followed nodes have left. */
  readonly vacated: VacatedNames | undefined
  private nextSlot = 1
  private readonly ops: OpCollector
  private readonly dirOfRef = new Map<string, number>()
  /** While a segment is being built from the delta: rows of it that died, and directories that moved, since. */
  private since: { killed: DeltaRow[]; moved: Set<number> } | undefined

  constructor(readonly options: ViewOptions) {
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

  // ---- Looking up

  /** The live row of a directory. */
  liveDirectory(dirId: number): Live | undefined {
    const delta = this.delta.directoryRow(dirId)
    if (delta) return { delta }
    for (const segment of this.segments) {
      const local = segment.findDir(dirId)
      if (local >= 0 && segment.isLive(local)) return { segment, entry: local }
    }
    return undefined
  }

  /** Where a directory is: its live row's place, for an implied directory a stub's. */
  placeOf(dirId: number): DirectoryPlace | undefined {
    const live = this.liveDirectory(dirId)
    if (live) return this.placeOfLive(live)
    if (!this.impliedDirectories) return undefined
    for (const segment of this.segments) {
      const local = segment.findDir(dirId)
      if (local >= 0 && !segment.isDead(local)) return segment.placeOf(local)
    }
    return undefined
  }

  /** Directory id of the parent: NO_DIRECTORY for the root, -1 if the directory does not exist. */
  parentOf(dirId: number): number {
    const delta = this.delta.directoryRow(dirId)
    if (delta) return delta.parent
    let implied = -1
    for (const segment of this.segments) {
      const local = segment.findDir(dirId)
      if (local < 0 || segment.isDead(local)) continue
      if (!segment.isStub(local)) return segment.parentIdOf(local)
      if (this.impliedDirectories && implied < 0) implied = segment.parentIdOf(local)
    }
    return implied
  }

  /** True if `dirId` is `ancestor` or below it. `known` keeps the answers of one question. */
  isWithin(dirId: number, ancestor: number, known: Map<number, boolean> = new Map()): boolean {
    const chain: number[] = []
    let answer = false
    // A chain longer than the number of directories would be a cycle, which no step here can make.
    for (let id = dirId; id > NO_DIRECTORY; id = this.parentOf(id)) {
      const seen = known.get(id)
      if (seen !== undefined || id === ancestor) {
        answer = seen ?? true
        break
      }
      chain.push(id)
    }
    for (const id of chain) known.set(id, answer)
    return answer
  }

  /** The live entry of this name in a directory. */
  findEntry(dirId: number, name: Uint8Array, key = nameKey(name)): Live | undefined {
    const delta = this.delta.find(dirId, key)
    if (delta) return { delta }
    for (const segment of this.segments) {
      const local = segment.findDir(dirId)
      if (local >= 0) {
        const entry = segment.findChild(local, name)
        if (entry >= 0 && segment.isLive(entry)) return { segment, entry }
      }
    }
    return undefined
  }

  /** Live entries of a directory. */
  childrenOf(dirId: number): Live[] {
    const children: Live[] = []
    for (const delta of this.delta.childrenOf(dirId)) children.push({ delta })
    for (const segment of this.segments) {
      const local = segment.findDir(dirId)
      if (local < 0) continue
      segment.forEachChild(local, entry => {
        if (segment.isLive(entry)) children.push({ segment, entry })
      })
    }
    return children
  }

  /** Live entries of a node. */
  entriesOf(ref: NodeRef): Live[] {
    const entries: Live[] = []
    for (const delta of this.delta.entriesOf(refKey(ref))) entries.push({ delta })
    for (const segment of this.segments) {
      for (const entry of segment.findRef(ref)) if (segment.isLive(entry)) entries.push({ segment, entry })
    }
    return entries
  }

  /** Id of the live directory that is this node, or NO_DIRECTORY. */
  directoryOf(ref: NodeRef): number {
    const key = refKey(ref)
    const cached = this.dirOfRef.get(key)
    if (cached !== undefined) return cached
    for (const live of this.entriesOf(ref)) {
      const dirId = this.directoryIdOf(live)
      if (dirId === NO_DIRECTORY) continue
      if (this.dirOfRef.size >= REF_CACHE_LIMIT) this.dirOfRef.clear()
      this.dirOfRef.set(key, dirId)
      return dirId
    }
    return NO_DIRECTORY
  }

  // ---- About a live entry

  rowOf(live: Live): EntryRow {
    return live.delta ? live.delta.row : live.segment.readRow(live.entry)
  }

  nameOf(live: Live): Uint8Array {
    return live.delta ? live.delta.name : live.segment.nameOf(live.entry)
  }

  /** Directory id of the directory that holds it. */
  holderOf(live: Live): number {
    return live.delta ? live.delta.parent : live.segment.directoryIdOf(live.entry)
  }

  /** Own directory id, NO_DIRECTORY for other kinds. */
  directoryIdOf(live: Live): number {
    if (live.delta) return live.delta.directory
    return live.entry < live.segment.dirCount ? live.segment.dirIdOf(live.entry) : NO_DIRECTORY
  }

  placeOfLive(live: Live): DirectoryPlace {
    return { parentId: this.holderOf(live), name: this.nameOf(live) }
  }

  isStillLive(live: Live): boolean {
    return live.delta ? this.delta.has(live.delta) : live.segment.isLive(live.entry)
  }

  isSame(a: Live, b: Live): boolean {
    if (a.delta || b.delta) return a.delta === b.delta
    return a.segment === b.segment && a.entry === b.entry
  }

  /**
   * When the entry was observed, as far as it decides anything: rows of segments do not say, but while a scan is being
   * finished it is known when their directory was listed.
   */
  observedOf(live: Live): Observed {
    if (live.delta && !live.delta.frozen) return live.delta.observed
    return this.listedAt?.(this.holderOf(live)) ?? LONG_AGO
  }

  /** Unread directories that are `dirId` or below it. Cost: the smaller of the subtree's directories and the unread ones. */
  unreadWithin(dirId: number): number[] {
    if (this.unread.size === 0) return []
    const { ranges } = subtreeOf(this, dirId)
    const dirs = ranges.filter(({ segment, from }) => from < segment.dirCount)
    const count = dirs.reduce((sum, { from, to }) => sum + to - from, 0)
    if (count > this.unread.size) {
      const known = new Map<number, boolean>()
      return [...this.unread].filter(id => this.isWithin(id, dirId, known))
    }
    const found = new Set<number>(this.unread.has(dirId) ? [dirId] : [])
    for (const { segment, from, to } of dirs) {
      for (let local = from; local < to; local++) {
        const id = segment.dirIdOf(local)
        if (this.unread.has(id) && this.parentOf(id) >= 0) found.add(id)
      }
    }
    return [...found]
  }

  /** Path below the view's prefix, root's name included, or undefined if the directory does not exist. */
  pathOf(dirId: number): Uint8Array | undefined {
    const parts: Uint8Array[] = []
    for (let id = dirId; id !== NO_DIRECTORY; ) {
      const place = this.placeOf(id)
      if (!place) return undefined
      if (place.parentId !== NO_DIRECTORY || !this.options.virtualRoot) parts.push(place.name)
      id = place.parentId
    }
    parts.push(this.options.prefix)
    const slash = Buffer.from('/')
    return Buffer.concat(
      parts.reverse().flatMap((part, i) => (i === 0 || i === parts.length - 1 ? [part] : [part, slash])),
    )
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
    this.vacated?.taken(parent, added.key, row, directory !== NO_DIRECTORY)
    if (directory !== NO_DIRECTORY) this.directoryPlaced(directory)
    return added
  }

  /** Takes one row away; what is below a directory stays (see removeSubtree). */
  removeRow(live: Live): void {
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
    this.dirOfRef.clear()
  }

  /** Notes in every segment whether it still says the truth about where a directory is. */
  private directoryPlaced(dirId: number): void {
    this.since?.moved.add(dirId)
    const place = this.placeOf(dirId)
    if (place) for (const segment of this.segments) compareStale(segment, dirId, place)
  }

  // ---- Segments

  /**
   * A segment joins. `agrees`: no directory of it can be elsewhere (slices of a scan); otherwise directories that moved
   * since the segment was begun are compared.
   */
  addSegment(segment: SegmentState): void {
    this.segments.push(segment)
    for (const dirId of this.since?.moved ?? []) {
      const place = this.placeOf(dirId)
      if (place) compareStale(segment, dirId, place)
    }
  }

  dropSegment(segment: SegmentState): void {
    const at = this.segments.indexOf(segment)
    if (at >= 0) this.segments.splice(at, 1)
    this.dirOfRef.clear()
  }

  /** Segments whose pages turned out damaged. */
  brokenSegments(): SegmentState[] {
    return this.segments.filter(segment => segment.broken !== undefined)
  }

  /** Finds out which segments are wrong about which directories, from nothing. Cost: all stub and dead directories. */
  findStale(): void {
    for (const segment of this.segments) {
      segment.stale.clear()
      for (let local = 0; local < segment.dirCount; local++) {
        if (segment.isLive(local)) continue
        const dirId = segment.dirIdOf(local)
        const live = this.liveDirectory(dirId)
        if (live) compareStale(segment, dirId, this.placeOfLive(live))
      }
    }
  }

  get staleCount(): number {
    return this.segments.reduce((sum, segment) => sum + segment.stale.size, 0)
  }

  get entryCount(): number {
    return this.segments.reduce((sum, segment) => sum + segment.entryCount, this.delta.size)
  }

  // ---- Freezing (see flush.ts)

  /** Rows of the delta, which become `frozen`; from now on their deaths and moves of directories are remembered. */
  beginFreeze(): DeltaRow[] {
    this.since = { killed: [], moved: new Set() }
    const rows = [...this.delta.values()]
    for (const row of rows) {
      row.frozen = true
      row.observed = LONG_AGO
    }
    return rows
  }

  /** Frozen rows that are now in `segment` leave the delta; those that died meanwhile are dead there. */
  replaceFrozen(rows: readonly DeltaRow[], segment: SegmentState): void {
    for (const row of this.since?.killed ?? []) {
      const local = segment.findDir(row.parent)
      const entry = row.directory !== NO_DIRECTORY ? segment.findDir(row.directory) : segment.findChild(local, row.name)
      if (entry >= 0) segment.kill(entry, entry + 1)
    }
    if (this.since) this.since.killed = []
    for (const row of rows) if (this.delta.delete(row)) this.ops.remove(row)
    this.addSegment(segment)
  }

  endFreeze(): void {
    this.since = undefined
    for (const row of this.delta.values()) row.frozen = false
  }
}

function compareStale(segment: SegmentState, dirId: number, place: DirectoryPlace): void {
  const local = segment.findDir(dirId)
  if (local < 0) return
  const here = segment.placeOf(local)
  if (here.parentId === place.parentId && isSameName(here.name, place.name)) segment.stale.delete(dirId)
  else segment.stale.add(dirId)
}
