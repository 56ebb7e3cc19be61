/** When a stage that ended is started again. All times are milliseconds. */
export interface RestartLimits {
  /** Wait before the first restart; doubled for each further failure in the window. */
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** Failures are remembered this long. */
  readonly windowMs: number
  /** With this many failures in the window, and not once ready in between, the system gives up. */
  readonly maxFailures: number
  /** A stage that was ready for so long is well: what ended it then is not what ended it before. */
  readonly steadyMs: number
}

/**
 * A crash that happens once costs a tenth of a second. Ten starts in a minute that do not even make a stage ready are a fault
 * that restarting does not cure: with doubling delays they take at least 25 s, long enough for a full disk or a busy
 * port to have been noticed. A stage that becomes ready each time is of use in between, however often something ends it, so it is
 * started again for ever; only that it waits longer where it works for less than a second.
 */
export const RESTART_LIMITS: RestartLimits = {
  firstDelayMs: 100,
  maxDelayMs: 5_000,
  windowMs: 60_000,
  maxFailures: 10,
  steadyMs: 1_000,
}

/** Counts the failures of one stage. Pure: the caller brings the time. */
export class RestartPolicy {
  private failuresAtMs: number[] = []
  private failedStarts = 0

  constructor(private readonly limits: RestartLimits = RESTART_LIMITS) {}

  /**
   * Notes a failure. Returns how long to wait before the next start, or undefined: give up.
   *
   * @param readyAtMs when the stage became ready in the run that ended, undefined if it did not
   */
  failed(nowMs: number, readyAtMs: number | undefined): number | undefined {
    const { firstDelayMs, maxDelayMs, windowMs, maxFailures, steadyMs } = this.limits
    const wasSteady = readyAtMs !== undefined && nowMs - readyAtMs >= steadyMs
    this.failuresAtMs = wasSteady ? [] : this.failuresAtMs.filter(atMs => nowMs - atMs < windowMs)
    this.failuresAtMs.push(nowMs)
    const failures = this.failuresAtMs.length
    this.failedStarts = readyAtMs === undefined ? Math.min(this.failedStarts + 1, failures) : 0
    return this.failedStarts >= maxFailures ? undefined : Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - 1))
  }
}
