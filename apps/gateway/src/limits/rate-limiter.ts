import { HotpathError } from '@hotpath/model'

export interface Rate {
  /** What may be spent in the long run; an answer that the store has to compute costs 1. */
  readonly perSecond: number
  /** What may be spent at once after a rest. */
  readonly burst: number
}

/** One native client: several times what a program asks that shows hits while somebody types, less than what keeps all workers busy for long. */
export const NATIVE_RATE: Rate = { perSecond: 10_000, burst: 20_000 }
/** Everybody who comes with the token: a window asks some ten times a second, five programs 200 times each. */
export const HTTP_RATE: Rate = { perSecond: 2_000, burst: 4_000 }
/** Of what is answered from memory: reading and writing it is all that it costs. */
export const KEPT_COST = 0.05

/** Somebody asks more than he may. */
export class RateLimitError extends HotpathError {
  readonly code = 'RATE_LIMIT'
  constructor(readonly retryAfterMs: number) {
    super(`too many requests a second; try again in ${Math.ceil(retryAfterMs)} ms`)
  }
}

/** A bucket of tokens that fills with time. Cost of a call: some ten nanoseconds. */
export class RateLimiter {
  #tokens: number
  #asOfMs: number

  constructor(
    readonly rate: Rate,
    readonly now: () => number = () => performance.now(),
  ) {
    this.#tokens = rate.burst
    this.#asOfMs = now()
  }

  /** Spends `cost`. @throws RateLimitError, and spends nothing, if nothing is left */
  take(cost: number): void {
    this.#fill()
    if (this.#tokens <= 0) throw new RateLimitError(((1 - this.#tokens) / this.rate.perSecond) * 1_000)
    this.#tokens -= cost
  }

  /** Spends `cost` that shows only afterwards, even if it is not there. */
  charge(cost: number): void {
    this.#fill()
    this.#tokens -= cost
  }

  #fill(): void {
    const nowMs = this.now()
    const earned = ((nowMs - this.#asOfMs) / 1_000) * this.rate.perSecond
    this.#tokens = Math.min(this.rate.burst, this.#tokens + earned)
    this.#asOfMs = nowMs
  }
}
