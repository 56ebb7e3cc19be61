import { LATE_TIMER_MS } from './common.js'

/** Delays from this on are moved to whole seconds of the clock, the nearest. */
const ALIGNED_FROM_MS = 1_000

/**
 * One timer that is set anew for each thing that becomes due, so that an idle process sleeps until then. Keeps the
 * process alive while it is set. Long delays end with the second: what is due about the same time, in all processes, is
 * done in one go.
 */
export class DueTimer {
  private timer: NodeJS.Timeout | undefined
  private dueAt = 0

  /** @param onDue `isLate`: the event loop was busy or the machine asleep, so silence until now proves nothing */
  constructor(private readonly onDue: (isLate: boolean) => void) {}

  /** Calls `onDue` after so many milliseconds, and not at what was planned before. */
  plan(delayMs: number): void {
    clearTimeout(this.timer)
    const now = performance.now()
    this.dueAt = aligned(now + delayMs, delayMs)
    this.timer = setTimeout(
      () => {
        this.timer = undefined
        this.onDue(performance.now() - this.dueAt > LATE_TIMER_MS)
      },
      Math.ceil(this.dueAt - now),
    )
  }

  get isPlanned(): boolean {
    return this.timer !== undefined
  }

  cancel(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }
}

function aligned(at: number, delayMs: number): number {
  if (delayMs < ALIGNED_FROM_MS) return at
  const { timeOrigin } = performance
  return Math.round((timeOrigin + at) / ALIGNED_FROM_MS) * ALIGNED_FROM_MS - timeOrigin
}
