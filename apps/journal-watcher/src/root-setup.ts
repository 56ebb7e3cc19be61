import type { JournalPosition, RootSpec } from '@hotpath/model'
import {
  EventPump,
  nativeProblem,
  readMounts,
  readWatchLimits,
  SystemCallError,
  sharedFileSystemOf,
} from '@hotpath/platform'
import type { ScanOptions, WatchState } from '@hotpath/protocol'
import { attempt } from './attempt.js'
import { Continuity } from './events/continuity.js'
import { identityOf } from './events/succession.js'
import { FanotifyGroup } from './fanotify/fanotify-group.js'
import { FanotifyTree } from './fanotify/fanotify-tree.js'
import { MarkRequests } from './fanotify/mark-requests.js'
import { type FollowingMeans, followRoot } from './follow-root.js'
import type { FollowerStats } from './observation/observation-batch.js'
import { POLLING_PACE } from './polling/polling-pace.js'
import type { RootSetupHost, RootSetupOptions } from './root-setup-options.js'
import { FOLLOWER_BOUNDS } from './tree/follower-options.js'
import { TreeRules } from './tree/tree-rules.js'
import type { TreeListener } from './tree/watched-tree.js'
import { followVolume } from './volume/follow-volume.js'
import { type VolumeListener, VolumeTree } from './volume/volume-tree.js'
import { newRoot, sameOptions, type WatchedRoot } from './watched-root.js'

/** Characters of a reason: well below the 512 bytes of a message. */
const MAX_REASON = 160

/** The roots that are followed: which mechanism each has, in what state it is, what is done when events were lost. */
export class RootSetup {
  readonly roots = new Map<string, WatchedRoot>()
  /** Of trees that are closed. */
  readonly closedStats: FollowerStats = { present: 0, absent: 0, listed: 0, errors: 0 }
  losses = 0
  readonly #options: RootSetupOptions
  readonly #host: RootSetupHost
  readonly #pump: EventPump | undefined
  #continuity: Continuity | undefined
  #group: FanotifyGroup | undefined
  #marks: MarkRequests | undefined
  #groupProblem = ''
  #sources = 0

  constructor(options: RootSetupOptions, host: RootSetupHost) {
    this.#options = options
    this.#host = host
    const problem = nativeProblem()
    if (problem !== null) this.#groupProblem = problem.message
    else {
      this.#pump = new EventPump({
        journalFd: options.journalFd,
        keepFrom: () => this.#continuity?.keepFrom ?? Number.POSITIVE_INFINITY,
        onFull: () => this.#continuity?.giveUp(),
        onEvents: () => host.woken(),
        onMounts: () => this.lookAround(),
      })
      if (options.mechanism !== 'inotify' && options.mechanism !== 'polling') this.#openGroup(this.#pump)
    }
  }

  /** What the next watcher needs; undefined where no group is used. */
  get continuity(): Continuity | undefined {
    return this.#continuity
  }

  /** Reads all that the kernel has queued now, and tells the trees; returns the number of events. */
  drain(): number {
    return this.#pump?.drain() ?? 0
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
        if (known.tree === undefined || known.tree.isArmed) this.#tell(known)
        return
      }
      this.unwatch(spec.id)
    }
    const source = `${this.#options.source}/${++this.#sources}`
    const root = newRoot(spec, options, source, journal)
    this.roots.set(spec.id, root)
    if (spec.kind === 'list') this.#setState(root, 'unwatched', 'lists are not followed')
    else this.#setUp(root)
  }

  /** The root is not followed any more. */
  unwatch(id: string): void {
    const root = this.roots.get(id)
    if (root === undefined) return
    this.roots.delete(id)
    this.#continuity?.forget(id)
    this.#close(root)
  }

  /** Everything of the root is followed now. */
  armed(root: WatchedRoot): void {
    this.#setState(root, 'armed', root.reserve)
  }

  stop(): void {
    // The next watcher goes on with what is in the journal.
    this.#continuity = undefined
    this.#group?.close()
    this.#group = undefined
    this.#marks?.close()
    for (const root of this.roots.values()) this.#close(root)
    this.roots.clear()
    void this.#pump?.close()
  }

  #openGroup(pump: EventPump): void {
    const { fanotifyFd, journalFd, marksFd, sink, log } = this.#options
    const isInherited = fanotifyFd !== undefined && journalFd !== undefined
    this.#continuity = new Continuity({ pump, isInherited, lastSequence: sink.lastSequence })
    if (marksFd !== undefined) this.#marks = new MarkRequests(marksFd, () => this.#marked())
    try {
      this.#group =
        fanotifyFd === undefined
          ? FanotifyGroup.open(pump)
          : new FanotifyGroup(fanotifyFd, false, pump, () => this.#marks?.ask())
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
      this.#groupProblem = error.message
      log.info('fanotify cannot be used', { error })
    }
  }

  /** The store has batches of a source up to this one durable. */
  durable(id: string, source: string, sequence: number): void {
    this.#continuity?.durable(id, source, sequence)
    const root = this.roots.get(id)
    if (root?.source === source) root.tree?.durable?.(sequence)
  }

  #setUp(root: WatchedRoot): void {
    root.lostReason = undefined
    if (root.spec.kind === 'volume') this.#setUpVolume(root)
    else this.#setUpTree(root)
  }

  #setUpVolume(root: WatchedRoot): void {
    const { spec, options, journal: known } = root
    const { excludes, journalPace } = this.#options
    const volume = {
      path: spec.path,
      excludes: [...new Set([...options.excludes, ...excludes])],
      known,
      streams: options.streams,
      pace: journalPace,
    }
    const followed = followVolume(volume, this.#volumeListenerOf(root))
    root.journal = undefined
    const loss = typeof followed === 'string' ? known && followed : followed.loss
    if (loss !== undefined) {
      this.losses++
      this.#setState(root, 'lost', loss)
    }
    if (typeof followed === 'string') {
      this.#setState(root, 'unwatched', followed)
      return
    }
    root.tree = followed.tree
    root.state = { ...root.state, journal: followed.tree.from }
    this.armed(root)
    this.#host.workWaits()
  }

  #volumeListenerOf(root: WatchedRoot): VolumeListener {
    const { sink } = this.#options
    return {
      emit: changes => sink.changes(root.spec.id, root.source, changes),
      hasRoom: () => sink.hasRoom,
      woken: () => this.#host.woken(),
      lost: reason => {
        root.lostReason ??= reason
        this.#host.workWaits()
      },
      lastSequence: () => sink.lastSequence?.(root.source) ?? 0,
      reached: (from, journal) => sink.journalReached?.({ root: root.spec.id, from, journal }),
    }
  }

  #setUpTree(root: WatchedRoot): void {
    const pump = this.#pump
    if (pump === undefined) {
      this.#setState(root, 'unwatched', this.#groupProblem)
      return
    }
    const rules = attempt(() => this.#rulesOf(root))
    if (typeof rules === 'string') {
      this.#setState(root, 'unwatched', rules)
      return
    }
    // Before anything is set up: what is mounted meanwhile shows at the next look.
    root.mounts = rules.mountSignature()
    const followed = followRoot(rules, this.#meansFor(root), this.#listenerOf(root, pump))
    if (typeof followed === 'string') {
      rules.release()
      this.#setState(root, 'unwatched', followed)
      return
    }
    root.tree = followed.tree
    root.rules = rules
    root.reserve = followed.reserve
    this.#continue(root)
    if (root.tree.isArmed) this.armed(root)
    this.#host.workWaits()
  }

  #rulesOf({ options, spec }: WatchedRoot): TreeRules {
    const { dataDir, excludes, crossDevices } = this.#options
    return new TreeRules({
      root: spec.path,
      excludes: [...new Set([...options.excludes, ...excludes])],
      dataDir,
      crossDevices: options.crossFileSystems || crossDevices,
      namesOnly: options.namesOnly,
    })
  }

  #meansFor({ inotifyLimit }: WatchedRoot): FollowingMeans {
    const { mechanism = 'auto', pace, sharedFileSystem = sharedFileSystemOf } = this.#options
    const groupProblem = this.#groupProblem
    return {
      mechanism,
      group: this.#group,
      groupProblem,
      inotifyLimit,
      pace: { ...POLLING_PACE, ...pace },
      sharedFileSystem,
    }
  }

  /** Goes on where the watcher before this one ended, if it followed the same root. */
  #continue(root: WatchedRoot): void {
    const { spec, source, options, tree, mounts } = root
    if (!(tree instanceof FanotifyTree)) {
      this.#continuity?.forget(spec.id)
      return
    }
    const { dataDir, excludes, crossDevices, sink } = this.#options
    const { low, high, birth } = tree.rules.rootRef
    const identity = identityOf(spec.path, [low, high, birth], options, dataDir, excludes, crossDevices, mounts)
    const former = this.#continuity?.begin(spec.id, { source, term: root.state.term }, identity, tree)
    // What it has left says that events were lost.
    if (former === undefined || root.lostReason !== undefined) return
    const continuing = (follower: { source: string; term: number }) => ({
      continuesSource: follower.source,
      continuesTerm: follower.term,
    })
    const { follower, before } = former
    this.#options.log.info('goes on where a former watcher ended', { root: spec.path, source: follower.source })
    // The store may not have heard of it: first it is said what that one would have said.
    if (before !== undefined)
      sink.state({ ...root.state, state: 'armed', mechanism: 'fanotify', ...follower, ...continuing(before) })
    root.state = { ...root.state, ...continuing(follower) }
  }

  #listenerOf(root: WatchedRoot, pump: EventPump): TreeListener {
    const { sink, bounds } = this.#options
    return {
      bounds: { ...FOLLOWER_BOUNDS, watches: mayWatch(), ...bounds },
      pump,
      emit: changes => sink.changes(root.spec.id, root.source, changes),
      hasRoom: () => sink.hasRoom,
      woken: () => this.#host.woken(),
      lost: (reason, wholeUntil = Number.NaN) => {
        if (root.lostReason === undefined) root.wholeUntil = wholeUntil
        root.lostReason ??= reason
        this.#host.workWaits()
      },
      limited: reason => {
        root.lostReason = reason
        root.inotifyLimit = reason
        this.#host.workWaits()
      },
    }
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

  #setState(root: WatchedRoot, state: WatchState['state'], reason: string): void {
    const mechanism = state === 'unwatched' ? 'none' : (root.tree?.mechanism ?? 'none')
    const former = root.state
    root.state = {
      ...root.state,
      state,
      mechanism,
      reason: reason.slice(0, MAX_REASON),
      ...(state !== 'armed' && { journal: undefined }),
      ...(state === 'lost' && {
        term: former.term + 1,
        continuesSource: '',
        continuesTerm: 0,
        wholeUntil: root.wholeUntil,
      }),
    }
    // Failing as before is no news.
    if (former.state !== state || former.mechanism !== mechanism || former.reason !== root.state.reason)
      this.#tell(root)
  }

  #tell(root: WatchedRoot): void {
    const { path } = root.spec
    const { state, mechanism, reason } = root.state
    this.#options.log.info('watch', { root: path, state, mechanism, reason })
    this.#options.sink.state(root.state)
  }

  /** Sets roots up anew whose events were lost. `lost` is told first, then `armed` when nothing more is missed. */
  repairLost(): void {
    for (const root of [...this.roots.values()]) {
      const reason = root.lostReason
      if (reason === undefined) continue
      const wasArmed = root.state.state === 'armed'
      this.losses++
      this.#continuity?.forget(root.spec.id)
      if (wasArmed) this.#setState(root, 'lost', reason)
      this.#close(root)
      root.lostReason = undefined
      root.wholeUntil = Number.NaN
      this.#setUp(root)
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
}

/** Watches for one root: some of what the user may have is left to other programs, which end where there are none. */
function mayWatch(): number {
  const limit = readWatchLimits().inotifyWatches
  return limit === undefined ? FOLLOWER_BOUNDS.watches : Math.floor((limit * 7) / 8)
}
