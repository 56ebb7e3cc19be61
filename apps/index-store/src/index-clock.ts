import { InvalidInputError } from '@hotpath/model'
import type { Store } from '@hotpath/store'

/** Clocks as clients see them: opaque strings that name a state of one store. */
export class IndexClock {
  constructor(private readonly store: Store) {}

  /** What queries see now. */
  now(): string {
    return this.format(this.store.clock().applied)
  }

  format(step: number): string {
    return `${this.store.storeId}:${step.toString(36)}`
  }

  /** @throws InvalidInputError if the clock is another store's, or none */
  parse(clock: string): number {
    const at = clock.lastIndexOf(':')
    const step = Number.parseInt(clock.slice(at + 1), 36)
    if (
      at < 0 ||
      clock.slice(0, at) !== this.store.storeId ||
      !(step >= 0) ||
      step.toString(36) !== clock.slice(at + 1)
    ) {
      throw new InvalidInputError('clock', 'a clock of this index', JSON.stringify(clock))
    }
    return step
  }
}
