import { DirectoryDigest, Kind, type NodeRef } from '@hotpath/model'
import { DirentType, monotonicMicros, NOT_ASKED, type StatColumns, SystemCallError } from '@hotpath/platform'
import { hasVanished, IGNORE_FILE_NAME, kindOfMode } from '@hotpath/scanner'
import { Hint } from '../observation/dirty-directories.js'
import type { Mechanism, Missing } from '../tree/mechanism.js'
import { keyOf } from '../tree/paths.js'
import { type Placed, Places } from '../tree/places.js'
import { TreeFollower } from '../tree/tree-follower.js'
import type { TreePart } from '../tree/tree-part.js'
import { type ChildNode, type OpenedDirectory, refKey, refOf, type TreeRules } from '../tree/tree-rules.js'
import type { TreeListener, WatchedTree } from '../tree/watched-tree.js'
import { REPORT_MS, type Waiting } from '../watch-reports.js'
import { type Due, DueHeap } from './due-heap.js'
import type { PollingPace } from './polling-pace.js'

/** Visits in one go take no longer than this (ms), so that other roots are not held up. */
const SLICE_MS = 5
/** Two changes so close to each other may leave the same times: network file systems count in seconds. */
const RACY_SECONDS = 2
const NEVER = Number.NaN
const IGNORE_FILE = keyOf(new Uint8Array(Buffer.from(IGNORE_FILE_NAME)))

/** A directory that is visited. */
interface PolledDirectory extends Placed<PolledDirectory>, Due {
  /** Time between visits (ms). */
  interval: number
  /** Visits until its files are looked at. */
  untilFiles: number
  /** Its own times as they were last: NaN before the first visit. */
  changed: number
  modified: number
  /** Halves of the digest of what is in it. */
  low: number
  high: number
  hasIgnoreFile: boolean
}

/**
 * A root that is followed by looking at its directories again and again, for where no kernel tells of changes. What has
 * changed is listed; what has not says nothing. A rename shows as an absence and a presence.
 */
export class PollingTree implements WatchedTree, Mechanism<PolledDirectory> {
  readonly mechanism = 'polling'
  readonly watchCount = 0
  readonly rules: TreeRules
  readonly #follower: TreeFollower<PolledDirectory>
  readonly #places = new Places<PolledDirectory>()
  readonly #due = new DueHeap<PolledDirectory>()
  readonly #digest = new DirectoryDigest()
  /** Directories that were found while everything is visited for the first time. */
  readonly #first: PolledDirectory[] = []
  #isArmed = false
  /** The share of time is used up until then (ms of performance.now). */
  #restUntil = 0
  #timer: NodeJS.Timeout | undefined

  /** Begins to set up: every directory is visited once by `listPending`, as fast as can be; `isArmed` when all were. */
  constructor(
    part: TreePart,
    private readonly listener: TreeListener,
    private readonly pace: PollingPace,
  ) {
    this.rules = part.rules
    this.#follower = new TreeFollower<PolledDirectory>({
      bounds: listener.bounds,
      part,
      mechanism: this,
      emit: changes => listener.emit(changes),
      hasRoom: () => !this.#isArmed || listener.hasRoom(),
      lost: reason => listener.lost(reason),
    })
    this.#follower.muted = true
    for (const path of part.tops) {
      const top = polled(refKey(this.rules.mountedRef(path)))
      if (!this.#places.addTop(top, path)) continue
      this.#first.push(top)
      this.#follower.list(top, { recursive: true, quiet: true })
    }
  }

  get isArmed(): boolean {
    return this.#isArmed
  }

  get stats() {
    return this.#follower.stats
  }

  get hasWork(): boolean {
    return this.#follower.hasWork || this.#first.length > 0
  }

  get waitsForEvents(): boolean {
    return this.#follower.waitsForEvents
  }

  get holdsBack(): boolean {
    return this.#follower.dirty.holdsBack
  }

  /** The share of time has visits wait in any case (ms): what is late by less than the shortest interval says nothing. */
  get #tolerated(): number {
    return Math.max(this.pace.shortest, REPORT_MS)
  }

  get directoryCount(): number {
    return this.#places.count
  }

  drain(): number {
    return 0
  }

  observe(withHeld: boolean): boolean {
    return this.#follower.observe(withHeld)
  }

  listPending(untilMs: number): void {
    this.#follower.listPending(untilMs)
    if (!this.#isArmed) this.#visitFirst(untilMs)
    else if (!this.#follower.hasWork) this.#visitDue(Math.min(untilMs, performance.now() + SLICE_MS))
  }

  flush(): void {
    this.#follower.flush()
    if (this.#follower.dirty.isEmpty) this.#places.forgetOrphans(() => {})
    if (!this.#isArmed && this.#follower.isIdle && this.#first.length === 0) {
      this.#isArmed = true
      this.#follower.muted = false
    }
    this.#wakeWhenDue()
  }

  /** What was not looked at yet, and visits that should have been made. */
  waiting(): Waiting {
    const waiting = this.#follower.waiting()
    const overdueMs = performance.now() - this.#due.first
    if (overdueMs < this.#tolerated) return waiting
    return {
      ...waiting,
      oldest: Math.min(waiting.oldest, monotonicMicros() - overdueMs * 1_000),
      count: waiting.count + 1,
    }
  }

  nextGeneration(): number {
    return this.#follower.nextGeneration()
  }

  isDone(generation: number): boolean {
    return this.#follower.isDone(generation)
  }

  requestListing(_path: Uint8Array, ref: NodeRef, since: number, deep: boolean): boolean {
    const known = this.#places.byRef(refKey(ref))
    // What is not known was not there at the last visit of its parent; the next one tells.
    if (known !== undefined) this.#follower.list(known, { recursive: deep, forNames: !deep, since })
    return true
  }

  isThere(): boolean {
    return this.rules.rootIsThere()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#due.clear()
    this.#first.length = 0
    this.#follower.clear()
    this.rules.release()
  }

  // ---- Mechanism

  locate(directory: PolledDirectory): OpenedDirectory | Missing {
    return this.#places.locate(this.rules, directory)
  }

  pathOf(directory: PolledDirectory): Uint8Array | undefined {
    return this.#places.pathOf(directory)
  }

  arrived(
    parent: PolledDirectory,
    _opened: OpenedDirectory,
    name: Uint8Array,
    child: ChildNode,
    _hint: Hint,
    recursive: boolean,
  ): PolledDirectory | undefined {
    const key = keyOf(name)
    const ref = refKey(child.ref)
    const known = this.#places.byRef(ref)
    const occupant = parent.children?.get(key)
    if (occupant !== undefined && occupant !== known) this.#places.detach(occupant)
    if (known !== undefined && this.#places.isRoot(known)) return undefined
    if (known === undefined) {
      const added = polled(ref)
      this.#places.attach(added, parent, key)
      if (this.#isArmed) this.#schedule(added, this.pace.shortest)
      else this.#first.push(added)
      return added
    }
    if (known.parent === parent && known.name === key) return recursive ? known : undefined
    this.#places.detach(known)
    this.#places.attach(known, parent, key)
    // It may have been elsewhere, where nobody visited it.
    return known
  }

  departed(parent: PolledDirectory, name: string): void {
    this.#places.departed(parent, name)
  }

  written(): boolean {
    // All names of a node are visited.
    return false
  }

  holds(parent: PolledDirectory, directories: ReadonlySet<string>): void {
    this.#places.holds(parent, directories)
  }

  elsewhere(path: Uint8Array, ref: NodeRef): boolean {
    return this.#places.isElsewhere(path, refKey(ref))
  }

  leave(): void {
    // Nothing is kept open.
  }

  // ---- Visits

  /** The state of everything before the scan: what changes after it is seen by the scan or by a later visit. */
  #visitFirst(untilMs: number): void {
    while (performance.now() < untilMs) {
      const directory = this.#first.pop()
      if (directory === undefined) return
      this.#look(directory, true)
      // Spread, so that a tree that was armed at once is not visited at once.
      this.#schedule(directory, this.pace.shortest * (1 + 3 * Math.random()))
    }
  }

  #visitDue(untilMs: number): void {
    const startedAt = performance.now()
    if (startedAt < this.#restUntil) return
    let now = startedAt
    while (now < untilMs && this.#due.first <= now && this.listener.hasRoom()) {
      const directory = this.#due.take()
      if (directory === undefined) break
      if (!directory.isGone) this.#visit(directory)
      now = performance.now()
    }
    this.#restUntil = now + (now - startedAt) * (1 / this.pace.share - 1)
  }

  #visit(directory: PolledDirectory): void {
    const { shortest, longest } = this.pace
    const looked = this.#look(directory, directory.untilFiles === 0)
    if (looked === 'changed') this.#follower.list(directory, { recursive: false, forNames: true })
    // Gone or renamed: its parent says so.
    if (looked === 'missing' && directory.parent !== undefined) this.#schedule(directory.parent, 0)
    const interval = looked === 'changed' ? directory.interval / 2 : directory.interval * 2
    directory.interval = Math.min(longest, Math.max(shortest, interval))
    this.#schedule(directory, directory.interval)
  }

  #schedule(directory: PolledDirectory, afterMs: number): void {
    directory.due = performance.now() + afterMs
    this.#due.add(directory)
  }

  /** Compares a directory with what it was like at the last visit, before anything of it is listed. */
  #look(directory: PolledDirectory, withFiles: boolean): 'same' | 'changed' | 'missing' {
    const opened = this.locate(directory)
    if (typeof opened === 'string') return 'missing'
    const { node } = this.rules.reader
    const changed = timeOf(node.changed, 0)
    const modified = timeOf(node.modified, 0)
    const isTouched = changed !== directory.changed || modified !== directory.modified
    directory.changed = changed
    directory.modified = modified
    const age = Date.now() / 1_000 - Math.max(node.changed.seconds[0]!, node.modified.seconds[0]!)
    if (!withFiles && !isTouched) {
      directory.untilFiles = Math.max(0, directory.untilFiles - 1)
      return 'same'
    }
    // As long as its times are young, another change may leave them as they are.
    directory.untilFiles = Number.isNaN(age) || age < RACY_SECONDS ? 0 : this.pace.filesEvery - 1
    const { low, high } = directory
    if (!this.#digestEntries(directory, opened)) return 'missing'
    const isChanged = isTouched || low !== directory.low || high !== directory.high
    return isChanged ? 'changed' : 'same'
  }

  /** False if it cannot be read. Rules in a directory that changed are read again, with all that is below. */
  #digestEntries(directory: PolledDirectory, opened: OpenedDirectory): boolean {
    const { rules } = this
    const { reader } = rules
    this.#digest.reset()
    const ignoreFileBefore = directory.hasIgnoreFile
    directory.hasIgnoreFile = false
    try {
      for (let count = reader.next(); count > 0; count = reader.next()) this.#digestRows(directory, opened, count)
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
      this.stats.errors++
      return false
    }
    const { low, high } = this.#digest
    const isChanged = low !== directory.low || high !== directory.high
    if (this.#isArmed && isChanged && (ignoreFileBefore || directory.hasIgnoreFile))
      this.#follower.dirty.mark(directory, IGNORE_FILE, Hint.structure)
    directory.low = low
    directory.high = high
    return true
  }

  #digestRows(directory: PolledDirectory, opened: OpenedDirectory, count: number): void {
    const { reader, options } = this.rules
    const { bytes, nameStart, nameEnd, type } = reader.entries
    const { stats } = reader
    const skip = new Uint8Array(count)
    for (let row = 0; row < count; row++) {
      const name = bytes.subarray(nameStart[row]!, nameEnd[row]!)
      if (keyOf(name) === IGNORE_FILE) directory.hasIgnoreFile = true
      if (type[row] === DirentType.unknown) continue
      if (this.rules.excludes(opened.path, name, type[row] === DirentType.directory)) skip[row] = 1
    }
    reader.stat(skip)
    for (let row = 0; row < count; row++) {
      const error = stats.error[row]!
      if (error === NOT_ASKED || hasVanished(error)) continue
      const name = bytes.subarray(nameStart[row]!, nameEnd[row]!)
      this.#digest.add(name, digestedRow(stats, row, opened.salt, options.namesOnly))
    }
  }

  #wakeWhenDue(): void {
    clearTimeout(this.#timer)
    if (!this.#isArmed) return
    const now = performance.now()
    const lateAt = this.#due.first + this.#tolerated
    let at = Math.max(this.#due.first, this.#restUntil)
    // Woken for the report, too.
    if (now < lateAt && lateAt < at) at = lateAt
    if (at === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => this.listener.woken(), Math.max(1, Math.ceil(at - now)))
    // A watcher that only waits to visit is not kept alive by it.
    this.#timer.unref()
  }
}

function polled(ref: string): PolledDirectory {
  return {
    ref,
    parent: undefined,
    name: '',
    children: undefined,
    isGone: false,
    due: 0,
    interval: 1,
    untilFiles: 0,
    changed: NEVER,
    modified: NEVER,
    low: 0,
    high: 0,
    hasIgnoreFile: false,
  }
}

/** What of an entry is compared. A directory's own times are compared by visits of it; with names only, names and kinds are. */
function digestedRow(stats: StatColumns, row: number, salt: number, namesOnly: boolean) {
  const kind = stats.error[row] === 0 ? kindOfMode(stats.mode[row]!) : Kind.other
  const withTimes = kind !== Kind.directory && !namesOnly
  const time = (column: StatColumns['modified']) => ({ seconds: column.seconds[row]!, ticks: column.ticks[row]! })
  return {
    kind,
    size: withTimes ? stats.size[row]! : Number.NaN,
    modified: withTimes ? time(stats.modified) : undefined,
    changed: withTimes ? time(stats.changed) : undefined,
    ref: refOf(stats, row, salt),
  }
}

/** A time as one number that is the same for the same time: 100 ns since 1970, without the highest bits of a distant year. */
function timeOf(column: StatColumns['modified'], row: number): number {
  return (column.seconds[row]! % 2 ** 29) * 1e7 + column.ticks[row]!
}
