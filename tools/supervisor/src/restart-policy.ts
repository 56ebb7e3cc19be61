/** When a stage that ended is started again. All times are milliseconds. */
export interface RestartLimits {
  /** Wait before the first restart; doubled for each further failure in the window. */
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** Failures are remembered this long. */
  readonly windowMs: number
  /** With this many failures in the window the system gives up. */
  readonly maxFailures: number
}

/**
 * A crash that happens once costs a tenth of a second. Ten in a minute are a fault that restarting does not cure: with
 * doubling delays they take at least 25 s, long enough for a full disk or a busy port to have been noticed.
 */
export const RESTART_LIMITS: RestartLimits = {
  firstDelayMs: 100,
  maxDelayMs: 5_000,
  windowMs: 60_000,
  maxFailures: 10,
}

/** Counts the failures of one stage. Pure: the caller brings the time. */
export class RestartPolicy {
  private failuresAtMs: number[] = []

  constructor(private readonly limits: RestartLimits = RESTART_LIMITS) {}

  /** Notes a failure. Returns how long to wait before the next start, or undefined: give up. */
  failed(nowMs: number): number | undefined {
    const { firstDelayMs, maxDelayMs, windowMs, maxFailures } = this.limits
    this.failuresAtMs = this.failuresAtMs.filter(atMs => nowMs - atMs < windowMs)
    this.failuresAtMs.push(nowMs)
    const failures = this.failuresAtMs.length
    return failures >= maxFailures ? undefined : Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - 1))
  }
}
