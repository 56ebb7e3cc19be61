import { monotonicMicros } from '@hotpath/platform'
import type { WatchReport } from '@hotpath/protocol'

/** What of a root was not looked at yet. */
export interface Waiting {
  /** When the oldest of it was read (monotonic µs); infinity if nothing waits. */
  readonly oldest: number
  /** Names and directories. */
  readonly count: number
  /** Absolute paths of some directories that are to be listed, at most `MAX_DIRTY_SUBTREES`. */
  readonly directories: readonly Uint8Array[]
}

/** Reports of a root come no closer (ms), and what waits for a shorter time is not worth one. */
export const REPORT_MS = 250

interface Reported {
  at: number
  /** Something waited then. */
  wasBusy: boolean
}

/** Says how far behind roots are: a few times a second while something waits, and once more when nothing does. */
export class WatchReports {
  readonly #roots = new Map<string, Reported>()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param waiting what waits in each root that is armed, by its id
   * @param report takes a report
   */
  constructor(
    private readonly waiting: () => Iterable<[root: string, waiting: () => Waiting]>,
    private readonly report: (report: WatchReport) => void,
  ) {}

  /** Call it when something may wait. Cheap if something was reported just now. */
  look(): void {
    const now = performance.now()
    let mustLookAgain = false
    const seen = new Set<string>()
    for (const [root, waiting] of this.waiting()) {
      seen.add(root)
      const last = this.#roots.get(root)
      if (last !== undefined && now - last.at < REPORT_MS) {
        mustLookAgain ||= last.wasBusy
        continue
      }
      const { oldest, count, directories } = waiting()
      const isBusy = oldest !== Number.POSITIVE_INFINITY
      mustLookAgain ||= isBusy
      const isOld = monotonicMicros() - oldest >= REPORT_MS * 1_000
      if (isOld) this.report({ root, oldest, waiting: count, directories: [...directories] })
      else if (last?.wasBusy === true) this.report({ root, oldest: Number.NaN, waiting: 0, directories: [] })
      if (isOld || last?.wasBusy === true) this.#roots.set(root, { at: now, wasBusy: isOld })
    }
    // Of a root that is not armed (any more) its state says more.
    for (const root of this.#roots.keys()) if (!seen.has(root)) this.#roots.delete(root)
    if (mustLookAgain && this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.look()
      }, REPORT_MS)
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
