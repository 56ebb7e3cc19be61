import { STATISTICS_MINUTES } from '@hotpath/protocol'

const MINUTE_MS = 60_000

/** How many changes sources told in each of the last minutes. */
export class ChangeRate {
  private readonly counts = new Array<number>(STATISTICS_MINUTES).fill(0)
  /** Minute, since the clock began, of the last count. */
  private minute: number

  /** @param nowMs of a clock that only goes forward */
  constructor(private readonly nowMs: () => number = () => performance.now()) {
    this.minute = this.currentMinute()
  }

  add(changes: number): void {
    this.advance()
    this.counts[STATISTICS_MINUTES - 1] += changes
  }

  /** The oldest first; the last one is the minute that runs. */
  perMinute(): number[] {
    this.advance()
    return [...this.counts]
  }

  private advance(): void {
    const now = this.currentMinute()
    for (let gone = Math.min(now - this.minute, STATISTICS_MINUTES); gone > 0; gone--) {
      this.counts.shift()
      this.counts.push(0)
    }
    this.minute = now
  }

  private currentMinute(): number {
    return Math.floor(this.nowMs() / MINUTE_MS)
  }
}
