import { statSync } from 'node:fs'
import { InvalidInputError, type RootSpec } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import type {
  Fresh,
  ListCommand,
  Peer,
  RootStatus,
  ScanBegin,
  ScanEnd,
  ScanOptions,
  ScanProgress,
  WatchState,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import type { ListRequest, Store } from '@hotpath/store'
import { RootState, type ScanReason, worstFresh } from './root-state.js'

/** How the keeper talks to the sources. */
export interface Sources {
  /** Connected scanners and watchers. */
  scanners(): Peer[]
  watchers(): Peer[]
  commandScan(peer: Peer, root: RootSpec, epoch: number, options: ScanOptions): void
  cancelScan(peer: Peer, root: string, epoch: number): void
  commandWatch(peer: Peer, root: RootSpec, options: ScanOptions): void
  commandUnwatch(peer: Peer, root: string): void
  commandList(peer: Peer, command: ListCommand): void
}

export interface RootKeeperOptions {
  readonly store: Store
  readonly sources: Sources
  readonly log: Logger
  /** Follow changes of trees. */
  readonly watch: boolean
  /** Scan what needs it; off: answer from what is on disk. */
  readonly scan: boolean
  readonly scanOptions: ScanOptions
  /** A state that clients see has changed. */
  onFresh(root: string): void
  onProgress(progress: ScanProgress): void
}

/** A scan of a root that failed is tried again after this time, doubled each time up to the limit. */
const RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** How long a first scan waits for the journal watcher, so that nothing is missed between the two. */
const WATCHER_PATIENCE_MS = 5_000

/** Knows every root: decides when it is scanned and watched, and how true it is. */
export class RootKeeper {
  private readonly states = new Map<string, RootState>()
  private readonly retries = new Map<string, { delayMs: number; timer: NodeJS.Timeout | undefined }>()
  private patience: NodeJS.Timeout | undefined
  private watcherExpected: boolean
  private stopped = false
  /** Since when (performance.now) the store only reads, and why. */
  private reading: { readonly sinceMs: number; readonly reason: string } | undefined

  constructor(private readonly options: RootKeeperOptions) {
    this.watcherExpected = options.watch
  }

  /** Call once the sources can be commanded. */
  start(roots: readonly RootSpec[]): void {
    for (const spec of roots) this.add(spec, this.startReason(spec))
    this.options.store.onScanNeeded((root, reason) => {
      const state = this.states.get(root)
      if (state && state.scan === undefined && state.wanted === undefined) {
        this.options.log.info('scan needed', { root: state.spec.path, reason })
        this.want(state, 'damaged')
      }
    })
    // Without a watcher the scans begin all the same, and their roots stay unwatched until one comes.
    this.patience = setTimeout(() => {
      this.watcherExpected = false
      this.startScans()
    }, WATCHER_PATIENCE_MS)
    this.startScans()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.patience)
    for (const { timer } of this.retries.values()) clearTimeout(timer)
  }

  /** The store only reads from now on: scans end, none begins, and nothing is live. */
  storageFailed(reason: string): void {
    this.reading = { sinceMs: performance.now(), reason }
    for (const { timer } of this.retries.values()) clearTimeout(timer)
    for (const state of this.states.values()) {
      const { scan } = state
      if (scan) {
        for (const peer of this.options.sources.scanners())
          this.options.sources.cancelScan(peer, state.spec.id, scan.epoch)
        state.end(false)
        state.wanted = scan.reason
      }
      this.options.onFresh(state.spec.id)
    }
  }

  /** Why a root has to be scanned at the start; undefined if it need not. */
  private startReason(spec: RootSpec): ScanReason | undefined {
    if (!this.options.scan) return undefined
    const known = this.options.store.rootStatus().find(status => status.spec.id === spec.id)
    if (known === undefined || known.lastScan === null) return 'first'
    if (known.scanReason !== '') return 'damaged'
    // What happened to a tree while nobody watched is found by a pass over it; queries are answered meanwhile.
    if (spec.kind === 'tree') return 'catch-up'
    return listFileChanged(spec.path, known.lastScan.listFile) ? 'list-changed' : undefined
  }

  /** Makes a root known. */
  add(spec: RootSpec, reason: ScanReason | undefined): void {
    if (this.states.has(spec.id)) return
    const state = new RootState(spec, this.options.watch && spec.kind === 'tree')
    this.states.set(spec.id, state)
    if (state.watched) {
      for (const peer of this.options.sources.watchers()) this.commandWatch(peer, state)
    }
    if (reason) this.want(state, reason)
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
    const { scan } = state
    if (scan) {
      // What is being read now may be too old already: begin again.
      for (const peer of this.options.sources.scanners())
        this.options.sources.cancelScan(peer, state.spec.id, scan.epoch)
    }
    state.wanted = reason
    this.options.onFresh(state.spec.id)
    this.startScans()
  }

  private startScans(): void {
    const [scanner] = this.options.sources.scanners()
    if (scanner === undefined || this.stopped || this.reading) return
    for (const state of this.states.values()) {
      if (state.wanted === undefined || state.scan || !state.canStart(this.watcherExpected)) continue
      const reason = state.wanted
      const epoch = this.options.store.allotEpoch()
      state.begin(epoch, scanner.identity.instance)
      this.options.log.info('scan starts', { root: state.spec.path, epoch, reason })
      this.options.sources.commandScan(scanner, state.spec, epoch, this.options.scanOptions)
      this.options.onFresh(state.spec.id)
    }
  }

  scannerCame(): void {
    this.startScans()
  }

  async scannerLost(instance: string): Promise<void> {
    for (const state of this.states.values()) {
      if (state.scan?.scanner !== instance) continue
      await this.endScan(state, state.scan.epoch, false)
    }
  }

  watcherCame(peer: Peer): void {
    for (const state of this.states.values()) if (state.watched) this.commandWatch(peer, state)
  }

  watcherLost(): void {
    for (const state of this.states.values()) {
      state.watcherLost()
      this.options.onFresh(state.spec.id)
    }
  }

  private commandWatch(peer: Peer, state: RootState): void {
    this.options.sources.commandWatch(peer, state.spec, this.options.scanOptions)
  }

  /** @param watcher instance of the stage that tells it */
  watchState(watcher: string, news: WatchState): void {
    const state = this.states.get(news.root)
    if (state === undefined) return
    state.watcher = watcher
    const reason = state.watchChanged(news)
    this.options.log.info('watch', {
      root: state.spec.path,
      state: news.state,
      mechanism: news.mechanism,
      reason: news.reason,
    })
    if (reason && this.options.scan) this.want(state, reason)
    else this.startScans()
    // Directories whose contents were never told are asked for again: a watcher forgets what it was asked.
    if (news.state === 'armed') this.askForListings(news.root, this.listRequestsOf(news.root))
    this.options.onFresh(state.spec.id)
  }

  private listRequestsOf(root: string): ListRequest[] {
    return this.options.store.rootStatus().some(status => status.spec.id === root)
      ? this.options.store.listRequests(root)
      : []
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
    return store.beginScan(state.spec.id, {
      epoch: begin.epoch,
      bootId: begin.bootId,
      startedAt: monotonicMicros(),
      partial: true,
    })
  }

  /** Makes a finished scan the active generation. */
  async finishScan(end: ScanEnd): Promise<void> {
    const state = this.state(end.root)
    const { store, log } = this.options
    if (state.scan?.epoch !== end.epoch) throw new InvalidInputError('scan', 'an open epoch', `${end.epoch}`)
    for (const problem of end.problems) {
      log.warn('not indexed', {
        root: state.spec.path,
        line: problem.line,
        path: Buffer.from(problem.path).toString(),
        problem: problem.message,
      })
    }
    if (end.state === 'aborted') {
      await this.endScan(state, end.epoch, false)
      return
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
    const repeat = state.end(complete)
    if (complete) this.retries.delete(state.spec.id)
    else this.retryLater(state)
    if (repeat) this.want(state, 'watch')
    this.options.onFresh(state.spec.id)
    this.startScans()
  }

  private retryLater(state: RootState): void {
    if (this.stopped || this.reading || state.wanted) return
    const retry = this.retries.get(state.spec.id) ?? { delayMs: RETRY_MS, timer: undefined }
    clearTimeout(retry.timer)
    const { delayMs } = retry
    this.retries.set(state.spec.id, {
      delayMs: Math.min(MAX_RETRY_MS, delayMs * 2),
      timer: setTimeout(() => this.want(state, 'retry'), delayMs),
    })
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

  /** Events of a watched root were lost on the way: it is scanned again. */
  eventsLost(root: string): void {
    const state = this.states.get(root)
    if (state && this.options.scan) this.want(state, 'watch')
  }

  /** Tells watchers to list directories whose contents nobody has told. */
  askForListings(root: string, requests: readonly ListRequest[]): void {
    if (requests.length === 0) return
    const pathOffsets = new Uint32Array(requests.length + 1)
    requests.forEach((request, i) => {
      pathOffsets[i + 1] = pathOffsets[i] + request.path.length
    })
    const command: ListCommand = {
      root,
      pathOffsets,
      paths: new Uint8Array(Buffer.concat(requests.map(request => request.path))),
      refs: refColumn(requests),
    }
    for (const peer of this.options.sources.watchers()) this.options.sources.commandList(peer, command)
  }

  fresh(): Fresh {
    return worstFresh([...this.states.values()].map(state => this.freshOfState(state)))
  }

  freshOf(root: string): Fresh | undefined {
    const state = this.states.get(root)
    return state && this.freshOfState(state)
  }

  private freshOfState(state: RootState): Fresh {
    const hasIndex = this.hasIndex(state)
    return this.reading
      ? state.freshWhileReading(hasIndex, performance.now() - this.reading.sinceMs)
      : state.fresh(hasIndex)
  }

  /** True while some root has no complete index. */
  get partial(): boolean {
    return [...this.states.values()].some(state => !this.hasIndex(state))
  }

  /**
   * Roots of which changes may be missing although all watchers have answered: trees that are not followed or not caught up
   * with, and lists whose files are not those that were read. Cost: a system call for each list.
   */
  uncoveredRoots(): string[] {
    return [...this.states.values()].filter(state => !this.isCovered(state)).map(state => state.spec.id)
  }

  private isCovered(state: RootState): boolean {
    if (state.spec.kind === 'tree') return state.isCovered(this.hasIndex(state))
    const known = this.options.store.rootStatus().find(status => status.spec.id === state.spec.id)
    return known?.lastScan?.listFile != null && !listFileChanged(state.spec.path, known.lastScan.listFile)
  }

  /** Roots that a watcher follows. */
  rootsOf(watcher: string): string[] {
    return [...this.states.values()].filter(state => state.watcher === watcher).map(state => state.spec.id)
  }

  /** Asks for what followed trees wait for. @returns these trees */
  askForMissingListings(): string[] {
    const asked: string[] = []
    for (const { spec, watch } of this.states.values()) {
      const requests = watch?.state === 'armed' ? this.listRequestsOf(spec.id) : []
      if (requests.length === 0) continue
      this.askForListings(spec.id, requests)
      asked.push(spec.id)
    }
    return asked
  }

  private hasIndex(state: RootState): boolean {
    const status = this.options.store.rootStatus().find(candidate => candidate.spec.id === state.spec.id)
    return status !== undefined && status.lastScan !== null && !status.partial
  }

  statuses(): RootStatus[] {
    const sizes = this.options.store.sizes()
    const known = new Map(this.options.store.rootStatus().map(status => [status.spec.id, status]))
    return [...this.states.values()].map(state => {
      const status = known.get(state.spec.id)
      const segments = sizes.filter(size => size.root === state.spec.id)
      const hasIndex = this.hasIndex(state)
      return {
        root: state.spec,
        entries: status?.entries ?? 0,
        directories: segments.reduce((sum, segment) => sum + segment.directories - segment.stubs, 0),
        segments: status?.segments ?? 0,
        indexBytes: segments.reduce((sum, segment) => sum + segment.sizeBytes, 0),
        deltaRows: status?.deltaRows ?? 0,
        fresh: this.freshOfState(state),
        mechanism: state.mechanism,
        partial: !hasIndex,
        scan: state.scan?.progress,
        reason: this.reading?.reason ?? state.reason(hasIndex),
        checked: 0,
        wrong: 0,
        repaired: 0,
        losses: state.losses,
      }
    })
  }

  private state(root: string): RootState {
    const state = this.states.get(root)
    if (state === undefined) throw new InvalidInputError('root', 'one that is indexed', JSON.stringify(root))
    return state
  }
}

export function refColumn(requests: readonly ListRequest[]) {
  return {
    low: Uint32Array.from(requests, request => request.ref.low),
    high: Uint32Array.from(requests, request => request.ref.high),
    birth: Uint32Array.from(requests, request => request.ref.birth),
  }
}

/** What tells one state of a list file from another. */
function listFileFacts(path: string): { sizeBytes: number; modifiedMs: number; inode: string } {
  const stats = statSync(path, { bigint: true })
  return { sizeBytes: Number(stats.size), modifiedMs: Number(stats.mtimeMs), inode: stats.ino.toString() }
}

function listFileChanged(path: string, then: { sizeBytes: number; modifiedMs: number; inode: string } | null): boolean {
  if (then === null) return true
  try {
    const now = listFileFacts(path)
    return now.sizeBytes !== then.sizeBytes || now.modifiedMs !== then.modifiedMs || now.inode !== then.inode
  } catch {
    // A list that cannot be read now is not gone from the index for that; the scan that follows says why.
    return true
  }
}
