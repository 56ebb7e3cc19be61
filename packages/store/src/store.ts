import { checkChangeBatch, encodeChangeBatch, WalRecordType } from '@hotpath/index-format'
import {
  type ChangeBatch,
  CorruptFileError,
  type EngineOp,
  type EntryColumns,
  InvalidInputError,
  type NodeRef,
  type RootSpec,
  UnavailableError,
} from '@hotpath/model'
import { applyBatch, type IgnoredCounts } from './apply.js'
import { Checkpointer, type CheckpointerHost } from './checkpointer.js'
import { type CompactionLimits, DEFAULT_COMPACTION_LIMITS } from './compaction-policy.js'
import { freezeView } from './flush.js'
import { followScan } from './follow-scan.js'
import { listRequestsOf } from './list-requests.js'
import { Listeners } from './listeners.js'
import { LogFiles } from './log-files.js'
import { ManifestStore } from './manifest-store.js'
import { entriesAt, hasNode, type NodeAtPath, volumesOf } from './node-lookup.js'
import { type DamagedFile, Recovery } from './recovery.js'
import { type ReaderHandle, RetiredFiles } from './retired-files.js'
import { RootState } from './root-state.js'
import { rootStatus, segmentSizes } from './root-status.js'
import { Roots } from './roots.js'
import { type Listing, MAX_WAITING_CHANGES, type ReceivedEntries, ScanSession } from './scan-session.js'
import type { SegmentState } from './segment-state.js'
import { StoreClock } from './store-clock.js'
import { DAMAGED_SUFFIX, isStoreFile, MANIFEST_NAME, segmentName, tombstoneName, walName } from './store-files.js'
import { StoreNumbers } from './store-numbers.js'
import type {
  AppliedBatch,
  BeginScanOptions,
  EndScanOptions,
  FinishedScan,
  ListRequest,
  OpenReport,
  RootPlace,
  RootStatus,
  SegmentSizes,
  StoreLog,
  StoreOptions,
} from './store-types.js'
import { View } from './view.js'
import { activateView, addSegment, createView, snapshotOf } from './view-ops.js'
import { WalWriter } from './wal-writer.js'
import { WriterState } from './writer-state.js'

const NOTHING_IGNORED: IgnoredCounts = { unknownDirectory: 0, outdated: 0, cycle: 0 }
const SILENT: StoreLog = { info: () => {}, warn: () => {} }

/**
 * The LSM store: everything between batches of observations and the operations that keep query workers up to date.
 * One thread; calls apply at once and in order, what is slow happens behind promises. After an I/O failure nothing
 * more is acknowledged: `failure` says why, and reopening recovers.
 */
export class Store {
  readonly storeId: string
  readonly report: OpenReport
  private readonly opsListeners = new Listeners<[ops: EngineOp[]]>()
  private readonly retired: RetiredFiles
  private readonly checkpointer: Checkpointer
  private readonly manifest: ManifestStore
  private readonly clockState: StoreClock
  private readonly log: StoreLog
  private readonly flushRows: number
  private readonly limits: CompactionLimits
  private walBytes = 0
  /** Aborted scans whose last segment is still being built. */
  private ending: Promise<unknown> = Promise.resolve()

  private constructor(
    private readonly options: StoreOptions,
    private readonly roots: Roots,
    private readonly wal: WalWriter,
    private readonly numbers: StoreNumbers,
    private readonly writer: WriterState,
    private readonly logs: LogFiles,
    report: OpenReport,
    private readonly lock: { release(): void } | undefined,
  ) {
    this.storeId = numbers.storeId
    this.report = report
    this.log = options.log ?? SILENT
    this.flushRows = options.flushRows ?? 32_768
    this.limits = options.compaction ?? DEFAULT_COMPACTION_LIMITS
    this.clockState = new StoreClock(numbers.incarnation)
    writer.onFailure(error => this.clockState.fail(error))
    this.retired = new RetiredFiles(options.fs, error =>
      this.log.warn('a file could not be removed', { error: error.message }),
    )
    this.manifest = new ManifestStore(options.fs, options.directory, () => ({
      ...numbers.nextManifest(),
      roots: roots.toManifest(),
    }))
    const host: CheckpointerHost = {
      fs: options.fs,
      backend: options.backend,
      directory: options.directory,
      retired: this.retired,
      nextFileId: () => numbers.takeFile(),
      emit: ops => this.emit(ops),
      writeManifest: () => this.manifest.write(),
      setAside: (view, segment) => this.setAside(view, segment),
    }
    this.checkpointer = new Checkpointer(host)
  }

  /**
   * Opens or makes a store: takes the lock, reads manifest and segments, replays the log, removes what nothing names.
   * Damaged parts are set aside and their roots say so (see `report` and `roots`).
   * @throws BusyError, UnsupportedVersionError, or the error of a file call
   */
  static async open(options: StoreOptions): Promise<Store> {
    const { fs, directory } = options
    await fs.makeDirectory(directory)
    const lock = options.lock?.()
    try {
      return await Store.openLocked(options, lock)
    } catch (error) {
      await options.backend.stop()
      lock?.release()
      throw error
    }
  }

  private static async openLocked(options: StoreOptions, lock: { release(): void } | undefined): Promise<Store> {
    const { fs, directory } = options
    const recovered = await new Recovery(fs, options.backend, directory, options.followed).run()
    const { manifest, damaged } = recovered
    const roots = new Roots(recovered.roots)
    const numbers = StoreNumbers.after(manifest, await fs.list(directory))
    const writer = new WriterState()
    const walNumbers = [...recovered.walNumbers]
    // Files whose numbers were given out but that were never made would look like lost ones later.
    for (
      let number = Math.max(recovered.firstWal, ...walNumbers.map(n => n + 1));
      number < recovered.nextWal;
      number++
    ) {
      await (await WalWriter.create(fs, directory, numbers.storeId, number, () => {})).close()
      walNumbers.push(number)
    }
    const wal = await WalWriter.create(fs, directory, numbers.storeId, recovered.nextWal, error => writer.fail(error))
    // Damaged log files are set aside, not removed.
    const aside = new Set(damaged.map(({ name }) => name))
    const sealed = walNumbers.filter(number => !aside.has(walName(number)))
    const logs = new LogFiles(fs, directory, wal, sealed)
    const removedOrphans: string[] = []
    const report = {
      damaged,
      removedOrphans,
      replayedRecords: recovered.replayedRecords,
      replayedRows: recovered.replayedRows,
    }
    const store = new Store(options, roots, wal, numbers, writer, logs, report, lock)
    try {
      await store.finishOpen(removedOrphans)
    } catch (error) {
      await store.wal.close()
      for (const root of roots) for (const segment of root.active?.segments ?? []) segment.close()
      throw error
    }
    return store
  }

  private async finishOpen(removedOrphans: string[]): Promise<void> {
    const { fs, directory } = this.options
    const pending = this.report.damaged.filter(file => file.pending)
    if (pending.length > 0) {
      for (const root of this.roots) if (root.active) await this.flushNow(root)
      for (const { name } of pending) await fs.rename(`${directory}/${name}`, `${directory}/${name}${DAMAGED_SUFFIX}`)
    }
    await this.manifest.write()
    const kept = new Set([MANIFEST_NAME, ...this.logs.names()])
    for (const { durable } of this.roots) {
      for (const segment of durable?.segments ?? []) {
        kept.add(segmentName(segment.id))
        if (segment.deadGeneration > 0) kept.add(tombstoneName(segment.id, segment.deadGeneration))
      }
    }
    for (const name of await fs.list(directory)) {
      if (kept.has(name) || !isStoreFile(name)) continue
      await fs.remove(`${directory}/${name}`)
      removedOrphans.push(name)
    }
    await fs.syncDirectory(directory)
    for (const file of this.report.damaged)
      this.log.warn('damaged file set aside', { file: file.name, reason: file.reason })
  }

  /** The first failure that stopped the store. */
  get failure(): Error | undefined {
    return this.writer.failure
  }

  // ---- Roots

  /** Makes a root known; a known one keeps its index. A new one has `scanReason`. Resolves when that is durable. */
  async addRoot(spec: RootSpec, place: RootPlace): Promise<void> {
    this.writer.check()
    if (!this.roots.add(spec, place)) return
    await this.writer.guard(this.manifest.write())
  }

  /** Forgets a root and removes its index. */
  async removeRoot(id: string): Promise<void> {
    this.writer.check()
    const root = this.roots.get(id)
    this.roots.remove(root)
    if (root.scan) this.dropScan(root, new UnavailableError(`root ${id} was removed`))
    const view = root.active
    root.active = undefined
    root.durable = null
    if (view) this.emit([{ op: 'dropView', view: view.id }])
    await this.writer.guard(this.manifest.write())
    await root.idle()
    for (const segment of view?.segments ?? []) this.checkpointer.retire(segment)
    await this.writer.guard(this.removeOldLogs())
  }

  rootStatus(): RootStatus[] {
    return [...this.roots].map(rootStatus)
  }

  /** Directories of a root whose contents are not known: to be asked for again when its source is new. */
  listRequests(id: string): ListRequest[] {
    const view = this.roots.get(id).active
    return view ? listRequestsOf(view, view.unlisted) : []
  }

  /** Asks for a scan of a root; listeners of onScanNeeded are told. */
  async requestScan(id: string, reason: string): Promise<void> {
    this.writer.check()
    this.roots.needScan(this.roots.get(id), reason)
    await this.writer.guard(this.manifest.write())
  }

  // ---- Nodes

  /** Volumes of the roots that answer queries. */
  volumes(): { readonly volume: string; readonly kind: RootSpec['kind'] }[] {
    return volumesOf(this.roots)
  }

  /** True if some root holds an entry of this node. */
  hasNode(volume: string, ref: NodeRef): boolean {
    return hasNode(this.roots, volume, ref)
  }

  /** Each root's entry at a path as answers write it; without `ref` where the root's nodes have none. */
  entriesAt(path: Uint8Array): NodeAtPath[] {
    return entriesAt(this.roots, path)
  }

  // ---- Changes

  /**
   * Applies a batch to the root's views and writes it to the log. Cost: a few lookups a row.
   * @throws InvalidInputError if the batch breaks its contract (nothing was applied)
   */
  applyChanges(batch: ChangeBatch): AppliedBatch {
    this.writer.check()
    checkChangeBatch(batch)
    const root = this.roots.get(batch.root)
    const last = root.applied.get(batch.source) ?? 0
    if (batch.sequence <= last) {
      const clock = this.clockState.applied
      const durable = this.clockState.whenDurable(clock)
      durable.catch(() => {})
      return { clock, duplicate: true, gap: false, ignored: NOTHING_IGNORED, listRequests: [], durable }
    }
    const { active, scan } = root
    const written = active || root.switching ? encodeChangeBatch(batch) : undefined
    const ops: EngineOp[] = []
    const requests: ListRequest[] = []
    let ignored = NOTHING_IGNORED
    for (const view of [active, scan?.live ? scan.view : undefined]) {
      if (!view) continue
      const result = applyBatch(view, batch)
      ignored = result.ignored
      ops.push(...view.takeOps())
      for (const request of listRequestsOf(view, result.toList)) {
        if (!requests.some(({ ref }) => ref.low === request.ref.low && ref.high === request.ref.high))
          requests.push(request)
      }
    }
    if (scan && !scan.live && !scan.keep(batch))
      this.dropScan(root, scan.failure ?? new UnavailableError('scan failed'))
    root.noteApplied(batch.source, batch.sequence)
    const durable = written ? this.wal.append(WalRecordType.changes, written) : undefined
    const clock = this.clockState.advance(durable)
    this.emit(ops)
    this.setBrokenAside(root)
    if (written) this.walBytes += written.length
    this.flushIfDue(root)
    return {
      clock,
      duplicate: false,
      gap: last > 0 && batch.sequence > last + 1,
      ignored,
      listRequests: requests,
      durable: durable ?? this.clockState.whenDurable(clock),
    }
  }

  // ---- Scans

  /** An epoch for a scan that somebody else is asked to begin. */
  allotEpoch(): number {
    return this.numbers.takeView()
  }

  /** Opens a scan of a root, which builds a new view. A scan that is open is aborted. @returns its epoch */
  async beginScan(id: string, options: BeginScanOptions): Promise<number> {
    this.writer.check()
    const root = this.roots.get(id)
    if (root.scan) this.dropScan(root, new UnavailableError('another scan of the root began'))
    const epoch = options.epoch ?? this.allotEpoch()
    if (!this.numbers.isViewTaken(epoch) || [...this.roots].some(other => other.active?.id === epoch)) {
      throw new InvalidInputError('epoch', 'one that the store allotted', `${epoch}`)
    }
    const view = new View({
      id: epoch,
      root: id,
      volume: root.volume,
      prefix: root.prefix,
      virtualRoot: root.virtualRoot,
      followed: this.options.followed?.(root.volume),
    })
    view.boots = root.active ? [...root.active.boots] : []
    view.observedFrom = { boot: view.bootIndex(options.bootId), time: options.startedAt }
    // With its ancestors a slice stays below 2^19 rows, for which the index by name has 4 MB, and not 8.
    const sliceRows = this.options.sliceRows ?? 500_000
    const firstSliceRows =
      options.partial && !root.active ? (this.options.firstSliceRows ?? Math.ceil(sliceRows / 8)) : sliceRows
    root.scan = new ScanSession(
      epoch,
      view,
      {
        buildSegment: rows => this.checkpointer.build(rows, 'scan'),
        discardSegment: segment => this.checkpointer.retire(segment, false),
        sliceInstalled: (session, segment) => this.sliceInstalled(root, session, segment, options.partial === true),
      },
      {
        sliceRows,
        firstSliceRows,
        bootId: options.bootId,
        maxWaitingChanges: this.options.maxScanChanges ?? MAX_WAITING_CHANGES,
      },
    )
    this.emit([createView(view.options)])
    // If the store dies now, the next one must know that this scan never ended.
    if (root.scanReason === '') root.scanReason = 'unfinished scan'
    await this.writer.guard(this.manifest.write())
    return epoch
  }

  /**
   * Rows of a scan, in the scan's own directory numbers; a directory's row comes before its children's.
   * @throws InvalidInputError (the scan is aborted then); UnavailableError if the scan is not open any more
   */
  addEntries(epoch: number, sequence: number, entries: EntryColumns, listing: Listing): ReceivedEntries {
    this.writer.check()
    const root = this.scanning(epoch)
    try {
      return this.session(root).add(sequence, entries, listing)
    } catch (error) {
      this.dropScan(root, error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  /** Makes the scan's view durable, then active in one step. Rejects, and aborts the scan, if anything is missing. */
  async endScan(epoch: number, options: EndScanOptions): Promise<FinishedScan> {
    this.writer.check()
    const root = this.scanning(epoch)
    const session = this.session(root)
    if (session.lastSequence !== options.lastSequence) {
      const error = new InvalidInputError('scan end', `${options.lastSequence} batches`, `${session.lastSequence}`)
      this.dropScan(root, error)
      throw error
    }
    try {
      await session.finishSlices()
      return await root.enqueue(() => this.switchTo(root, session, options))
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      // The rows did not hold together: that costs the scan. Anything else is a disk that fails.
      const costsOnlyTheScan = failure instanceof InvalidInputError || failure instanceof CorruptFileError
      if (!costsOnlyTheScan && !session.aborted) this.writer.fail(failure)
      this.dropScan(root, failure)
      throw failure
    }
  }

  /** Drops a scan and its view; the root keeps asking for one. An epoch that is not open is fine. */
  async abortScan(epoch: number): Promise<void> {
    const root = this.roots.scannedBy(epoch)
    if (root) this.dropScan(root, new UnavailableError('the scan was aborted'))
  }

  // ---- Readers

  /** `listener` gets each list of operations, in order, as it is applied. @returns stops that */
  onOps(listener: (ops: EngineOp[]) => void): () => void {
    return this.opsListeners.add(listener)
  }

  /** Operations that make an empty worker equal to those that got every list so far. */
  snapshotOps(): EngineOp[] {
    return snapshotOf(this.roots)
  }

  /** From now on segment files stay until this reader has confirmed (dropSegment, and each segment of a dropped view). */
  registerReader(): ReaderHandle {
    return this.retired.register()
  }

  /** Called with every failure that stops the store. */
  onFailure(listener: (error: Error) => void): () => void {
    return this.writer.onFailure(listener)
  }

  /** Called when a root comes to need a scan. At opening, see rootStatus. */
  onScanNeeded(listener: (root: string, reason: string) => void): () => void {
    return this.roots.onScanNeeded(listener)
  }

  // ---- Clock

  /** Numbers of states: queries see `applied`, a power loss leaves `durable`. They rise over restarts. */
  clock(): { readonly applied: number; readonly durable: number } {
    return { applied: this.clockState.applied, durable: this.clockState.durable }
  }

  /** Resolves when queries see this state and it is durable. */
  async waitForClock(step: number, signal?: AbortSignal): Promise<void> {
    await this.clockState.whenApplied(step, signal)
    await this.clockState.whenDurable(step)
  }

  // ---- Upkeep

  /** Writes the deltas of a root (or of all) to segments. */
  async flush(id?: string): Promise<void> {
    this.writer.check()
    for (const root of this.roots.select(id)) await this.flushRoot(root)
  }

  /** Flushes, then merges all segments of a root (or of all roots) into one each. */
  async compact(id?: string): Promise<void> {
    this.writer.check()
    for (const root of this.roots.select(id)) await this.writer.guard(root.enqueue(() => this.checkpoint(root, true)))
  }

  /** Sizes of every segment and its sections. */
  sizes(): SegmentSizes[] {
    return [...this.roots].flatMap(segmentSizes)
  }

  /** Reads every checksum of every segment. @returns the damaged ones, which were set aside */
  async verify(): Promise<DamagedFile[]> {
    const damaged: DamagedFile[] = []
    for (const root of this.roots) {
      for (const segment of [...(root.active?.segments ?? [])]) {
        try {
          await this.options.backend.verify(segment.file)
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          damaged.push({ name: segmentName(segment.id), reason, pending: false })
          if (root.active?.segments.includes(segment)) this.setAside(root.active, segment)
        }
      }
    }
    if (damaged.length > 0) await this.writer.guard(this.manifest.write())
    return damaged
  }

  /** How records were grouped into commits, and the bytes of log that are not yet in segments. */
  walStats(): { readonly records: number; readonly syncs: number; readonly bytes: number } {
    return { records: this.wal.records, syncs: this.wal.syncs, bytes: this.walBytes }
  }

  /** Stops building, closes everything, gives up the lock. Deltas stay in the log. */
  async close(): Promise<void> {
    if (!this.writer.beginClosing()) return
    for (const root of this.roots) {
      if (root.scan) this.dropScan(root, new UnavailableError('the store is closing'))
    }
    // A merge may take many seconds and can be done again: it is not waited for.
    await this.options.backend.stop()
    await this.ending
    for (const root of this.roots) await root.idle()
    await this.wal.close()
    await this.retired.settled()
    for (const root of this.roots) for (const segment of root.active?.segments ?? []) segment.close()
    this.lock?.release()
  }

  // ---- Inside

  private emit(ops: EngineOp[]): void {
    if (ops.length > 0) this.opsListeners.tell(ops)
  }

  private scanning(epoch: number): RootState {
    const root = this.roots.scannedBy(epoch)
    if (!root) throw new UnavailableError(`scan ${epoch} is not open`)
    return root
  }

  private session(root: RootState): ScanSession {
    if (!root.scan) throw new UnavailableError('no scan is open')
    return root.scan
  }

  private sliceInstalled(root: RootState, session: ScanSession, segment: SegmentState, partial: boolean): void {
    const { view } = session
    if (session.aborted) return
    const ops: EngineOp[] = [addSegment(view.id, segment), ...view.takeOps()]
    if (partial && !root.active && !root.scanVisible) {
      root.scanVisible = true
      ops.push(activateView(view, true))
    }
    this.clockState.advance()
    this.emit(ops)
  }

  private dropScan(root: RootState, error: Error): void {
    const session = root.scan
    if (!session || session.aborted) return
    session.aborted = true
    session.fail(error)
    root.scan = undefined
    root.scanVisible = false
    root.switching = false
    this.ending = Promise.all([this.ending, session.idle()])
    this.emit([{ op: 'dropView', view: session.view.id }])
    for (const segment of session.view.segments) this.checkpointer.retire(segment)
    if (!root.removed && !this.writer.isClosing) this.roots.needScan(root, root.scanReason || error.message)
  }

  /** The changes that waited are applied, the view is frozen and written, and the manifest names it. */
  private async switchTo(root: RootState, session: ScanSession, options: EndScanOptions): Promise<FinishedScan> {
    const { view } = session
    root.switching = true
    this.emit(view.takeOps())
    await session.drain(() => this.emit(view.takeOps()))
    const broken = view.brokenSegments()[0]?.broken
    if (broken) throw broken
    const bootId = view.boots[view.observedFrom.boot]
    view.listedAt = undefined
    const frozen = freezeView(view, this.logs.rotate(), [...root.applied])
    const pending = this.checkpointer.prepare(view, frozen)
    const before = {
      durable: root.durable,
      lastScan: root.lastScan,
      scanReason: root.scanReason,
      partial: root.partial,
    }
    const target = new RootState(root.spec, root.volume, root.prefix, root.virtualRoot)
    const obsolete = await this.checkpointer.write(target, pending)
    if (session.aborted) throw session.failure ?? new UnavailableError('the scan was aborted')
    root.durable = target.durable
    root.lastScan = {
      bootId,
      startedAt: view.observedFrom.time,
      finishedAtMs: (this.options.now ?? Date.now)(),
      entries: view.entryCount,
      skipped: (options.skipped ?? 0) + session.skippedRows,
      listFile: options.listFile ?? null,
    }
    root.scanReason = ''
    root.partial = false
    try {
      await this.manifest.write()
    } catch (error) {
      Object.assign(root, before)
      throw error
    }
    const old = root.active
    if (old && view.options.followed) followScan(old, view, view.options.followed)
    root.active = view
    root.scan = undefined
    root.scanVisible = false
    root.switching = false
    const ops: EngineOp[] = [activateView(view, false)]
    if (before.partial) ops.push({ op: 'markPartial', root: root.spec.id, partial: false })
    const clock = this.clockState.advance()
    this.emit(ops)
    view.endFreeze()
    for (const segment of old?.segments ?? []) this.checkpointer.retire(segment)
    for (const file of obsolete) await this.options.fs.remove(file)
    await this.removeOldLogs()
    // Slices are merged behind the answer: one large segment is half as big and twice as fast as ten.
    this.writer.guardInBackground(root.enqueue(() => this.checkpoint(root, view.segments.length > 1)))
    return { clock, entries: view.entryCount, listRequests: listRequestsOf(view, view.unlisted) }
  }

  private flushIfDue(root: RootState): void {
    const due = (root.active?.delta.size ?? 0) >= this.flushRows
    if (due) this.flushSoon(root)
    if (this.walBytes < (this.options.maxWalBytes ?? 64 * 1024 * 1024)) return
    this.walBytes = 0
    for (const other of this.roots) this.flushSoon(other)
  }

  private flushSoon(root: RootState): void {
    if (root.flushQueued || !root.active) return
    root.flushQueued = true
    const job = root.enqueue(() => {
      root.flushQueued = false
      return this.checkpoint(root, false)
    })
    this.writer.guardInBackground(job)
  }

  private flushRoot(root: RootState): Promise<void> {
    return this.writer.guard(root.enqueue(() => this.checkpoint(root, false)))
  }

  /** During opening, before anything else runs. */
  private flushNow(root: RootState): Promise<void> {
    return this.checkpoint(root, false)
  }

  /** Flush, manifest, then merges that are due (`all`: one segment). */
  private async checkpoint(root: RootState, all: boolean): Promise<void> {
    const view = root.active
    if (!view || !this.writer.isOpen) return
    this.setBrokenAside(root)
    const frozen = freezeView(view, this.logs.rotate(), [...root.applied])
    const pending = this.checkpointer.prepare(view, frozen)
    try {
      const obsolete = await this.checkpointer.write(root, pending)
      await this.manifest.write()
      for (const file of obsolete) await this.options.fs.remove(file)
      await this.removeOldLogs()
      if (root.active === view && !this.writer.isClosing)
        await this.checkpointer.compact(root, view, frozen, this.limits, all)
    } finally {
      view.endFreeze()
    }
  }

  /** Log files before every view's checkpoint are of no use any more. */
  private removeOldLogs(): Promise<void> {
    return this.logs.removeBefore(this.roots.replayFrom())
  }

  private setBrokenAside(root: RootState): void {
    const broken = root.active?.brokenSegments() ?? []
    if (broken.length === 0 || !root.active) return
    for (const segment of broken) this.setAside(root.active, segment)
    this.writer.guardInBackground(this.manifest.write())
  }

  /** A damaged segment leaves its view: answers are partial until the next scan. */
  private setAside(view: View, segment: SegmentState): void {
    const root = this.roots.get(view.root)
    this.log.warn('damaged segment set aside', { file: segment.file, reason: segment.broken?.message ?? 'verify' })
    view.dropSegment(segment)
    view.impliedDirectories = true
    root.partial = true
    if (root.durable) {
      root.durable = { ...root.durable, segments: root.durable.segments.filter(({ id }) => id !== segment.id) }
    }
    this.emit([
      { op: 'dropSegment', view: view.id, segment: segment.id },
      { op: 'markPartial', root: view.root, partial: true },
    ])
    segment.close()
    const { fs } = this.options
    this.writer.guardInBackground(fs.rename(segment.file, `${segment.file}${DAMAGED_SUFFIX}`))
    this.roots.needScan(root, 'damaged segment')
  }
}
