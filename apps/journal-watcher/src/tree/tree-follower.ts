import { type ChangeColumns, Kind, type NodeRef } from '@hotpath/model'
import { DirentType, monotonicMicros, NOT_ASKED, type StatColumns, SystemCallError } from '@hotpath/platform'
import { hasVanished, IGNORE_FILE_NAME, kindOfMode } from '@hotpath/scanner'
import { ChangeBuilder } from '../observation/change-builder.js'
import { DirtyDirectories, Hint, MAX_DIRTY_NAMES, type Names, SELF } from '../observation/dirty-directories.js'
import { ListedNames } from './listed-names.js'
import type { Mechanism, Missing } from './mechanism.js'
import { bytesOfKey, joinPath, keyOf, nameOf, parentOf } from './paths.js'
import { type ChildNode, type OpenedDirectory, refKey, type TreeRules } from './tree-rules.js'

/** Rows after which a batch is sent, unless the rest of a directory belongs to it. */
const BATCH_ROWS = 4_096
/**
 * A directory that is not where it should be is looked for again until an event explains it. The kernel tells of a
 * rename after it is done; a second is a hundred times what a busy machine needs for that.
 */
const LOST_SIGHT_MICROS = 1_000_000
/** Directories that wait to be listed because too many names waited: beyond, everything counts as changed. 40 MB. */
const MAX_LISTINGS = 262_144
/** Listings that are remembered, so that what was listed anyway is not listed again. */
const MAX_REMEMBERED_LISTINGS = 65_536

const NO_REF: NodeRef = { low: 0, high: 0, birth: 0 }
const NO_NAME = new Uint8Array(0)

export interface FollowerBounds {
  /** Names that wait to be looked at; beyond, directories are listed. */
  readonly dirtyNames: number
  /** Names of a directory that is listed in one batch. A larger one is listed in parts of so many names, a batch each. */
  readonly partNames: number
  /** Names of a directory that is listed in parts. One that has more cannot be followed by its names: it must be scanned. */
  readonly listedNames: number
}

export const FOLLOWER_BOUNDS: FollowerBounds = {
  dirtyNames: MAX_DIRTY_NAMES,
  // The store applies a batch in one go, some 10 µs a row on a busy machine.
  partNames: BATCH_ROWS,
  // Estimated: 220 MB at 20 bytes a name.
  listedNames: 2_000_000,
}

export interface FollowerOptions<D extends object> {
  readonly bounds: FollowerBounds
  readonly rules: TreeRules
  readonly mechanism: Mechanism<D>
  /** Takes a batch of observations. */
  emit(changes: ChangeColumns): void
  /** False: nothing may be emitted now. */
  hasRoom(): boolean
  /** Everything may have changed. */
  lost(reason: string): void
}

interface Listing<D> {
  readonly directory: D
  /** Time from which on the contents must be known. */
  readonly since: number
  /** What is below is listed, too, whether it is known or not. */
  readonly recursive: boolean
  /** Only to know the directories: nothing is emitted. */
  readonly quiet: boolean
  /** It stands for names of the directory that became dirty. */
  readonly forNames: boolean
  /** For barriers. */
  readonly generation: number
}

/** A listing of which parts were sent and others are still to come. */
interface ListingInParts<D> {
  readonly listing: Listing<D>
  /** Before the names were read: what came later is in no part unless it was looked at meanwhile. */
  readonly observed: number
  readonly names: ListedNames
  /** Names of directories that are entered. */
  readonly directories: Set<string>
}

interface LostSight<D> {
  readonly directory: D
  readonly names: Names | undefined
  readonly listing: Listing<D> | undefined
  readonly sinceMicros: number
  readonly generation: number
}

export interface FollowerStats {
  present: number
  absent: number
  listed: number
  errors: number
}

/**
 * Turns hints (this name of this directory was touched) into observations: looks at every name once, in the tree as it
 * is now, and lists directories that came. The same for all mechanisms.
 */
export class TreeFollower<D extends object> {
  readonly dirty: DirtyDirectories<D>
  readonly stats: FollowerStats = { present: 0, absent: 0, listed: 0, errors: 0 }
  readonly #options: FollowerOptions<D>
  readonly #builder: ChangeBuilder
  readonly #absent = new Map<string, { parent: NodeRef; name: Uint8Array; observed: number }>()
  readonly #listings: Listing<D>[] = []
  /** One at a time: its names are in memory. */
  #inParts: ListingInParts<D> | undefined
  /** Directories of which a recursive listing waits: it tells their names, too. */
  readonly #toBeListed = new Set<D>()
  /** Directories with rows in the batch that is being made. */
  readonly #parentsInBatch = new Set<string>()
  #lostSight: LostSight<D>[] = []
  readonly #lastListed = new Map<string, number>()
  #generation = 0
  /** Names that became dirty in this generation or before were looked at, or are in `#lostSight`. */
  #lookedThrough = -1
  /** Nothing is emitted: the tree is being set up, its scan is still to come. */
  muted = false

  constructor(options: FollowerOptions<D>) {
    this.#options = options
    this.#builder = new ChangeBuilder(options.rules.options.namesOnly)
    this.dirty = new DirtyDirectories<D>((directory, hints) => {
      // A directory that came may have been elsewhere for a while: that its node is known does not say that its contents are.
      const recursive = (hints & Hint.directoryCame) !== 0
      if (this.#listings.length < MAX_LISTINGS) this.list(directory, { recursive, forNames: true })
      else {
        this.#listings.length = 0
        options.lost('more directories changed than can be kept in memory')
      }
    }, options.bounds.dirtyNames)
  }

  /** Nothing waits but what is held back. */
  get isIdle(): boolean {
    return !this.hasWork && this.#lostSight.length === 0
  }

  /** True if there is work that can be done at once (nothing waits for an event that explains it). */
  get hasWork(): boolean {
    return !this.dirty.isEmpty || this.#hasListings
  }

  get waitsForEvents(): boolean {
    return this.#lostSight.length > 0
  }

  get #hasListings(): boolean {
    return this.#inParts !== undefined || this.#listings.length > 0
  }

  /** Puts a directory on the list of those to be listed. `since`: a listing that was made after this does, too. */
  list(
    directory: D,
    options: { recursive: boolean; quiet?: boolean; forNames?: boolean; since?: number; generation?: number },
  ): void {
    if (options.recursive && options.quiet !== true && options.since === undefined) this.#toBeListed.add(directory)
    this.#listings.push({
      directory,
      since: options.since ?? monotonicMicros(),
      recursive: options.recursive,
      quiet: options.quiet ?? false,
      forNames: options.forNames ?? false,
      generation: options.generation ?? this.#generation,
    })
  }

  /** Of the names that are being looked at: they may be what the last barrier waits for. */
  #generationOfNames(): number {
    return this.#lookedThrough < this.#generation - 1 ? this.#generation - 1 : this.#generation
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
      this.#listings.every(listing => listing.generation > generation) &&
      (this.#inParts === undefined || this.#inParts.listing.generation > generation)
    )
  }

  /** Looks at what is dirty, `present` rows first; returns true if there was something. Stops without room. */
  observe(withHeld: boolean): boolean {
    const again = this.#lostSight
    this.#lostSight = []
    for (const lost of again) this.#lookAgain(lost)
    let worked = false
    const through = this.#generation - 1
    const taken = this.dirty.take(monotonicMicros(), withHeld)
    let complete = !this.dirty.holdsBack
    for (const [directory, names] of taken) {
      if (!this.#options.hasRoom()) {
        this.dirty.putBack(directory, names)
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
    while (this.#hasListings && this.#options.hasRoom()) {
      if (this.#inParts !== undefined) this.#listPart(this.#inParts)
      else {
        const listing = this.#listings.pop()!
        this.#toBeListed.delete(listing.directory)
        this.#list(listing, undefined)
      }
      if (performance.now() >= untilMs) return
    }
  }

  /** Emits the `absent` rows after everything that was present, and sends all. */
  flush(): void {
    for (const { parent, name, observed } of this.#absent.values()) {
      this.#builder.absent(parent, name, observed)
      this.stats.absent++
    }
    this.#absent.clear()
    this.#send()
    // An open directory would keep its file system from being unmounted.
    this.#options.rules.reader.closeDirectory()
  }

  /** Forgets all work. */
  clear(): void {
    this.dirty.clear()
    this.#absent.clear()
    this.#listings.length = 0
    this.#inParts = undefined
    this.#toBeListed.clear()
    this.#lostSight = []
    this.#lastListed.clear()
    this.#builder.take()
    this.#parentsInBatch.clear()
  }

  #send(): void {
    if (this.#builder.count === 0) return
    const changes = this.#builder.take()
    this.#parentsInBatch.clear()
    if (!this.muted) this.#options.emit(changes)
  }

  #lookAgain(lost: LostSight<D>): void {
    if (lost.listing !== undefined) this.#list(lost.listing, lost)
    else if (lost.names !== undefined) this.#observeNames(lost.directory, lost.names, lost)
  }

  #keepLooking(
    directory: D,
    names: Names | undefined,
    listing: Listing<D> | undefined,
    former: LostSight<D> | undefined,
  ): void {
    const now = monotonicMicros()
    if (former !== undefined && now - former.sinceMicros > LOST_SIGHT_MICROS) return
    const generation = former?.generation ?? listing?.generation ?? this.#generationOfNames()
    this.#lostSight.push({ directory, names, listing, sinceMicros: former?.sinceMicros ?? now, generation })
  }

  /** As `keepLooking`, but in the end nothing says that the directory is not there. */
  #tryAgain(
    directory: D,
    names: Names | undefined,
    listing: Listing<D> | undefined,
    former: LostSight<D> | undefined,
  ): void {
    const waiting = this.#lostSight.length
    this.#keepLooking(directory, names, listing, former)
    if (this.#lostSight.length === waiting) this.#options.lost('directories cannot be opened: no memory or descriptors')
  }

  #observeNames(directory: D, names: Names, former: LostSight<D> | undefined): void {
    const { mechanism } = this.#options
    const opened = mechanism.locate(directory)
    if (opened === 'gone') return
    if (typeof opened === 'string') {
      if (opened === 'moved') this.#keepLooking(directory, names, undefined, former)
      else if (opened === 'failing') this.#tryAgain(directory, names, undefined, former)
      else this.stats.errors++
      return
    }
    const isToBeListed = this.#toBeListed.has(directory)
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
    if (this.#builder.count >= BATCH_ROWS) this.#send()
  }

  #observeName(directory: D, opened: OpenedDirectory, name: Uint8Array, key: string, hint: Hint): void {
    const { mechanism, rules } = this.#options
    const { reader } = rules
    const observed = monotonicMicros()
    const error = reader.statName(name)
    if (error !== 0) {
      if (!hasVanished(error)) {
        this.stats.errors++
        return
      }
      mechanism.departed(directory, key, hint)
      this.#leftListing(directory, key)
      if (!rules.excludes(opened.path, name, false) || !rules.excludes(opened.path, name, true))
        this.#addAbsent(opened.ref, name, key, observed)
      return
    }
    const isDirectory = isDirectoryRow(reader.node, 0)
    if (rules.excludes(opened.path, name, isDirectory)) {
      mechanism.departed(directory, key, hint)
      this.#leftListing(directory, key)
      // A rule for directories alone: a file of this name may have stood here.
      if (!rules.excludes(opened.path, name, !isDirectory)) this.#addAbsent(opened.ref, name, key, observed)
      return
    }
    const child = rules.child(opened, name, reader.node, 0, (path, ref) => mechanism.elsewhere(path, ref))
    this.#absent.delete(absentKey(opened.ref, key))
    this.#addPresent(opened.ref, name, child.kind, child.ref, reader.node, 0, observed)
    this.#joinListing(directory, name, key, child)
    this.#follow(directory, opened, name, key, child, hint, false, undefined)
  }

  /**
   * A name that was looked at after the names of its directory were read belongs to the part that is to come: the store
   * does not remember times for ever, so what it is told of a name last must be the latest.
   */
  #joinListing(directory: D, name: Uint8Array, key: string, child: ChildNode): void {
    const { listing, names, directories } = this.#inParts ?? {}
    if (names === undefined || directories === undefined || listing?.directory !== directory) return
    if (child.entered) directories.add(key)
    else directories.delete(key)
    if (!names.note(name)) this.#tooManyNames()
  }

  #leftListing(directory: D, key: string): void {
    if (this.#inParts?.listing.directory === directory) this.#inParts.directories.delete(key)
  }

  #addPresent(
    parent: NodeRef,
    name: Uint8Array,
    kind: Kind,
    ref: NodeRef,
    stats: StatColumns,
    row: number,
    observed: number,
  ): void {
    this.#builder.present(parent, name, 0, name.length, kind, ref, stats, row, observed)
    this.#parentsInBatch.add(refKey(parent))
    this.stats.present++
  }

  #addAbsent(parent: NodeRef, name: Uint8Array, key: string, observed: number): void {
    this.#absent.set(absentKey(parent, key), { parent, name, observed })
  }

  /** Has the contents of a directory entry listed if they are not known. */
  #follow(
    directory: D,
    opened: OpenedDirectory,
    name: Uint8Array,
    key: string,
    child: ChildNode,
    hint: Hint,
    recursive: boolean,
    within: Listing<D> | undefined,
  ): void {
    const { mechanism, rules } = this.#options
    if (!child.entered) {
      mechanism.departed(directory, key, hint)
      return
    }
    const target = mechanism.arrived(directory, opened, name, child, hint, recursive)
    if (target === undefined) return
    if (!recursive || (hint & Hint.directoryCame) !== 0) rules.forget(joinPath(opened.path, name))
    const lastListed = this.#lastListed.get(refKey(child.ref))
    if (within !== undefined && lastListed !== undefined && lastListed > within.since) return
    this.list(target, {
      // What came as a whole is not known as a whole.
      recursive: true,
      quiet: within?.quiet ?? false,
      ...(within === undefined ? {} : { since: within.since }),
      generation: within?.generation ?? this.#generationOfNames(),
    })
  }

  /** The row of the directory itself, by its name in its parent. */
  #observeSelf(directory: D, opened: OpenedDirectory, former: LostSight<D> | undefined): void {
    const { rules, mechanism } = this.#options
    if (opened.path.length === 0) {
      this.#observeRoot(opened)
      return
    }
    const name = nameOf(opened.path)
    const parent = rules.open(parentOf(opened.path))
    if (typeof parent !== 'string') {
      const observed = monotonicMicros()
      if (rules.reader.statName(name) === 0) {
        const child = rules.child(parent, name, rules.reader.node, 0, (path, ref) => mechanism.elsewhere(path, ref))
        if (refKey(child.ref) === refKey(opened.ref)) {
          this.#addPresent(parent.ref, name, child.kind, child.ref, rules.reader.node, 0, observed)
          return
        }
      }
    }
    // It moves: its own name, or the one of a directory above.
    this.#keepLooking(directory, new Map([[SELF, Hint.metadata]]), undefined, former)
  }

  /** The row of the root, which has no parent in the index. */
  #observeRoot(root: OpenedDirectory): void {
    const { rules } = this.#options
    if (typeof rules.open(root.path) === 'string') return
    const observed = monotonicMicros()
    if (rules.reader.statSelf() !== 0) return
    this.#addPresent(NO_REF, NO_NAME, Kind.directory, root.ref, rules.reader.node, 0, observed)
  }

  /** What an ignore file says was changed: everything below is listed by the new rules. */
  #rulesChanged(directory: D, opened: OpenedDirectory): void {
    this.#options.rules.forget(opened.path)
    this.#lastListed.clear()
    this.list(directory, { recursive: true, generation: this.#generationOfNames() })
  }

  #list(listing: Listing<D>, former: LostSight<D> | undefined): void {
    const { mechanism, bounds } = this.#options
    const { directory } = listing
    const observed = monotonicMicros()
    const opened = mechanism.locate(directory)
    if (typeof opened === 'string') {
      this.#notLocated(opened, listing, former)
      return
    }
    const key = refKey(opened.ref)
    const lastListed = this.#lastListed.get(key)
    if (lastListed !== undefined && lastListed > listing.since) return
    this.#toBeListed.delete(directory)
    // A listing claims all rows of its directory in its batch: one that was made earlier may not hold any more.
    if (this.#builder.count >= BATCH_ROWS || this.#parentsInBatch.has(key)) this.#send()
    const directories = new Set<string>()
    let left = listing.quiet ? Number.POSITIVE_INFINITY : bounds.partNames
    const wasRead = this.#readEntries(count => {
      left -= count
      if (left < 0) return false
      this.#addEntries(listing, opened, observed, directories)
      return true
    })
    mechanism.leave()
    if (left < 0) this.#beginParts(listing, former)
    else if (wasRead) {
      if (!listing.quiet) this.#builder.listed(opened.ref, observed)
      this.#wasListed(listing, opened, observed, directories)
    }
    if (this.#builder.count >= BATCH_ROWS) this.#send()
  }

  #notLocated(missing: Missing, listing: Listing<D>, former: LostSight<D> | undefined): void {
    if (missing === 'moved') this.#keepLooking(listing.directory, undefined, listing, former)
    else if (missing === 'failing') this.#tryAgain(listing.directory, undefined, listing, former)
    else if (missing === 'unreadable') this.stats.errors++
  }

  /** Reads the open directory until `take` returns false; false if that failed. */
  #readEntries(take: (count: number) => boolean): boolean {
    const { reader } = this.#options.rules
    try {
      for (let count = reader.next(); count > 0; count = reader.next()) if (!take(count)) break
      return true
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
      // What was read is true; what is missing stays as it was.
      this.stats.errors++
      return false
    }
  }

  #wasListed(listing: Listing<D>, opened: OpenedDirectory, observed: number, directories: ReadonlySet<string>): void {
    this.#options.mechanism.holds(listing.directory, directories)
    if (!listing.quiet) this.stats.listed++
    if (listing.recursive) this.#remember(refKey(opened.ref), observed)
    // The directory's own times changed with its names.
    if (listing.forNames) this.#observeSelf(listing.directory, opened, undefined)
  }

  /** Reads the names of a directory that is too large for one batch. */
  #beginParts(listing: Listing<D>, former: LostSight<D> | undefined): void {
    const { mechanism, rules, bounds } = this.#options
    if (this.#inParts !== undefined) {
      // A directory that was lost sight of has turned up again meanwhile.
      this.#listings.push(listing)
      return
    }
    // What the store asks for because of what was sent until now is answered by this listing.
    this.#send()
    const observed = monotonicMicros()
    const opened = mechanism.locate(listing.directory)
    if (typeof opened === 'string') {
      this.#notLocated(opened, listing, former)
      return
    }
    const names = new ListedNames(bounds.partNames, bounds.listedNames)
    let fits = true
    const wasRead = this.#readEntries(count => {
      const { bytes, nameStart, nameEnd } = rules.reader.entries
      for (let row = 0; row < count && fits; row++) fits = names.add(bytes.subarray(nameStart[row]!, nameEnd[row]!))
      return fits
    })
    mechanism.leave()
    if (!fits) this.#tooManyNames()
    else if (wasRead) {
      names.sort()
      this.#inParts = { listing, observed, names, directories: new Set() }
    }
  }

  #tooManyNames(): void {
    this.#inParts = undefined
    this.#options.lost('a directory has more names than can be kept in memory')
  }

  /** Looks at the names of the next part and sends what is there, in a batch of its own. */
  #listPart({ listing, observed, names, directories }: ListingInParts<D>): void {
    const { mechanism, rules } = this.#options
    const opened = mechanism.locate(listing.directory)
    if (typeof opened === 'string') {
      this.#inParts = undefined
      this.#notLocated(opened, listing, undefined)
      return
    }
    this.#send()
    const part = names.next()
    for (const name of part.names) {
      const lookedAt = monotonicMicros()
      const error = rules.reader.statName(name)
      if (error !== 0) {
        if (!hasVanished(error)) this.stats.errors++
      } else if (!rules.excludes(opened.path, name, isDirectoryRow(rules.reader.node, 0))) {
        this.#addListed(listing, opened, name, rules.reader.node, 0, lookedAt, directories)
      }
    }
    mechanism.leave()
    this.#builder.listedPart(opened.ref, part.from, part.before, observed)
    this.#send()
    if (!names.isDone) return
    this.#inParts = undefined
    this.#wasListed(listing, opened, observed, directories)
  }

  #remember(key: string, observed: number): void {
    if (this.#lastListed.size >= MAX_REMEMBERED_LISTINGS) this.#lastListed.clear()
    this.#lastListed.set(key, observed)
  }

  /** Adds the rows of the entries that the reader holds. */
  #addEntries(listing: Listing<D>, opened: OpenedDirectory, observed: number, directories: Set<string>): void {
    const { rules } = this.#options
    const { entries, stats } = rules.reader
    const { bytes, count, nameStart, nameEnd, type } = entries
    const skip = new Uint8Array(count)
    for (let row = 0; row < count; row++) {
      if (type[row] === DirentType.unknown) continue
      const isDirectory = type[row] === DirentType.directory
      const name = bytes.subarray(nameStart[row]!, nameEnd[row]!)
      if ((listing.quiet && !isDirectory) || rules.excludes(opened.path, name, isDirectory)) skip[row] = 1
    }
    rules.reader.stat(skip)
    for (let row = 0; row < count; row++) {
      const error = stats.error[row]!
      if (error === NOT_ASKED || hasVanished(error)) continue
      if (error !== 0) {
        this.stats.errors++
        continue
      }
      // Copies: what follows may look at other directories, but not through this reader.
      const name = bytes.slice(nameStart[row]!, nameEnd[row]!)
      if (type[row] === DirentType.unknown && rules.excludes(opened.path, name, isDirectoryRow(stats, row))) continue
      this.#addListed(listing, opened, name, stats, row, observed, directories)
    }
  }

  #addListed(
    listing: Listing<D>,
    opened: OpenedDirectory,
    name: Uint8Array,
    stats: StatColumns,
    row: number,
    observed: number,
    directories: Set<string>,
  ): void {
    const { mechanism, rules } = this.#options
    const child = rules.child(opened, name, stats, row, (path, ref) => mechanism.elsewhere(path, ref))
    const key = keyOf(name)
    if (!listing.quiet) {
      // Seen absent before: sent behind this row it would be the last word.
      if (this.#absent.size > 0) this.#absent.delete(absentKey(opened.ref, key))
      this.#addPresent(opened.ref, name, child.kind, child.ref, stats, row, observed)
    }
    if (!child.entered) return
    directories.add(key)
    this.#follow(listing.directory, opened, name, key, child, 0, listing.recursive, listing)
  }
}

function isDirectoryRow(stats: StatColumns, row: number): boolean {
  return kindOfMode(stats.mode[row]!) === Kind.directory
}

function absentKey(parent: NodeRef, name: string): string {
  return `${refKey(parent)}/${name}`
}
