import { closeSync, fstatSync, openSync } from 'node:fs'
import type { NodeRef } from '@hotpath/model'
import {
  type EventSlot,
  Fanotify,
  type FanotifyEvent,
  type FileHandle,
  handleOf,
  monotonicMicros,
  type NamedHandle,
  SystemCallError,
} from '@hotpath/platform'
import type { ResumableTree } from '../events/continuity.js'
import { Hint, SELF } from '../observation/dirty-directories.js'
import type { Mechanism, Missing } from '../tree/mechanism.js'
import { joinPath, keyOf, nameOf, parentOf, samePath, withShortPath } from '../tree/paths.js'
import { TreeFollower } from '../tree/tree-follower.js'
import type { TreePart } from '../tree/tree-part.js'
import { type ChildNode, deviceOfStat, type OpenedDirectory, refKey, type TreeRules } from '../tree/tree-rules.js'
import type { TreeListener, WatchedTree } from '../tree/watched-tree.js'
import type { Waiting } from '../watch-reports.js'
import type { FanotifyListener } from './fanotify-group.js'
import { HandlePaths, inodeOf, OPEN_DIRECTORY } from './handle-paths.js'
import { type FanotifyDirectory, KnownDirectories, NOT_FOREIGN } from './known-directories.js'
import type { MarkedMounts } from './marked-mounts.js'
import { type MountedFileSystems, openHandle } from './mounted-file-systems.js'

/** A path may change while we look at it; more often in a row than this it does not by chance. */
const LOCATE_ATTEMPTS = 5
/** Time in which the kernel surely tells of a rename that is visible already. */
const DISTRUST_MICROS = 1_000_000
/** Renames of one directory in one round that are remembered; who renames it more often has it listed again. */
const MAX_ORIGINS = 16
/** Nodes that are remembered as written under a name that was not looked at yet: 300 bytes each. */
const MAX_WRITTEN = 16_384

interface Origin {
  readonly directory: FanotifyDirectory
  readonly name: Uint8Array
}

/** A root that is followed by marks of its file systems. */
export class FanotifyTree implements WatchedTree, ResumableTree, FanotifyListener, Mechanism<FanotifyDirectory> {
  readonly mechanism = 'fanotify'
  readonly isArmed = true
  readonly watchCount = 0
  readonly rules: TreeRules
  readonly #follower: TreeFollower<FanotifyDirectory>
  readonly #directories = new KnownDirectories()
  readonly #mounts: MountedFileSystems
  readonly #paths: HandlePaths
  /** The places where moved directories were before, by the key of the target directory and name. */
  readonly #origins = new Map<string, readonly Origin[]>()
  /** Nodes that were written, by the places of the names under which they were. */
  readonly #written = new Map<string, FileHandle[]>()
  /** The directory that is being looked at, open if need be: for race-free handles of what is in it. */
  #listed: { directory: FanotifyDirectory; fd: number } | undefined
  /**
   * A directory slipped away before it could be listed, or left the tree with all that is in it: until this time (µs) one
   * that is renamed may be it or come from it, so it is listed although it seems to have been in the tree before.
   */
  #distrustUntil = 0
  /** Renames of directories so far: any of them may have brought a foreign one into the tree. */
  #renames = 0

  /** Takes marks over: they are released when it is closed. */
  constructor(
    private readonly marks: MarkedMounts,
    private readonly part: TreePart,
    private readonly listener: TreeListener,
  ) {
    this.rules = part.rules
    this.#mounts = marks.fileSystems
    this.#follower = new TreeFollower<FanotifyDirectory>({
      bounds: listener.bounds,
      part,
      mechanism: this,
      emit: changes => listener.emit(changes),
      hasRoom: () => listener.hasRoom(),
      lost: reason => listener.lost(reason),
    })
    this.#paths = new HandlePaths(part.rules, this.#mounts)
    marks.group.add(this)
  }

  get fileSystems(): Pick<ReadonlySet<string>, 'has'> {
    return this.#mounts
  }

  get wasMarked(): boolean {
    return this.marks.wereMarked
  }

  get stats() {
    return this.#follower.stats
  }

  get hasWork(): boolean {
    return this.#follower.hasWork
  }

  get waitsForEvents(): boolean {
    return this.#follower.waitsForEvents
  }

  get holdsBack(): boolean {
    return this.#follower.dirty.holdsBack
  }

  observe(withHeld: boolean): boolean {
    return this.#follower.observe(withHeld)
  }

  listPending(untilMs: number): void {
    this.#follower.listPending(untilMs)
  }

  flush(): void {
    this.#follower.flush()
    this.#mounts.close()
    if (!this.#follower.dirty.isEmpty) return
    this.#origins.clear()
    if (!this.#follower.dirty.holdsBack) this.#written.clear()
    if (this.#distrustUntil === Number.POSITIVE_INFINITY && this.#follower.isIdle) this.#slippedAway()
  }

  waiting(): Waiting {
    return this.#follower.waiting()
  }

  nextGeneration(): number {
    return this.#follower.nextGeneration()
  }

  isDone(generation: number): boolean {
    return this.#follower.isDone(generation)
  }

  requestListing(path: Uint8Array, ref: NodeRef, since: number, deep: boolean): boolean {
    // Without a path only the root can be meant by it.
    const hasPlace = path.length > 0 || refKey(ref) === refKey(this.rules.rootRef)
    const known =
      this.#directories.withRef(refKey(ref)) ?? (hasPlace ? this.#directoryAt(path, inodeOf(ref)) : undefined)
    if (known !== undefined) {
      this.#follower.list(known, { recursive: deep, forNames: !deep, since })
      return true
    }
    // Not there: what has the name now, or its absence, is told instead.
    const parent = path.length === 0 ? undefined : this.#directoryAt(parentOf(path), undefined)
    if (parent === undefined) return false
    this.#slippedAway()
    this.#follower.dirty.mark(parent, keyOf(nameOf(path)), Hint.structure | Hint.directoryCame)
    return true
  }

  isThere(): boolean {
    return this.rules.rootIsThere()
  }

  close(): void {
    this.marks.group.remove(this)
    this.marks.release()
    this.#follower.clear()
    this.rules.release()
  }

  resume(slots: Iterable<EventSlot>): void {
    // What the former watcher saw come it may not have listed, wherever it is now.
    this.#distrustUntil = Number.POSITIVE_INFINITY
    this.marks.group.replay(this, slots)
  }

  // ---- Events

  take(event: FanotifyEvent): void {
    const { mask, entry, node, from, to } = event
    const isDirectory = (mask & Fanotify.onDirectory) !== 0
    if (isDirectory && (mask & (Fanotify.rename | Fanotify.movedFrom | Fanotify.movedTo)) !== 0) this.#renames++
    const source = from === undefined ? undefined : this.#touch(from, Hint.structure)
    const target =
      to === undefined ? undefined : this.#touch(to, Hint.structure | (isDirectory ? Hint.directoryCame : 0))
    if (isDirectory && from !== undefined && to !== undefined) this.#directoryMoved(from, source, to, target)
    if (entry === undefined) return
    if (entry.name.length === 1 && entry.name[0] === 0x2e) {
      if ((mask & Fanotify.attrib) !== 0) this.#touch(entry, Hint.metadata)
      return
    }
    const came = (mask & (Fanotify.create | Fanotify.movedTo)) !== 0
    if (came || (mask & (Fanotify.delete | Fanotify.movedFrom)) !== 0)
      this.#touch(entry, Hint.structure | (came && isDirectory ? Hint.directoryCame : 0))
    else if (this.#touch(entry, Hint.metadata) !== undefined && node !== undefined && !isDirectory)
      this.#noteWritten(placeKey(entry.directory, entry.name), node)
  }

  #noteWritten(place: string, node: FileHandle): void {
    const known = this.#written.get(place)
    if (known === undefined) {
      if (this.#written.size < MAX_WRITTEN) this.#written.set(place, [node])
    } else if (!known.some(({ key }) => key === node.key) && known.length < MAX_ORIGINS) known.push(node)
  }

  /** @param source, target the directories, if they are not known to be outside of the tree */
  #directoryMoved(
    from: NamedHandle,
    source: FanotifyDirectory | undefined,
    to: NamedHandle,
    target: FanotifyDirectory | undefined,
  ): void {
    if (source !== undefined && source !== target && this.#isInside(source)) {
      if (target === undefined || !this.#isInside(target)) this.#slippedAway()
    }
    if (target === undefined) return
    // Moved several times before we looked: it must have been in the tree all the time.
    const earlier = this.#origins.get(placeKey(from.directory, from.name)) ?? []
    const origin = { directory: this.#directories.withHandle(from.directory), name: from.name }
    this.#origins.set(placeKey(to.directory, to.name), [...earlier.slice(-MAX_ORIGINS), origin])
    if (earlier.length >= MAX_ORIGINS) this.#slippedAway()
  }

  #isInside(directory: FanotifyDirectory): boolean {
    return this.#paths.find(directory.handle) !== null
  }

  overflowed(wholeUntil: number): void {
    this.listener.lost('the queue of fanotify overflowed', wholeUntil)
  }

  #touch(place: NamedHandle, hint: Hint): FanotifyDirectory | undefined {
    if (!this.#mounts.has(place.directory.fsid)) return undefined
    const directory = this.#directories.withHandle(place.directory)
    if (directory.foreignAt === this.#renames) return undefined
    const name = place.name.length === 1 && place.name[0] === 0x2e ? SELF : keyOf(place.name)
    this.#follower.dirty.mark(directory, name, hint)
    return directory
  }

  // ---- Mechanism

  locate(directory: FanotifyDirectory): OpenedDirectory | Missing {
    const { path } = directory
    if (path !== undefined) {
      const opened = this.rules.open(path)
      if (typeof opened !== 'string' && refKey(opened.ref) === directory.ref) return opened
    }
    for (let attempt = 0; attempt < LOCATE_ATTEMPTS; attempt++) {
      const opened = this.#locateByHandle(directory)
      if (opened !== 'moved') {
        directory.foreignAt = opened === 'gone' ? this.#renames : NOT_FOREIGN
        return opened
      }
    }
    return 'moved'
  }

  pathOf(directory: FanotifyDirectory): Uint8Array | undefined {
    return directory.path
  }

  arrived(
    parent: FanotifyDirectory,
    opened: OpenedDirectory,
    name: Uint8Array,
    child: ChildNode,
    hint: Hint,
    recursive: boolean,
  ): FanotifyDirectory | undefined {
    if (!recursive && (hint & Hint.directoryCame) === 0) return undefined
    if (!recursive && monotonicMicros() > this.#distrustUntil && !this.rules.dependOnPlace) {
      // Within the tree all the time: its contents are known under its ref.
      const origins = this.#origins.get(placeKey(parent.handle, name))
      if (origins?.every(origin => this.#isKnownPlace(origin)) === true) return undefined
    }
    const found = this.#childOf(parent, opened, name, child)
    if (found === undefined) this.#slippedAway()
    return found
  }

  departed(_parent: FanotifyDirectory, _name: string, hint: Hint): void {
    // Directories are known by handle, not by place: there is nothing to forget.
    if ((hint & Hint.directoryCame) !== 0) this.#slippedAway()
  }

  written(
    parent: FanotifyDirectory,
    name: Uint8Array,
    inode: { readonly low: number; readonly high: number } | undefined,
    found: () => void,
  ): boolean {
    const place = placeKey(parent.handle, name)
    const nodes = this.#written.get(place)
    if (nodes === undefined || this.#isForeign(parent)) return false
    let wasFilled = false
    this.#written.delete(place)
    for (const node of nodes) {
      if (inode !== undefined && mayBe(node, inode)) continue
      for (const mountFd of this.#mounts.descriptors(node.fsid)) {
        const fd = openHandle(mountFd, node)
        if (typeof fd === 'string') break
        const error = this.rules.reader.statDescriptor(fd)
        closeSync(fd)
        wasFilled = true
        // Without a name it is only held open.
        if (error === 0 && this.rules.reader.node.links[0] !== 0) found()
        break
      }
    }
    return wasFilled
  }

  /** It is there, outside of the tree, and was never seen in it. */
  #isForeign({ handle, ref, foreignAt }: FanotifyDirectory): boolean {
    if (ref !== undefined || foreignAt === NOT_FOREIGN) return false
    for (const mountFd of this.#mounts.descriptors(handle.fsid)) {
      const fd = openHandle(mountFd, handle)
      if (typeof fd === 'string') return false
      closeSync(fd)
      return true
    }
    return true
  }

  holds(): void {
    // As above.
  }

  elsewhere(path: Uint8Array, ref: NodeRef): boolean {
    const absolute = this.rules.absolute(path)
    try {
      const fd = openSync(Buffer.from(absolute), OPEN_DIRECTORY)
      try {
        const { ino } = fstatSync(fd, { bigint: true })
        if (ino !== inodeOf(ref)) return false
        const found = this.#paths.find(handleOf(fd, this.#mounts.fsidAt(absolute, fd)))
        return found !== null && !samePath(found, path)
      } finally {
        closeSync(fd)
      }
    } catch {
      return false
    }
  }

  leave(): void {
    if (this.#listed !== undefined) closeSync(this.#listed.fd)
    this.#listed = undefined
  }

  #isKnownPlace({ directory, name }: Origin): boolean {
    const path = this.#paths.find(directory.handle)
    return path !== null && !this.rules.excludesPath(joinPath(path, name), true)
  }

  #slippedAway(): void {
    this.#distrustUntil = monotonicMicros() + DISTRUST_MICROS
  }

  // ---- Handles and paths

  #locateByHandle(directory: FanotifyDirectory): OpenedDirectory | Missing {
    directory.path = undefined
    const opened = this.#paths.open(directory.handle)
    if (typeof opened !== 'string') this.#directories.note(directory, opened.path, refKey(opened.ref))
    return opened
  }

  /** A directory in one that is open, by its handle; undefined if another one or none has the name by now. */
  #childOf(
    parent: FanotifyDirectory,
    opened: OpenedDirectory,
    name: Uint8Array,
    child: ChildNode,
  ): FanotifyDirectory | undefined {
    const path = joinPath(opened.path, name)
    try {
      const at = child.device === opened.device ? this.#openParent(parent) : undefined
      const target =
        at === undefined
          ? Buffer.from(this.rules.absolute(path))
          : Buffer.concat([Buffer.from(`/proc/self/fd/${at}/`), name])
      const fd = openSync(target, OPEN_DIRECTORY)
      try {
        const { ino, dev } = fstatSync(fd, { bigint: true })
        if (ino !== inodeOf(child.ref) || deviceOfStat(dev) !== child.device) return undefined
        const directory = this.#directories.withHandle(handleOf(fd, this.#mounts.fsidAt(this.rules.absolute(path), fd)))
        directory.foreignAt = NOT_FOREIGN
        this.#directories.note(directory, path, refKey(child.ref))
        return directory
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      if (error instanceof SystemCallError || (error instanceof Error && 'code' in error)) return undefined
      throw error
    }
  }

  #openParent(parent: FanotifyDirectory): number | undefined {
    if (this.#listed?.directory === parent) return this.#listed.fd
    this.leave()
    for (const mountFd of this.#mounts.descriptors(parent.handle.fsid)) {
      const fd = openHandle(mountFd, parent.handle)
      if (typeof fd === 'string') return undefined
      this.#listed = { directory: parent, fd }
      return fd
    }
    return undefined
  }

  #directoryAt(path: Uint8Array, inode: bigint | undefined): FanotifyDirectory | undefined {
    // The handle of a file system that is not marked may be that of anything here.
    if (!this.part.holds(path)) return undefined
    try {
      const fd = withShortPath(this.rules.absolute(path), short => openSync(Buffer.from(short), OPEN_DIRECTORY))
      try {
        if (inode !== undefined && fstatSync(fd, { bigint: true }).ino !== inode) return undefined
        return this.#directories.withHandle(handleOf(fd, this.#mounts.fsidAt(this.rules.absolute(path), fd)))
      } finally {
        closeSync(fd)
      }
    } catch {
      return undefined
    }
  }
}

function placeKey(directory: FileHandle, name: Uint8Array): string {
  return `${directory.key}/${keyOf(name)}`
}

/**
 * Whether a handle can be that of an inode. What is in a handle is the file system's business, but all that are known have the number of
 * the inode in it, so that most nodes need not be opened to see that a name still stands for them.
 */
function mayBe({ bytes }: FileHandle, { low, high }: { readonly low: number; readonly high: number }): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    if (view.getUint32(at, true) !== low) continue
    if (high === 0 || (at + 8 <= bytes.length && view.getUint32(at + 4, true) === high)) return true
  }
  return false
}
