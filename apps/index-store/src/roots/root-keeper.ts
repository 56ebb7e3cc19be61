import { InvalidInputError, type RootSpec, UnavailableError } from '@hotpath/model'
import { bootId, monotonicMicros } from '@hotpath/platform'
import {
  type CheckBatch,
  type CheckEnd,
  type Fresh,
  type FreshInstance,
  type ListCommand,
  LOST_MS,
  type Peer,
  type RootStatus,
  type ScanBegin,
  type ScanEnd,
  type ScanOptions,
  type ScanProgress,
  type WatchReport,
  type WatchState,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import type { ListRequest, Store } from '@hotpath/store'
import { CheckDesk, type CheckSources } from './check-desk.js'
import { continuityOf } from './continuity.js'
import { listCommand } from './list-command.js'
import { listFileChanged, listFileFacts } from './list-file.js'
import { isCovered, type LifeAction, type LifeEvent, type ScanReason, step } from './root-life.js'
import { newLife, RootState, worstFresh } from './root-state.js'
import { rootStatuses } from './root-statuses.js'
import { type VerifyOptions, VerifyRounds } from './verify-rounds.js'

/** How the keeper talks to the sources. */
export interface Sources extends CheckSources {
  /** Connected watchers. */
  watchers(): Peer[]
  commandScan(peer: Peer, root: RootSpec, epoch: number, options: ScanOptions): void
  cancelScan(peer: Peer, root: string, epoch: number): void
  commandWatch(peer: Peer, root: RootSpec, options: ScanOptions): void
  commandUnwatch(peer: Peer, root: string): void
  commandList(peer: Peer, command: ListCommand): void
  /** Resolves when all that a watcher was asked for, and that had happened, is in the index; to false if it is not. */
  passBarrier(peer: Peer, root: string): Promise<boolean>
}

export interface RootKeeperOptions {
  readonly store: Store
  readonly sources: Sources
  readonly log: Logger
  /** Follow changes of trees. */
  readonly watch: boolean
  /** Scan and check what needs it; off: answer from what is on disk. */
  readonly scan: boolean
  readonly scanOptions: ScanOptions
  /** How everything is compared with the disk while all is live. */
  readonly verify: Pick<VerifyOptions, 'rate' | 'settleMs' | 'roundMs'>
  /** A state that clients see has changed. */
  onFresh(root: string): void
  /** The changes of a root have a gap from here on. */
  onGap(root: string, reason: FreshInstance['reason']): void
  onProgress(progress: ScanProgress): void
  /** How long a watcher that is gone is waited for. Default: until its session must be over, and some time to start. */
  readonly absenceMs?: number
}

/** What failed is tried again after this time, doubled each time up to the limit. */
const RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** How long a first scan waits for the journal watcher, so that nothing is missed between the two. */
const WATCHER_PATIENCE_MS = 5_000
/** How long a watcher may take to start and go on where another one ended. */
const WATCHER_START_MS = 5_000
/** Ticks of clocks that stamp files: 2 s on FAT, milliseconds elsewhere. */
const RACY_MS = 2_000
/** Barriers of one settling: each finds the listings that the one before has made known. */
const MAX_ROUNDS = 16

/** Knows every root: does what `step` of its life says, and tells it what happens. */
export class RootKeeper {
  private readonly states = new Map<string, RootState>()
  private readonly retries = new Map<string, { delayMs: number; timer: NodeJS.Timeout | undefined }>()
  private readonly desk: CheckDesk
  private readonly rounds: VerifyRounds
  private readonly bootId = bootId()
  private patience: NodeJS.Timeout | undefined
  private isPatient: boolean
  private stopped = false
  /** Why the store only reads. */
  private reading: string | undefined

  constructor(private readonly options: RootKeeperOptions) {
    const { store, sources, log, scanOptions, verify } = options
    this.isPatient = options.watch
    this.desk = new CheckDesk({
      store,
      sources,
      log,
      scanOptions,
      list: (root, requests) => this.askForListings(root, requests),
      settle: root => this.settle(root),
    })
    this.rounds = new VerifyRounds({ ...verify, desk: this.desk, roots: () => this.states.values() })
  }

  /** Call once the sources can be commanded. */
  start(roots: readonly RootSpec[]): void {
    for (const spec of roots) this.add(spec, this.startReason(spec))
    this.options.store.onScanNeeded((root, reason) => {
      const state = this.states.get(root)
      if (!state || state.life.work === 'scan' || state.life.wanted !== undefined) return
      this.options.log.info('scan needed', { root: state.spec.path, reason })
      this.want(state, 'damaged')
    })
    this.waitForWatcher(WATCHER_PATIENCE_MS)
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.patience)
    this.rounds.stop()
    for (const { timer } of this.retries.values()) clearTimeout(timer)
  }

  // ---- What happens to roots

  private happen(state: RootState, event: LifeEvent, sinceMs?: number): void {
    const { life, actions } = step(state.life, event)
    if (life === state.life && actions.length === 0) return
    state.life = life
    state.noteLag(sinceMs)
    for (const action of actions) this.act(state, action)
    this.options.onFresh(state.spec.id)
    this.rounds.update()
  }

  private act(state: RootState, action: LifeAction): void {
    const { store, sources, log, scanOptions, onGap } = this.options
    switch (action.do) {
      case 'scan': {
        const [scanner] = sources.scanners()
        if (scanner === undefined) {
          setImmediate(() => this.happen(state, { type: 'scanEnded', complete: false }))
          return
        }
        const epoch = store.allotEpoch()
        state.scan = { epoch, scanner: scanner.identity.instance, progress: undefined }
        log.info('scan starts', { root: state.spec.path, epoch, reason: action.reason })
        sources.commandScan(scanner, state.spec, epoch, scanOptions)
        break
      }
      case 'cancelScan':
        if (!state.scan) return
        for (const peer of sources.scanners()) sources.cancelScan(peer, state.spec.id, state.scan.epoch)
        state.scan = undefined
        break
      case 'check':
        this.check(state, action.mode)
        break
      case 'cancelCheck':
        if (state.check) this.desk.cancel(state.check)
        state.check = undefined
        break
      case 'rest':
        this.retryLater(state)
        break
      case 'tellGap':
        onGap(state.spec.id, action.reason)
        break
    }
  }

  private check(state: RootState, mode: 'directories' | 'full'): void {
    const known = this.options.store.rootStatus().find(status => status.spec.id === state.spec.id)
    const wholeUntilMs = Math.min(
      state.wholeUntilMs ?? Number.POSITIVE_INFINITY,
      known?.wholeUntilMs || Number.POSITIVE_INFINITY,
    )
    const plan = {
      mode,
      racyFrom: (wholeUntilMs - RACY_MS) / 1_000,
      counts: state.counts,
      background: mode === 'full',
      entriesPerSecond: 0,
      after: new Uint8Array(0),
    }
    const check = this.desk.start(state.spec, plan, result => {
      if (state.check !== check) return
      state.check = undefined
      if (result === 'complete') this.retries.delete(state.spec.id)
      if (result === 'complete' && mode === 'full') state.wholeUntilMs = undefined
      this.happen(state, { type: 'checkEnded', result })
      this.record(state)
    })
    state.check = check
    if (!check) setImmediate(() => this.happen(state, { type: 'checkEnded', result: 'failed' }))
  }

  /** Notes in the store how the root is followed. Resolves when that is durable, or never will be. */
  private async record(state: RootState): Promise<void> {
    const { life, followed, spec } = state
    const isWhole = isCovered(life)
    try {
      await this.options.store.noteFollowing(spec.id, { followed, trust: life.trust, isWhole })
    } catch (error) {
      // The store cannot write any more, or ends: after a restart the root is checked.
      if (!(error instanceof UnavailableError)) throw error
    }
  }

  /** The store only reads from now on: scans and checks end, none begins, and nothing is live. */
  storageFailed(reason: string): void {
    this.reading = reason
    for (const { timer } of this.retries.values()) clearTimeout(timer)
    for (const state of this.states.values()) this.happen(state, { type: 'storageFailed' })
  }

  private retryLater(state: RootState): void {
    if (this.stopped) return
    const retry = this.retries.get(state.spec.id) ?? { delayMs: RETRY_MS, timer: undefined }
    clearTimeout(retry.timer)
    const { delayMs } = retry
    this.retries.set(state.spec.id, {
      delayMs: Math.min(MAX_RETRY_MS, delayMs * 2),
      timer: setTimeout(() => this.happen(state, { type: 'rested' }), delayMs),
    })
  }

  // ---- Roots

  /** Why a root has to be scanned at the start; undefined if it need not. */
  private startReason(spec: RootSpec): ScanReason | undefined {
    if (!this.options.scan) return undefined
    const known = this.options.store.rootStatus().find(status => status.spec.id === spec.id)
    if (known === undefined || known.lastScan === null) return 'first'
    if (known.scanReason !== '') return 'damaged'
    // What happened while nobody watched is found by comparing; where nobody lists what differs, by a scan.
    if (spec.kind === 'tree') return this.options.watch ? undefined : 'catch-up'
    return listFileChanged(spec.path, known.lastScan.listFile) ? 'list-changed' : undefined
  }

  /** Makes a root known. */
  add(spec: RootSpec, wanted: ScanReason | undefined): void {
    if (this.states.has(spec.id)) return
    const { store, sources, watch, scan } = this.options
    const known = store.rootStatus().find(status => status.spec.id === spec.id)
    const life = newLife(spec.kind, {
      followed: watch && spec.kind === 'tree',
      auto: scan,
      hasIndex: this.hasIndex(spec.id),
      trust: known?.trust ?? 'none',
      scanner: false,
      patient: this.isPatient,
      wanted,
    })
    const state = new RootState(spec, this.reading === undefined ? life : { ...life, writable: false })
    state.followed = known?.followed ?? null
    this.states.set(spec.id, state)
    state.noteLag(known?.wholeUntilMs || undefined)
    if (wanted === 'damaged') this.options.onGap(spec.id, 'damage')
    if (life.followed) for (const peer of sources.watchers()) this.watchWith(peer, state)
    this.happen(state, { type: 'scanners', there: sources.scanners().length > 0 })
  }

  specs(): RootSpec[] {
    return [...this.states.values()].map(state => state.spec)
  }

  /** Asks for scans: of one root, or of all. @returns their ids @throws InvalidInputError for an unknown root */
  rescan(root: string): string[] {
    const states = root === '' ? [...this.states.values()] : [this.state(root)]
    for (const state of states) this.want(state, 'asked')
    return states.map(state => state.spec.id)
  }

  private want(state: RootState, reason: ScanReason): void {
    this.happen(state, { type: 'scanWanted', reason, hasIndex: this.hasIndex(state.spec.id) })
  }

  private hasIndex(root: string): boolean {
    const status = this.options.store.rootStatus().find(candidate => candidate.spec.id === root)
    return status !== undefined && status.lastScan !== null && !status.partial
  }

  private state(root: string): RootState {
    const state = this.states.get(root)
    if (state === undefined) throw new InvalidInputError('root', 'one that is indexed', JSON.stringify(root))
    return state
  }

  // ---- Scanners

  scannerCame(): void {
    for (const state of this.states.values()) this.happen(state, { type: 'scanners', there: true })
  }

  async scannerLost(instance: string): Promise<void> {
    const there = this.options.sources.scanners().length > 0
    for (const state of this.states.values()) this.happen(state, { type: 'scanners', there })
    this.desk.scannerLost(instance)
    for (const state of this.states.values()) {
      if (state.scan?.scanner === instance) await this.endScan(state, state.scan.epoch, false)
    }
  }

  /** Opens a scan in the store. @throws InvalidInputError if nobody asked for it */
  async beginScan(begin: ScanBegin): Promise<number> {
    const state = this.state(begin.root.id)
    if (state.scan?.epoch !== begin.epoch) {
      throw new InvalidInputError('scan', `epoch ${state.scan?.epoch ?? 'none'}`, `${begin.epoch}`)
    }
    const { store } = this.options
    await store.addRoot(state.spec, {
      volume: begin.volume,
      prefix: begin.prefix,
      virtualRoot: state.spec.kind === 'list',
    })
    const epoch = await store.beginScan(state.spec.id, {
      epoch: begin.epoch,
      bootId: begin.bootId,
      startedAt: monotonicMicros(),
      partial: true,
    })
    if (state.scan?.epoch === epoch) this.happen(state, { type: 'scanBegan' })
    return epoch
  }

  /** Makes a finished scan the active generation. */
  async finishScan(end: ScanEnd): Promise<void> {
    const state = this.state(end.root)
    const { store, log } = this.options
    if (end.state === 'aborted') {
      await this.endScan(state, end.epoch, false)
      return
    }
    if (state.scan?.epoch !== end.epoch) throw new InvalidInputError('scan', 'an open epoch', `${end.epoch}`)
    for (const problem of end.problems) {
      log.warn('not indexed', {
        root: state.spec.path,
        line: problem.line,
        path: Buffer.from(problem.path).toString(),
        problem: problem.message,
      })
    }
    try {
      const finished = await store.endScan(end.epoch, {
        lastSequence: end.lastSequence,
        skipped: end.skipped,
        ...(state.spec.kind === 'list' ? { listFile: listFileFacts(state.spec.path) } : {}),
      })
      log.info('scan finished', {
        root: state.spec.path,
        epoch: end.epoch,
        entries: finished.entries,
        skipped: end.skipped,
      })
      await this.endScan(state, end.epoch, true)
      this.askForListings(state.spec.id, finished.listRequests)
    } catch (error) {
      await this.endScan(state, end.epoch, false)
      throw error
    }
  }

  private async endScan(state: RootState, epoch: number, complete: boolean): Promise<void> {
    if (!complete) await this.options.store.abortScan(epoch)
    if (state.scan?.epoch !== epoch) return
    state.scan = undefined
    if (complete) {
      this.retries.delete(state.spec.id)
      state.wholeUntilMs = undefined
    }
    this.happen(state, { type: 'scanEnded', complete })
    void this.record(state)
  }

  /** What a scanner sent cannot be taken: its scan is cancelled and tried again later. */
  async scanFailed(epoch: number, error: unknown): Promise<void> {
    for (const state of this.states.values()) {
      if (state.scan?.epoch !== epoch) continue
      this.options.log.error('scan failed', { root: state.spec.path, epoch, error })
      for (const peer of this.options.sources.scanners()) this.options.sources.cancelScan(peer, state.spec.id, epoch)
      await this.endScan(state, epoch, false)
    }
  }

  progress(progress: ScanProgress): void {
    const state = this.states.get(progress.root)
    if (state?.scan?.epoch !== progress.epoch) return
    state.scan.progress = progress
    this.options.onProgress(progress)
  }

  /** Resolves when the batch was compared; to false where no such check runs. */
  checkBatch(batch: CheckBatch): Promise<boolean> {
    return this.desk.batch(batch)
  }

  checkEnd(end: CheckEnd): void {
    this.desk.end(end)
  }

  // ---- Watchers

  private waitForWatcher(delayMs: number): void {
    clearTimeout(this.patience)
    // Without a watcher the scans begin all the same, and their roots stay unwatched until one comes.
    this.patience = setTimeout(() => {
      this.isPatient = false
      for (const state of this.states.values()) this.happen(state, { type: 'patienceOver' })
    }, delayMs)
  }

  watcherCame(peer: Peer): void {
    for (const state of this.states.values()) if (state.life.followed) this.watchWith(peer, state)
  }

  watcherLost({ identity }: Peer): void {
    const isLast = this.options.sources.watchers().length === 0
    for (const state of this.states.values()) {
      if (state.watcher !== identity.instance && !(isLast && state.watcher === '')) continue
      state.watcher = ''
      state.report = undefined
      this.happen(state, { type: 'watcherGone' })
      void this.record(state)
    }
    if (isLast) this.waitForWatcher(this.options.absenceMs ?? LOST_MS + WATCHER_START_MS)
  }

  private watchWith(peer: Peer, state: RootState): void {
    this.happen(state, { type: 'watcherCame' })
    this.options.sources.commandWatch(peer, state.spec, this.options.scanOptions)
  }

  private watcherOf({ watcher }: RootState): Peer | undefined {
    return this.options.sources.watchers().find(({ identity }) => identity.instance === watcher)
  }

  /** @param watcher instance of the stage that tells it */
  watchState(watcher: string, news: WatchState): void {
    const state = this.states.get(news.root)
    if (state === undefined || state.isReplaced(news.source)) return
    const { state: kind, mechanism, reason, source, term } = news
    this.options.log.info('watch', { root: state.spec.path, state: kind, mechanism, reason, source, term })
    state.watcher = watcher
    const continuity = kind === 'armed' ? continuityOf(state.followed, news, this.bootId) : undefined
    if (kind === 'lost' || continuity === 'loss') this.noteLoss(state, news)
    if (kind === 'armed') state.follow({ source, term, bootId: this.bootId })
    else state.followed = null
    state.watch = news
    if (kind === 'armed') {
      const cause = continuity === 'loss' ? 'loss' : 'downtime'
      const polled = mechanism === 'polling'
      this.happen(state, { type: kind, continuous: continuity === 'continuous', polled, cause }, state.wholeUntilMs)
    } else this.happen(state, { type: kind }, state.wholeUntilMs)
    void this.record(state)
    // Directories whose contents were never told are asked for again: a watcher forgets what it was asked.
    if (kind === 'armed') this.askForListings(news.root, this.listRequestsOf(news.root))
  }

  private noteLoss(state: RootState, { wholeUntil }: WatchState): void {
    if (state.life.watch !== 'lost') state.losses++
    if (Number.isNaN(wholeUntil)) return
    state.wholeUntilMs = Math.min(state.wholeUntilMs ?? Number.POSITIVE_INFINITY, wholeUntil * 1_000)
  }

  watchReport(report: WatchReport): void {
    const state = this.states.get(report.root)
    if (state === undefined) return
    state.report = report.waiting === 0 ? undefined : report
    this.options.onFresh(report.root)
  }

  /** Changes of a followed root were lost on the way. Resolves when that outlives the process. */
  async eventsLost(root: string): Promise<void> {
    const state = this.states.get(root)
    if (state === undefined) return
    if (state.life.hasIndex) state.losses++
    this.happen(state, { type: 'gap' })
    await this.record(state)
  }

  /** True for a source that another one has replaced: what it says is out of date. */
  isReplaced(root: string, source: string): boolean {
    return this.states.get(root)?.isReplaced(source) === true
  }

  // ---- Listings

  private listRequestsOf(root: string): ListRequest[] {
    return this.options.store.directories(root) ? this.options.store.listRequests(root) : []
  }

  /** Tells watchers to list directories. */
  private askForListings(root: string, requests: readonly ListRequest[]): void {
    if (requests.length === 0) return
    const command = listCommand(root, requests)
    for (const peer of this.options.sources.watchers()) this.options.sources.commandList(peer, command)
  }

  /** Asks for what followed trees wait for. @returns these trees */
  askForMissingListings(): string[] {
    const asked: string[] = []
    for (const { spec, life } of this.states.values()) {
      const requests = life.watch === 'armed' ? this.listRequestsOf(spec.id) : []
      if (requests.length === 0) continue
      this.askForListings(spec.id, requests)
      asked.push(spec.id)
    }
    return asked
  }

  /** Resolves when all that happened to a root is in the index, with the contents of what came; to false if nobody knows. */
  private async settle(root: string): Promise<boolean> {
    const { sources } = this.options
    let former = ''
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const state = this.states.get(root)
      const watcher = state && this.watcherOf(state)
      if (!watcher || !(await sources.passBarrier(watcher, root))) return false
      const requests = this.listRequestsOf(root)
      const asked = JSON.stringify(requests.map(({ ref }) => ref))
      // What the watcher cannot list, it never will.
      if (requests.length === 0 || asked === former) return true
      former = asked
      this.askForListings(root, requests)
    }
    return true
  }

  // ---- For those who ask

  fresh(): Fresh {
    return worstFresh([...this.states.values()].map(state => state.fresh()))
  }

  freshOf(root: string): Fresh | undefined {
    return this.states.get(root)?.fresh()
  }

  /** True while some root has no complete index. */
  get partial(): boolean {
    return [...this.states.values()].some(state => !state.life.hasIndex)
  }

  /**
   * Roots of which changes may be missing although all watchers have answered: trees that are not followed or not caught up
   * with, and lists whose files are not those that were read. Cost: a system call for each list.
   */
  uncoveredRoots(): string[] {
    return [...this.states.values()].filter(state => !this.isCovered(state)).map(state => state.spec.id)
  }

  private isCovered({ spec, life }: RootState): boolean {
    if (spec.kind === 'tree') return isCovered(life)
    const known = this.options.store.rootStatus().find(status => status.spec.id === spec.id)
    return known?.lastScan?.listFile != null && !listFileChanged(spec.path, known.lastScan.listFile)
  }

  /** Roots that a watcher follows. */
  rootsOf(watcher: string): string[] {
    return [...this.states.values()].filter(state => state.watcher === watcher).map(state => state.spec.id)
  }

  statuses(): RootStatus[] {
    return rootStatuses(this.states.values(), this.options.store, this.reading)
  }
}
