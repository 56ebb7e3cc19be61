import { closeSync } from 'node:fs'
import type { NodeRef } from '@hotpath/model'
import {
  Errno,
  type EventSlot,
  Inotify,
  type InotifyEvent,
  inotifyAdd,
  inotifyInit,
  inotifyRemove,
  type PumpedQueue,
  parseInotifyEvents,
  type QueueReader,
  SystemCallError,
} from '@hotpath/platform'
import { hasVanished } from '@hotpath/scanner'
import { Hint, SELF } from '../observation/dirty-directories.js'
import type { Mechanism, Missing } from '../tree/mechanism.js'
import { joinPath, keyOf, withShortPath } from '../tree/paths.js'
import { type Placed, Places } from '../tree/places.js'
import { TreeFollower } from '../tree/tree-follower.js'
import { type ChildNode, type OpenedDirectory, refKey, type TreeRules } from '../tree/tree-rules.js'
import type { TreeListener, WatchedTree } from '../tree/watched-tree.js'
import type { Waiting } from '../watch-reports.js'

const CAME = Inotify.create | Inotify.movedTo
const WENT = Inotify.delete | Inotify.movedFrom
const MASK =
  CAME |
  WENT |
  Inotify.modify |
  Inotify.attrib |
  Inotify.closeWrite |
  Inotify.onlyDirectory |
  Inotify.doNotFollow |
  Inotify.excludeUnlinked
const ROOT_MASK = (MASK & ~Inotify.doNotFollow) | Inotify.deleteSelf | Inotify.moveSelf
const NOT_WATCHED = -1
const TOO_MANY = 'there are more directories than inotify may watch: raise the sysctl fs.inotify.max_user_watches'

/** A watched directory: about 400 bytes with its place in the maps. */
interface InotifyDirectory extends Placed<InotifyDirectory> {
  watch: number
}

/** A root that is followed by a watch on each directory, for where file systems cannot be marked. */
export class InotifyTree implements WatchedTree, QueueReader, Mechanism<InotifyDirectory> {
  readonly mechanism = 'inotify'
  readonly #fd: number
  readonly #queue: PumpedQueue
  readonly #follower: TreeFollower<InotifyDirectory>
  readonly #root: InotifyDirectory
  readonly #byWatch = new Map<number, InotifyDirectory>()
  readonly #places: Places<InotifyDirectory>
  #isArmed = false
  #failure: string | undefined

  /**
   * Begins to set up: directories are watched and listed, one after the other, by `listPending`; `isArmed` when all are.
   * Throws SystemCallError (ENOSPC, EMFILE: limits; see `limitReason`).
   */
  constructor(
    readonly rules: TreeRules,
    private readonly listener: TreeListener,
  ) {
    this.#fd = inotifyInit()
    try {
      const watch = inotifyAdd(this.#fd, rules.realRoot, ROOT_MASK)
      this.#root = directory(refKey(rules.rootRef), watch, undefined, '')
      this.#byWatch.set(watch, this.#root)
      this.#places = new Places(this.#root)
      this.#queue = listener.pump.add(this.#fd, { isResumable: false, isLimited: true }, this)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
    this.#follower = new TreeFollower<InotifyDirectory>({
      bounds: listener.bounds,
      rules,
      mechanism: this,
      emit: changes => listener.emit(changes),
      hasRoom: () => !this.#isArmed || listener.hasRoom(),
      lost: reason => listener.lost(reason),
    })
    this.#follower.muted = true
    this.#follower.list(this.#root, { recursive: true, quiet: true })
  }

  get isArmed(): boolean {
    return this.#isArmed
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

  get watchCount(): number {
    return this.#byWatch.size
  }

  observe(withHeld: boolean): boolean {
    return this.#follower.observe(withHeld)
  }

  listPending(untilMs: number): void {
    this.#follower.listPending(untilMs)
    if (this.#failure !== undefined) this.listener.limited(this.#failure)
  }

  flush(): void {
    this.#follower.flush()
    if (!this.#follower.dirty.isEmpty) return
    this.#places.forgetOrphans(orphan => this.#unwatch(orphan))
    if (!this.#isArmed && this.#follower.isIdle) {
      this.#isArmed = true
      this.#follower.muted = false
    }
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

  requestListing(_path: Uint8Array, ref: NodeRef, since: number, deep: boolean): boolean {
    const known = this.#places.byRef(refKey(ref))
    // What is not watched is not in the tree (any more), and its going was or will be told.
    if (known !== undefined) this.#follower.list(known, { recursive: deep, forNames: !deep, since })
    return true
  }

  close(): void {
    this.#queue.close()
    closeSync(this.#fd)
    this.#follower.clear()
    this.rules.release()
  }

  // ---- Events

  take({ bytes, emptyAt }: EventSlot): number {
    const events = parseInotifyEvents(bytes)
    for (const event of events) this.#take(event, emptyAt)
    return events.length
  }

  touched(watches: readonly number[]): void {
    for (const watch of watches) {
      const found = this.#byWatch.get(watch)
      if (found !== undefined) this.#follower.list(found, { recursive: false, forNames: true })
    }
  }

  lost(): void {
    this.listener.lost('more directories changed than could be looked at')
  }

  #take(event: InotifyEvent, emptyAt: number): void {
    const { mask, watch, name } = event
    if ((mask & Inotify.overflow) !== 0) {
      this.listener.lost('the queue of inotify overflowed (fs.inotify.max_queued_events)', emptyAt)
      return
    }
    const found = this.#byWatch.get(watch)
    if (found === undefined) return
    if ((mask & Inotify.unmount) !== 0) this.listener.lost('a file system was unmounted')
    else if ((mask & Inotify.ignored) !== 0) {
      this.#byWatch.delete(watch)
      found.watch = NOT_WATCHED
    } else if (name.length === 0) {
      if (found === this.#root && (mask & (Inotify.deleteSelf | Inotify.moveSelf)) !== 0)
        this.listener.lost('the root was moved or removed')
      // Of other directories their parents tell.
      else if (found === this.#root && (mask & Inotify.attrib) !== 0)
        this.#follower.dirty.mark(found, SELF, Hint.metadata)
    } else {
      const structure = (mask & (CAME | WENT)) !== 0
      const came = (mask & CAME) !== 0 && (mask & Inotify.isDirectory) !== 0
      const hint = structure ? Hint.structure | (came ? Hint.directoryCame : 0) : Hint.metadata
      this.#follower.dirty.mark(found, keyOf(name), hint)
    }
  }

  // ---- Mechanism

  locate(target: InotifyDirectory): OpenedDirectory | Missing {
    return this.#places.locate(this.rules, target)
  }

  pathOf(target: InotifyDirectory): Uint8Array | undefined {
    return this.#places.pathOf(target)
  }

  arrived(
    parent: InotifyDirectory,
    opened: OpenedDirectory,
    name: Uint8Array,
    child: ChildNode,
    _hint: Hint,
    recursive: boolean,
  ): InotifyDirectory | undefined {
    const key = keyOf(name)
    const ref = refKey(child.ref)
    const known = this.#places.byRef(ref)
    const occupant = parent.children?.get(key)
    if (occupant !== undefined && occupant !== known) this.#places.detach(occupant)
    if (known === this.#root) return undefined
    if (known === undefined) return this.#watchNew(parent, opened, key, name, ref)
    let mustList = recursive
    if (known.parent !== parent || known.name !== key) {
      this.#places.detach(known)
      this.#places.attach(known, parent, key)
      mustList ||= this.rules.dependOnPlace
    }
    if (known.watch === NOT_WATCHED) {
      const watch = this.#addWatch(joinPath(opened.path, name), parent, key)
      if (watch === undefined) return undefined
      this.#claim(watch, known)
      mustList = true
    }
    return mustList ? known : undefined
  }

  departed(parent: InotifyDirectory, name: string): void {
    this.#places.departed(parent, name)
  }

  written(): boolean {
    // Events of inotify name no nodes.
    return false
  }

  holds(parent: InotifyDirectory, directories: ReadonlySet<string>): void {
    this.#places.holds(parent, directories)
  }

  elsewhere(path: Uint8Array, ref: NodeRef): boolean {
    return this.#places.isElsewhere(path, refKey(ref))
  }

  leave(): void {
    // Nothing is kept open.
  }

  // ---- The tree of watches

  #watchNew(
    parent: InotifyDirectory,
    opened: OpenedDirectory,
    key: string,
    name: Uint8Array,
    ref: string,
  ): InotifyDirectory | undefined {
    if (this.#byWatch.size >= this.listener.bounds.watches) {
      this.#failure ??= TOO_MANY
      return undefined
    }
    const watch = this.#addWatch(joinPath(opened.path, name), parent, key)
    if (watch === undefined) return undefined
    const added = directory(ref, NOT_WATCHED, undefined, key)
    this.#places.attach(added, parent, key)
    this.#claim(watch, added)
    // Its own times may have changed after they were looked at and before it was watched.
    if (this.#isArmed) this.#follower.dirty.mark(added, SELF, Hint.metadata)
    return added
  }

  /** The watch of what lies at a path now. Whether it is what we think shows when it is listed. */
  #addWatch(path: Uint8Array, parent: InotifyDirectory, name: string): number | undefined {
    try {
      return withShortPath(this.rules.absolute(path), short => inotifyAdd(this.#fd, short, MASK))
    } catch (error) {
      const errno = errnoOf(error)
      if (error instanceof SystemCallError && errno === Errno.ENOSPC) this.#failure ??= limitReason(error)
      // Renamed since, or a directory above was: seen again when that is known.
      else if (hasVanished(errno)) this.#follower.dirty.mark(parent, name, Hint.structure)
      else this.#follower.stats.errors++
      return undefined
    }
  }

  /** The kernel gives one watch for one node: who had it before had the wrong one, and is looked at again. */
  #claim(watch: number, owner: InotifyDirectory): void {
    const former = this.#byWatch.get(watch)
    if (former !== undefined && former !== owner) {
      former.watch = NOT_WATCHED
      if (former.parent !== undefined) this.#follower.dirty.mark(former.parent, former.name, Hint.structure)
    }
    owner.watch = watch
    this.#byWatch.set(watch, owner)
  }

  #unwatch(orphan: InotifyDirectory): void {
    if (orphan.watch !== NOT_WATCHED && this.#byWatch.get(orphan.watch) === orphan) {
      this.#byWatch.delete(orphan.watch)
      try {
        inotifyRemove(this.#fd, orphan.watch)
      } catch (error) {
        // It has ended with its directory.
        if (!(error instanceof SystemCallError)) throw error
      }
    }
    orphan.watch = NOT_WATCHED
  }
}

function directory(ref: string, watch: number, parent: InotifyDirectory | undefined, name: string): InotifyDirectory {
  return { ref, watch, parent, name, children: undefined, isGone: false }
}

/** Of a failed call, also one of node:fs. Throws what is neither. */
function errnoOf(error: unknown): number {
  if (error instanceof SystemCallError) return error.errno
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return -error.errno
  throw error
}

/** What a person can do about a limit of inotify. */
export function limitReason(error: SystemCallError): string {
  if (error.errno === Errno.ENOSPC) return TOO_MANY
  if (error.errno === Errno.EMFILE)
    return 'there are too many users of inotify: raise the sysctl fs.inotify.max_user_instances'
  return error.message
}
