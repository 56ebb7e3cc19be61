/** Work is done in bursts worth so long: a slow check wakes the processor rarely, and finds its caches cold rarely. */
const BURST_MS = 10_000

/** Keeps a walk at so many entries a second, on average; what was slept over or paused is not made up for. */
export class EntryRate {
  #dueMs: number

  /** @param perSecond 0: no bound. `sleep` takes milliseconds, and may end early. */
  constructor(
    private readonly perSecond: number,
    private readonly sleep: (ms: number) => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#dueMs = nowMs()
  }

  /** So many entries were read: sleeps when that is a burst ahead of the time. */
  spend(entries: number): void {
    if (this.perSecond === 0) return
    const now = this.nowMs()
    this.#dueMs = Math.max(this.#dueMs, now) + (1000 * entries) / this.perSecond
    if (this.#dueMs - now >= BURST_MS) this.sleep(this.#dueMs - now)
  }
}
