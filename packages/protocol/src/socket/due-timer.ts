import { alignedDelay } from '@hotpath/model'
import { LATE_TIMER_MS } from './common.js'

/**
 * One timer that is set anew for each thing that becomes due, so that an idle process sleeps until then. Keeps the
 * process alive while it is set. Delays are aligned.
 */
export class DueTimer {
  private timer: NodeJS.Timeout | undefined
  private dueAt = 0

  /** @param onDue `isLate`: the event loop was busy or the machine asleep, so silence until now proves nothing */
  constructor(private readonly onDue: (isLate: boolean) => void) {}

  /** Calls `onDue` after so many milliseconds, and not at what was planned before. */
  plan(delayMs: number): void {
    clearTimeout(this.timer)
    const movedMs = alignedDelay(delayMs, Date.now())
    this.dueAt = performance.now() + movedMs
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.onDue(performance.now() - this.dueAt > LATE_TIMER_MS)
    }, movedMs)
  }

  /** Calls `onDue` after so many milliseconds at the latest. */
  planBy(delayMs: number): void {
    if (this.timer === undefined || this.dueAt > performance.now() + delayMs) this.plan(delayMs)
  }

  cancel(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }
}
