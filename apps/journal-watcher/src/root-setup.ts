import type { ChangeColumns, RootSpec } from '@hotpath/model'
import { EventPump, NativeUnavailableError, nativeProblem, SystemCallError } from '@hotpath/platform'
import type { ScanOptions, WatchState } from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { Continuity } from './events/continuity.js'
import { identityOf } from './events/succession.js'
import { FanotifyGroup } from './fanotify/fanotify-group.js'
import { FanotifyTree } from './fanotify/fanotify-tree.js'
import { InotifyTree, limitReason } from './inotify/inotify-tree.js'
import type { FollowerStats } from './observation/observation-batch.js'
import { FOLLOWER_BOUNDS, type FollowerBounds } from './tree/follower-options.js'
import { TreeRules } from './tree/tree-rules.js'
import type { TreeListener, WatchedTree } from './tree/watched-tree.js'

export const MECHANISMS = ['auto', 'fanotify', 'inotify'] as const
export type MechanismChoice = (typeof MECHANISMS)[number]

/** Where the batches and states of roots go. */
export interface RootSink {
  readonly hasRoom: boolean
  changes(root: string, source: string, changes: ChangeColumns): void
  readonly lastSequence?: (source: string) => number
  state(state: WatchState): void
}

export interface RootSetupOptions {
  readonly sink: RootSink
  /** Who observes: fresh for each start; each root has a source of its own below it. */
  readonly source: string
  /** Left out of every tree. */
  readonly dataDir: string
  /** Besides those of the command. */
  readonly excludes: readonly string[]
  readonly crossDevices: boolean
  /** Descriptor of a fanotify group that was inherited. */
  readonly fanotifyFd?: number | undefined
  /** Descriptor of an event journal that was inherited with it: a watcher that finds one goes on where the one before it ended. */
  readonly journalFd?: number | undefined
  /** `auto`: fanotify where it is possible, else inotify. */
  readonly mechanism?: MechanismChoice
  /** Bounds other than those that suit a machine of today. */
  readonly bounds?: Partial<FollowerBounds>
  readonly log: Logger
}

/** The one that schedules the work of trees. */
export interface RootSetupHost {
  /** Events were read. */
  woken(): void
  /** There is work that does not come from events. */
  workWaits(): void
  /** Nobody needs to wait for this tree any more. */
  closed(tree: WatchedTree): void
}

/** Characters of a reason: well below the 512 bytes of a message. */
const MAX_REASON = 160

export interface WatchedRoot {
  readonly spec: RootSpec
  readonly source: string
  readonly options: ScanOptions
  tree: WatchedTree | undefined
  state: WatchState
  mounts: string
  /** It must be set up anew. */
  lostReason: string | undefined
  /** Seconds since 1970: before, nothing was lost; NaN: not known. */
  wholeUntil: number
  /** A limit of the system is in the way: trying again would end in the same way. */
  isLimited: boolean
}

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
        onMounts: () => this.lookAround(true),
      })
      if (options.mechanism !== 'inotify') this.#openGroup(this.#pump)
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

  /** Follows a root; its state is told now and whenever it changes. The same command again only tells the state. */
  watch(spec: RootSpec, options: ScanOptions): void {
    const known = this.roots.get(spec.id)
    if (known !== undefined) {
      if (known.spec.path === spec.path && sameOptions(known.options, options)) {
        if (known.tree === undefined || known.tree.isArmed) this.#tell(known)
        return
      }
      this.unwatch(spec.id)
    }
    const source = `${this.#options.source}/${++this.#sources}`
    const root: WatchedRoot = {
      spec,
      source,
      options,
      tree: undefined,
      state: unwatchedState(spec.id, source),
      mounts: '',
      lostReason: undefined,
      wholeUntil: Number.NaN,
      isLimited: false,
    }
    this.roots.set(spec.id, root)
    if (spec.kind !== 'tree') this.#setState(root, 'unwatched', 'only directory trees are followed')
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
    this.#setState(root, 'armed', '')
  }

  stop(): void {
    // The next watcher goes on with what is in the journal.
    this.#continuity = undefined
    this.#group?.close()
    this.#group = undefined
    for (const root of this.roots.values()) this.#close(root)
    this.roots.clear()
    void this.#pump?.close()
  }

  #openGroup(pump: EventPump): void {
    const { fanotifyFd, journalFd, sink, log } = this.#options
    const isInherited = fanotifyFd !== undefined && journalFd !== undefined
    this.#continuity = new Continuity({ pump, isInherited, lastSequence: sink.lastSequence })
    try {
      this.#group = fanotifyFd === undefined ? FanotifyGroup.open(pump) : new FanotifyGroup(fanotifyFd, false, pump)
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
      this.#groupProblem = error.message
      log.info('fanotify cannot be used', { error })
    }
  }

  #setUp(root: WatchedRoot): void {
    const { dataDir, excludes, crossDevices, mechanism, log } = this.#options
    const { options, spec } = root
    root.lostReason = undefined
    const treeOptions = {
      root: spec.path,
      excludes: [...new Set([...options.excludes, ...excludes])],
      dataDir,
      crossDevices: options.crossFileSystems || crossDevices,
      namesOnly: options.namesOnly,
    }
    let fanotifyProblem = this.#groupProblem
    if (this.#group !== undefined) {
      const group = this.#group
      const problem = this.#try(root, treeOptions, (rules, listener) => new FanotifyTree(group, rules, listener))
      if (problem === undefined) {
        this.#continue(root)
        this.#setState(root, 'armed', '')
        this.#host.workWaits()
        return
      }
      fanotifyProblem = problem
      log.info('the root cannot be followed by fanotify', { root: spec.path, problem })
    }
    if (mechanism === 'fanotify') {
      this.#setState(root, 'unwatched', fanotifyProblem)
      return
    }
    this.#continuity?.forget(spec.id)
    const problem = this.#try(root, treeOptions, (rules, listener) => new InotifyTree(rules, listener))
    if (problem === undefined) this.#host.workWaits()
    else this.#setState(root, 'unwatched', problem)
  }

  /** Makes the tree of a root; returns why that is not possible. */
  #try(
    root: WatchedRoot,
    options: ConstructorParameters<typeof TreeRules>[0],
    make: (rules: TreeRules, listener: TreeListener) => WatchedTree,
  ): string | undefined {
    const pump = this.#pump
    if (pump === undefined) return this.#groupProblem
    let rules: TreeRules | undefined
    try {
      rules = new TreeRules(options)
      root.tree = make(rules, this.#listenerOf(root, pump))
      root.mounts = rules.mountSignature()
      return undefined
    } catch (error) {
      rules?.release()
      if (error instanceof SystemCallError) return limitReason(error)
      if (error instanceof NativeUnavailableError) return error.message
      // Errors of node:fs about the root itself.
      if (error instanceof Error && 'code' in error) return error.message
      throw error
    }
  }

  /** Goes on where the watcher before this one ended, if it followed the same root. */
  #continue(root: WatchedRoot): void {
    const { spec, source, options, tree, mounts } = root
    if (!(tree instanceof FanotifyTree)) return
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
      bounds: { ...FOLLOWER_BOUNDS, ...bounds },
      pump,
      emit: changes => sink.changes(root.spec.id, root.source, changes),
      hasRoom: () => sink.hasRoom,
      lost: (reason, wholeUntil = Number.NaN) => {
        if (root.lostReason === undefined) root.wholeUntil = wholeUntil
        root.lostReason ??= reason
        this.#host.workWaits()
      },
      limited: reason => {
        root.lostReason = reason
        root.isLimited = true
        this.#host.workWaits()
      },
    }
  }

  #close(root: WatchedRoot): void {
    const { tree } = root
    if (tree === undefined) return
    root.tree = undefined
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
      const wasArmed = root.tree?.isArmed === true
      this.losses++
      this.#continuity?.forget(root.spec.id)
      if (wasArmed) this.#setState(root, 'lost', reason)
      this.#close(root)
      root.lostReason = undefined
      root.wholeUntil = Number.NaN
      if (root.isLimited) this.#setState(root, 'unwatched', reason)
      else this.#setUp(root)
    }
  }

  /** Finds what no event tells of: roots that went or came, mounts. */
  lookAround(mountsChanged: boolean): void {
    for (const root of this.roots.values()) {
      if (root.spec.kind !== 'tree') continue
      if (root.tree !== undefined) {
        if (!root.tree.rules.rootIsThere()) root.lostReason ??= 'the root was moved or removed'
        else if (mountsChanged && root.tree.rules.mountSignature() !== root.mounts)
          root.lostReason ??= 'a file system was mounted or unmounted'
        if (root.lostReason !== undefined) this.#host.workWaits()
      } else if (!root.isLimited) this.#setUp(root)
    }
  }
}

function unwatchedState(root: string, source: string): WatchState {
  return {
    root,
    source,
    state: 'unwatched',
    mechanism: 'none',
    reason: '',
    term: 1,
    continuesSource: '',
    continuesTerm: 0,
    wholeUntil: Number.NaN,
  }
}

function sameOptions(a: ScanOptions, b: ScanOptions): boolean {
  return (
    a.crossFileSystems === b.crossFileSystems &&
    a.namesOnly === b.namesOnly &&
    a.excludes.length === b.excludes.length &&
    a.excludes.every((glob, i) => glob === b.excludes[i])
  )
}
