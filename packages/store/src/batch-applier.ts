import {
  type ChangeBatch,
  type ChangeColumns,
  type EntryRow,
  Kind,
  NO_DIRECTORY,
  type NodeRef,
  Op,
  ORPHANED_REF,
} from '@hotpath/model'
import type { Steps } from './apply-queue.js'
import { BatchContents, presentDirectories } from './batch-contents.js'
import { isLater, type Observed } from './delta.js'
import { isSameRef, isSameRow, nameAt, nameKey, parentRefAt, refKey, rowAt } from './entry-row.js'
import { unreadWithin } from './list-requests.js'
import type { Live } from './live-entries.js'
import { type FollowedLater, Removals } from './removals.js'
import type { View } from './view.js'

/** Observations that changed nothing, by reason. */
export interface IgnoredCounts {
  /** The directory is not known: excluded, or gone. */
  unknownDirectory: number
  /** A later observation of the same name is known. */
  outdated: number
  /** A directory would have come into itself: its new place is not known yet, the directory is asked for again. */
  cycle: number
}

export interface ApplyResult {
  readonly ignored: IgnoredCounts
  /** Directory ids whose contents the source must list. */
  readonly toList: Set<number>
}

/** Applies the rows of one batch, one after the other. */
export class BatchApplier {
  private readonly ignored: IgnoredCounts = { unknownDirectory: 0, outdated: 0, cycle: 0 }
  private readonly toList = new Set<number>()
  private readonly boot: number
  private readonly changes: ChangeColumns
  private readonly contents: BatchContents
  private readonly removals: Removals
  private readonly listedHere: number[] = []

  constructor(
    private readonly view: View,
    batch: ChangeBatch,
    followed: FollowedLater | undefined,
  ) {
    this.boot = view.bootIndex(batch.bootId)
    this.changes = batch.changes
    this.contents = new BatchContents(batch.changes)
    const last = followed ? undefined : presentDirectories(batch.changes)
    this.removals = new Removals(view, followed ?? ((ref, row) => (last?.get(ref) ?? -1) > row))
  }

  *run(stepRows: number): Steps<ApplyResult> {
    const { op, entries, observed } = this.changes
    for (let i = 0; i < entries.count; i++) {
      if (i > 0 && i % stepRows === 0) yield
      // The second row of a part of a listing: see listedPart.
      if (op[i] === Op.listedBefore) continue
      if (op[i] === Op.named) {
        this.named(i, { boot: this.boot, time: observed[i] })
        continue
      }
      const parentRef = parentRefAt(this.changes, i)
      const parent = parentRef ? this.view.directoryOf(parentRef) : NO_DIRECTORY
      const at: Observed = { boot: this.boot, time: observed[i] }
      if (this.view.vacated) this.view.vacated.now = at
      if (parentRef === undefined && op[i] === Op.present) this.rootSeen(i, at)
      else if (parent === NO_DIRECTORY) this.inUnknownDirectory(i, at)
      else if (isLater(this.view.observedFrom, at)) this.ignored.outdated++
      else if (this.wasListedAfter(parent, at)) this.outdated(i, at)
      else if (op[i] === Op.present) this.present(i, parent, at)
      else if (op[i] === Op.absent) this.absent(i, parent, at)
      else if (op[i] === Op.listed) this.listed(i, parent, at)
      else this.listedPart(i, parent, at)
    }
    this.removals.finish()
    if (this.contents.whole.size > 0) this.removeEmptyStandIns()
    // A directory that would come into itself even in a complete listing is mounted there: asking again would not end.
    for (const dirId of this.listedHere) this.toList.delete(dirId)
    return { ignored: this.ignored, toList: this.toList }
  }

  /** A present row without a parent is the root: it stays where it is, and its metadata is news. */
  private rootSeen(i: number, at: Observed): void {
    const { view } = this
    const row = rowAt(this.changes.entries, i)
    const dirId = row.ref ? view.directoryOf(row.ref) : NO_DIRECTORY
    const live = dirId === NO_DIRECTORY ? undefined : view.liveDirectory(dirId)
    if (live === undefined || row.kind !== Kind.directory || view.holderOf(live) !== NO_DIRECTORY) {
      this.ignored.unknownDirectory++
    } else if (isLater(view.observedFrom, at) || isLater(view.observedOf(live), at)) this.ignored.outdated++
    else if (!isSameRow(view.rowOf(live), row)) {
      const name = view.nameOf(live)
      view.removeRow(live)
      view.put(NO_DIRECTORY, dirId, name, row, at)
    }
  }

  private wasListedAfter(parent: number, at: Observed): boolean {
    const listed = this.view.listedAt?.(parent)
    return listed !== undefined && isLater(listed, at)
  }

  /** Somebody looked at the name later. */
  private outdated(i: number, at: Observed): void {
    this.ignored.outdated++
    this.followOtherNames(i, at)
  }

  private inUnknownDirectory(i: number, at: Observed): void {
    this.ignored.unknownDirectory++
    if (!isLater(this.view.observedFrom, at)) this.followOtherNames(i, at)
  }

  /** Where an observation says nothing about its name, what was seen of the node may still be news for its other names. */
  private followOtherNames(i: number, at: Observed): void {
    if (this.changes.op[i] !== Op.present || this.changes.entries.kind[i] === Kind.directory) return
    const row = rowAt(this.changes.entries, i)
    if (row.ref && !this.contents.whole.has(refKey(row.ref))) this.followNode(this.view.entriesOf(row.ref), row, at)
  }

  private present(i: number, parent: number, at: Observed): void {
    const { view } = this
    const row = rowAt(this.changes.entries, i)
    const name = nameAt(this.changes.entries, i)
    const key = nameKey(name)
    const node = row.ref && !this.contents.whole.has(refKey(row.ref)) ? view.entriesOf(row.ref) : []
    const existing = node.find(live => this.isAt(live, parent, key)) ?? view.findEntry(parent, name, key)
    if (existing && isLater(view.observedOf(existing), at)) this.outdated(i, at)
    else if (row.kind === Kind.directory) this.presentDirectory(parent, name, row, at, existing, node)
    else this.presentFile(parent, name, row, at, existing, node)
  }

  private isAt(live: Live, parent: number, key: string): boolean {
    if (live.delta) return live.delta.parent === parent && live.delta.key === key
    return this.view.holderOf(live) === parent && nameKey(this.view.nameOf(live)) === key
  }

  private presentFile(
    parent: number,
    name: Uint8Array,
    seen: EntryRow,
    at: Observed,
    existing: Live | undefined,
    node: readonly Live[],
  ): void {
    const { view } = this
    // A directory with this ref means that the node's number was given to a file since.
    for (const live of node) if (view.directoryIdOf(live) !== NO_DIRECTORY) this.removals.remove(live)
    if (view.parentOf(parent) < 0) {
      this.ignored.unknownDirectory++
      return
    }
    const row = this.followNode(existing ? node.filter(live => !view.isSame(live, existing)) : node, seen, at)
    if (existing && view.isStillLive(existing) && isSameRow(view.rowOf(existing), row)) {
      if (existing.delta && !existing.delta.frozen) existing.delta.observed = at
      return
    }
    if (existing && view.isStillLive(existing)) this.removals.remove(existing)
    view.put(parent, NO_DIRECTORY, name, row, at)
  }

  /** Gives all names of a node what was seen of it last. @returns that */
  private followNode(node: readonly Live[], seen: EntryRow, at: Observed): EntryRow {
    const { view } = this
    const files = node.filter(live => view.isStillLive(live) && view.directoryIdOf(live) === NO_DIRECTORY)
    let row = seen
    let latest = at
    for (const live of files) {
      const observed = view.observedOf(live)
      if (!isLater(observed, latest)) continue
      latest = observed
      row = view.rowOf(live)
    }
    for (const live of files) {
      if (isSameRow(view.rowOf(live), row)) continue
      const place = view.placeOfLive(live)
      const observed = view.observedOf(live)
      view.removeRow(live)
      view.put(place.parentId, NO_DIRECTORY, place.name, row, observed)
    }
    return row
  }

  private presentDirectory(
    parent: number,
    name: Uint8Array,
    row: EntryRow,
    at: Observed,
    existing: Live | undefined,
    node: readonly Live[],
  ): void {
    const { view } = this
    const existingDir = existing ? view.directoryIdOf(existing) : NO_DIRECTORY
    let dirId = row.ref ? view.directoryOf(row.ref) : NO_DIRECTORY
    // Files with this ref mean that the node's number was given to a directory since; those of one that is known are its streams.
    if (dirId === NO_DIRECTORY)
      for (const live of node) if (!(existing && view.isSame(live, existing))) view.removeRow(live)
    if (existing && existingDir !== NO_DIRECTORY && isSameRef(view.rowOf(existing).ref, row.ref)) dirId = existingDir
    if (existing && dirId !== NO_DIRECTORY && dirId === existingDir) {
      this.removals.keep(dirId)
      if (!isSameRow(view.rowOf(existing), row)) {
        view.removeRow(existing)
        view.put(parent, dirId, name, row, at)
      } else if (existing.delta && !existing.delta.frozen) existing.delta.observed = at
    } else if (dirId !== NO_DIRECTORY) {
      this.move(dirId, parent, name, row, at, existing, existingDir)
    } else {
      if (existing) this.removals.remove(existing)
      const added = view.nextDirectoryId++
      view.put(parent, added, name, row, at)
      view.unlisted.add(added)
      this.toList.add(added)
    }
  }

  private move(
    dirId: number,
    parent: number,
    name: Uint8Array,
    row: EntryRow,
    at: Observed,
    existing: Live | undefined,
    existingDir: number,
  ): void {
    const { view } = this
    if (view.isWithin(parent, dirId)) {
      this.ignored.cycle++
      this.toList.add(parent)
      return
    }
    const old = view.liveDirectory(dirId)
    if (old && isLater(view.observedOf(old), at)) {
      this.ignored.outdated++
      return
    }
    this.removals.keep(dirId)
    // What stood here goes after the directory came: it may be inside of what goes.
    if (existing) view.removeRow(existing)
    if (old) view.removeRow(old)
    view.put(parent, dirId, name, row, at)
    if (existingDir !== NO_DIRECTORY) view.removeSubtree(existingDir)
    for (const unread of unreadWithin(view, dirId)) {
      view.unread.delete(unread)
      view.unlisted.add(unread)
      this.toList.add(unread)
    }
  }

  private absent(i: number, parent: number, at: Observed): void {
    const name = nameAt(this.changes.entries, i)
    const existing = this.view.findEntry(parent, name)
    if (!existing) return
    if (isLater(this.view.observedOf(existing), at)) this.ignored.outdated++
    else this.removals.removeUnlessFollowed(existing, i)
  }

  private listed(i: number, parent: number, at: Observed): void {
    const { view } = this
    this.removeOthers(view.childrenOf(parent), i, at)
    view.unlisted.delete(parent)
    view.unread.delete(parent)
    this.listedHere.push(parent)
  }

  /**
   * A part of a listing, from row `i` to the next one. Where its names are not in its range by our order, whoever made it
   * has another one (keys of another version of Unicode), and it may not hold all names of the range: nothing is removed,
   * and the directory is asked for.
   */
  private listedPart(i: number, parent: number, at: Observed): void {
    const { view } = this
    const from = nameAt(this.changes.entries, i)
    const end = nameAt(this.changes.entries, i + 1)
    const to = end.length > 0 ? end : undefined
    if (!this.contents.isInOrder(i, from, to)) {
      view.unlisted.add(parent)
      this.toList.add(parent)
      return
    }
    this.removeOthers(view.childrenBetween(parent, from, to), i, at)
    // The last part of a listing: those before it came before it.
    if (to === undefined) {
      view.unlisted.delete(parent)
      view.unread.delete(parent)
    }
    this.listedHere.push(parent)
  }

  /** Removes the children that the batch does not call present and that nobody saw later. */
  private removeOthers(children: readonly Live[], i: number, at: Observed): void {
    const { view } = this
    const parentRef = parentRefAt(this.changes, i)
    const names = parentRef && this.contents.namesIn(refKey(parentRef))
    for (const live of children) {
      if (names?.has(live.delta ? live.delta.key : nameKey(view.nameOf(live)))) continue
      if (!isLater(view.observedOf(live), at)) this.removals.removeUnlessFollowed(live, i)
    }
  }

  /** All names of a node: what else it has goes. */
  private named(i: number, at: Observed): void {
    const { view } = this
    if (view.vacated) view.vacated.now = at
    const { ref } = rowAt(this.changes.entries, i)
    if (ref === undefined || isLater(view.observedFrom, at)) {
      this.ignored.outdated++
      return
    }
    const places = this.placesOf(ref)
    for (const live of view.entriesOf(ref)) {
      const holder = view.holderOf(live)
      // The root has no name that could go.
      if (holder === NO_DIRECTORY || places.has(`${holder}/${nameKey(view.nameOf(live))}`)) continue
      if (isLater(view.observedOf(live), at)) this.ignored.outdated++
      else this.removals.remove(live)
    }
  }

  /** Directories that stand for missing ones are there for what is in them. */
  private removeEmptyStandIns(): void {
    const { view } = this
    const orphaned = view.directoryOf(ORPHANED_REF)
    if (orphaned === NO_DIRECTORY) return
    let left = 0
    for (const live of view.childrenOf(orphaned)) {
      const dirId = view.directoryIdOf(live)
      if (dirId !== NO_DIRECTORY && view.childrenOf(dirId).length === 0) view.removeSubtree(dirId)
      else left++
    }
    if (left === 0) view.removeSubtree(orphaned)
  }

  /** Where the batch calls a node present: parent and name. */
  private placesOf(ref: NodeRef): Set<string> {
    const { entries } = this.changes
    const places = new Set<string>()
    for (const row of this.contents.rowsOf(ref)) {
      const parentRef = parentRefAt(this.changes, row)
      const parent = parentRef ? this.view.directoryOf(parentRef) : NO_DIRECTORY
      if (parent !== NO_DIRECTORY) places.add(`${parent}/${nameKey(nameAt(entries, row))}`)
    }
    return places
  }
}
