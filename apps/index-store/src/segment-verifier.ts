import type { Logger } from '@hotpath/service'
import type { Store } from '@hotpath/store'

/**
 * Has the store read a segment that a query worker found damaged. If it is, the store sets it aside and asks for a scan;
 * if not, or if it could not be read, the worker opens it again and comes back should it still be wrong.
 */
export class SegmentVerifier {
  private readonly running = new Set<number>()

  constructor(
    private readonly store: Pick<Store, 'verify'>,
    private readonly log: Logger,
  ) {}

  /** One check of a segment at a time: all workers find the same damage. */
  verify(segment: number): void {
    if (this.running.has(segment)) return
    this.running.add(segment)
    this.store
      .verify(segment)
      .then(
        damaged => {
          if (damaged.length === 0) this.log.warn('no damage found', { segment })
        },
        (error: unknown) => this.log.warn('segment could not be verified', { segment, error }),
      )
      .finally(() => this.running.delete(segment))
  }
}
