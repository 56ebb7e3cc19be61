import { EventPump, nativeProblem, readWatchLimits, SystemCallError, sharedFileSystemOf } from '@hotpath/platform'
import { attempt } from './attempt.js'
import { Continuity } from './events/continuity.js'
import { identityOf } from './events/succession.js'
import { FanotifyGroup } from './fanotify/fanotify-group.js'
import { FanotifyTree } from './fanotify/fanotify-tree.js'
import { MarkRequests } from './fanotify/mark-requests.js'
import { type FollowingMeans, followRoot } from './follow-root.js'
import { POLLING_PACE } from './polling/polling-pace.js'
import type { RootSetupHost, RootSetupOptions } from './root-setup-options.js'
import type { RootStates } from './root-states.js'
import { FOLLOWER_BOUNDS } from './tree/follower-options.js'
import { TreeRules } from './tree/tree-rules.js'
import type { TreeListener } from './tree/watched-tree.js'
import type { WatchedRoot } from './watched-root.js'

/** Who is told of what concerns all trees. */
export interface TreeSetupHost extends Pick<RootSetupHost, 'woken' | 'workWaits'> {
  /** File systems were mounted, unmounted or moved. */
  mountsChanged(): void
  /** A file system is marked that was not. */
  marked(): void
}

/** Sets up roots that are directory trees, by what the kernel tells: the pump of events and the fanotify group that they share. */
export class TreeSetup {
  readonly #options: RootSetupOptions
  readonly #host: TreeSetupHost
  readonly #states: RootStates
  readonly #pump: EventPump | undefined
  #continuity: Continuity | undefined
  #group: FanotifyGroup | undefined
  #marks: MarkRequests | undefined
  #groupProblem = ''

  constructor(options: RootSetupOptions, host: TreeSetupHost, states: RootStates) {
    this.#options = options
    this.#host = host
    this.#states = states
    const problem = nativeProblem()
    if (problem !== null) this.#groupProblem = problem.message
    else {
      this.#pump = new EventPump({
        journalFd: options.journalFd,
        keepFrom: () => this.#continuity?.keepFrom ?? Number.POSITIVE_INFINITY,
        onFull: () => this.#continuity?.giveUp(),
        onEvents: () => host.woken(),
        onMounts: () => host.mountsChanged(),
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

  /** Tells in what state the root is. */
  setUp(root: WatchedRoot): void {
    const pump = this.#pump
    if (pump === undefined) {
      this.#states.unwatched(root, this.#groupProblem)
      return
    }
    const rules = attempt(() => this.#rulesOf(root))
    if (typeof rules === 'string') {
      this.#states.unwatched(root, rules)
      return
    }
    // Before anything is set up: what is mounted meanwhile shows at the next look.
    root.mounts = rules.mountSignature()
    const followed = followRoot(rules, this.#meansFor(root), this.#listenerOf(root, pump))
    if (typeof followed === 'string') {
      rules.release()
      this.#states.unwatched(root, followed)
      return
    }
    root.tree = followed.tree
    root.rules = rules
    root.reserve = followed.reserve
    root.followed = followed.mounts
    this.#continue(root)
    if (root.tree.isArmed) this.#states.armed(root)
    this.#host.workWaits()
  }

  /** Before the trees are closed. */
  release(): void {
    // The next watcher goes on with what is in the journal.
    this.#continuity = undefined
    this.#group?.close()
    this.#group = undefined
    this.#marks?.close()
  }

  /** When the trees are closed. */
  close(): void {
    void this.#pump?.close()
  }

  #openGroup(pump: EventPump): void {
    const { fanotifyFd, journalFd, marksFd, sink, log } = this.#options
    const isInherited = fanotifyFd !== undefined && journalFd !== undefined
    this.#continuity = new Continuity({ pump, isInherited, lastSequence: sink.lastSequence })
    if (marksFd !== undefined) this.#marks = new MarkRequests(marksFd, () => this.#host.marked())
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

  #rulesOf({ options, spec }: WatchedRoot): TreeRules {
    const { dataDir, excludes, crossDevices } = this.#options
    return new TreeRules({
      root: spec.path,
      excludes: [...new Set([...options.excludes, ...excludes])],
      dataDir,
      crossDevices: options.crossFileSystems || crossDevices,
      namesOnly: options.namesOnly,
      access: options.access ?? false,
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
}

/** Watches for one root: some of what the user may have is left to other programs, which end where there are none. */
function mayWatch(): number {
  const limit = readWatchLimits().inotifyWatches
  return limit === undefined ? FOLLOWER_BOUNDS.watches : Math.floor((limit * 7) / 8)
}
