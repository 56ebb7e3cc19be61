/** Time as subscriptions see it: a test brings its own. */
export interface LiveTime {
  /** Milliseconds that only rise. */
  now(): number
  /** Runs `step` once after `ms`, unless the returned function is called before. */
  after(ms: number, step: () => void): () => void
}

export const realTime: LiveTime = {
  now: () => performance.now(),
  after(ms, step) {
    const timer = setTimeout(step, ms)
    return () => clearTimeout(timer)
  },
}
