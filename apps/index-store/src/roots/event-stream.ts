import type { EngineOp } from '@hotpath/model'
import type { EventPublisher, Fresh, FreshInstance, ScanProgress } from '@hotpath/protocol'

/** Changes are told at most so often for each root, so that a busy disk does not busy every subscriber. */
const INTERVAL_MS = 50
/** Whoever shows rows asks for them again then: four times a second look like movement. */
const ROWS_INTERVAL_MS = 250

/** Turns what the store does into the events that the gateway and clients see. */
export class EventStream {
  private readonly rootOfView = new Map<number, string>()
  private readonly counts = new Map<string, { puts: number; removes: number }>()
  private timer: NodeJS.Timeout | undefined
  private rowsTimer: NodeJS.Timeout | undefined
  private areRowsUntold = false
  /** Whether a search was answered since answers were last said to be out of date. */
  private isAnswered = false

  constructor(
    private readonly publisher: EventPublisher,
    private readonly clock: () => string,
    private readonly epochOf: (root: string) => number,
  ) {}

  /** A search begins, which sees all operations so far. */
  searched(): void {
    this.isAnswered = true
  }

  /** A query worker ranks as it should from now on. */
  ranked(): void {
    this.outdate(true)
  }

  /** Operations that queries see from now on. */
  operations(ops: readonly EngineOp[]): void {
    // A flush or a merge moves rows into a segment: what goes in the same list is there again, and no entry has changed.
    const rewritten = new Set<number>()
    for (const op of ops) if (op.op === 'addSegment' && op.origin !== 'scan') rewritten.add(op.view)
    this.outdate(ops.some(op => changesAnswers(op, rewritten)))
    for (const op of ops) {
      if ((op.op === 'remove' || op.op === 'kill') && rewritten.has(op.view)) continue
      switch (op.op) {
        case 'createView':
          this.rootOfView.set(op.view, op.root)
          break
        case 'activateView':
          this.publisher.publish(
            { kind: 'generation', generation: { root: op.root, epoch: this.epochOf(op.root), partial: op.partial } },
            this.clock(),
          )
          break
        case 'dropView':
          this.rootOfView.delete(op.view)
          break
        case 'put':
          this.count(op.view, op.slots.length, 0)
          break
        case 'remove':
          this.count(op.view, 0, op.slots.length)
          break
        case 'kill': {
          let killed = 0
          for (let i = 0; i < op.ranges.length; i += 2) killed += op.ranges[i + 1] - op.ranges[i]
          this.count(op.view, 0, killed)
          break
        }
      }
    }
  }

  /** At once, and only if somebody may keep an answer of before: however busy the disk is, one event a search is enough. */
  private outdate(isChanged: boolean): void {
    if (!isChanged || !this.isAnswered) return
    this.isAnswered = false
    this.publisher.publish({ kind: 'outdated' }, this.clock())
  }

  private count(view: number, puts: number, removes: number): void {
    const root = this.rootOfView.get(view)
    if (root === undefined) return
    const counts = this.counts.get(root) ?? { puts: 0, removes: 0 }
    counts.puts += puts
    counts.removes += removes
    this.counts.set(root, counts)
    this.timer ??= setTimeout(() => this.tell(), INTERVAL_MS)
  }

  private tell(): void {
    this.timer = undefined
    for (const [root, { puts, removes }] of this.counts) {
      // An entry that changed is a row that goes and a row that comes.
      const updated = Math.min(puts, removes)
      const changes = { root, added: puts - updated, removed: removes - updated, updated }
      this.publisher.publish({ kind: 'changes', changes }, this.clock())
    }
    this.counts.clear()
  }

  progress(progress: ScanProgress): void {
    this.publisher.publish({ kind: 'progress', progress }, this.clock())
  }

  fresh(root: string, fresh: Fresh): void {
    this.publisher.publish({ kind: 'fresh', fresh: { root, fresh } }, this.clock())
  }

  /** Whoever derives something from changes has missed some. */
  gap(root: string, reason: FreshInstance['reason']): void {
    this.publisher.publish({ kind: 'freshInstance', freshInstance: { root, reason } }, this.clock())
  }

  /** Rows changed, as searches of them see from now on: told at once, and then not again for a while. */
  rowsChanged(): void {
    this.areRowsUntold = true
    if (this.rowsTimer === undefined) this.tellRows()
  }

  private tellRows(): void {
    this.rowsTimer = undefined
    if (!this.areRowsUntold) return
    this.areRowsUntold = false
    this.publisher.publish({ kind: 'rowsChanged' }, this.clock())
    this.rowsTimer = setTimeout(() => this.tellRows(), ROWS_INTERVAL_MS)
  }

  stop(): void {
    clearTimeout(this.timer)
    clearTimeout(this.rowsTimer)
  }
}

/** Whether a search may find, rank or show something else after this. @param rewritten views whose rows only move */
function changesAnswers(op: EngineOp, rewritten: ReadonlySet<number>): boolean {
  switch (op.op) {
    case 'createView':
      return false
    case 'addSegment':
      return op.origin === 'scan'
    case 'remove':
    case 'kill':
    case 'dropSegment':
      return !rewritten.has(op.view)
    default:
      return true
  }
}
