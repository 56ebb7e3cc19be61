import type { JournalPosition, RootSpec } from '@hotpath/model'
import { readMounts } from '@hotpath/platform'
import type { ScanOptions } from '@hotpath/protocol'
import type { Continuity } from './events/continuity.js'
import type { FollowerStats } from './observation/observation-batch.js'
import type { RootSetupHost, RootSetupOptions } from './root-setup-options.js'
import { RootStates } from './root-states.js'
import { TreeSetup } from './tree-setup.js'
import { VolumeSetup } from './volume/volume-setup.js'
import { VolumeTree } from './volume/volume-tree.js'
import { newRoot, sameOptions, type WatchedRoot } from './watched-root.js'

/** The roots that are followed: which there are, and what is done when events of one were lost. */
export class RootSetup {
  readonly roots = new Map<string, WatchedRoot>()
  /** Of trees that are closed. */
  readonly closedStats: FollowerStats = { present: 0, absent: 0, listed: 0, errors: 0 }
  readonly #source: string
  readonly #host: RootSetupHost
  readonly #states: RootStates
  readonly #trees: TreeSetup
  readonly #volumes: VolumeSetup
  #sources = 0

  constructor(options: RootSetupOptions, host: RootSetupHost) {
    this.#source = options.source
    this.#host = host
    this.#states = new RootStates(options)
    this.#volumes = new VolumeSetup(options, host, this.#states)
    const treeHost = {
      woken: () => host.woken(),
      workWaits: () => host.workWaits(),
      mountsChanged: () => this.lookAround(),
      marked: () => this.#marked(),
    }
    this.#trees = new TreeSetup(options, treeHost, this.#states)
  }

  /** Of events, of all roots. */
  get losses(): number {
    return this.#states.losses
  }

  /** What the next watcher needs; undefined where no group is used. */
  get continuity(): Continuity | undefined {
    return this.#trees.continuity
  }

  /** Reads all that the kernel has queued now, and tells the trees; returns the number of events. */
  drain(): number {
    return this.#trees.drain()
  }

  /**
   * Follows a root; its state is told now and whenever it changes. The same command again only tells the state, unless
   * it wants more of a journal.
   */
  watch(spec: RootSpec, options: ScanOptions, journal?: JournalPosition): void {
    const known = this.roots.get(spec.id)
    if (known !== undefined) {
      const isTold = journal === undefined || !(known.tree instanceof VolumeTree) || known.tree.tellsFrom(journal)
      if (isTold && known.spec.path === spec.path && sameOptions(known.options, options)) {
        if (known.tree === undefined || known.tree.isArmed) this.#states.tell(known)
        return
      }
      this.unwatch(spec.id)
    }
    const source = `${this.#source}/${++this.#sources}`
    const root = newRoot(spec, options, source, journal)
    this.roots.set(spec.id, root)
    if (spec.kind === 'list') this.#states.unwatched(root, 'lists are not followed')
    else this.#setUp(root)
  }

  /** The root is not followed any more. */
  unwatch(id: string): void {
    const root = this.roots.get(id)
    if (root === undefined) return
    this.roots.delete(id)
    this.continuity?.forget(id)
    this.#close(root)
  }

  /** Everything of the root is followed now. */
  armed(root: WatchedRoot): void {
    this.#states.armed(root)
  }

  /** The store has batches of a source up to this one durable. */
  durable(id: string, source: string, sequence: number): void {
    this.continuity?.durable(id, source, sequence)
    const root = this.roots.get(id)
    if (root?.source === source) root.tree?.durable?.(sequence)
  }

  stop(): void {
    this.#trees.release()
    for (const root of this.roots.values()) this.#close(root)
    this.roots.clear()
    this.#trees.close()
  }

  /** Sets roots up anew whose events were lost. `lost` is told first, then `armed` when nothing more is missed. */
  repairLost(): void {
    for (const root of [...this.roots.values()]) {
      const reason = root.lostReason
      if (reason === undefined) continue
      this.continuity?.forget(root.spec.id)
      // Who is not told that it is armed relies on nothing.
      if (root.state.state === 'armed') this.#states.lost(root, reason)
      else this.#states.losses++
      this.#close(root)
      root.lostReason = undefined
      root.wholeUntil = Number.NaN
      this.#setUp(root)
    }
  }

  /** Finds what no event of a tree tells of: roots that went or came, mounts that did or that moved with a directory above them. */
  lookAround(): void {
    const mounts = readMounts()
    for (const root of this.roots.values()) {
      if (root.spec.kind === 'list') continue
      if (root.tree !== undefined) {
        if (!root.tree.isThere()) root.lostReason ??= 'the root was moved or removed'
        else if (root.rules !== undefined && root.rules.mountSignature(mounts) !== root.mounts)
          root.lostReason ??= 'a file system was mounted, unmounted or moved'
        if (root.lostReason !== undefined) this.#host.workWaits()
      } else this.#setUp(root)
    }
  }

  /** A file system is marked that was not: fanotify may do for roots that are followed by something else. */
  #marked(): void {
    for (const root of this.roots.values()) {
      if (root.spec.kind !== 'tree' || root.tree?.mechanism === 'fanotify') continue
      root.inotifyLimit = undefined
      root.lostReason ??= 'its file system is marked now'
    }
    this.#host.workWaits()
  }

  #setUp(root: WatchedRoot): void {
    root.lostReason = undefined
    if (root.spec.kind === 'volume') this.#volumes.setUp(root)
    else this.#trees.setUp(root)
  }

  #close(root: WatchedRoot): void {
    const { tree } = root
    if (tree === undefined) return
    root.tree = undefined
    root.rules = undefined
    for (const key of ['present', 'absent', 'listed', 'errors'] as const) this.closedStats[key] += tree.stats[key]
    this.#host.closed(tree)
    tree.close()
  }
}
