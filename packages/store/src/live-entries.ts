import { compareNames, type DirectoryPlace } from '@hotpath/index-format'
import { type EntryRow, NO_DIRECTORY, type NodeRef } from '@hotpath/model'
import { Delta, type DeltaRow, LONG_AGO, type Observed } from './delta.js'
import { nameKey, refKey } from './entry-row.js'
import type { SegmentState } from './segment-state.js'

/** A live entry: a row of the delta, or of a segment. */
export type Live =
  | { readonly delta: DeltaRow }
  | { readonly delta?: undefined; readonly segment: SegmentState; readonly entry: number }

/** Directories of recent lookups by ref that are remembered; more are forgotten together. */
const REF_CACHE_LIMIT = 4096

/**
 * Segments and delta as one set of live entries, for reading: each live entry is in exactly one of them. View adds what
 * changes it.
 */
export class LiveEntries {
  readonly segments: SegmentState[] = []
  readonly delta = new Delta()
  /** Directories without an entry are there all the same (file lists). */
  impliedDirectories = false
  /** Times at which directories were listed, while a scan is being finished. */
  listedAt: ((dirId: number) => Observed | undefined) | undefined
  private readonly directoryOfRef = new Map<string, number>()

  get entryCount(): number {
    return this.segments.reduce((sum, segment) => sum + segment.entryCount, this.delta.size)
  }

  /** Segments whose pages turned out damaged. */
  brokenSegments(): SegmentState[] {
    return this.segments.filter(segment => segment.broken !== undefined)
  }

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

  /**
   * Live entries of a directory with names from `from` on and before `to` (undefined: to the last). Cost: what is found, a
   * few lookups, and a look at every row of the delta in this directory.
   */
  childrenBetween(dirId: number, from: Uint8Array, to: Uint8Array | undefined): Live[] {
    const children: Live[] = []
    for (const delta of this.delta.childrenOf(dirId)) {
      if (compareNames(delta.name, from) < 0 || (to !== undefined && compareNames(delta.name, to) >= 0)) continue
      children.push({ delta })
    }
    for (const segment of this.segments) {
      const local = segment.findDir(dirId)
      if (local < 0) continue
      for (const entry of segment.childrenBetween(local, from, to)) {
        if (segment.isLive(entry)) children.push({ segment, entry })
      }
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
    const cached = this.directoryOfRef.get(key)
    if (cached !== undefined) return cached
    for (const live of this.entriesOf(ref)) {
      const dirId = this.directoryIdOf(live)
      if (dirId === NO_DIRECTORY) continue
      if (this.directoryOfRef.size >= REF_CACHE_LIMIT) this.directoryOfRef.clear()
      this.directoryOfRef.set(key, dirId)
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

  /** Directories went, or other nodes took their numbers: what is remembered of lookups by ref may be wrong. */
  protected forgetDirectories(): void {
    this.directoryOfRef.clear()
  }
}
