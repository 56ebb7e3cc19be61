/** A little more than the longest life of what is kept, so that all of it is too old by then. */
const LOOK_AFTER_MS = 5 * 60_000 + 1_000

/**
 * Lets go of what a searcher's caches hold when it is too old, though nobody searches any more. Wakes an idle searcher once or twice, five
 * minutes apart, and then never again.
 */
export class CacheAge {
  private timer: NodeJS.Timeout | undefined

  /** @param expire forgets what is too old; true if something is left */
  constructor(private readonly expire: () => boolean) {}

  /** Call after each search: something may be kept now. */
  searched(): void {
    if (this.timer !== undefined) return
    this.timer = setTimeout(() => {
      this.timer = undefined
      if (this.expire()) this.searched()
    }, LOOK_AFTER_MS)
    this.timer.unref()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }
}
