import type { EntryColumns } from '@hotpath/model'
import type { ClosedSlice } from './scan-rows.js'
import type { NewSegment, SegmentState } from './segment-state.js'

/** Slices that may wait to be built before a source is held back: two of 500,000 rows are about 70 MB. */
const MAX_WAITING_SLICES = 2

export interface SliceBuildsHost {
  /** Builds a segment of the view and opens it. */
  buildSegment(rows: EntryColumns): Promise<NewSegment>
  /** The segment of a scan that has failed meanwhile; nobody has seen it. */
  discardSegment(segment: SegmentState): void
  /** A slice is built, synced, and wanted. */
  install(segment: SegmentState, slice: ClosedSlice): void
  /** A slice could not be built or installed. */
  failed(error: Error): void
}

interface Deferred {
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Builds the slices of a scan, one at a time and in their order, and says when that is done. After `fail` nothing more is
 * built or installed; who waits for a slice that was closed before that is let go, as the scan says that it has failed.
 */
export class SliceBuilds {
  /** Of the slice that is still open. */
  private open = deferred()
  private readonly waiting: Promise<void>[] = []
  private lastClosed: Promise<void> = Promise.resolve()
  private building: Promise<void> = Promise.resolve()
  private failure: Error | undefined
  /** Memory of slices that were built, for the next ones: pages that were never touched are dear. */
  private readonly spares: EntryColumns[] = []

  constructor(private readonly host: SliceBuildsHost) {}

  /** Resolves when the slice that is open now is in a synced segment. */
  get openBuilt(): Promise<void> {
    return this.open.done
  }

  /** Resolves when the slice that was closed last is in a synced segment; at once if none was. */
  get lastBuilt(): Promise<void> {
    return this.lastClosed
  }

  /** Resolves when few enough slices wait for more rows to be welcome. */
  hasRoom(): Promise<void> {
    return this.waiting.length >= MAX_WAITING_SLICES ? this.waiting[0] : Promise.resolve()
  }

  /** Memory that the next slice may take. */
  takeSpare(): EntryColumns | undefined {
    return this.spares.pop()
  }

  /** The open slice was closed: it is built when those before it are. */
  push(slice: ClosedSlice): void {
    const closed = this.open
    this.open = deferred()
    this.waiting.push(closed.done)
    this.lastClosed = closed.done
    this.building = this.building.then(async () => {
      try {
        await this.build(slice)
        closed.resolve()
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error))
        closed.reject(failure)
        this.host.failed(failure)
      }
      this.waiting.shift()
    })
  }

  fail(error: Error): void {
    this.failure ??= error
    this.open.reject(error)
  }

  /** Resolves when nothing is being built any more; never rejects. */
  idle(): Promise<void> {
    return this.building
  }

  private async build(slice: ClosedSlice): Promise<void> {
    if (this.failure) return
    const { segment, rows } = await this.host.buildSegment(slice.rows)
    this.spares.push(rows)
    if (this.failure) this.host.discardSegment(segment)
    else this.host.install(segment, slice)
  }
}

function deferred(): Deferred {
  let resolve = (): void => {}
  let reject = (_error: Error): void => {}
  const done = new Promise<void>((onDone, onError) => {
    resolve = onDone
    reject = onError
  })
  // Who does not wait for a slice is told of its failure by the end of the scan.
  done.catch(() => {})
  return { done, resolve, reject }
}
