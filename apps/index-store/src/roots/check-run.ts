import type { NodeRef, Time } from '@hotpath/model'
import type { CheckBatch, CheckEnd, CheckMode } from '@hotpath/protocol'
import type { DigestSum, IndexedDirectories, ListRequest } from '@hotpath/store'
import { IdSet } from './id-set.js'

export type CheckResult = 'complete' | 'failed' | 'different'

/** Entries that were compared with the disk, those that were wrong, and those that were mended. */
export interface CheckCounts {
  checked: number
  wrong: number
  repaired: number
}

export interface CheckRunOptions {
  readonly directories: IndexedDirectories
  readonly mode: CheckMode
  /** Absolute path of the root. */
  readonly root: Uint8Array
  /**
   * Seconds since 1970. A directory whose status changed from here on may have changed again within one tick of its clock:
   * it is listed although it looks as the index has it.
   */
  readonly racyFrom: number
  readonly counts: CheckCounts
  /** Has the watcher list directories. */
  list(requests: readonly ListRequest[]): void
  /** Resolves when all that was asked for and all that had happened is in the index; to false if nobody can promise it. */
  settle(): Promise<boolean>
  /** What cannot happen has happened: the check has failed. */
  onError(error: unknown): void
}

/** Comparing takes a few milliseconds at a time: searches and changes come between. */
const TURN_MS = 4
/** Directories that a watcher is asked for at once: far below what it can remember. */
const MAX_ASKED = 4_096
/** Fewer directories that differ are never a reason for a scan. */
const FEW_DIRECTORIES = 256
/** Where more than this part of the directories differ, a scan costs less than listing them one by one. */
const MANY_SHARE = 1 / 3
/** Directories with more entries are not compared entry by entry: at least one of them was wrong. */
const MAX_COUNTED_ENTRIES = 65_536
const SLASH = 0x2f
const NOWHERE = 0

/**
 * One check: what a scanner says of the directories of a root is compared with the index, and directories that differ are
 * listed by the watcher. Nothing that the scanner says enters the index, so that one source alone says what is in a root.
 */
export class CheckRun {
  /** Resolves once; never, if the check is cancelled. */
  readonly finished: Promise<CheckResult>
  /** Path of the last directory that was compared. */
  lastPath: Uint8Array = new Uint8Array(0)
  /** Directories that the watcher was asked for. */
  readonly asked = new Set<number>()
  /** Directories that differ and stay so: somebody changes them all the time, or nobody can list them. */
  unexplained = 0
  private readonly seen = new IdSet()
  /** Directories that come later are told by the watcher. */
  private readonly nextId: number
  private readonly mayDiffer: number
  private requests: ListRequest[] = []
  private waiting = 0
  private differing = 0
  private sequence = 0
  private isOver = false
  private work: Promise<void> = Promise.resolve()
  private turnEnds = 0
  private resolve: (result: CheckResult) => void = () => {}

  constructor(private readonly options: CheckRunOptions) {
    this.nextId = options.directories.nextId
    this.mayDiffer = Math.max(FEW_DIRECTORIES, options.directories.approximateCount * MANY_SHARE)
    this.finished = new Promise(resolve => {
      this.resolve = resolve
    })
  }

  /** Resolves when the batch was compared: then the scanner may send more. */
  add(batch: CheckBatch): Promise<void> {
    return this.enqueue(async () => {
      if (batch.sequence !== ++this.sequence) this.stop('failed')
      else if (this.options.mode === 'directories') await this.compareTimes(batch)
      else await this.compareDigests(batch)
      const last = batch.refs.low.length - 1
      if (last >= 0) this.lastPath = pathAt(batch, last)
    })
  }

  end({ state, lastSequence }: Pick<CheckEnd, 'state' | 'lastSequence'>): Promise<void> {
    return this.enqueue(async () => {
      if (state === 'aborted' || lastSequence !== this.sequence) this.stop('failed')
      else if (this.options.mode === 'full' || (await this.askForUnseen())) {
        if (await this.settled()) this.stop('complete')
      }
    })
  }

  /** The scanner is gone. */
  fail(): void {
    this.stop('failed')
  }

  cancel(): void {
    this.isOver = true
  }

  private stop(result: CheckResult): void {
    if (this.isOver) return
    this.isOver = true
    this.resolve(result)
  }

  private enqueue(job: () => Promise<void>): Promise<void> {
    this.work = this.work
      .then(() => (this.isOver ? undefined : job()))
      .catch((error: unknown) => {
        this.options.onError(error)
        this.stop('failed')
      })
    return this.work
  }

  // ---- Directories alone

  private async compareTimes(batch: CheckBatch): Promise<void> {
    const { directories, racyFrom } = this.options
    for (let i = 0; i < batch.refs.low.length && !this.isOver; i++) {
      await this.turn()
      const id = directories.find(refAt(batch, i))
      if (id === NOWHERE) {
        this.foundUnknown(pathAt(batch, i))
        continue
      }
      this.seen.add(id)
      const changed = timeAt(batch.changed, i)
      if (!directories.hasTimes(id, timeAt(batch.modified, i), changed)) {
        this.differing++
        this.ask(id, { ref: refAt(batch, i), path: pathAt(batch, i) })
      } else if (changed === undefined || changed.seconds >= racyFrom) {
        this.ask(id, { ref: refAt(batch, i), path: pathAt(batch, i) })
      }
      if (this.waiting >= MAX_ASKED && !(await this.settled())) return
      if (this.differing > this.mayDiffer) this.stop('different')
    }
    this.send()
  }

  /** A directory that the index has not: the listing of the one above finds it, unless that one is not known either. */
  private foundUnknown(path: Uint8Array): void {
    const { directories, root } = this.options
    this.differing++
    if (Buffer.compare(path, root) === 0) {
      this.stop('different')
      return
    }
    const above = directories.findAt(path.subarray(0, Math.max(1, path.lastIndexOf(SLASH))))
    if (above !== NOWHERE) this.askFor(above)
  }

  /** Directories that are not there any more: what is above the topmost ones is listed. @returns false if the check is over */
  private async askForUnseen(): Promise<boolean> {
    const { directories } = this.options
    for (const id of directories.all()) {
      if (this.seen.has(id) || id >= this.nextId) continue
      await this.turn()
      if (this.isOver) return false
      const above = directories.parentOf(id)
      if (above <= NOWHERE || !this.seen.has(above) || directories.isUnread(id)) continue
      this.askFor(above)
      if (this.waiting >= MAX_ASKED && !(await this.settled())) return false
    }
    return true
  }

  // ---- Everything

  private async compareDigests(batch: CheckBatch): Promise<void> {
    const { directories, counts } = this.options
    const { children, digestLow, digestHigh } = batch
    if (!children || !digestLow || !digestHigh) {
      this.stop('failed')
      return
    }
    const onDisk = (i: number): DigestSum => ({ count: children[i], low: digestLow[i], high: digestHigh[i] })
    const isRight = async (i: number): Promise<boolean> => {
      const id = directories.find(refAt(batch, i))
      // One that is not known makes the one above differ.
      return id === NOWHERE || isSame(await this.steps(directories.digest(id)), onDisk(i))
    }
    let suspects: number[] = []
    for (let i = 0; i < children.length; i++) {
      await this.turn()
      if (this.isOver) return
      counts.checked += children[i]
      if (!(await isRight(i))) suspects.push(i)
    }
    if (suspects.length === 0 || !(await this.settled())) return
    // What was on its way has arrived: who still differs is wrong, or has changed since it was read.
    const differing: number[] = []
    for (const i of suspects) if (!(await isRight(i))) differing.push(i)
    suspects = []
    if (differing.length > 0)
      await this.repair(
        differing.map(i => ({ ref: refAt(batch, i), path: pathAt(batch, i) })),
        i => onDisk(differing[i]),
      )
  }

  private async repair(requests: readonly ListRequest[], onDisk: (i: number) => DigestSum): Promise<void> {
    const { directories, counts } = this.options
    const before = new Map<number, ReadonlyMap<string, string> | undefined>()
    let entries = 0
    for (const [i, request] of requests.entries()) {
      const id = directories.find(request.ref)
      const isCounted = entries < MAX_COUNTED_ENTRIES && onDisk(i).count < MAX_COUNTED_ENTRIES
      const known = isCounted ? await this.steps(directories.entries(id)) : undefined
      entries += known?.size ?? 0
      before.set(i, known)
      this.asked.add(id)
      this.requests.push(request)
      this.waiting++
    }
    if (!(await this.settled())) return
    for (const [i, { ref }] of requests.entries()) {
      const id = directories.find(ref)
      if (!isSame(await this.steps(directories.digest(id)), onDisk(i))) {
        this.unexplained++
        continue
      }
      const former = before.get(i)
      const now = former && (await this.steps(directories.entries(id)))
      const wrong = former && now ? differences(former, now) : 1
      counts.wrong += wrong
      counts.repaired += wrong
    }
  }

  // ---- Asking the watcher

  private askFor(id: number): void {
    const request = this.options.directories.requestOf(id)
    if (request) this.ask(id, request)
  }

  private ask(id: number, request: ListRequest): void {
    if (this.asked.has(id)) return
    this.asked.add(id)
    this.requests.push(request)
    this.waiting++
  }

  private send(): void {
    if (this.requests.length > 0) this.options.list(this.requests)
    this.requests = []
  }

  /** @returns false if the check is over */
  private async settled(): Promise<boolean> {
    this.send()
    this.waiting = 0
    if (!(await this.options.settle())) this.stop('failed')
    return !this.isOver
  }

  // ---- Turns

  private async turn(): Promise<void> {
    if (performance.now() < this.turnEnds) return
    await new Promise(setImmediate)
    this.turnEnds = performance.now() + TURN_MS
  }

  private async steps<T>(steps: Generator<void, T>): Promise<T> {
    for (;;) {
      const next = steps.next()
      if (next.done) return next.value
      await this.turn()
    }
  }
}

function isSame(a: DigestSum | undefined, b: DigestSum): boolean {
  return a !== undefined && a.count === b.count && a.low === b.low && a.high === b.high
}

/** Names that only one of them has, or that stand for something else. */
function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): number {
  let count = 0
  for (const [name, entry] of after) if (before.get(name) !== entry) count++
  for (const name of before.keys()) if (!after.has(name)) count++
  return count
}

function refAt({ refs }: CheckBatch, i: number): NodeRef {
  return { low: refs.low[i], high: refs.high[i], birth: refs.birth[i] }
}

function timeAt(column: CheckBatch['changed'], i: number): Time | undefined {
  return Number.isNaN(column.seconds[i]) ? undefined : { seconds: column.seconds[i], ticks: column.ticks[i] }
}

function pathAt({ paths, pathOffsets }: CheckBatch, i: number): Uint8Array {
  return paths.slice(pathOffsets[i], pathOffsets[i + 1])
}
