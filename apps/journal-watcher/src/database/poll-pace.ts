import { performance } from 'node:perf_hooks'
import { alignedDelay } from '@hotpath/model'

/** An event tells of frames that are written; that they are committed raises none. Syncing them takes some milliseconds on most disks. */
const CLOSE = { forMs: 60, everyMs: 0.3 }
/** Slow disks, and transactions that take longer. */
const NEAR = { forMs: 1_000, everyMs: 5 }
const FAR = { forMs: 10_000, everyMs: 50 }
/** Where nothing is under way: for what no event told. */
const SAFETY_MS = 5_000

/** Commits that follow each other closely are looked for and not waited for: to be woken takes a writer, and us, longer than a look. */
const BUSY = { commits: 4, withinMs: 100, endsMs: 300, everyMs: 1 }

/** When a database is looked at again: soon after an event as long as something is written that is not published. */
export class PollPace {
  #eventAt = Number.NEGATIVE_INFINITY
  #isPending = false
  #commitAt = Number.NEGATIVE_INFINITY
  /** Commits that followed one closely. */
  #close = 0

  event(): void {
    this.#eventAt = performance.now()
  }

  commit(): void {
    const now = performance.now()
    this.#close = now - this.#commitAt < BUSY.withinMs ? this.#close + 1 : 0
    this.#commitAt = now
  }

  /** Whether there will be a commit soon, if all goes on as it is. */
  get isBusy(): boolean {
    return this.#close >= BUSY.commits && performance.now() - this.#commitAt < BUSY.endsMs
  }

  /** Not before so many commits again. */
  notBusy(): void {
    this.#close = 0
  }

  /** Until the next look at a database that is busy. */
  get lookMs(): number {
    return BUSY.everyMs
  }

  /** Something is under way. */
  pending(): void {
    this.#isPending = true
  }

  /** Milliseconds, from 0.3 on. */
  waitMs(): number {
    const isPending = this.#isPending
    this.#isPending = false
    const age = performance.now() - this.#eventAt
    if (isPending) for (const { forMs, everyMs } of [CLOSE, NEAR, FAR]) if (age < forMs) return everyMs
    return Math.max(1, alignedDelay(SAFETY_MS, Date.now()))
  }
}
