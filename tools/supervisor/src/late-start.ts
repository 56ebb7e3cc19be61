/**
 * When stages that are late may start: when all others are ready and had time for the first answers, and after a time in any
 * case. What answers comes first; its processes have the processors to themselves until then.
 */
export class LateStart {
  /** Resolves when it is time. */
  readonly due: Promise<void>
  private readonly missing: Set<string>
  private resolve!: () => void
  private timer: NodeJS.Timeout | undefined

  /**
   * @param early stages that are waited for
   * @param restMs time that these have to themselves when all are ready
   */
  constructor(
    early: readonly string[],
    private readonly restMs = 0,
  ) {
    this.missing = new Set(early)
    this.due = new Promise(resolve => {
      this.resolve = resolve
    })
  }

  /** The early stages are started now. */
  begin(longestMs: number): void {
    if (this.missing.size === 0) this.end()
    else this.timer = setTimeout(() => this.end(), longestMs)
  }

  ready(stage: string): void {
    if (!this.missing.delete(stage) || this.missing.size > 0) return
    clearTimeout(this.timer)
    if (this.restMs === 0) this.end()
    else this.timer = setTimeout(() => this.end(), this.restMs)
  }

  /** It is time now, whatever is missing. */
  end(): void {
    clearTimeout(this.timer)
    this.resolve()
  }
}
