/**
 * When stages that are late may start: when all others are ready, and after a time in any case. What answers comes first; its
 * processes have the processors to themselves until then.
 */
export class LateStart {
  /** Resolves when it is time. */
  readonly due: Promise<void>
  private readonly missing: Set<string>
  private resolve!: () => void
  private timer: NodeJS.Timeout | undefined

  /** @param early stages that are waited for */
  constructor(early: readonly string[]) {
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
    this.missing.delete(stage)
    if (this.missing.size === 0) this.end()
  }

  /** It is time now, whatever is missing. */
  end(): void {
    clearTimeout(this.timer)
    this.resolve()
  }
}
