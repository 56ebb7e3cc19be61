interface Point {
  readonly position: number
  readonly generation: number
  /** Of the last batch when everything up to the position was looked at; undefined: it is not yet. */
  sequence: number | undefined
}

/** Beyond, a point stands for all events since the one before. */
const MAX_POINTS = 64

/**
 * How far into the event journal everything that came of it is durable in the store, for one root. A point is set where events
 * were taken; it is reached when all that was marked by them was looked at and its batches are durable.
 */
export class DurablePoints {
  readonly #points: Point[] = []
  #reached: number
  #lastMarked: number
  #durable = 0

  /** @param position everything before it is durable, or none of this root's business */
  constructor(position: number) {
    this.#reached = position
    this.#lastMarked = position
  }

  /** Everything before this position is durable. */
  get reached(): number {
    return this.#reached
  }

  /** Says that all events before `position` were taken. `begin` begins a generation of work and returns the former one. */
  mark(position: number, begin: () => number): void {
    if (position <= this.#lastMarked || this.#points.length >= MAX_POINTS) return
    this.#lastMarked = position
    this.#points.push({ position, generation: begin(), sequence: undefined })
  }

  /**
   * @param isDone whether everything of a generation was looked at and given away
   * @param lastSequence of the last batch
   */
  settle(isDone: (generation: number) => boolean, lastSequence: number): void {
    for (const point of this.#points) {
      if (point.sequence !== undefined) continue
      if (!isDone(point.generation)) break
      point.sequence = lastSequence
    }
    this.#advance()
  }

  /** Batches up to this one are durable. */
  durable(sequence: number): void {
    this.#durable = Math.max(this.#durable, sequence)
    this.#advance()
  }

  #advance(): void {
    for (
      let [point] = this.#points;
      point?.sequence !== undefined && point.sequence <= this.#durable;
      [point] = this.#points
    ) {
      this.#reached = point.position
      this.#points.shift()
    }
  }
}
