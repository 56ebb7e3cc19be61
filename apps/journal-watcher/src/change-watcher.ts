import { alignedDelay, type ChangeColumns, type JournalPosition, type NodeRef, type RootSpec } from '@hotpath/model'
import type { BarrierDone, JournalReached, ScanOptions, WatchReport, WatchState } from '@hotpath/protocol'
import type { FollowerStats } from './observation/observation-batch.js'
import { RootSetup } from './root-setup.js'
import type { RootSetupOptions } from './root-setup-options.js'
import { relativePath } from './tree/paths.js'
import type { FollowedRoot } from './tree/watched-tree.js'
import { type Waiting, WatchReports } from './watch-reports.js'
import type { WatchedRoot } from './watched-root.js'

/** Where observations go. */
export interface ObservationSink {
  /** False: `changes` must not be called; `roomAvailable` of the watcher must be when that has changed. */
  readonly hasRoom: boolean
  /** Takes a batch of one root. */
  changes(root: string, source: string, changes: ChangeColumns): void
  /** Sequence of the last batch of a source, of which `durable` of the watcher will be told. Left out: what is given away is durable. */
  readonly lastSequence?: (source: string) => number
  state(state: WatchState): void
  /** Changes of a volume up to a position of its journal are durable. Left out: nobody keeps that. */
  readonly journalReached?: (reached: JournalReached) => void
  /** How far behind a root is. */
  report(report: WatchReport): void
  /** Everything up to the barrier was given to `changes`. */
  barrierDone(done: Pick<BarrierDone, 'id' | 'unwatchedRoots'>): void
}

export interface ChangeWatcherOptions extends RootSetupOptions {
  readonly sink: ObservationSink
  /** Roots are looked at this often. Default: TICK_MS. */
  readonly tickMs?: number
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
const TICK_MS = 5_000
/** Events are read between looks, so that both halves of a rename are known before absences are sent. */
const LOOKS_PER_ROUND = 8

interface PendingBarrier {
  readonly id: number
  readonly generations: Map<FollowedRoot, number>
}

/**
 * Follows roots: reads kernel queues and schedules the work. All in one thread; a round
 * of work is bounded but for the events of one read.
 */
export class ChangeWatcher {
  readonly #options: ChangeWatcherOptions
  readonly #setup: RootSetup
  readonly #reports: WatchReports
  #barriers: PendingBarrier[] = []
  #immediate: NodeJS.Immediate | undefined
  #timeout: NodeJS.Timeout | undefined
  #scheduledAt = Number.POSITIVE_INFINITY
  #lastRound = 0
  #tick: NodeJS.Timeout | undefined
  #isRunning = false
  #isStopped = false

  constructor(options: ChangeWatcherOptions) {
    this.#options = options
    this.#setup = new RootSetup(options, {
      woken: () => this.#wake(),
      workWaits: () => this.#schedule(0),
      closed: tree => {
        for (const barrier of this.#barriers) barrier.generations.delete(tree)
      },
    })
    this.#reports = new WatchReports(
      () => this.#armedTrees(),
      report => options.sink.report(report),
    )
    this.#planTick()
  }

  #planTick(): void {
    this.#tick = setTimeout(
      () => {
        this.#planTick()
        this.#setup.lookAround()
      },
      alignedDelay(this.#options.tickMs ?? TICK_MS, Date.now()),
    )
  }

  /**
   * Follows a root; its state is told now and whenever it changes. The same command again only tells the state.
   *
   * @param journal up to where the change journal of a volume is known
   */
  watch(spec: RootSpec, options: ScanOptions, journal?: JournalPosition): void {
    this.#setup.watch(spec, options, journal)
  }

  unwatch(id: string): void {
    this.#setup.unwatch(id)
  }

  /** The state of every root. */
  states(): WatchState[] {
    return [...this.#setup.roots.values()].map(({ state }) => state)
  }

  /** Tells `barrierDone` of the sink when all that the kernel has queued now is in batches. */
  barrier(id: number): void {
    this.#setup.drain()
    for (const root of this.#setup.roots.values()) {
      if (root.tree === undefined) continue
      if (!root.tree.isThere()) root.lostReason ??= 'the root was moved or removed'
    }
    const generations = new Map<FollowedRoot, number>()
    for (const { tree } of this.#setup.roots.values())
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
    const root = this.#setup.roots.get(id)
    if (root?.tree === undefined || !root.tree.isArmed) return
    if (!root.tree.requestListing(pathInRoot(root, path), ref, since, deep)) {
      this.#options.log.warn('directory to be listed was not found', { root: root.spec.path, path })
      return
    }
    this.#schedule(0)
  }

  /** The store has heard of a source of a root, and has its batches up to `sequence` durable. */
  durable(root: string, source: string, sequence: number): void {
    this.#setup.durable(root, source, sequence)
  }

  /** The sink has room again. */
  roomAvailable(): void {
    this.#schedule(0)
  }

  stats(): FollowerStats & { roots: number; losses: number; watches: number } {
    const sum = { ...this.#setup.closedStats, roots: this.#setup.roots.size, losses: this.#setup.losses, watches: 0 }
    for (const { tree } of this.#setup.roots.values()) {
      if (tree === undefined) continue
      sum.present += tree.stats.present
      sum.absent += tree.stats.absent
      sum.listed += tree.stats.listed
      sum.errors += tree.stats.errors
      sum.watches += tree.watchCount
    }
    return sum
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#tick)
    this.#unschedule()
    this.#reports.stop()
    this.#setup.stop()
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
      this.#setup.repairLost()
      if (this.#options.sink.hasRoom || this.#trees().some(tree => !tree.isArmed)) this.#work()
      this.#setup.repairLost()
      this.#finishBarriers()
      next = this.#nextRoundMs()
    } finally {
      this.#isRunning = false
      this.#lastRound = performance.now()
    }
    this.#reports.look()
    if (next !== Number.POSITIVE_INFINITY) this.#schedule(next)
  }

  *#armedTrees(): Generator<[string, () => Waiting]> {
    for (const { spec, tree } of this.#setup.roots.values())
      if (tree?.isArmed === true) yield [spec.id, () => tree.waiting()]
  }

  #trees(): FollowedRoot[] {
    return [...this.#setup.roots.values()].flatMap(({ tree }) => (tree === undefined ? [] : [tree]))
  }

  #work(): void {
    const withHeld = this.#barriers.length > 0
    const trees = this.#trees()
    this.#setup.continuity?.mark()
    for (let looks = 0; looks < LOOKS_PER_ROUND; looks++) {
      let worked = false
      for (const tree of trees) worked = tree.observe(withHeld) || worked
      const events = this.#setup.drain()
      if (!worked && events === 0) break
    }
    const untilMs = performance.now() + LIST_BUDGET_MS
    for (const tree of trees) tree.listPending(untilMs)
    for (const root of this.#setup.roots.values()) {
      const { tree } = root
      if (tree === undefined) continue
      const wasArmed = tree.isArmed
      tree.flush()
      if (!wasArmed && tree.isArmed && root.lostReason === undefined) this.#setup.armed(root)
    }
    this.#setup.continuity?.settle()
  }

  #finishBarriers(): void {
    this.#barriers = this.#barriers.filter(({ id, generations }) => {
      for (const [tree, generation] of generations) {
        if (!tree.isDone(generation)) return true
        generations.delete(tree)
      }
      // Nobody can say what has changed since the last visit of a directory.
      const unwatchedRoots = this.states()
        .filter(({ state, mechanism }) => state !== 'armed' || mechanism === 'polling')
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

/** An absolute path that begins with the root's own, relative to it; empty where it is not known. */
function pathInRoot(root: WatchedRoot, path: Uint8Array): Uint8Array {
  const given = new Uint8Array(Buffer.from(root.spec.path))
  return relativePath(given, path) ?? new Uint8Array(0)
}
