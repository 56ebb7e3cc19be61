import {
  CorruptFileError,
  type EntryColumns,
  InvalidInputError,
  systemFailureOf,
  UnavailableError,
} from '@hotpath/model'
import { STEP_ROWS } from './apply.js'
import type { Checkpointer } from './checkpointer.js'
import type { GenerationSwitch } from './generation-switch.js'
import type { RootState } from './root-state.js'
import type { Listing } from './scan-batch.js'
import { type ReceivedEntries, ScanSession } from './scan-session.js'
import type { NewSegment, SegmentState } from './segment-state.js'
import { type SliceLimits, shownSliceRows, sliceLimits } from './slice-limits.js'
import type { StoreCore } from './store-core.js'
import type { BeginScanOptions, EndScanOptions, FinishedScan, StoreOptions } from './store-types.js'
import { View } from './view.js'
import { activateView, addSegment, createView } from './view-ops.js'

/** With its ancestors a slice stays below 2^19 rows, for which the index by name has 4 MB, and not 8. */
const DEFAULT_SLICE_ROWS = 500_000
/** Rows of change batches kept while a scan runs, about 120 bytes each. Beyond, the scan is given up and asked for again. */
const DEFAULT_MAX_SCAN_CHANGES = 1_000_000

/**
 * The scans that are open, at most one of each root. Each builds a new generation of its root beside the active one and
 * ends in one of two ways: its view becomes active (GenerationSwitch), or the view is dropped and the root asks for a
 * scan again. Nothing of a view that was dropped stays, in memory, with query workers or on disk. When the store comes to
 * read only, scans stay as they are.
 */
export class ScanGenerations {
  /** Aborted scans whose last segment is still being built. */
  private ending: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly core: Pick<StoreCore, 'options' | 'writer' | 'roots' | 'numbers' | 'ops' | 'clock' | 'manifest'>,
    private readonly checkpointer: Pick<Checkpointer, 'announce' | 'build' | 'retire'>,
    private readonly generationSwitch: Pick<GenerationSwitch, 'run'>,
  ) {}

  /** Opens a scan of a root. One that is open is aborted. @returns its epoch, which is the number of its view */
  async begin(id: string, options: BeginScanOptions): Promise<number> {
    const { roots, numbers, ops, writer, manifest } = this.core
    writer.check()
    const root = roots.get(id)
    if (root.scan) this.drop(root, new UnavailableError('another scan of the root began'))
    const epoch = options.epoch ?? numbers.takeView()
    if (!numbers.isViewTaken(epoch) || [...roots].some(other => other.active?.id === epoch)) {
      throw new InvalidInputError('epoch', 'one that the store allotted', `${epoch}`)
    }
    const view = this.newView(root, epoch, options)
    root.scanBeganMs = (this.core.options.now ?? Date.now)()
    root.scan = new ScanSession(
      epoch,
      view,
      {
        buildSegment: rows => this.buildSlice(rows),
        discardSegment: segment => this.checkpointer.retire(segment),
        sliceInstalled: (session, segment) => this.sliceInstalled(root, session, segment, options.partial === true),
      },
      {
        ...slicesOf(this.core.options, options.partial === true && !root.active),
        bootId: options.bootId,
        journal: options.journal,
        maxWaitingChanges: this.core.options.maxScanChanges ?? DEFAULT_MAX_SCAN_CHANGES,
        stepRows: this.core.options.stepRows ?? STEP_ROWS,
      },
    )
    ops.emit([createView(view.options)])
    // If the store dies now, the next one must know that this scan never ended.
    if (root.scanReason === '') root.scanReason = 'unfinished scan'
    await writer.guard(manifest.write())
    return epoch
  }

  /** @throws InvalidInputError (the scan is dropped then); UnavailableError if the scan is not open any more */
  add(epoch: number, sequence: number, entries: EntryColumns, listing: Listing): ReceivedEntries {
    this.core.writer.check()
    const { root, session } = this.open(epoch)
    try {
      return session.add(sequence, entries, listing)
    } catch (error) {
      this.dropUnlessReading(root, error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  /** Makes the scan's view the active one. Rejects, and drops the scan, if anything is missing. */
  async end(epoch: number, options: EndScanOptions): Promise<FinishedScan> {
    this.core.writer.check()
    const { root, session } = this.open(epoch)
    if (session.lastSequence !== options.lastSequence) {
      const error = new InvalidInputError('scan end', `${options.lastSequence} batches`, `${session.lastSequence}`)
      this.drop(root, error)
      throw error
    }
    try {
      await session.finishSlices()
      return await root.enqueue(() => {
        this.core.writer.check()
        return this.generationSwitch.run(root, session, options)
      })
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      // The rows did not hold together: that costs the scan. Anything else is a disk that fails.
      const costsOnlyTheScan = failure instanceof InvalidInputError || failure instanceof CorruptFileError
      const told = costsOnlyTheScan || session.aborted ? failure : this.core.writer.fail(failure)
      this.dropUnlessReading(root, failure)
      throw told
    }
  }

  /** Drops the scan of this epoch, if it is open. */
  abort(epoch: number): void {
    const root = this.core.roots.scannedBy(epoch)
    if (root) this.dropUnlessReading(root, new UnavailableError('the scan was aborted'))
  }

  /**
   * In a store that only reads a scan can neither go on nor be repeated, so what it has brought is kept: queries see it if
   * it is a first scan, and on a full disk the room of its segments would else be taken for room to begin again.
   */
  private dropUnlessReading(root: RootState, error: Error): void {
    if (!this.core.writer.failure) this.drop(root, error)
  }

  /** Drops the root's open scan, if there is one, and its view. */
  drop(root: RootState, error: Error): void {
    const { ops, roots, writer } = this.core
    const session = root.scan
    if (!session || session.aborted) return
    session.aborted = true
    session.fail(error)
    root.closeScan()
    this.ending = Promise.all([this.ending, session.idle()])
    this.checkpointer.announce(session.view.segments)
    ops.emit([{ op: 'dropView', view: session.view.id }])
    for (const segment of session.view.segments) this.checkpointer.retire(segment)
    if (!root.removed && !writer.isClosing) roots.needScan(root, root.scanReason || error.message)
  }

  /** Resolves when nothing is being built any more for scans that were dropped. */
  async settled(): Promise<void> {
    await this.ending
  }

  private open(epoch: number): { root: RootState; session: ScanSession } {
    const root = this.core.roots.scannedBy(epoch)
    if (!root?.scan) throw new UnavailableError(`scan ${epoch} is not open`)
    return { root, session: root.scan }
  }

  /** A disk that fails costs more than the scan. */
  private async buildSlice(rows: EntryColumns): Promise<NewSegment> {
    const { writer } = this.core
    writer.checkStorage()
    try {
      return await this.checkpointer.build(rows, 'scan')
    } catch (error) {
      throw error instanceof Error && systemFailureOf(error) ? writer.fail(error) : error
    }
  }

  private newView(root: RootState, epoch: number, { bootId, startedAt }: BeginScanOptions): View {
    const view = new View({
      id: epoch,
      root: root.spec.id,
      volume: root.volume,
      prefix: root.prefix,
      virtualRoot: root.virtualRoot,
      followed: this.core.options.followed?.(root.volume),
    })
    view.boots = root.active ? [...root.active.boots] : []
    view.observedFrom = { boot: view.bootIndex(bootId), time: startedAt }
    return view
  }

  private sliceInstalled(root: RootState, session: ScanSession, segment: SegmentState, partial: boolean): void {
    const { view } = session
    if (session.aborted) return
    const list = [addSegment(view.id, segment), ...view.takeOps()]
    if (partial && !root.active && !root.scanVisible) {
      root.scanVisible = true
      list.push(activateView(view, true))
    }
    this.core.clock.advance()
    this.core.ops.emit(list)
  }
}

/** `isShown`: queries see slices as they come, and are not to wait long for the first one. */
function slicesOf({ sliceRows = DEFAULT_SLICE_ROWS, firstSliceRows }: StoreOptions, isShown: boolean): SliceLimits {
  return sliceLimits(sliceRows, isShown ? (firstSliceRows ?? shownSliceRows(sliceRows)) : undefined)
}
