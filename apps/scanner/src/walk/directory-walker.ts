import { Kind, type NodeRef } from '@hotpath/model'
import { DirentType, monotonicMicros, NOT_ASKED, type StatColumns, SystemCallError } from '@hotpath/platform'
import { textOf } from '../exclusion/exclusion-rules.js'
import { scopeOfChain } from '../exclusion/ignore-scope.js'
import { hasVanished, kindOfMode, kindOfType } from '../node-kind.js'
import { deviceSalt } from '../node-ref.js'
import { IGNORE_FILE_BYTES, KeptEntries, type Listing } from './kept-entries.js'
import {
  groupOfOne,
  joinPath,
  type PendingGroup,
  PendingGroupBuilder,
  pathInGroup,
  splitGroup,
} from './pending-directories.js'
import type { RowSink } from './row-sink.js'
import { VisitedLog, type VisitedSet } from './visited-set.js'
import type { DeferredMount, WalkerOptions, WalkHost } from './walk-host.js'

/** A batch with few rows is sent after so long, so that a slow disk shows progress. */
const MAX_BATCH_AGE_MICROS = 250_000

/**
 * Walks pending directories depth first, in one thread, and tells a sink what it finds. Only directories that are not
 * read yet are kept: memory grows with the siblings on the way to the current directory, not with the tree.
 */
export class DirectoryWalker {
  readonly #options: WalkerOptions
  readonly #host: WalkHost
  readonly #sink: RowSink
  readonly #kept: KeptEntries
  readonly #stack: PendingGroup[] = []
  readonly #children = new PendingGroupBuilder()
  /** Mount points in the directory that is being read. */
  #entered: PendingGroup[] = []
  readonly #mountPoints: Map<string, Set<string>>
  readonly #visitedLog = new VisitedLog()
  #visited: VisitedSet | undefined
  #lastFlush = monotonicMicros()

  constructor(options: WalkerOptions, host: WalkHost) {
    this.#options = options
    this.#host = host
    this.#sink = options.sink
    this.#kept = new KeptEntries(options.reader, options.rules)
    this.#mountPoints = options.mounts.mountPoints()
  }

  /** Nodes of the directories this walker has read, as triples of VisitedLog. */
  visited(): Uint32Array<ArrayBuffer> {
    return this.#visitedLog.triples()
  }

  push(group: PendingGroup): void {
    if (group.count > 0) this.#stack.push(group)
  }

  /** Reads all that is pending and what is found below, gives away what others ask for, and emits every row. */
  run(): void {
    for (let group = this.#stack.at(-1); group !== undefined && !this.#host.isStopped(); group = this.#stack.at(-1)) {
      const index = --group.count
      if (group.count === 0) this.#stack.pop()
      this.#readDirectory(group, index)
      if (this.#host.wantsDonation()) this.#donate()
    }
    this.flush()
  }

  /**
   * Reads what is below mount points that were put off, but for directories in `visited`, which were read by another
   * way: such a directory is a leaf under a ref of its own, because the store takes a directory's ref for one place.
   */
  runDeferred(mounts: readonly DeferredMount[], visited: VisitedSet): void {
    this.#visited = visited
    // Mounts that are met on the way join the end of the list.
    for (const mount of mounts) {
      if (this.#host.isStopped()) return
      this.#enterMount(mount, visited)
      this.run()
    }
  }

  /** Hands over the rows so far. */
  flush(): void {
    if (!this.#sink.isEmpty) this.#host.handOver()
    this.#lastFlush = monotonicMicros()
  }

  /** Gives half of the oldest pending directories away: near the root, so probably with the most below them. */
  #donate(): void {
    const oldest = this.#stack[0]
    if (oldest === undefined || (this.#stack.length === 1 && oldest.count < 2)) return
    const { given, kept } = splitGroup(oldest)
    if (kept.count === 0) this.#stack.shift()
    else this.#stack[0] = kept
    this.flush()
    this.#host.donate(given)
  }

  #readDirectory(group: PendingGroup, index: number): void {
    const { reader } = this.#options
    const path = pathInGroup(group, index)
    const [low, high] = [group.inodeLow[index]!, group.inodeHigh[index]!]
    if (this.#visited !== undefined && !this.#visited.add(low, high, group.device)) return
    const { order, asksDirectories } = this.#options
    const isTold = order?.isPast(path) !== true
    let scope = group.scope
    let isListed = false
    let isWhole = false
    let entries = 0
    const observed = monotonicMicros()
    if (observed - this.#lastFlush > MAX_BATCH_AGE_MICROS) this.flush()
    try {
      reader.open(path)
      if (asksDirectories) this.#askSelf()
      const count = reader.next()
      // Another directory has the name by now: its entry comes with a later observation.
      if (!this.#isStill(low, high, group.device)) return
      this.#visitedLog.add(low, high, group.device)
      const number = group.numbers[index]!
      this.#makeRoom()
      const { device, salt } = group
      isListed = isTold
      if (isListed) this.#sink.addListing(number, observed, path, reader.node, salt)
      scope = this.#kept.scopeInside(scope, path, count, error => this.#note(error, joinPath(path, IGNORE_FILE_BYTES)))
      const mountNames = this.#mountNamesIn(path)
      const listing = { number, path, device, salt, scope, mountNames }
      let left = count
      for (; left > 0 && !this.#host.isStopped(); left = reader.next()) {
        entries += left
        this.#addEntries(listing, isTold)
      }
      isWhole = left === 0
    } catch (error) {
      this.#note(error, path, true)
    } finally {
      reader.closeDirectory()
    }
    if (isListed) this.#sink.endListing(isWhole)
    // Also after a failure: the directories that were found are in batches.
    if (this.#children.count > 0) this.#entered.push(this.#children.take(path, group.device, group.salt, scope))
    for (const found of order?.arrange(this.#entered) ?? this.#entered) this.push(found)
    this.#entered = []
    this.#host.directoryDone(entries)
  }

  #askSelf(): void {
    const error = this.#options.reader.statSelf()
    if (error !== 0) throw new SystemCallError('statx', error)
  }

  #mountNamesIn(path: Uint8Array): ReadonlySet<string> | undefined {
    return this.#mountPoints.size === 0 ? undefined : this.#mountPoints.get(Buffer.from(path).toString('latin1'))
  }

  /** `.` has the directory's inode for free; only where it says something else the directory itself is asked. */
  #isStill(low: number, high: number, device: number): boolean {
    const { entries, node } = this.#options.reader
    if (entries.selfLow === low && entries.selfHigh === high) return true
    if (this.#options.reader.statSelf() !== 0) return false
    return node.inodeLow[0] === low && node.inodeHigh[0] === high && node.device[0] === device
  }

  /** `isTold` false: only directories are of interest. */
  #addEntries(listing: Listing, isTold: boolean): void {
    const { reader, namesOnly } = this.#options
    const { entries, stats } = reader
    const excluded = this.#kept.markExcluded(listing)
    reader.stat(namesOnly || !isTold ? this.#kept.markNotDirectory(excluded) : excluded)
    for (let row = 0; row < entries.count; row++) {
      if (excluded[row] === 1) continue
      const error = stats.error[row]!
      if (error === 0) this.#addKnown(listing, row)
      else if (error === NOT_ASKED) this.#addBare(listing, row, kindOfType(entries.type[row]!))
      else if (!hasVanished(error)) {
        const name = entries.bytes.subarray(entries.nameStart[row]!, entries.nameEnd[row]!)
        this.#note(new SystemCallError('statx', error), joinPath(listing.path, name))
        this.#addBare(listing, row, kindOfType(entries.type[row]!))
      }
    }
  }

  #addKnown(listing: Listing, row: number): void {
    const { entries, stats } = this.#options.reader
    const { bytes } = entries
    const start = entries.nameStart[row]!
    const end = entries.nameEnd[row]!
    const kind = kindOfMode(stats.mode[row]!)
    const isDirectory = kind === Kind.directory
    if (entries.type[row] === DirentType.unknown && this.#kept.excludes(listing, row, isDirectory)) return
    if (!isDirectory) {
      this.#makeRoom()
      this.#sink.add(listing.number, 0, kind, bytes, start, end, stats, row, listing.salt)
      return
    }
    const device = stats.device[row]!
    const isMountPoint =
      stats.mountRoot[row] === 1 ||
      (listing.mountNames?.has(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')) ??
        false)
    if (!isMountPoint && device === listing.device) {
      const number = this.#host.nextNumber()
      const ref = this.#refElsewhere(listing.path, bytes.subarray(start, end), stats, row)
      this.#makeRoom()
      this.#sink.add(listing.number, number, kind, bytes, start, end, stats, row, listing.salt, ref)
      this.#children.add(bytes, start, end, number, stats.inodeLow[row]!, stats.inodeHigh[row]!)
      return
    }
    this.#addMount(listing, row, device, isMountPoint)
  }

  #addMount(listing: Listing, row: number, device: number, isMountPoint: boolean): void {
    const { entries, stats } = this.#options.reader
    const start = entries.nameStart[row]!
    const end = entries.nameEnd[row]!
    const name = entries.bytes.slice(start, end)
    const { action, salt } = this.#options.mounts.judge(joinPath(listing.path, name), device, isMountPoint)
    if (action === 'later') {
      const rules = listing.scope?.chain() ?? []
      this.#host.defer({ parent: listing.number, parentPath: listing.path, name, rules })
      return
    }
    const number = this.#host.nextNumber()
    this.#makeRoom()
    this.#sink.add(listing.number, number, Kind.directory, name, 0, name.length, stats, row, salt)
    if (action === 'enter')
      this.#entered.push(
        groupOfOne(
          listing.path,
          name,
          number,
          stats.inodeLow[row]!,
          stats.inodeHigh[row]!,
          device,
          salt,
          listing.scope,
        ),
      )
  }

  #enterMount(mount: DeferredMount, visited: VisitedSet): void {
    const { reader, mounts } = this.#options
    const path = joinPath(mount.parentPath, mount.name)
    try {
      reader.open(mount.parentPath)
      const error = reader.statName(mount.name)
      if (error !== 0) throw new SystemCallError('statx', error)
    } catch (error) {
      this.#note(error, path)
      return
    } finally {
      reader.closeDirectory()
    }
    const { node } = reader
    const [low, high, device] = [node.inodeLow[0]!, node.inodeHigh[0]!, node.device[0]!]
    const kind = kindOfMode(node.mode[0]!)
    const { salt } = mounts.judge(path, device, true)
    const ref = this.#refElsewhere(mount.parentPath, mount.name, node, 0)
    const number = kind === Kind.directory ? this.#host.nextNumber() : 0
    this.#makeRoom()
    this.#sink.add(mount.parent, number, kind, mount.name, 0, mount.name.length, node, 0, salt, ref)
    if (kind === Kind.directory && !visited.has(low, high, device)) {
      const scope = scopeOfChain(mount.rules)
      this.push(groupOfOne(mount.parentPath, mount.name, number, low, high, device, salt, scope))
    }
  }

  /** The ref of a directory that was read under another path, or nothing if it was not. */
  #refElsewhere(parentPath: Uint8Array, name: Uint8Array, stats: StatColumns, row: number): NodeRef | undefined {
    const [low, high] = [stats.inodeLow[row]!, stats.inodeHigh[row]!]
    if (this.#visited === undefined || !this.#visited.has(low, high, stats.device[row]!)) return undefined
    return { low, high, birth: deviceSalt(`mount:${textOf(joinPath(parentPath, name))}`) }
  }

  #addBare(listing: Listing, row: number, kind: Kind): void {
    const { entries } = this.#options.reader
    const number = kind === Kind.directory ? this.#host.nextNumber() : 0
    this.#makeRoom()
    this.#sink.addBare(
      listing.number,
      number,
      kind,
      entries.bytes,
      entries.nameStart[row]!,
      entries.nameEnd[row]!,
      entries.inodeLow[row]!,
      entries.inodeHigh[row]!,
      listing.salt,
    )
  }

  #makeRoom(): void {
    if (this.#sink.isFull) this.flush()
  }

  #note(error: unknown, path: Uint8Array, isDirectory = false): void {
    if (!(error instanceof SystemCallError)) throw error
    if (!hasVanished(error.errno)) this.#host.problem({ path, message: error.message, isDirectory })
  }
}
