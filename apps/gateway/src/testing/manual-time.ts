import type { LiveTime } from '../live/live-time.js'

/** Time that passes when a test says so. */
export class ManualTime implements LiveTime {
  #now = 0
  readonly #steps: { at: number; run: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const step = { at: this.#now + ms, run }
    this.#steps.push(step)
    return () => {
      const at = this.#steps.indexOf(step)
      if (at >= 0) this.#steps.splice(at, 1)
    }
  }

  /** Steps that wait for their time. */
  get waiting(): number {
    return this.#steps.length
  }

  /** Lets `ms` pass: what is due runs in order, and the promises behind each step settle before the next. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (;;) {
      const [next] = this.#steps.toSorted((a, b) => a.at - b.at)
      if (next === undefined || next.at > until) break
      this.#now = Math.max(this.#now, next.at)
      this.#steps.splice(this.#steps.indexOf(next), 1)
      next.run()
      await settled()
    }
    this.#now = until
  }
}

/** All promises that are settled by now have run what waits for them. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
