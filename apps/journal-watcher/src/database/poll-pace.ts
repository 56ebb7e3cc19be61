import { performance } from 'node:perf_hooks'
import { alignedDelay } from '@hotpath/model'

/** An event tells of frames that are written; that they are committed raises none. Syncing them takes some milliseconds on most disks. */
const CLOSE = { forMs: 60, everyMs: 0.3 }
/** Slow disks, and transactions that take longer. */
const NEAR = { forMs: 1_000, everyMs: 5 }
const FAR = { forMs: 10_000, everyMs: 50 }
/** Where nothing is under way: for what no event told. */
const SAFETY_MS = 5_000

/** When a database is looked at again: soon after an event as long as something is written that is not published. */
export class PollPace {
  #eventAt = Number.NEGATIVE_INFINITY
  #isPending = false

  event(): void {
    this.#eventAt = performance.now()
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
