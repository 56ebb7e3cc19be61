import { Kind } from '@hotpath/model'
import { DirentType, monotonicMicros, NOT_ASKED, type StatColumns, SystemCallError } from '@hotpath/platform'
import { hasVanished, kindOfMode } from '@hotpath/scanner'
import { Hint } from '../observation/dirty-directories.js'
import type { ObservationBatch } from '../observation/observation-batch.js'
import type { FollowerOptions } from './follower-options.js'
import { ListedNames } from './listed-names.js'
import type { Missing } from './mechanism.js'
import { joinPath, keyOf } from './paths.js'
import { type ChildNode, type OpenedDirectory, refKey } from './tree-rules.js'

/** Directories that wait to be listed because too many names waited: beyond, everything counts as changed. 40 MB. */
const MAX_LISTINGS = 262_144
/** Listings that are remembered, so that what was listed anyway is not listed again. */
const MAX_REMEMBERED_LISTINGS = 65_536

/** A directory that is to be listed. */
export interface Listing<D> {
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

/** A directory is not where it should be: since when it is looked for (monotonic µs). */
export interface Search {
  readonly sinceMicros: number
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

export interface ListingOptions {
  readonly recursive: boolean
  readonly quiet?: boolean
  readonly forNames?: boolean
  readonly since?: number
  readonly generation?: number
}

/** What listings need of the one that follows names. */
export interface ListingHost<D> {
  /** Of work that begins now. */
  currentGeneration(): number
  /** Of the names that are being looked at: they may be what the oldest generation waits for that is not looked through. */
  generationOfNames(): number
  /** The directory could not be opened. */
  notLocated(missing: Missing, listing: Listing<D>, former: Search | undefined): void
  /** The directory's own times changed with its names. */
  observeSelf(directory: D, opened: OpenedDirectory): void
}

/** The directories that are to be listed, and the listing of them. One at a time is listed in parts: its names are in memory. */
export class DirectoryListings<D extends object> {
  readonly #options: FollowerOptions<D>
  readonly #batch: ObservationBatch
  readonly #host: ListingHost<D>
  readonly #waiting: Listing<D>[] = []
  #inParts: ListingInParts<D> | undefined
  /** Directories of which a recursive listing waits: it tells their names, too. */
  readonly #toBeListed = new Set<D>()
  readonly #lastListed = new Map<string, number>()

  constructor(options: FollowerOptions<D>, batch: ObservationBatch, host: ListingHost<D>) {
    this.#options = options
    this.#batch = batch
    this.#host = host
  }

  get isEmpty(): boolean {
    return this.#inParts === undefined && this.#waiting.length === 0
  }

  get count(): number {
    return this.#waiting.length + (this.#inParts === undefined ? 0 : 1)
  }

  /** Since when the oldest waits (monotonic µs), or infinity. */
  get oldest(): number {
    let oldest = this.#inParts?.listing.since ?? Number.POSITIVE_INFINITY
    for (const { since } of this.#waiting) oldest = Math.min(oldest, since)
    return oldest
  }

  /** Those whose turn is next, at most so many. */
  first(count: number): D[] {
    const next = this.#waiting.slice(-count).reverse()
    const listings = this.#inParts === undefined ? next : [this.#inParts.listing, ...next]
    return [...new Set(listings.map(({ directory }) => directory))].slice(0, count)
  }

  /** Puts a directory on the list. `since`: a listing that was made after this does, too. */
  add(directory: D, options: ListingOptions): void {
    if (options.recursive && options.quiet !== true && options.since === undefined) this.#toBeListed.add(directory)
    this.#waiting.push({
      directory,
      since: options.since ?? monotonicMicros(),
      recursive: options.recursive,
      quiet: options.quiet ?? false,
      forNames: options.forNames ?? false,
      generation: options.generation ?? this.#host.currentGeneration(),
    })
  }

  /** Takes over a directory of which too many names are dirty. */
  addForNames(directory: D, hints: Hint): void {
    // A directory that came may have been elsewhere for a while: that its node is known does not say that its contents are.
    const recursive = (hints & Hint.directoryCame) !== 0
    if (this.#waiting.length < MAX_LISTINGS) {
      this.add(directory, { recursive, forNames: true, generation: this.#host.generationOfNames() })
      return
    }
    this.#waiting.length = 0
    this.#options.lost('more directories changed than can be kept in memory')
  }

  /** A recursive listing of it waits. */
  willTell(directory: D): boolean {
    return this.#toBeListed.has(directory)
  }

  /** Whether all of this generation and before is listed. */
  isDone(generation: number): boolean {
    return (
      this.#waiting.every(listing => listing.generation > generation) &&
      (this.#inParts === undefined || this.#inParts.listing.generation > generation)
    )
  }

  /** Lists until `untilMs` (performance.now) or until there is no room. */
  work(untilMs: number): void {
    while (!this.isEmpty && this.#options.hasRoom()) {
      if (this.#inParts !== undefined) this.#listPart(this.#inParts)
      else {
        const listing = this.#waiting.pop()!
        this.#toBeListed.delete(listing.directory)
        this.run(listing, undefined)
      }
      if (performance.now() >= untilMs) return
    }
  }

  /** What was listed is to be listed again if somebody asks: other rules hold. */
  forgetListed(): void {
    this.#lastListed.clear()
  }

  clear(): void {
    this.#waiting.length = 0
    this.#inParts = undefined
    this.#toBeListed.clear()
    this.#lastListed.clear()
  }

  /**
   * A name that was looked at after the names of its directory were read belongs to the part that is to come: the store
   * does not remember times for ever, so what it is told of a name last must be the latest.
   */
  join(directory: D, name: Uint8Array, key: string, child: ChildNode): void {
    const { listing, names, directories } = this.#inParts ?? {}
    if (names === undefined || directories === undefined || listing?.directory !== directory) return
    if (child.entered) directories.add(key)
    else directories.delete(key)
    if (!names.note(name)) this.#tooManyNames()
  }

  /** The name does not stand for a directory any more. */
  left(directory: D, key: string): void {
    if (this.#inParts?.listing.directory === directory) this.#inParts.directories.delete(key)
  }

  /** Has the contents of a directory entry listed if they are not known. */
  follow(
    directory: D,
    opened: OpenedDirectory,
    name: Uint8Array,
    key: string,
    child: ChildNode,
    hint: Hint,
    recursive: boolean,
    within: Listing<D> | undefined,
  ): void {
    const { mechanism, part } = this.#options
    const { rules } = part
    if (!child.entered) {
      mechanism.departed(directory, key, hint)
      if (child.isBeyond === true && recursive && within?.quiet !== true)
        part.listBeyond(joinPath(opened.path, name), child.ref, within?.since ?? monotonicMicros())
      return
    }
    const target = mechanism.arrived(directory, opened, name, child, hint, recursive)
    if (target === undefined) return
    if (!recursive || (hint & Hint.directoryCame) !== 0) rules.forget(joinPath(opened.path, name))
    const lastListed = this.#lastListed.get(refKey(child.ref))
    if (within !== undefined && lastListed !== undefined && lastListed > within.since) return
    this.add(target, {
      // What came as a whole is not known as a whole.
      recursive: true,
      quiet: within?.quiet ?? false,
      ...(within === undefined ? {} : { since: within.since }),
      generation: within?.generation ?? this.#host.generationOfNames(),
    })
  }

  /**
   * Lists one directory now, or begins to.
   *
   * @param former it was looked for in vain before
   */
  run(listing: Listing<D>, former: Search | undefined): void {
    const { mechanism, bounds } = this.#options
    const { directory } = listing
    const observed = monotonicMicros()
    const opened = mechanism.locate(directory)
    if (typeof opened === 'string') {
      this.#host.notLocated(opened, listing, former)
      return
    }
    const key = refKey(opened.ref)
    const lastListed = this.#lastListed.get(key)
    if (lastListed !== undefined && lastListed > listing.since) return
    this.#toBeListed.delete(directory)
    // A listing claims all rows of its directory in its batch: one that was made earlier may not hold any more.
    if (this.#batch.isFull || this.#batch.hasRowsOf(key)) this.#batch.send()
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
      if (!listing.quiet) this.#batch.listed(opened.ref, observed)
      this.#wasListed(listing, opened, observed, directories)
    }
    if (this.#batch.isFull) this.#batch.send()
  }

  /** Reads the open directory until `take` returns false; false if that failed. */
  #readEntries(take: (count: number) => boolean): boolean {
    const { reader } = this.#options.part.rules
    try {
      for (let count = reader.next(); count > 0; count = reader.next()) if (!take(count)) break
      return true
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
      // What was read is true; what is missing stays as it was.
      this.#batch.stats.errors++
      return false
    }
  }

  #wasListed(listing: Listing<D>, opened: OpenedDirectory, observed: number, directories: ReadonlySet<string>): void {
    this.#options.mechanism.holds(listing.directory, directories)
    if (!listing.quiet) this.#batch.stats.listed++
    if (listing.recursive) this.#remember(refKey(opened.ref), observed)
    // The directory's own times changed with its names.
    if (listing.forNames) this.#host.observeSelf(listing.directory, opened)
  }

  /** Reads the names of a directory that is too large for one batch. */
  #beginParts(listing: Listing<D>, former: Search | undefined): void {
    const { mechanism, part, bounds } = this.#options
    const { rules } = part
    if (this.#inParts !== undefined) {
      // A directory that was lost sight of has turned up again meanwhile.
      this.#waiting.push(listing)
      return
    }
    // What the store asks for because of what was sent until now is answered by this listing.
    this.#batch.send()
    const observed = monotonicMicros()
    const opened = mechanism.locate(listing.directory)
    if (typeof opened === 'string') {
      this.#host.notLocated(opened, listing, former)
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
    else if (wasRead) this.#inParts = { listing, observed, names, directories: new Set() }
  }

  #tooManyNames(): void {
    this.#inParts = undefined
    this.#options.lost('a directory has more names than can be kept in memory')
  }

  /** Looks at the names of the next part and sends what is there, in a batch of its own; before the first, sorts some names. */
  #listPart({ listing, observed, names, directories }: ListingInParts<D>): void {
    const { mechanism } = this.#options
    const { rules } = this.#options.part
    if (!names.isSorted) {
      names.sortSome()
      return
    }
    const opened = mechanism.locate(listing.directory)
    if (typeof opened === 'string') {
      this.#inParts = undefined
      this.#host.notLocated(opened, listing, undefined)
      return
    }
    this.#batch.send()
    const part = names.next()
    for (const name of part.names) {
      const lookedAt = monotonicMicros()
      const error = rules.reader.statName(name)
      if (error !== 0) {
        if (!hasVanished(error)) this.#batch.stats.errors++
      } else if (!rules.excludes(opened.path, name, isDirectoryRow(rules.reader.node, 0))) {
        this.#addListed(listing, opened, name, rules.reader.node, 0, lookedAt, directories)
      }
    }
    mechanism.leave()
    this.#batch.listedPart(opened.ref, part.from, part.before, observed)
    this.#batch.send()
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
    const { rules } = this.#options.part
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
        this.#batch.stats.errors++
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
    const { mechanism, part } = this.#options
    const child = part.child(opened, name, stats, row, (path, ref) => mechanism.elsewhere(path, ref))
    const key = keyOf(name)
    if (!listing.quiet) {
      this.#batch.isBack(opened.ref, key)
      this.#batch.present(opened.ref, name, child.kind, child.ref, stats, row, observed)
    }
    if (child.entered) directories.add(key)
    else if (child.isBeyond !== true) return
    this.follow(listing.directory, opened, name, key, child, 0, listing.recursive, listing)
  }
}

export function isDirectoryRow(stats: StatColumns, row: number): boolean {
  return kindOfMode(stats.mode[row]!) === Kind.directory
}
