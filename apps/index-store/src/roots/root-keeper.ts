import { ACCESS_SECTIONS } from '@hotpath/index-format'
import { InvalidInputError, type RootSpec, UnavailableError } from '@hotpath/model'
import type {
  CheckBatch,
  CheckEnd,
  Fresh,
  FreshInstance,
  JournalReached,
  Peer,
  RootStatus,
  ScanBegin,
  ScanEnd,
  ScanOptions,
  ScanProgress,
  WatchReport,
  WatchState,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import type { Store } from '@hotpath/store'
import { CheckDesk } from './check-desk.js'
import { ImageLooks } from './image-looks.js'
import { listFileChanged } from './list-file.js'
import { Listings } from './listings.js'
import { Retries } from './retries.js'
import { isCovered, type LifeAction, type LifeEvent, type ScanReason, step } from './root-life.js'
import { newLife, RootState, worstFresh } from './root-state.js'
import { rootStatuses } from './root-statuses.js'
import { ScanDesk } from './scan-desk.js'
import type { Sources } from './sources.js'
import { type VerifyOptions, VerifyRounds } from './verify-rounds.js'
import { WatchDesk } from './watch-desk.js'

export interface RootKeeperOptions {
  readonly store: Store
  readonly sources: Sources
  readonly log: Logger
  /** Follow changes of trees and volumes. */
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

/** Ticks of clocks that stamp files: 2 s on FAT, milliseconds elsewhere. */
const RACY_MS = 2_000

/** Knows every root: tells the life of each what happens, and does what it says is to be done. */
export class RootKeeper {
  private readonly states = new Map<string, RootState>()
  private readonly retries = new Retries()
  private readonly listings: Listings
  private readonly scans: ScanDesk
  private readonly checks: CheckDesk
  private readonly watches: WatchDesk
  private readonly rounds: VerifyRounds
  private readonly images: ImageLooks
  private stopped = false
  /** Why the store only reads. */
  private reading: string | undefined

  constructor(private readonly options: RootKeeperOptions) {
    const { store, sources, log, scanOptions, verify, absenceMs } = options
    const roots = () => this.states.values()
    this.listings = new Listings(store, sources)
    this.scans = new ScanDesk({
      ...{ store, sources, log, scanOptions },
      stateOf: root => this.state(root),
      began: state => this.happen(state, { type: 'scanBegan' }),
      ended: (state, complete, missing) => {
        this.images.scanEnded(state.spec.id)
        if (complete) this.isUpToDate(state)
        this.happen(state, { type: 'scanEnded', complete })
        if (state.life.trust === 'full') state.forgiveLoss()
        void this.record(state)
        this.listings.ask(state.spec.id, missing)
      },
    })
    this.checks = new CheckDesk({
      ...{ store, sources, log, scanOptions },
      list: (root, requests) => this.listings.ask(root, requests),
      settle: root => this.listings.settle(root, () => this.watches.of(this.state(root))),
    })
    this.watches = new WatchDesk({
      ...{ sources, log, scanOptions, absenceMs, roots },
      happen: (state, event, sinceMs) => this.happen(state, event, sinceMs),
      record: state => this.record(state),
      journals: {
        of: root => this.known(root)?.journal ?? null,
        reached: (root, from, position) => void this.note(store.noteJournal(root, from, position)),
        forget: root => void this.note(store.forgetJournal(root)),
      },
    })
    this.rounds = new VerifyRounds({ ...verify, desk: this.checks, roots })
    this.images = new ImageLooks({ roots, changed: root => this.want(this.state(root), 'catch-up') })
  }

  /** Call once the sources can be commanded. */
  start(roots: readonly RootSpec[]): void {
    this.watches.start()
    for (const spec of roots) this.add(spec, this.startReason(spec))
    this.options.store.onScanNeeded((root, reason) => {
      const state = this.states.get(root)
      if (!state || state.life.work === 'scan' || state.life.wanted !== undefined) return
      this.options.log.info('scan needed', { root: state.spec.path, reason })
      this.want(state, 'damaged')
    })
  }

  stop(): void {
    this.stopped = true
    this.checks.stop()
    this.watches.stop()
    this.rounds.stop()
    this.images.stop()
    this.retries.stop()
  }

  // ---- What happens to roots

  private happen(state: RootState, event: LifeEvent, sinceMs?: number): void {
    if (this.stopped) return
    const { life, actions } = step(state.life, event)
    if (life === state.life && actions.length === 0) return
    state.life = life
    state.noteLag(sinceMs)
    for (const action of actions) this.act(state, action)
    this.options.onFresh(state.spec.id)
    this.rounds.update()
    this.images.update()
  }

  private act(state: RootState, action: LifeAction): void {
    switch (action.do) {
      case 'scan':
        this.images.scanStarts(state)
        if (!this.scans.start(state, action.reason)) {
          setImmediate(() => this.happen(state, { type: 'scanEnded', complete: false }))
        }
        break
      case 'cancelScan':
        this.scans.cancel(state)
        break
      case 'check':
        this.check(state, action.mode)
        break
      case 'cancelCheck':
        if (state.check) this.checks.cancel(state.check)
        state.check = undefined
        break
      case 'followAgain':
        this.watches.followAgain(state)
        break
      case 'rest':
        this.retries.later(state.spec.id, () => this.happen(state, { type: 'rested' }))
        break
      case 'tellGap':
        this.options.onGap(state.spec.id, action.reason)
        break
    }
  }

  private check(state: RootState, mode: 'directories' | 'full'): void {
    const never = Number.POSITIVE_INFINITY
    const wholeUntilMs = Math.min(state.wholeUntilMs ?? never, this.known(state.spec.id)?.wholeUntilMs || never)
    const plan = {
      mode,
      racyFrom: (wholeUntilMs - RACY_MS) / 1_000,
      counts: state.counts,
      background: mode === 'full',
      entriesPerSecond: 0,
      after: new Uint8Array(0),
    }
    const check = this.checks.start(state.spec, plan, result => {
      if (state.check !== check) return
      state.check = undefined
      if (result === 'complete' && mode === 'full') this.isUpToDate(state)
      this.happen(state, { type: 'checkEnded', result })
      void this.record(state)
    })
    state.check = check
    if (!check) setImmediate(() => this.happen(state, { type: 'checkEnded', result: 'failed' }))
  }

  private isUpToDate(state: RootState): void {
    this.retries.succeeded(state.spec.id)
    state.wholeUntilMs = undefined
  }

  /** Notes in the store how the root is followed. Resolves when that is durable, or never will be. */
  private async record(state: RootState): Promise<void> {
    const { life, followed, spec } = state
    const isWhole = isCovered(life)
    await this.note(this.options.store.noteFollowing(spec.id, { followed, trust: life.trust, isWhole }))
  }

  private async note(noted: Promise<void>): Promise<void> {
    try {
      await noted
    } catch (error) {
      // The store cannot write any more, or ends: after a restart the root is checked.
      if (!(error instanceof UnavailableError)) throw error
    }
  }

  /** The store only reads from now on: scans and checks end, none begins, and nothing is live. */
  storageFailed(reason: string): void {
    this.reading = reason
    this.retries.stop()
    for (const state of this.states.values()) this.happen(state, { type: 'storageFailed' })
  }

  // ---- Roots

  /** Why a root has to be scanned at the start; undefined if it need not. */
  private startReason(spec: RootSpec): ScanReason | undefined {
    if (!this.options.scan) return undefined
    const known = this.known(spec.id)
    if (known === undefined || known.lastScan === null) return 'first'
    // What was asked for and not finished is no damage.
    if (known.scanReason !== '') return known.partial || known.trust === 'none' ? 'damaged' : 'retry'
    if (spec.kind === 'tree' && this.options.scanOptions.access && !this.knowsAccess(spec.id)) return 'catch-up'
    // What happened while nobody watched is found by comparing, or stands in a journal; where nobody lists what differs, by a scan.
    if (spec.kind !== 'list') return this.options.watch ? undefined : 'catch-up'
    return listFileChanged(spec.path, known.lastScan.listFile) ? 'list-changed' : undefined
  }

  /** False if directories of a root do not say who may list them: it was scanned when nobody asked. */
  private knowsAccess(root: string): boolean {
    return this.options.store
      .sizes()
      .filter(segment => segment.root === root && segment.directories > segment.stubs)
      .every(({ sections }) => sections.some(({ tag }) => tag === ACCESS_SECTIONS.mode))
  }

  /** Makes a root known. */
  add(spec: RootSpec, wanted: ScanReason | undefined): void {
    if (this.states.has(spec.id)) return
    const { sources, watch, scan, onGap } = this.options
    const known = this.known(spec.id)
    const followed = watch && spec.kind !== 'list'
    const life = newLife(spec.kind, {
      followed,
      auto: scan,
      hasIndex: this.hasIndex(spec.id),
      trust: known?.trust ?? 'none',
      scanner: false,
      patient: this.watches.isPatient,
      wanted,
    })
    const state = new RootState(spec, this.reading === undefined ? life : { ...life, writable: false })
    state.followed = known?.followed ?? null
    this.states.set(spec.id, state)
    state.noteLag(known?.wholeUntilMs || undefined)
    if (wanted === 'damaged') onGap(spec.id, 'damage')
    if (followed) for (const peer of sources.watchers()) this.watches.command(peer, state)
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

  private known(root: string): ReturnType<Store['rootStatus']>[number] | undefined {
    return this.options.store.rootStatus().find(({ spec }) => spec.id === root)
  }

  private hasIndex(root: string): boolean {
    const known = this.known(root)
    return known !== undefined && known.lastScan !== null && !known.partial
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
    this.checks.scannerLost(instance)
    for (const state of this.states.values()) if (state.scan?.scanner === instance) await this.scans.lost(state)
  }

  /** Opens a scan in the store. @throws InvalidInputError if nobody asked for it */
  beginScan(begin: ScanBegin): Promise<number> {
    return this.scans.begin(begin)
  }

  /** Makes a finished scan the active generation. */
  finishScan(end: ScanEnd): Promise<void> {
    return this.scans.finish(end)
  }

  /** What a scanner sent cannot be taken: its scan is cancelled and tried again later. */
  async scanFailed(epoch: number, error: unknown): Promise<void> {
    for (const state of this.states.values()) {
      if (state.scan?.epoch === epoch) await this.scans.fail(state, epoch, error)
    }
  }

  progress(progress: ScanProgress): void {
    if (this.scans.progress(this.states.get(progress.root), progress)) this.options.onProgress(progress)
  }

  /** Resolves when the batch was compared; to false where no such check runs. */
  checkBatch(batch: CheckBatch): Promise<boolean> {
    return this.checks.batch(batch)
  }

  checkEnd(end: CheckEnd): void {
    this.checks.end(end)
  }

  // ---- Watchers

  watcherCame(peer: Peer): void {
    this.watches.came(peer)
  }

  watcherLost(peer: Peer): void {
    this.watches.lost(peer)
  }

  /** @param watcher instance of the stage that tells it */
  watchState(watcher: string, news: WatchState): void {
    const state = this.states.get(news.root)
    if (state === undefined) return
    this.watches.state(state, watcher, news)
    // Directories whose contents were never told are asked for again: a watcher forgets what it was asked.
    if (news.state === 'armed') this.listings.ask(news.root, this.listings.missing(news.root))
  }

  /** @param watcher instance of the stage that tells it */
  journalReached(watcher: string, reached: JournalReached): void {
    const state = this.states.get(reached.root)
    if (state !== undefined) this.watches.journalReached(state, watcher, reached)
  }

  watchReport(report: WatchReport): void {
    const state = this.states.get(report.root)
    if (state === undefined) return
    this.watches.report(state, report)
    this.options.onFresh(report.root)
  }

  /** Changes of a followed root were lost on the way. Resolves when that outlives the process. */
  async eventsLost(root: string): Promise<void> {
    const state = this.states.get(root)
    if (state) await this.watches.gap(state)
  }

  /** True for a source that another one has replaced: what it says is out of date. */
  isReplaced(root: string, source: string): boolean {
    return this.states.get(root)?.isReplaced(source) === true
  }

  /** Asks for what followed trees wait for. @returns these trees */
  askForMissingListings(): string[] {
    const asked: string[] = []
    for (const { spec, life } of this.states.values()) {
      const requests = life.watch === 'armed' ? this.listings.missing(spec.id) : []
      if (requests.length === 0) continue
      this.listings.ask(spec.id, requests)
      asked.push(spec.id)
    }
    return asked
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

  /** Entries of all roots; 0 while one of them is being read. */
  get settledEntries(): number {
    if ([...this.states.values()].some(({ life, scan }) => !life.hasIndex || scan !== undefined)) return 0
    return this.options.store.rootStatus().reduce((sum, { entries }) => sum + entries, 0)
  }

  /**
   * Roots of which changes may be missing although all watchers have answered: trees that are not followed or not caught up
   * with, and lists whose files are not those that were read. Cost: a system call for each list.
   */
  uncoveredRoots(): string[] {
    return [...this.states.values()].filter(state => !this.isCovered(state)).map(state => state.spec.id)
  }

  private isCovered({ spec, life }: RootState): boolean {
    if (spec.kind !== 'list') return isCovered(life)
    const read = this.known(spec.id)?.lastScan?.listFile
    return read != null && !listFileChanged(spec.path, read)
  }

  /** Roots that a watcher follows. */
  rootsOf(watcher: string): string[] {
    return [...this.states.values()].filter(state => state.watcher === watcher).map(state => state.spec.id)
  }

  statuses(): RootStatus[] {
    return rootStatuses(this.states.values(), this.options.store, this.reading)
  }
}
