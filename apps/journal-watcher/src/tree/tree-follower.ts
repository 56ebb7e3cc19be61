import { Kind, type NodeRef } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import { MAX_DIRTY_SUBTREES } from '@hotpath/protocol'
import { hasVanished, IGNORE_FILE_NAME } from '@hotpath/scanner'
import { DirtyDirectories, Hint, type Names, SELF } from '../observation/dirty-directories.js'
import { type FollowerStats, ObservationBatch } from '../observation/observation-batch.js'
import type { Waiting } from '../watch-reports.js'
import {
  DirectoryListings,
  isDirectoryRow,
  type Listing,
  type ListingOptions,
  type Search,
} from './directory-listings.js'
import type { FollowerOptions } from './follower-options.js'
import type { Missing } from './mechanism.js'
import { bytesOfKey, keyOf, nameOf, parentOf } from './paths.js'
import { type OpenedDirectory, refKey } from './tree-rules.js'

/** Longer than the name of an entry can be (NAME_MAX is 255). */
const IMPOSSIBLE_NAME = new Uint8Array(256).fill(0x2e)
const IMPOSSIBLE_KEY = keyOf(IMPOSSIBLE_NAME)

/**
 * A directory that is not where it should be is looked for again until an event explains it. The kernel tells of a
 * rename after it is done; a second is a hundred times what a busy machine needs for that.
 */
const LOST_SIGHT_MICROS = 1_000_000

const NO_REF: NodeRef = { low: 0, high: 0, birth: 0 }
const NO_NAME = new Uint8Array(0)

interface LostSight<D> extends Search {
  readonly directory: D
  readonly names: Names | undefined
  readonly listing: Listing<D> | undefined
}

/**
 * Turns hints (this name of this directory was touched) into observations: looks at every name once, in the tree as it
 * is now, and has directories listed that came. The same for all mechanisms.
 */
export class TreeFollower<D extends object> {
  readonly dirty: DirtyDirectories<D>
  readonly #options: FollowerOptions<D>
  readonly #batch: ObservationBatch
  readonly #listings: DirectoryListings<D>
  #lostSight: LostSight<D>[] = []
  #generation = 0
  /** Names that became dirty in this generation or before were looked at, or are in `#lostSight`. */
  #lookedThrough = -1

  constructor(options: FollowerOptions<D>) {
    this.#options = options
    const { namesOnly, access } = options.part.rules.options
    this.#batch = new ObservationBatch(namesOnly, options.emit, access)
    this.#listings = new DirectoryListings(options, this.#batch, {
      currentGeneration: () => this.#generation,
      generationOfNames: () => this.#generationOfNames(),
      notLocated: (missing, listing, former) =>
        this.#notLocated(missing, listing.directory, undefined, listing, former),
      observeSelf: (directory, opened) => this.#observeSelf(directory, opened, undefined),
    })
    const tooMany = (directory: D, hints: Hint) => this.#listings.addForNames(directory, hints)
    this.dirty = new DirtyDirectories<D>(tooMany, options.bounds.dirtyNames)
  }

  get stats(): FollowerStats {
    return this.#batch.stats
  }

  /** While it is, nothing is emitted: the tree is being set up, its scan is still to come. */
  set muted(isMuted: boolean) {
    this.#batch.muted = isMuted
  }

  /** Nothing waits but what is held back. */
  get isIdle(): boolean {
    return !this.hasWork && this.#lostSight.length === 0
  }

  /** True if there is work that can be done at once (nothing waits for an event that explains it). */
  get hasWork(): boolean {
    return !this.dirty.isEmpty || !this.#listings.isEmpty
  }

  get waitsForEvents(): boolean {
    return this.#lostSight.length > 0
  }

  /** Puts a directory on the list of those to be listed. `since`: a listing that was made after this does, too. */
  list(directory: D, options: ListingOptions): void {
    this.#listings.add(directory, options)
  }

  /** Of the names that are being looked at: they may be what the oldest generation waits for that is not looked through. */
  #generationOfNames(): number {
    return this.#lookedThrough + 1
  }

  /** Begins a new generation of work; returns the former one, for `isDone`. */
  nextGeneration(): number {
    return this.#generation++
  }

  /** Whether all that waited when `nextGeneration` was called is done and emitted. */
  isDone(generation: number): boolean {
    return (
      this.#lookedThrough >= generation &&
      this.#lostSight.every(lost => lost.generation > generation) &&
      this.#listings.isDone(generation)
    )
  }

  /** What was not looked at yet, without a call to the system. */
  waiting(): Waiting {
    let oldest = Math.min(this.dirty.oldest, this.#listings.oldest)
    for (const { sinceMicros } of this.#lostSight) oldest = Math.min(oldest, sinceMicros)
    const { mechanism, part } = this.#options
    const { rules } = part
    const directories: Uint8Array[] = []
    for (const directory of this.#listings.first(MAX_DIRTY_SUBTREES)) {
      const path = mechanism.pathOf(directory)
      if (path !== undefined) directories.push(rules.absolute(path))
    }
    return { oldest, count: this.dirty.nameCount + this.#listings.count + this.#lostSight.length, directories }
  }

  /** Looks at what is dirty, `present` rows first; returns true if there was something. Stops without room. */
  observe(withHeld: boolean): boolean {
    const again = this.#lostSight
    this.#lostSight = []
    for (const lost of again) this.#lookAgain(lost)
    let worked = false
    const through = this.#generation - 1
    const since = this.dirty.oldest
    const taken = this.dirty.take(monotonicMicros(), withHeld)
    let complete = !this.dirty.holdsBack
    for (const [directory, names] of taken) {
      if (!this.#options.hasRoom()) {
        this.dirty.putBack(directory, names, since)
        complete = false
      } else {
        worked = true
        this.#observeNames(directory, names, undefined)
      }
    }
    if (complete) this.#lookedThrough = through
    return worked
  }

  /** Lists until `untilMs` (performance.now) or until there is no room. */
  listPending(untilMs: number): void {
    this.#listings.work(untilMs)
  }

  /** Emits the `absent` rows after everything that was present, and sends all. */
  flush(): void {
    this.#batch.flush()
    this.#options.part.rules.release()
  }

  /** Forgets all work. */
  clear(): void {
    this.dirty.clear()
    this.#batch.clear()
    this.#listings.clear()
    this.#lostSight = []
  }

  #lookAgain(lost: LostSight<D>): void {
    if (lost.listing !== undefined) this.#listings.run(lost.listing, lost)
    else if (lost.names !== undefined) this.#observeNames(lost.directory, lost.names, lost)
  }

  /** What could not be opened is looked for again unless it is gone or must not be read. */
  #notLocated(
    missing: Missing,
    directory: D,
    names: Names | undefined,
    listing: Listing<D> | undefined,
    former: Search | undefined,
  ): void {
    if (missing === 'unreadable') this.#batch.stats.errors++
    else if (missing !== 'gone' && !this.#keepLooking(directory, names, listing, former) && missing === 'failing')
      // In the end nothing says that the directory is not there.
      this.#options.lost('directories cannot be opened: no memory or descriptors')
  }

  /** False: it was looked for long enough. */
  #keepLooking(
    directory: D,
    names: Names | undefined,
    listing: Listing<D> | undefined,
    former: Search | undefined,
  ): boolean {
    const now = monotonicMicros()
    if (former !== undefined && now - former.sinceMicros > LOST_SIGHT_MICROS) return false
    const generation = former?.generation ?? listing?.generation ?? this.#generationOfNames()
    this.#lostSight.push({ directory, names, listing, sinceMicros: former?.sinceMicros ?? now, generation })
    return true
  }

  #observeNames(directory: D, names: Names, former: Search | undefined): void {
    const { mechanism } = this.#options
    const opened = mechanism.locate(directory)
    if (typeof opened === 'string') {
      if (opened === 'gone') this.#observeOrphans(directory, names)
      this.#notLocated(opened, directory, names, undefined, former)
      return
    }
    const isToBeListed = this.#listings.willTell(directory)
    let changed = isToBeListed
    for (const [key, hint] of names) {
      if (key === SELF || (isToBeListed && key !== IGNORE_FILE_NAME)) continue
      if (hint === Hint.metadata) this.dirty.noteLookedAt(directory, key)
      else changed = true
      if (key === IGNORE_FILE_NAME) this.#rulesChanged(directory, opened)
      this.#observeName(directory, opened, bytesOfKey(key), key, hint)
    }
    mechanism.leave()
    if (names.has(SELF)) this.dirty.noteLookedAt(directory, SELF)
    if (changed || names.has(SELF)) this.#observeSelf(directory, opened, former)
    if (this.#batch.isFull) this.#batch.send()
  }

  #observeName(directory: D, opened: OpenedDirectory, name: Uint8Array, key: string, hint: Hint): void {
    const { mechanism, part } = this.#options
    const { rules } = part
    const { reader } = rules
    let observed = monotonicMicros()
    let error = reader.statName(name)
    if ((hint & Hint.metadata) !== 0 && this.#observeWritten(directory, opened, name, error === 0)) {
      observed = monotonicMicros()
      error = reader.statName(name)
    }
    if (error !== 0) {
      if (!hasVanished(error)) {
        this.#batch.stats.errors++
        return
      }
      mechanism.departed(directory, key, hint)
      this.#listings.left(directory, key)
      if (!rules.excludes(opened.path, name, false) || !rules.excludes(opened.path, name, true))
        this.#batch.absent(opened.ref, name, key, observed)
      return
    }
    const isDirectory = isDirectoryRow(reader.node, 0)
    if (rules.excludes(opened.path, name, isDirectory)) {
      mechanism.departed(directory, key, hint)
      this.#listings.left(directory, key)
      // A rule for directories alone: a file of this name may have stood here.
      if (!rules.excludes(opened.path, name, !isDirectory)) this.#batch.absent(opened.ref, name, key, observed)
      return
    }
    const child = part.child(opened, name, reader.node, 0, (path, ref) => mechanism.elsewhere(path, ref))
    this.#batch.isBack(opened.ref, key)
    this.#batch.present(opened.ref, name, child.kind, child.ref, reader.node, 0, observed)
    this.#listings.join(directory, name, key, child)
    this.#listings.follow(directory, opened, name, key, child, hint, false, undefined)
  }

  /**
   * Nodes that were written under this name and that it does not stand for any more. Each is told to have had the name for a
   * moment, so that the store sees what its other names stand for now; what comes next says who has the name.
   *
   * @param isThere `node` of the reader is what the name stands for now
   * @returns whether `node` of the reader is another one now
   */
  #observeWritten(directory: D, opened: OpenedDirectory, name: Uint8Array, isThere: boolean): boolean {
    const { mechanism, part } = this.#options
    const { rules } = part
    const { node } = rules.reader
    const inode = isThere ? { low: node.inodeLow[0]!, high: node.inodeHigh[0]! } : undefined
    return mechanism.written(directory, name, inode, () => {
      const { kind, ref } = part.child(opened, name, node, 0, (path, ref) => mechanism.elsewhere(path, ref))
      if (kind !== Kind.directory && !rules.excludes(opened.path, name, false))
        this.#batch.present(opened.ref, name, kind, ref, node, 0, monotonicMicros())
    })
  }

  /**
   * Nodes that were written under names in a directory that is gone: as `#observeWritten`, but under a name in the root that
   * no entry can have.
   */
  #observeOrphans(directory: D, names: Names): void {
    const { mechanism, part } = this.#options
    const { rules } = part
    const { node } = rules.reader
    const root = rules.open(new Uint8Array(0))
    if (typeof root === 'string') return
    for (const [key, hint] of names) {
      if (key === SELF || (hint & Hint.metadata) === 0) continue
      mechanism.written(directory, bytesOfKey(key), undefined, () => {
        const { kind, ref } = part.child(root, IMPOSSIBLE_NAME, node, 0, (path, ref) => mechanism.elsewhere(path, ref))
        if (kind === Kind.directory) return
        this.#batch.present(root.ref, IMPOSSIBLE_NAME, kind, ref, node, 0, monotonicMicros())
        this.#batch.absent(root.ref, IMPOSSIBLE_NAME, IMPOSSIBLE_KEY, monotonicMicros())
      })
    }
  }

  /** The row of the directory itself, by its name in its parent. */
  #observeSelf(directory: D, opened: OpenedDirectory, former: Search | undefined): void {
    const { part, mechanism } = this.#options
    const { rules } = part
    if (opened.path.length === 0) {
      this.#observeRoot(opened)
      return
    }
    const name = nameOf(opened.path)
    const parent = rules.open(parentOf(opened.path))
    if (typeof parent !== 'string') {
      const observed = monotonicMicros()
      if (rules.reader.statName(name) === 0) {
        const child = part.child(parent, name, rules.reader.node, 0, (path, ref) => mechanism.elsewhere(path, ref))
        if (refKey(child.ref) === refKey(opened.ref)) {
          this.#batch.present(parent.ref, name, child.kind, child.ref, rules.reader.node, 0, observed)
          return
        }
      }
    }
    // It moves: its own name, or the one of a directory above.
    this.#keepLooking(directory, new Map([[SELF, Hint.metadata]]), undefined, former)
  }

  /** The row of the root, which has no parent in the index. */
  #observeRoot(root: OpenedDirectory): void {
    const { rules } = this.#options.part
    const again = rules.open(root.path)
    if (typeof again === 'string' || refKey(again.ref) !== refKey(root.ref)) return
    const observed = monotonicMicros()
    if (rules.reader.statSelf() !== 0) return
    this.#batch.present(NO_REF, NO_NAME, Kind.directory, root.ref, rules.reader.node, 0, observed)
  }

  /** What an ignore file says was changed: everything below is listed by the new rules. */
  #rulesChanged(directory: D, opened: OpenedDirectory): void {
    this.#options.part.rules.forget(opened.path)
    this.#listings.forgetListed()
    this.list(directory, { recursive: true, generation: this.#generationOfNames() })
  }
}
