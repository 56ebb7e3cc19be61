import { InvalidInputError } from '@hotpath/model'
import { formatClock, parseClock } from '@hotpath/protocol'
import type { Store } from '@hotpath/store'

/** Clocks as clients see them: opaque strings that name a state of one store. */
export class IndexClock {
  constructor(private readonly store: Store) {}

  /** What queries see now. */
  now(): string {
    return this.format(this.store.clock().applied)
  }

  format(step: number): string {
    return formatClock({ store: this.store.storeId, step })
  }

  /** @throws InvalidInputError if the clock is another store's, or none */
  parse(clock: string): number {
    const parts = parseClock(clock)
    if (parts?.store !== this.store.storeId) {
      throw new InvalidInputError('clock', 'a clock of this index', JSON.stringify(clock))
    }
    return parts.step
  }
}
