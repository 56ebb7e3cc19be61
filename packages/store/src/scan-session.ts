import {
  type ChangeBatch,
  type EntryColumns,
  InvalidInputError,
  type JournalPosition,
  NO_DIRECTORY,
  UnavailableError,
} from '@hotpath/model'
import { RepeatedRows } from './repeated-rows.js'
import { checkEntries, type Listing } from './scan-batch.js'
import { ScanDirectories } from './scan-directories.js'
import { ScanFindings } from './scan-findings.js'
import { ScanRows } from './scan-rows.js'
import type { NewSegment, SegmentState } from './segment-state.js'
import { SliceBuilds } from './slice-builds.js'
import type { SliceLimits } from './slice-limits.js'
import type { View } from './view.js'
import { WaitingChanges } from './waiting-changes.js'

export interface ReceivedEntries {
  /** False: this batch was here before; nothing was done. */
  readonly accepted: boolean
  /** Resolves when more batches are welcome. */
  readonly received: Promise<void>
  /** Resolves when the batch's rows are in a synced segment. */
  readonly durable: Promise<void>
}

export interface ScanHost {
  /** Builds a segment of the view and opens it. */
  buildSegment(rows: EntryColumns): Promise<NewSegment>
  /** A segment of a scan that was aborted meanwhile; nobody has seen it. */
  discardSegment(segment: SegmentState): void
  /** A slice has joined the view; operations are to be sent. */
  sliceInstalled(session: ScanSession, segment: SegmentState): void
}

export interface ScanOptions extends SliceLimits {
  readonly bootId: string
  /** Rows of change batches that are kept while the scan runs. */
  readonly maxWaitingChanges: number
  /** Rows of them that are applied in one turn of the event loop. */
  readonly stepRows: number
  /** Where the change journal of the volume ended before the scan. */
  readonly journal?: JournalPosition | undefined
}

/**
 * A scan that is building a view. Rows are collected into slices, each built into a segment. Changes that arrive
 * meanwhile wait and are applied when all slices are there and every directory's listing time is known: for one name
 * the later observation wins.
 *
 * It goes through `add` …, `finishSlices`, `drain`; a failure at any time ends it, and the view is then of no use.
 */
export class ScanSession {
  lastSequence = 0
  aborted = false
  /** Why the scan was given up. */
  failure: Error | undefined
  private readonly boot: number
  private readonly directories = new ScanDirectories()
  private readonly findings = new ScanFindings()
  private readonly rows: ScanRows
  private readonly builds: SliceBuilds
  private readonly repeated: RepeatedRows
  private readonly changes: WaitingChanges

  constructor(
    readonly epoch: number,
    readonly view: View,
    host: ScanHost,
    private readonly options: ScanOptions,
  ) {
    this.boot = view.bootIndex(options.bootId)
    this.repeated = new RepeatedRows(view, this.findings)
    this.changes = new WaitingChanges(options.maxWaitingChanges, options.stepRows)
    this.builds = new SliceBuilds({
      buildSegment: rows => host.buildSegment(rows),
      discardSegment: segment => host.discardSegment(segment),
      install: (segment, { suspects }) => {
        this.repeated.settle(segment, suspects)
        view.addSegment(segment)
        host.sliceInstalled(this, segment)
      },
      failed: error => this.fail(error),
    })
    this.rows = new ScanRows(this.directories, this.findings, options, () => this.closeSlice(false))
  }

  /** Changes are no longer kept back: they go to the view at once. */
  get live(): boolean {
    return this.changes.areApplied
  }

  /** Entries received; what repeats counts once. */
  get entries(): number {
    return this.findings.entries
  }

  /** Where the change journal of the volume ended before the scan. */
  get journal(): JournalPosition | undefined {
    return this.options.journal
  }

  /** Rows that repeated or contradicted others and were left out. */
  get skippedRows(): number {
    return this.findings.skippedRows
  }

  /**
   * Takes a batch of rows in the scan's own directory numbers; a directory's row comes before those of its children.
   * Batches come in order: 1, 2, 3 …; earlier ones are ignored.
   * @throws InvalidInputError; the scan is of no use after that
   */
  add(sequence: number, entries: EntryColumns, listing: Listing): ReceivedEntries {
    if (this.failure) throw this.failure
    if (sequence <= this.lastSequence) {
      return { accepted: false, received: Promise.resolve(), durable: this.lastRows() }
    }
    if (sequence !== this.lastSequence + 1) {
      throw new InvalidInputError('scan batch', `sequence ${this.lastSequence + 1}`, `${sequence}`)
    }
    checkEntries(entries)
    this.noteListing(listing, false)
    this.rows.add(entries)
    this.noteListing(listing, true)
    this.lastSequence = sequence
    return { accepted: true, received: this.builds.hasRoom(), durable: this.lastRows() }
  }

  /** Keeps a change batch until the scan is complete. @returns false if there are too many: the scan has failed then */
  keep(batch: ChangeBatch): boolean {
    if (this.changes.keep(batch)) return true
    this.fail(new UnavailableError(`more than ${this.options.maxWaitingChanges} changes during a scan`))
    return false
  }

  fail(error: Error): void {
    if (this.failure) return
    this.failure = error
    this.changes.clear()
    this.builds.fail(error)
  }

  /** Builds what is left and waits for all slices. @throws what building threw; InvalidInputError without a root row */
  async finishSlices(): Promise<void> {
    this.check()
    if (this.rows.rootId === NO_DIRECTORY) throw new InvalidInputError('scan', 'a row of the root', 'none')
    if (this.rows.count > 0) this.closeSlice(true)
    await this.builds.idle()
    this.check()
    this.completeView()
  }

  /**
   * Applies the changes that were kept, at most a batch a turn of the event loop; `applied` is called after each.
   * When it resolves, `live` is true.
   */
  drain(applied: () => void): Promise<void> {
    return this.changes.applyTo(this.view, applied, () => this.check())
  }

  /** Resolves when nothing is being built any more; never rejects. */
  idle(): Promise<void> {
    return this.builds.idle()
  }

  private closeSlice(isLast: boolean): void {
    this.builds.push(this.rows.close(this.builds.takeSpare(), isLast))
  }

  private check(): void {
    if (this.failure) throw this.failure
  }

  /** Resolves when the rows received so far are in synced segments. */
  private lastRows(): Promise<void> {
    return this.rows.count > 0 ? this.builds.openBuilt : this.builds.lastBuilt
  }

  private noteListing({ directory, observed }: Listing, complain: boolean): void {
    if (directory.length !== observed.length) {
      throw new InvalidInputError('listing times', `${directory.length} times`, `${observed.length}`)
    }
    for (let i = 0; i < directory.length; i++) {
      const id = this.directories.idOf(directory[i])
      if (id !== NO_DIRECTORY) this.directories.setListed(id, observed[i])
      else if (complain) throw new InvalidInputError('listed directory', 'a number with a row', `${directory[i]}`)
    }
  }

  /** All slices are in the view: what the scan knows beside them. */
  private completeView(): void {
    const { view, directories, boot } = this
    const { losers, relist } = this.findings
    view.nextDirectoryId = directories.count + 1
    view.impliedDirectories = directories.hasImplied()
    view.listedAt = dirId => {
      const time = directories.listedAt(dirId)
      return Number.isNaN(time) ? undefined : { boot, time }
    }
    for (const id of directories.unlisted()) view.unread.add(id)
    for (const loser of losers) if (loser !== this.rows.rootId) view.removeSubtree(loser)
    for (const dirId of relist) if (view.parentOf(dirId) >= 0) view.unlisted.add(dirId)
  }
}
