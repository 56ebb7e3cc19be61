import type { ChangeColumns, NodeRef, RootSpec } from '@hotpath/model'
import { EventPump, NativeUnavailableError, nativeProblem, SystemCallError } from '@hotpath/platform'
import type { BarrierDone, ScanOptions, WatchState } from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { Continuity } from './events/continuity.js'
import { identityOf } from './events/succession.js'
import { FanotifyGroup } from './fanotify/fanotify-group.js'
import { FanotifyTree } from './fanotify/fanotify-tree.js'
import { InotifyTree, limitReason } from './inotify/inotify-tree.js'
import { relativePath } from './tree/paths.js'
import { FOLLOWER_BOUNDS, type FollowerBounds, type FollowerStats } from './tree/tree-follower.js'
import { TreeRules } from './tree/tree-rules.js'
import type { TreeListener, WatchedTree } from './tree/watched-tree.js'

/** Where observations go. */
export interface ObservationSink {
  /** False: `changes` must not be called; `roomAvailable` of the watcher must be when that has changed. */
  readonly hasRoom: boolean
  /** Takes a batch of one root. */
  changes(root: string, source: string, changes: ChangeColumns): void
  /** Sequence of the last batch of a source, of which `durable` of the watcher will be told. Left out: what is given away is durable. */
  readonly lastSequence?: (source: string) => number
  state(state: WatchState): void
  /** Everything up to the barrier was given to `changes`. */
  barrierDone(done: Pick<BarrierDone, 'id' | 'unwatchedRoots'>): void
}

export const MECHANISMS = ['auto', 'fanotify', 'inotify'] as const
export type MechanismChoice = (typeof MECHANISMS)[number]

export interface ChangeWatcherOptions {
  readonly sink: ObservationSink
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

/** Rounds of work come no closer, so that what happens in bursts is looked at once: 10 ms nobody sees. */
const ROUND_MS = 10
/** The event loop is held up no longer than this while directories are listed. */
const LIST_BUDGET_MS = 20
/** Held back names get their turn after this. */
const HELD_MS = 55
/** Directories that lost their place are looked for this often. */
const LOST_SIGHT_MS = 5
/** Roots are looked at this often. */
const TICK_MS = 2_000
/** Characters of a reason: well below the 512 bytes of a message. */
const MAX_REASON = 160
/** Events are read between looks, so that both halves of a rename are known before absences are sent. */
const LOOKS_PER_ROUND = 8

interface WatchedRoot {
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

interface PendingBarrier {
  readonly id: number
  readonly generations: Map<WatchedTree, number>
}

/**
 * Follows roots: chooses the mechanism of each, reads kernel queues, and schedules the work. All in one thread; a round
 * of work is bounded but for the events of one read.
 */
export class ChangeWatcher {
  readonly #options: ChangeWatcherOptions
  readonly #roots = new Map<string, WatchedRoot>()
  readonly #closedStats: FollowerStats = { present: 0, absent: 0, listed: 0, errors: 0 }
  #barriers: PendingBarrier[] = []
  readonly #pump: EventPump | undefined
  #continuity: Continuity | undefined
  #group: FanotifyGroup | undefined
  #groupProblem = ''
  #sources = 0
  #losses = 0
  #immediate: NodeJS.Immediate | undefined
  #timeout: NodeJS.Timeout | undefined
  #scheduledAt = Number.POSITIVE_INFINITY
  #lastRound = 0
  #tick: NodeJS.Timeout | undefined
  #isRunning = false
  #isStopped = false

  constructor(options: ChangeWatcherOptions) {
    this.#options = options
    const problem = nativeProblem()
    if (problem !== null) this.#groupProblem = problem.message
    else {
      this.#pump = new EventPump({
        journalFd: options.journalFd,
        keepFrom: () => this.#continuity?.keepFrom ?? Number.POSITIVE_INFINITY,
        onFull: () => this.#continuity?.giveUp(),
        onEvents: () => this.#wake(),
        onMounts: () => this.#lookAround(true),
      })
      if (options.mechanism !== 'inotify') this.#openGroup(this.#pump)
    }
    this.#tick = setInterval(() => this.#lookAround(false), TICK_MS)
  }

  /** Follows a root; its state is told now and whenever it changes. The same command again only tells the state. */
  watch(spec: RootSpec, options: ScanOptions): void {
    const known = this.#roots.get(spec.id)
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
    this.#roots.set(spec.id, root)
    if (spec.kind !== 'tree') this.#setState(root, 'unwatched', 'only directory trees are followed')
    else this.#setUp(root)
  }

  unwatch(id: string): void {
    const root = this.#roots.get(id)
    if (root === undefined) return
    this.#roots.delete(id)
    this.#continuity?.forget(id)
    this.#close(root)
  }

  /** The state of every root. */
  states(): WatchState[] {
    return [...this.#roots.values()].map(({ state }) => state)
  }

  /** Tells `barrierDone` of the sink when all that the kernel has queued now is in batches. */
  barrier(id: number): void {
    this.#pump?.drain()
    for (const root of this.#roots.values()) {
      if (root.tree === undefined) continue
      if (!root.tree.rules.rootIsThere()) root.lostReason ??= 'the root was moved or removed'
    }
    const generations = new Map<WatchedTree, number>()
    for (const { tree } of this.#roots.values())
      if (tree?.isArmed === true) generations.set(tree, tree.nextGeneration())
    this.#barriers.push({ id, generations })
    this.#round()
  }

  /** All barriers that wait are forgotten: who asked is gone. */
  forgetBarriers(): void {
    this.#barriers = []
  }

  /**
   * Lists a directory of a root.
   *
   * @param path absolute, or empty where only the ref is known
   * @param since a listing that was made after this (monotonic µs) does, too
   * @param deep what is below it is listed, too (of what came, nothing is known); else its own row is told
   */
  list(id: string, path: Uint8Array, ref: NodeRef, since: number, deep: boolean): void {
    const root = this.#roots.get(id)
    if (root?.tree === undefined || !root.tree.isArmed) return
    if (!root.tree.requestListing(pathInRoot(root, path), ref, since, deep)) {
      this.#options.log.warn('directory to be listed was not found', { root: root.spec.path, path })
      return
    }
    this.#schedule(0)
  }

  /** The store has heard of a source of a root, and has its batches up to `sequence` durable. */
  durable(root: string, source: string, sequence: number): void {
    this.#continuity?.durable(root, source, sequence)
  }

  /** The sink has room again. */
  roomAvailable(): void {
    this.#schedule(0)
  }

  stats(): FollowerStats & { roots: number; losses: number; watches: number } {
    const sum = { ...this.#closedStats, roots: this.#roots.size, losses: this.#losses, watches: 0 }
    for (const { tree } of this.#roots.values()) {
      if (tree === undefined) continue
      sum.present += tree.stats.present
      sum.absent += tree.stats.absent
      sum.listed += tree.stats.listed
      sum.errors += tree.stats.errors
      if (tree instanceof InotifyTree) sum.watches += tree.watchCount
    }
    return sum
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#tick)
    this.#unschedule()
    this.#group?.close()
    this.#group = undefined
    for (const root of this.#roots.values()) this.#close(root)
    this.#roots.clear()
    void this.#pump?.close()
  }

  // ---- Setting up

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
        this.#schedule(0)
        return
      }
      fanotifyProblem = problem
      log.info('the root cannot be followed by fanotify', { root: spec.path, problem })
    }
    if (mechanism === 'fanotify') {
      this.#setState(root, 'unwatched', fanotifyProblem)
      return
    }
    const problem = this.#try(root, treeOptions, (rules, listener) => new InotifyTree(rules, listener))
    if (problem === undefined) this.#schedule(0)
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
      rules?.close()
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
        this.#schedule(0)
      },
      limited: reason => {
        root.lostReason = reason
        root.isLimited = true
        this.#schedule(0)
      },
    }
  }

  #close(root: WatchedRoot): void {
    const { tree } = root
    if (tree === undefined) return
    root.tree = undefined
    for (const key of ['present', 'absent', 'listed', 'errors'] as const) this.#closedStats[key] += tree.stats[key]
    for (const barrier of this.#barriers) barrier.generations.delete(tree)
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
  #repairLost(): void {
    for (const root of [...this.#roots.values()]) {
      const reason = root.lostReason
      if (reason === undefined) continue
      const wasArmed = root.tree?.isArmed === true
      this.#losses++
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
  #lookAround(mountsChanged: boolean): void {
    for (const root of this.#roots.values()) {
      if (root.spec.kind !== 'tree') continue
      if (root.tree !== undefined) {
        if (!root.tree.rules.rootIsThere()) root.lostReason ??= 'the root was moved or removed'
        else if (mountsChanged && root.tree.rules.mountSignature() !== root.mounts)
          root.lostReason ??= 'a file system was mounted or unmounted'
        if (root.lostReason !== undefined) this.#schedule(0)
      } else if (!root.isLimited) this.#setUp(root)
    }
  }

  // ---- Work

  /** Events were read: they are looked at now, or when enough time has passed since the last round. */
  #wake(): void {
    this.#schedule(Math.max(0, this.#lastRound + ROUND_MS - performance.now()))
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped || this.#isRunning) return
    const at = performance.now() + delayMs
    if (this.#scheduledAt <= at) return
    this.#unschedule()
    this.#scheduledAt = at
    const run = () => {
      this.#unschedule()
      this.#round()
    }
    if (delayMs === 0) this.#immediate = setImmediate(run)
    else this.#timeout = setTimeout(run, Math.ceil(delayMs))
  }

  #unschedule(): void {
    clearImmediate(this.#immediate)
    clearTimeout(this.#timeout)
    this.#immediate = undefined
    this.#timeout = undefined
    this.#scheduledAt = Number.POSITIVE_INFINITY
  }

  #round(): void {
    if (this.#isStopped || this.#isRunning) return
    this.#isRunning = true
    let next = Number.POSITIVE_INFINITY
    try {
      this.#repairLost()
      if (this.#options.sink.hasRoom || this.#trees().some(tree => !tree.isArmed)) this.#work()
      this.#repairLost()
      this.#finishBarriers()
      next = this.#nextRoundMs()
    } finally {
      this.#isRunning = false
      this.#lastRound = performance.now()
    }
    if (next !== Number.POSITIVE_INFINITY) this.#schedule(next)
  }

  #trees(): WatchedTree[] {
    return [...this.#roots.values()].flatMap(({ tree }) => (tree === undefined ? [] : [tree]))
  }

  #work(): void {
    const withHeld = this.#barriers.length > 0
    const trees = this.#trees()
    this.#continuity?.mark()
    for (let looks = 0; looks < LOOKS_PER_ROUND; looks++) {
      let worked = false
      for (const tree of trees) worked = tree.observe(withHeld) || worked
      const events = this.#pump?.drain() ?? 0
      if (!worked && events === 0) break
    }
    const untilMs = performance.now() + LIST_BUDGET_MS
    for (const tree of trees) tree.listPending(untilMs)
    for (const root of this.#roots.values()) {
      const { tree } = root
      if (tree === undefined) continue
      const wasArmed = tree.isArmed
      tree.flush()
      if (!wasArmed && tree.isArmed && root.lostReason === undefined) this.#setState(root, 'armed', '')
    }
    this.#continuity?.settle()
  }

  #finishBarriers(): void {
    this.#barriers = this.#barriers.filter(({ id, generations }) => {
      for (const [tree, generation] of generations) {
        if (!tree.isDone(generation)) return true
        generations.delete(tree)
      }
      const unwatchedRoots = this.states()
        .filter(({ state }) => state !== 'armed')
        .map(({ root }) => root)
      this.#options.sink.barrierDone({ id, unwatchedRoots })
      return false
    })
  }

  #nextRoundMs(): number {
    const trees = this.#trees()
    const blocked = !this.#options.sink.hasRoom
    if (trees.some(tree => tree.hasWork && !(blocked && tree.isArmed))) return 0
    if (trees.some(tree => tree.waitsForEvents)) return LOST_SIGHT_MS
    if (trees.some(tree => tree.holdsBack)) return this.#barriers.length > 0 ? 0 : HELD_MS
    return Number.POSITIVE_INFINITY
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

/** An absolute path that begins with the root's own, relative to it; empty where it is not known. */
function pathInRoot(root: WatchedRoot, path: Uint8Array): Uint8Array {
  const given = new Uint8Array(Buffer.from(root.spec.path))
  return relativePath(given, path) ?? new Uint8Array(0)
}
