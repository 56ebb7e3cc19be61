import type { JournalPosition } from '@hotpath/model'

/** Positions are told no more often (ms): each one is written, and one that is lost costs what is read again. */
const TELL_MS = 5_000

interface Reached {
  readonly next: number
  /** Of the last batch that says something of what comes before it. */
  readonly sequence: number
}

/** Up to where what a journal says is durable in the store: tells it now and then. */
export class DurablePosition {
  #waiting: Reached[] = []
  #durable = 0
  #reached: number
  #told: number
  #toldAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /**
   * @param from where following begins
   * @param tell takes a position up to which all is durable
   */
  constructor(
    private readonly from: JournalPosition,
    private readonly tell: (position: JournalPosition) => void,
  ) {
    this.#reached = from.next
    this.#told = from.next
  }

  /** All before a position is in batches up to this one (0: there was none). */
  emitted(next: number, sequence: number): void {
    this.#waiting.push({ next, sequence })
    this.#settle()
  }

  /** The store has batches up to this one durable. */
  durable(sequence: number): void {
    this.#durable = Math.max(this.#durable, sequence)
    this.#settle()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #settle(): void {
    while (this.#waiting[0] !== undefined && this.#waiting[0].sequence <= this.#durable)
      this.#reached = this.#waiting.shift()!.next
    if (this.#reached > this.#told) this.#schedule()
  }

  #schedule(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined
        this.#toldAt = performance.now()
        this.#told = this.#reached
        this.tell({ id: this.from.id, next: this.#told })
      },
      Math.max(0, this.#toldAt + TELL_MS - performance.now()),
    )
  }
}
