import { CancelledError } from '@hotpath/model'

/** Steps of one incarnation of the store; the next one starts above all of them. */
const STEPS = 2 ** 32

/**
 * Numbers the states of the store. A number is `applied` when queries see it and `durable` when it survives a power
 * loss. Numbers rise over restarts: the high part counts how often the store was opened.
 */
export class StoreClock {
  private appliedStep: number
  private durableStep: number
  /** Steps that wait for the log, ascending. */
  private readonly pending: number[] = []
  private readonly waiters: { step: number; durable: boolean; resolve: () => void; reject: (error: Error) => void }[] =
    []
  private failure: Error | undefined

  constructor(incarnation: number) {
    this.appliedStep = incarnation * STEPS
    this.durableStep = this.appliedStep
  }

  get applied(): number {
    return this.appliedStep
  }

  get durable(): number {
    return this.durableStep
  }

  /** Next number; durable once `written` resolves, at once without it. */
  advance(written?: Promise<void>): number {
    const step = ++this.appliedStep
    if (written) {
      this.pending.push(step)
      written.then(
        () => {
          this.pending.splice(this.pending.indexOf(step), 1)
          this.settle()
        },
        (error: Error) => this.fail(error),
      )
    }
    this.settle()
    return step
  }

  /** Resolves when `step` is durable. */
  whenDurable(step: number): Promise<void> {
    return this.when(step, true)
  }

  /**
   * Resolves when queries see `step`.
   * @throws CancelledError when the signal fires; what stopped the store when it fails
   */
  whenApplied(step: number, signal?: AbortSignal): Promise<void> {
    return this.when(step, false, signal)
  }

  /** Nothing will become durable any more. */
  fail(error: Error): void {
    this.failure ??= error
    for (const waiter of this.waiters.splice(0)) waiter.reject(error)
  }

  private when(step: number, durable: boolean, signal?: AbortSignal): Promise<void> {
    if (step <= (durable ? this.durableStep : this.appliedStep)) return Promise.resolve()
    if (this.failure) return Promise.reject(this.failure)
    if (signal?.aborted) return Promise.reject(new CancelledError())
    return new Promise((resolve, reject) => {
      const waiter = { step, durable, resolve, reject }
      this.waiters.push(waiter)
      signal?.addEventListener(
        'abort',
        () => {
          const at = this.waiters.indexOf(waiter)
          if (at >= 0) this.waiters.splice(at, 1)
          reject(new CancelledError())
        },
        { once: true },
      )
    })
  }

  private settle(): void {
    this.durableStep = this.pending.length > 0 ? this.pending[0] - 1 : this.appliedStep
    for (let i = this.waiters.length - 1; i >= 0; i--) {
      const waiter = this.waiters[i]
      if (waiter.step > (waiter.durable ? this.durableStep : this.appliedStep)) continue
      this.waiters.splice(i, 1)
      waiter.resolve()
    }
  }
}
