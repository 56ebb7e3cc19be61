import type { CheckDesk, OpenCheck } from './check-desk.js'
import type { RootState } from './root-state.js'

/** How long everything has been live before the first round begins, or one that was broken off goes on. */
const SETTLE_MS = 10_000
/** A round begins at most so often: where all is read in seconds, it need not be read all the time. */
const ROUND_MS = 600_000
/** A check that failed is tried again after this. */
const RETRY_MS = 60_000

export interface VerifyOptions {
  readonly desk: Pick<CheckDesk, 'start' | 'cancel'>
  /** Entries read in a second; 0: nothing is verified. */
  readonly rate: number
  roots(): Iterable<RootState>
  readonly settleMs?: number
  readonly roundMs?: number
}

/**
 * Compares everything with the disk, slowly and for ever, one root after the other, while all that is followed is live.
 * Where it was broken off it goes on; nothing of that is written.
 */
export class VerifyRounds {
  private running: { readonly state: RootState; readonly check: OpenCheck } | undefined
  private timer: NodeJS.Timeout | undefined
  /** Roots of this round that are done. */
  private readonly done = new Set<RootState>()
  /** Where to go on in the root that was begun. */
  private broken: { readonly state: RootState; readonly after: Uint8Array } | undefined
  private isStopped = false

  constructor(private readonly options: VerifyOptions) {}

  /** Something about a root has changed. */
  update(): void {
    if (this.options.rate === 0 || this.isStopped) return
    if (this.isQuiet()) {
      if (!this.running) this.schedule(this.options.settleMs ?? SETTLE_MS)
      return
    }
    clearTimeout(this.timer)
    this.timer = undefined
    if (!this.running) return
    const { state, check } = this.running
    this.running = undefined
    this.broken = { state, after: check.run.lastPath }
    this.options.desk.cancel(check)
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
  }

  /** All that can be live is, and something is. */
  private isQuiet(): boolean {
    const roots = [...this.options.roots()]
    const isAtRest = ({ life }: RootState) => life.work === 'idle' && life.wanted === undefined && life.scanner
    return roots.every(root => isAtRest(root) && !root.isBehind) && roots.some(root => root.isLiveTree)
  }

  private schedule(delayMs: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.next()
    }, delayMs)
  }

  private next(): void {
    const live = [...this.options.roots()].filter(root => root.isLiveTree)
    const state = live.find(root => root === this.broken?.state) ?? live.find(root => !this.done.has(root))
    if (!state) {
      this.done.clear()
      this.schedule(this.options.roundMs ?? ROUND_MS)
      return
    }
    const after = this.broken?.state === state ? this.broken.after : new Uint8Array(0)
    this.broken = undefined
    const { rate, desk } = this.options
    const plan = {
      mode: 'full' as const,
      racyFrom: Number.POSITIVE_INFINITY,
      counts: state.counts,
      background: true,
      entriesPerSecond: rate,
      after,
    }
    const check = desk.start(state.spec, plan, result => {
      this.running = undefined
      if (result === 'complete') {
        this.done.add(state)
        this.next()
      } else {
        this.broken = { state, after: check?.run.lastPath ?? after }
        this.schedule(RETRY_MS)
      }
    })
    if (check) this.running = { state, check }
    else this.schedule(RETRY_MS)
  }
}
