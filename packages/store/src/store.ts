import type {
  ChangeBatch,
  EngineOp,
  EntryColumns,
  JournalPosition,
  NodeRef,
  RootSpec,
  StorageError,
} from '@hotpath/model'
import { systemFailureOf, UnavailableError } from '@hotpath/model'
import { ChangeIntake } from './change-intake.js'
import { CheckpointSchedule } from './checkpoint-schedule.js'
import { Checkpointer } from './checkpointer.js'
import { DamagedSegments } from './damaged-segments.js'
import { GenerationSwitch } from './generation-switch.js'
import { IndexedDirectories } from './indexed-directories.js'
import { listRequestsOf } from './list-requests.js'
import { entriesAt, hasNode, type NodeAtPath, volumesOf } from './node-lookup.js'
import type { DamagedFile } from './recovery.js'
import type { ReaderHandle } from './retired-files.js'
import { rootStatus, segmentSizes } from './root-status.js'
import type { Listing } from './scan-batch.js'
import { ScanGenerations } from './scan-generations.js'
import type { ReceivedEntries } from './scan-session.js'
import { createCore, type StoreCore } from './store-core.js'
import { type ReadFiles, readFiles, settleFiles } from './store-opening.js'
import type {
  AppliedBatch,
  BeginScanOptions,
  EndScanOptions,
  FinishedScan,
  Following,
  ListRequest,
  OpenReport,
  RootPlace,
  RootStatus,
  SegmentSizes,
  StoreOptions,
} from './store-types.js'
import { snapshotOf } from './view-ops.js'

/** Log files that an opening may leave without a checkpoint. A guess: so many are listed and read in no time. */
const MAX_OPENING_LOG_FILES = 8

/**
 * The LSM store: everything between batches of observations and the operations that keep query workers up to date.
 * One thread; calls apply in order, what is slow happens behind promises. After an I/O failure, also one
 * while it is opened, the store only reads: readers are served from what is in memory, nothing more is written or
 * acknowledged, and who wants to write gets a StorageError. `failure` says why, and reopening recovers.
 *
 * This is the front of the parts that do the work; it says who may call what and when. What arrives goes through
 * ChangeIntake and ScanGenerations into the views of Roots; CheckpointSchedule makes them durable.
 */
export class Store {
  readonly storeId: string
  private readonly damaged: DamagedSegments
  private readonly checkpointer: Checkpointer
  private readonly schedule: CheckpointSchedule
  private readonly scans: ScanGenerations
  private readonly changes: ChangeIntake

  private constructor(
    private readonly core: StoreCore,
    readonly report: OpenReport,
    private readonly lock: { release(): void } | undefined,
  ) {
    this.storeId = core.numbers.storeId
    this.damaged = new DamagedSegments(core)
    this.checkpointer = new Checkpointer(core, this.damaged)
    this.schedule = new CheckpointSchedule(core, this.checkpointer, this.damaged)
    const generationSwitch = new GenerationSwitch(core, this.checkpointer, this.schedule)
    this.scans = new ScanGenerations(core, this.checkpointer, generationSwitch)
    this.changes = new ChangeIntake(core, this.scans, this.schedule, this.damaged)
  }

  /**
   * Opens or makes a store: takes the lock, reads manifest and segments, replays the log, removes what nothing names.
   * Damaged parts are set aside and their roots say so (see `report` and `roots`). Where the disk takes nothing (it is full,
   * or read-only), the store is one that only reads, and has left the disk as it was.
   * @throws BusyError, UnsupportedVersionError, or the error of a file call that was to read
   */
  static async open(options: StoreOptions): Promise<Store> {
    await options.fs.makeDirectory(options.directory)
    const lock = options.lock?.()
    try {
      const read = await readFiles(options)
      const store = new Store(createCore(options, read), read.report, lock)
      await store.settle(read)
      return store
    } catch (error) {
      await options.backend.stop()
      lock?.release()
      throw error
    }
  }

  private async settle(read: ReadFiles): Promise<void> {
    try {
      await settleFiles(this.core, read, root => this.schedule.checkpoint(root, false))
      this.shortenLog()
    } catch (error) {
      if (error instanceof Error && systemFailureOf(error)) {
        this.core.writer.fail(error)
        return
      }
      await this.core.wal.close()
      this.closeSegments()
      throw error
    }
  }

  /** Each opening that finds records begins another log file: without a checkpoint they would pile up. */
  private shortenLog(): void {
    const { logs, roots, writer } = this.core
    if (logs.names().length <= MAX_OPENING_LOG_FILES) return
    for (const root of roots) writer.guardInBackground(this.schedule.flush(root))
  }

  /** The first failure: since then the store only reads. */
  get failure(): Error | undefined {
    return this.core.writer.failure
  }

  /** What whoever wants to write is told since the failure. */
  get storageError(): StorageError | undefined {
    return this.core.writer.storageError
  }

  /** @throws StorageError if the store only reads */
  checkStorage(): void {
    this.core.writer.checkStorage()
  }

  // ---- Roots

  /** Makes a root known; a known one keeps its index. A new one has `scanReason`. Resolves when that is durable. */
  async addRoot(spec: RootSpec, place: RootPlace): Promise<void> {
    const { writer, roots, manifest } = this.core
    writer.check()
    if (!roots.add(spec, place)) return
    await writer.guard(manifest.write())
  }

  /** Forgets a root and removes its index. */
  async removeRoot(id: string): Promise<void> {
    const { writer, roots, ops, manifest } = this.core
    writer.check()
    const root = roots.get(id)
    roots.remove(root)
    this.scans.drop(root, new UnavailableError(`root ${id} was removed`))
    const view = root.active
    root.active = undefined
    root.durable = null
    if (view) {
      this.checkpointer.announce(view.segments)
      ops.emit([{ op: 'dropView', view: view.id }])
    }
    await writer.guard(manifest.write())
    await root.idle()
    for (const segment of view?.segments ?? []) this.checkpointer.retire(segment)
    await writer.guard(this.schedule.removeOldLogs())
  }

  /**
   * Notes how a root is followed. Resolves when that is durable; nothing is written where a restart would find the same,
   * nor for a root that is not known.
   */
  async noteFollowing(id: string, { followed, trust, isWhole }: Following): Promise<void> {
    const { writer, roots, manifest } = this.core
    const root = roots.find(id)
    if (!root) return
    const isKnown = root.trust === trust && isSameSource(root.followed, followed)
    Object.assign(root, { followed, trust, isWhole })
    if (isKnown) return
    writer.check()
    await writer.guard(manifest.write())
  }

  /**
   * All that the change journal of a volume has from `from` on and before `position` is in the index and durable. Resolves when that is
   * noted; nothing is written where it says nothing new.
   */
  async noteJournal(id: string, from: number, position: JournalPosition): Promise<void> {
    const { writer, roots, manifest } = this.core
    if (!roots.find(id)?.reached(from, position)) return
    writer.check()
    await writer.guard(manifest.write())
  }

  /** Changes of a volume are missing: its journal can be continued only after the next scan. Resolves when that is durable. */
  async forgetJournal(id: string): Promise<void> {
    const { writer, roots, manifest } = this.core
    const root = roots.find(id)
    if (!root?.journal) return
    root.journal = null
    writer.check()
    await writer.guard(manifest.write())
  }

  rootStatus(): RootStatus[] {
    return [...this.core.roots].map(rootStatus)
  }

  /** Directories of a root whose contents are not known: to be asked for again when its source is new. */
  listRequests(id: string): ListRequest[] {
    const view = this.core.roots.get(id).active
    return view ? listRequestsOf(view, view.unlisted) : []
  }

  /** Asks for a scan of a root; listeners of onScanNeeded are told. */
  async requestScan(id: string, reason: string): Promise<void> {
    const { writer, roots, manifest } = this.core
    writer.check()
    roots.needScan(roots.get(id), reason)
    await writer.guard(manifest.write())
  }

  /** Called when a root comes to need a scan. At opening, see rootStatus. */
  onScanNeeded(listener: (root: string, reason: string) => void): () => void {
    return this.core.roots.onScanNeeded(listener)
  }

  /** Directories of a root as checks see them; undefined if it has no index. */
  directories(id: string): IndexedDirectories | undefined {
    const view = this.core.roots.find(id)?.active
    return view && new IndexedDirectories(view)
  }

  // ---- Nodes

  /** Volumes of the roots that answer queries. */
  volumes(): { readonly volume: string; readonly kind: RootSpec['kind'] }[] {
    return volumesOf(this.core.roots)
  }

  /** True if some root holds an entry of this node. */
  hasNode(volume: string, ref: NodeRef): boolean {
    return hasNode(this.core.roots, volume, ref)
  }

  /** Each root's entry at a path as answers write it; without `ref` where the root's nodes have none. */
  entriesAt(path: Uint8Array): NodeAtPath[] {
    return entriesAt(this.core.roots, path)
  }

  // ---- Changes

  /**
   * Applies a batch to the root's views and writes it to the log. Batches are applied in the order of the calls, large ones
   * with turns of the event loop in between; resolves when queries see it. Cost: a few lookups a row.
   * @throws InvalidInputError if the batch breaks its contract (nothing was applied); StorageError if the store only reads
   */
  applyChanges(batch: ChangeBatch): Promise<AppliedBatch> {
    return this.changes.apply(batch)
  }

  /** Resolves when queries see every batch that was given so far. */
  changesApplied(): Promise<void> {
    return this.core.queue.whole(() => {})
  }

  // ---- Scans

  /** An epoch for a scan that somebody else is asked to begin. */
  allotEpoch(): number {
    return this.core.numbers.takeView()
  }

  /** Opens a scan of a root, which builds a new view. A scan that is open is aborted. @returns its epoch */
  beginScan(id: string, options: BeginScanOptions): Promise<number> {
    return this.scans.begin(id, options)
  }

  /**
   * Rows of a scan, in the scan's own directory numbers; a directory's row comes before its children's.
   * @throws InvalidInputError (the scan is aborted then); UnavailableError if the scan is not open any more
   */
  addEntries(epoch: number, sequence: number, entries: EntryColumns, listing: Listing): ReceivedEntries {
    return this.scans.add(epoch, sequence, entries, listing)
  }

  /** Makes the scan's view durable, then active in one step. Rejects, and aborts the scan, if anything is missing. */
  endScan(epoch: number, options: EndScanOptions): Promise<FinishedScan> {
    return this.scans.end(epoch, options)
  }

  /** Drops a scan and its view; the root keeps asking for one. An epoch that is not open is fine. */
  async abortScan(epoch: number): Promise<void> {
    this.scans.abort(epoch)
  }

  // ---- Readers

  /** `listener` gets each list of operations, in order, as it is applied. @returns stops that */
  onOps(listener: (ops: EngineOp[]) => void): () => void {
    return this.core.ops.listen(listener)
  }

  /** Operations that make an empty worker equal to those that got every list so far. Not while a batch is being applied. */
  snapshotOps(): EngineOp[] {
    return snapshotOf(this.core.roots)
  }

  /** From now on segment files stay until this reader has confirmed (dropSegment, and each segment of a dropped view). */
  registerReader(): ReaderHandle {
    return this.core.retired.register()
  }

  /** Called with every failure that stops the store. */
  onFailure(listener: (error: Error) => void): () => void {
    return this.core.writer.onFailure(listener)
  }

  // ---- Clock

  /** Numbers of states: queries see `applied`, a power loss leaves `durable`. They rise over restarts. */
  clock(): { readonly applied: number; readonly durable: number } {
    const { applied, durable } = this.core.clock
    return { applied, durable }
  }

  /** Resolves when queries see this state and it is durable. @throws StorageError if it never will be */
  async waitForClock(step: number, signal?: AbortSignal): Promise<void> {
    await this.core.clock.whenApplied(step, signal)
    await this.core.clock.whenDurable(step)
  }

  // ---- Upkeep

  /** Writes the deltas of a root (or of all) to segments. */
  async flush(id?: string): Promise<void> {
    this.core.writer.check()
    for (const root of this.core.roots.select(id)) await this.schedule.flush(root)
  }

  /** Flushes, then merges all segments of a root (or of all roots) into one each. */
  async compact(id?: string): Promise<void> {
    this.core.writer.check()
    for (const root of this.core.roots.select(id)) await this.schedule.compact(root)
  }

  /** Sizes of every segment and its sections. */
  sizes(): SegmentSizes[] {
    return [...this.core.roots].flatMap(segmentSizes)
  }

  /**
   * Reads every checksum of the segment of this number, or of all.
   * @returns the damaged ones, which were set aside
   * @throws the first error that says nothing about the file it came from: that segment stays where it is
   */
  verify(segment?: number): Promise<DamagedFile[]> {
    return this.damaged.verify(segment)
  }

  /** How records were grouped into commits, and the bytes of log that are not yet in segments. */
  walStats(): { readonly records: number; readonly syncs: number; readonly bytes: number } {
    const { records, syncs } = this.core.wal
    return { records, syncs, bytes: this.schedule.logBytes }
  }

  /** Stops building, closes everything, gives up the lock. Deltas stay in the log. */
  async close(): Promise<void> {
    const { writer, roots, options, wal, manifest, retired } = this.core
    if (!writer.beginClosing()) return
    for (const root of roots) this.scans.drop(root, new UnavailableError('the store is closing'))
    await this.changesApplied()
    // A merge may take many seconds and can be done again: it is not waited for.
    await options.backend.stop()
    await this.scans.settled()
    for (const root of roots) await root.idle()
    await manifest.settled()
    await wal.close()
    await retired.settled()
    this.closeSegments()
    this.lock?.release()
  }

  private closeSegments(): void {
    for (const root of this.core.roots) for (const segment of root.active?.segments ?? []) segment.close()
  }
}

function isSameSource(a: Following['followed'], b: Following['followed']): boolean {
  return a?.source === b?.source && a?.term === b?.term && a?.bootId === b?.bootId
}
