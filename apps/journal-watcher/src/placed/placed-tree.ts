import type { NodeRef } from '@hotpath/model'
import { Errno, type EventPump, SystemCallError } from '@hotpath/platform'
import { hasVanished } from '@hotpath/scanner'
import { Hint, SELF } from '../observation/dirty-directories.js'
import type { Mechanism, Missing } from '../tree/mechanism.js'
import { joinPath, keyOf } from '../tree/paths.js'
import { type Placed, Places } from '../tree/places.js'
import { TreeFollower } from '../tree/tree-follower.js'
import type { TreePart } from '../tree/tree-part.js'
import { type ChildNode, type OpenedDirectory, refKey, type TreeRules } from '../tree/tree-rules.js'
import type { TreeListener, WatchedTree } from '../tree/watched-tree.js'
import type { Waiting } from '../watch-reports.js'
import type { DirectoryWatches, WatchReceiver } from './directory-watches.js'

/** A directory with what the kernel knows it by, if it is watched. */
interface PlacedDirectory<K> extends Placed<PlacedDirectory<K>> {
  key: K | undefined
}

/**
 * A root, or a part of it, whose directories are known by their places, each of them watched by itself. A directory is watched first and listed then, so
 * nothing is missed in between.
 */
export class PlacedTree<K> implements WatchedTree, WatchReceiver<K>, Mechanism<PlacedDirectory<K>> {
  readonly rules: TreeRules
  readonly #watches: DirectoryWatches<K>
  readonly #follower: TreeFollower<PlacedDirectory<K>>
  readonly #byKey = new Map<K, PlacedDirectory<K>>()
  readonly #places = new Places<PlacedDirectory<K>>()
  #isArmed = false
  #failure: string | undefined

  /**
   * Begins to set up: directories are watched and listed, one after the other, by `listPending`; `isArmed` when all are.
   *
   * @param watch makes what watches directories; whatever it throws is thrown, and what it throws for a top
   */
  constructor(
    part: TreePart,
    private readonly listener: TreeListener,
    watch: (receiver: WatchReceiver<K>, pump: EventPump) => DirectoryWatches<K>,
  ) {
    this.rules = part.rules
    this.#watches = watch(this, listener.pump)
    this.#follower = new TreeFollower<PlacedDirectory<K>>({
      bounds: listener.bounds,
      part,
      mechanism: this,
      emit: changes => listener.emit(changes),
      hasRoom: () => !this.#isArmed || listener.hasRoom(),
      lost: reason => listener.lost(reason),
    })
    this.#follower.muted = true
    try {
      for (const path of part.tops) this.#watchTop(path)
    } catch (error) {
      this.#watches.close()
      throw error
    }
  }

  get mechanism(): 'fanotify' | 'inotify' {
    return this.#watches.mechanism
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
    return this.#byKey.size
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

  isThere(): boolean {
    return this.rules.rootIsThere()
  }

  close(): void {
    this.#watches.close()
    this.#follower.clear()
    this.rules.release()
  }

  // ---- Events

  touched(key: K, name: string, hint: Hint): void {
    const found = this.#byKey.get(key)
    if (found !== undefined) this.#follower.dirty.mark(found, name, hint)
  }

  contentsTouched(key: K): void {
    const found = this.#byKey.get(key)
    if (found !== undefined) this.#follower.list(found, { recursive: false, forNames: true })
  }

  ended(key: K): void {
    const found = this.#byKey.get(key)
    if (found === undefined) return
    this.#byKey.delete(key)
    found.key = undefined
  }

  unmounted(key: K): void {
    if (this.#byKey.has(key)) this.lost('a file system was unmounted')
  }

  lost(reason: string, wholeUntil?: number): void {
    this.listener.lost(reason, wholeUntil)
  }

  // ---- Mechanism

  locate(target: PlacedDirectory<K>): OpenedDirectory | Missing {
    return this.#places.locate(this.rules, target)
  }

  pathOf(target: PlacedDirectory<K>): Uint8Array | undefined {
    return this.#places.pathOf(target)
  }

  arrived(
    parent: PlacedDirectory<K>,
    opened: OpenedDirectory,
    name: Uint8Array,
    child: ChildNode,
    _hint: Hint,
    recursive: boolean,
  ): PlacedDirectory<K> | undefined {
    const nameKey = keyOf(name)
    const ref = refKey(child.ref)
    const known = this.#places.byRef(ref)
    const occupant = parent.children?.get(nameKey)
    if (occupant !== undefined && occupant !== known) this.#places.detach(occupant)
    if (known !== undefined && this.#places.isRoot(known)) return undefined
    if (known === undefined) return this.#watchNew(parent, opened, nameKey, name, ref)
    let mustList = recursive
    if (known.parent !== parent || known.name !== nameKey) {
      this.#places.detach(known)
      this.#places.attach(known, parent, nameKey)
      mustList ||= this.rules.dependOnPlace
    }
    if (known.key === undefined) {
      const key = this.#watch(joinPath(opened.path, name), parent, nameKey)
      if (key === undefined) return undefined
      this.#claim(key, known)
      mustList = true
    }
    return mustList ? known : undefined
  }

  departed(parent: PlacedDirectory<K>, name: string): void {
    this.#places.departed(parent, name)
  }

  written(): boolean {
    // By its names alone no node can be looked at.
    return false
  }

  holds(parent: PlacedDirectory<K>, directories: ReadonlySet<string>): void {
    this.#places.holds(parent, directories)
  }

  elsewhere(path: Uint8Array, ref: NodeRef): boolean {
    return this.#places.isElsewhere(path, refKey(ref))
  }

  leave(): void {
    // Nothing is kept open.
  }

  // ---- What is watched

  #watchTop(path: Uint8Array): void {
    const top = directory<K>(refKey(this.rules.mountedRef(path)), undefined, '')
    if (!this.#places.addTop(top, path)) return
    this.#claim(this.#watches.addTop(this.rules.absolute(path)), top)
    this.#follower.list(top, { recursive: true, quiet: true })
  }

  #watchNew(
    parent: PlacedDirectory<K>,
    opened: OpenedDirectory,
    nameKey: string,
    name: Uint8Array,
    ref: string,
  ): PlacedDirectory<K> | undefined {
    const { limit } = this.#watches
    if (this.#byKey.size >= limit.directories) {
      this.#failure ??= limit.reason
      return undefined
    }
    const key = this.#watch(joinPath(opened.path, name), parent, nameKey)
    if (key === undefined) return undefined
    const added = directory<K>(ref, undefined, nameKey)
    this.#places.attach(added, parent, nameKey)
    this.#claim(key, added)
    // Its own times may have changed after they were looked at and before it was watched.
    if (this.#isArmed) this.#follower.dirty.mark(added, SELF, Hint.metadata)
    return added
  }

  /** Watches what lies at a path now. Whether it is what we think shows when it is listed. */
  #watch(path: Uint8Array, parent: PlacedDirectory<K>, name: string): K | undefined {
    try {
      return this.#watches.add(this.rules.absolute(path))
    } catch (error) {
      const errno = errnoOf(error)
      if (error instanceof SystemCallError && errno === Errno.ENOSPC) this.#failure ??= this.#watches.limit.reason
      // Renamed since, or a directory above was: seen again when that is known.
      else if (hasVanished(errno)) this.#follower.dirty.mark(parent, name, Hint.structure)
      else this.#follower.stats.errors++
      return undefined
    }
  }

  /** There is one key for one node: who had it before had the wrong one, and is looked at again. */
  #claim(key: K, owner: PlacedDirectory<K>): void {
    const former = this.#byKey.get(key)
    if (former !== undefined && former !== owner) {
      former.key = undefined
      if (former.parent !== undefined) this.#follower.dirty.mark(former.parent, former.name, Hint.structure)
      // A mounted directory that has its place elsewhere.
      else if (!this.#places.isRoot(former)) this.#places.detach(former)
    }
    owner.key = key
    this.#byKey.set(key, owner)
  }

  #unwatch(orphan: PlacedDirectory<K>): void {
    const { key } = orphan
    orphan.key = undefined
    if (key === undefined || this.#byKey.get(key) !== orphan) return
    this.#byKey.delete(key)
    this.#watches.remove(key)
  }
}

function directory<K>(ref: string, key: K | undefined, name: string): PlacedDirectory<K> {
  return { ref, key, parent: undefined, name, children: undefined, isGone: false }
}

/** Of a failed call, also one of node:fs. Throws what is neither. */
function errnoOf(error: unknown): number {
  if (error instanceof SystemCallError) return error.errno
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return -error.errno
  throw error
}
