import { type HotTable, volumeKey } from '@hotpath/hot-score'
import { compareBytes } from '@hotpath/index-format'
import { type Access, NO_DIRECTORY, type NodeRef } from '@hotpath/model'
import { ChildCounts } from './child-counts.js'
import { DeltaState } from './delta-state.js'
import { OpenedDelta } from './opened-delta.js'
import { DirectoryPath, type PathCache } from './path-cache.js'
import { componentsOfPrefix } from './path-text.js'
import type { SegmentState } from './segment-state.js'

/** Where a directory is now. */
export interface Place {
  readonly parent: number
  readonly name: Uint8Array
}

/** Where a directory is and who may list it. */
export interface Standing {
  readonly parent: number
  readonly access: Access | undefined
}

export function isSameStanding(a: Standing | undefined, b: Standing | undefined): boolean {
  const [left, right] = [a?.access, b?.access]
  if (a?.parent !== b?.parent || (left === undefined) !== (right === undefined)) return false
  return left?.mode === right?.mode && left?.user === right?.user && left?.group === right?.group
}

/** Ancestors of a directory whose paths are kept beside its own, which then share names: more are not climbed often. */
const MOST_KEPT_ANCESTORS = 64

/** One generation of one root as a worker sees it. */
export class ViewState {
  readonly segments: SegmentState[] = []
  readonly delta = new DeltaState()
  readonly childCounts = new ChildCounts(this)
  /** Components of what stands before the root. */
  readonly prefixComponents: readonly Uint8Array[]
  /** Hash of the volume, as hot records name it. */
  readonly volumeKey: number
  /** Rows of the delta whose nodes were opened. */
  readonly opened: OpenedDelta
  /** Counts what may have changed directories: `directoriesChanged`. */
  changes = 0
  /** Counts changes of who may list a directory that was there before, and of where such a one is. */
  accessVersion = 0
  /** Changes whenever a directory that was known before may be elsewhere. */
  private placesEpoch = 0
  /** Directory ids up to this were known when directories changed last. */
  private lastKnownDirId = 0
  private readonly pathsId: number
  /** The path that was asked for last: rows of one directory often come together. */
  private last: { readonly dirId: number; readonly path: DirectoryPath } | undefined

  constructor(
    readonly id: number,
    readonly root: string,
    readonly volume: string,
    prefix: Uint8Array,
    /** The root row is not a component of paths. */
    readonly virtualRoot: boolean,
    /** The records of all volumes. */
    readonly hot: HotTable,
    /** Paths of the directories of all views. */
    private readonly paths: PathCache,
  ) {
    this.pathsId = paths.newView()
    this.volumeKey = volumeKey(volume)
    this.opened = new OpenedDelta(this.delta, this.volumeKey, hot, dirId => this.childPrefixOf(dirId))
    this.prefixComponents = componentsOfPrefix(prefix)
  }

  /** Entries of this view. */
  get entryCount(): number {
    let count = 0
    for (const segment of this.segments) count += segment.visibleCount('d') + segment.visibleCount('f')
    return count + this.delta.entryCount
  }

  /** True while some directory is not where some segment says. */
  get hasDisplaced(): boolean {
    return this.segments.some(segment => segment.displaced.size > 0)
  }

  /** The live row of a directory says where it is; without one (implied by a list only) the newest stub does. */
  placeOf(dirId: number): Place | undefined {
    const row = this.delta.rowOf(dirId)
    if (row >= 0) return { parent: this.delta.parent[row], name: this.delta.nameOf(row) }
    let fallback: { segment: SegmentState; local: number } | undefined
    for (let i = this.segments.length - 1; i >= 0; i--) {
      const segment = this.segments[i]
      const local = segment.reader.findDir(dirId)
      if (local < 0) continue
      if (!segment.isHidden('d', local)) return placeIn(segment, local)
      fallback ??= { segment, local }
    }
    return fallback && placeIn(fallback.segment, fallback.local)
  }

  /** Where the live entry of a directory is and who may list it; undefined without one. */
  standingOf(dirId: number): Standing | undefined {
    const row = this.delta.rowOf(dirId)
    if (row >= 0 && this.delta.isEntry(row)) {
      return { parent: this.delta.parent[row], access: this.delta.accessOf(row) }
    }
    for (let i = this.segments.length - 1; i >= 0; i--) {
      const segment = this.segments[i]
      const local = segment.reader.findDir(dirId)
      if (local < 0 || segment.isHidden('d', local)) continue
      const parent = segment.reader.parentOf(local)
      return {
        parent: parent < 0 ? NO_DIRECTORY : segment.reader.dirIdOf(parent),
        access: segment.reader.accessOf(local),
      }
    }
    return undefined
  }

  /** Id of the directory at the root; undefined while the view holds nothing. */
  rootDirectory(): number | undefined {
    const [first] = this.segments
    if (first !== undefined) return first.reader.dirIdOf(0)
    for (const dirId of this.delta.directories()) {
      if (this.delta.parent[this.delta.rowOf(dirId)] === NO_DIRECTORY) return dirId
    }
    return undefined
  }

  /** True if a directory is an entry, and not only implied by what lies in it. */
  isEntryDirectory(dirId: number): boolean {
    const row = this.delta.rowOf(dirId)
    if (row >= 0) return this.delta.isEntry(row)
    return this.segments.some(segment => {
      const local = segment.reader.findDir(dirId)
      return local >= 0 && !segment.isHidden('d', local)
    })
  }

  /** Directory ids of the view are not above this. Cost: a pass over the delta. */
  get lastDirId(): number {
    let last = 0
    for (const segment of this.segments) last = Math.max(last, segment.reader.lastDirId)
    for (const dirId of this.delta.directories()) last = Math.max(last, dirId)
    return last
  }

  /** Components of the path of a directory; [] for a virtual root. Cost: a few lookups a level, then kept. */
  componentsOf(dirId: number): readonly Uint8Array[] {
    return this.pathOf(dirId).components
  }

  /** What stands before the names of the children of a directory: its path and a separator. */
  childPrefixOf(dirId: number): Uint8Array {
    return this.pathOf(dirId).prefix
  }

  /** The path of a directory as bytes that stand in path order (see path-key.ts). */
  pathKeyOf(dirId: number): Uint8Array {
    return this.pathOf(dirId).key
  }

  /** The node behind a directory; undefined for lists, whose nodes have no refs. Looked up like its place, then kept. */
  refOf(dirId: number): NodeRef | undefined {
    if (dirId === NO_DIRECTORY) return undefined
    const path = this.pathOf(dirId)
    if (path.ref === undefined) path.ref = this.findRef(dirId) ?? null
    return path.ref ?? undefined
  }

  private pathOf(dirId: number): DirectoryPath {
    const { last, placesEpoch } = this
    if (last?.dirId === dirId && last.path.epoch === placesEpoch) return last.path
    const path = this.paths.get(this.pathsId, dirId, placesEpoch) ?? this.findPath(dirId)
    this.last = { dirId, path }
    return path
  }

  private findPath(dirId: number): DirectoryPath {
    const { paths, pathsId, placesEpoch } = this
    // Climbs without recursion: a list can hold a path of any depth.
    const climbed: { readonly dirId: number; readonly name: Uint8Array }[] = []
    let above: readonly Uint8Array[] = this.prefixComponents
    for (let at = dirId; at !== NO_DIRECTORY; ) {
      const place = this.placeOf(at)
      if (place === undefined || (place.parent === NO_DIRECTORY && this.virtualRoot)) {
        above = []
        break
      }
      climbed.push({ dirId: at, name: place.name })
      at = place.parent
      const kept = at === NO_DIRECTORY ? undefined : paths.get(pathsId, at, placesEpoch)
      if (kept !== undefined) {
        above = kept.components
        break
      }
    }
    const keepsAll = climbed.length <= MOST_KEPT_ANCESTORS
    let components = [...above]
    let path = new DirectoryPath(components, placesEpoch)
    while (climbed.length > 0) {
      const { dirId: own, name } = climbed.pop() ?? { dirId, name: new Uint8Array(0) }
      if (!keepsAll && own !== dirId) {
        components.push(name)
        continue
      }
      components = [...components, name]
      path = new DirectoryPath(components, placesEpoch)
      paths.keep(pathsId, own, path)
    }
    return path
  }

  private findRef(dirId: number): NodeRef | undefined {
    const row = this.delta.rowOf(dirId)
    if (row >= 0) return this.delta.refAt(row)
    for (let i = this.segments.length - 1; i >= 0; i--) {
      const { reader } = this.segments[i]
      const local = reader.hasRefs ? reader.findDir(dirId) : -1
      if (local >= 0 && !this.segments[i].isHidden('d', local)) return reader.readRow(local).ref
    }
    return undefined
  }

  /** Call when directories may have moved: forgets paths and finds out which segments are wrong about `dirIds`. */
  directoriesChanged(dirIds: readonly number[]): void {
    this.changes++
    if (this.areNew(dirIds)) return
    this.placesEpoch++
    this.last = undefined
    // A displaced directory moves with those above it, which may be anywhere.
    const displaced = this.segments.filter(segment => segment.displaced.size > 0)
    for (const dirId of dirIds) {
      const place = this.placeOf(dirId)
      for (const segment of this.segments) {
        const local = segment.reader.findDir(dirId)
        if (local < 0) continue
        const here = placeIn(segment, local)
        const same = place === undefined || (place.parent === here.parent && compareBytes(place.name, here.name) === 0)
        if (same) segment.displaced.delete(local)
        else segment.displaced.add(local)
      }
    }
    for (const segment of this.segments) {
      if (segment.displaced.size > 0 || displaced.includes(segment)) segment.displacedVersion++
    }
  }

  /** True if nothing was known of any of these before: they are nowhere else, and nothing lay below them. */
  private areNew(dirIds: readonly number[]): boolean {
    let lastKnown = this.lastKnownDirId
    for (const segment of this.segments) lastKnown = Math.max(lastKnown, segment.reader.lastDirId)
    const areNew = dirIds.length > 0 && dirIds.every(dirId => dirId > lastKnown)
    this.lastKnownDirId = dirIds.reduce((last, dirId) => Math.max(last, dirId), lastKnown)
    return areNew
  }

  /**
   * Directories about which a new segment and the rest may disagree: those of the delta, and those that it shares with
   * other segments, found through the smaller of each pair. Slices of one scan agree with each other.
   */
  directoriesToCompare(added: SegmentState): Set<number> {
    const dirIds = new Set(this.delta.directories())
    for (const other of this.segments) {
      if (other === added || (other.origin === 'scan' && added.origin === 'scan')) continue
      const [small, large] = other.reader.dirCount < added.reader.dirCount ? [other, added] : [added, other]
      for (let local = 0; local < small.reader.dirCount; local++) {
        const dirId = small.reader.dirIdOf(local)
        if (large.reader.findDir(dirId) >= 0) dirIds.add(dirId)
      }
    }
    return dirIds
  }
}

function placeIn(segment: SegmentState, local: number): Place {
  const parent = segment.reader.parentOf(local)
  return {
    parent: parent < 0 ? NO_DIRECTORY : segment.reader.dirIdOf(parent),
    name: segment.reader.nameOf(local),
  }
}
