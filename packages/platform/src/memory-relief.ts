/** Longest time between two releases while searches keep coming. */
const BUSY_MS = 10_000
/** How long nobody has searched when memory is released for the last time. */
const QUIET_MS = 3_000

/**
 * Says when a thread gives back what searches left behind. V8 collects old objects late and the C library keeps the holes
 * that arrays of all sizes leave: at ten million entries 107 MB for 38 MB of arrays in use in a query worker. A release takes
 * some 20 ms, so it comes once after the last search, and now and then between searches that never end.
 */
export class MemoryRelief {
  private timer: NodeJS.Timeout | undefined
  private releasedMs = performance.now()

  constructor(private readonly release: () => void) {}

  /** Call after each search, when its answer was sent. */
  searched(): void {
    if (this.timer !== undefined && performance.now() - this.releasedMs >= BUSY_MS) this.run()
    else if (this.timer === undefined) this.wait()
    else this.timer.refresh()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private wait(): void {
    // Time without searches does not count as busy.
    this.releasedMs = performance.now()
    this.timer = setTimeout(() => this.run(), QUIET_MS)
    this.timer.unref()
  }

  private run(): void {
    this.stop()
    this.release()
    this.releasedMs = performance.now()
  }
}
