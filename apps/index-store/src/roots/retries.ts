/** What failed is tried again after this time, doubled each time up to the limit. */
const RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000

/** When what failed is tried again. */
export class Retries {
  private readonly waiting = new Map<string, { delayMs: number; timer: NodeJS.Timeout | undefined }>()

  later(name: string, again: () => void): void {
    const retry = this.waiting.get(name) ?? { delayMs: RETRY_MS, timer: undefined }
    clearTimeout(retry.timer)
    const { delayMs } = retry
    this.waiting.set(name, {
      delayMs: Math.min(MAX_RETRY_MS, delayMs * 2),
      timer: setTimeout(again, delayMs),
    })
  }

  /** It has not failed: the next time that it does, it is tried again soon. */
  succeeded(name: string): void {
    clearTimeout(this.waiting.get(name)?.timer)
    this.waiting.delete(name)
  }

  /** Nothing is tried again. */
  stop(): void {
    for (const { timer } of this.waiting.values()) clearTimeout(timer)
  }
}
