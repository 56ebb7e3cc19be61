import type { NodeKey } from './node-key.js'

/** Opens in a batch at most. */
export const BATCH_OPENS = 1_000

/** Opens as columns. */
export interface OpenColumns {
  readonly count: number
  readonly volume: Uint32Array
  readonly low: Uint32Array
  readonly high: Uint32Array
  readonly birth: Uint32Array
  /** Whole seconds since 1970. */
  readonly at: Uint32Array
}

/**
 * Opens on their way to the table: a ring of fixed size. What finds it full is dropped and counted. Accepting one is six
 * stores into memory (measured by `npm run bench -- --only opens`).
 */
export class OpenBuffer {
  /** Opens that found the buffer full. */
  dropped = 0
  /** Opens that were taken. */
  accepted = 0
  private start = 0
  private count = 0
  private readonly volume: Uint32Array
  private readonly low: Uint32Array
  private readonly high: Uint32Array
  private readonly birth: Uint32Array
  private readonly at: Uint32Array

  /** @param capacity opens that may wait; 20 bytes each */
  constructor(readonly capacity: number) {
    this.volume = new Uint32Array(capacity)
    this.low = new Uint32Array(capacity)
    this.high = new Uint32Array(capacity)
    this.birth = new Uint32Array(capacity)
    this.at = new Uint32Array(capacity)
  }

  /** Opens that wait. */
  get length(): number {
    return this.count
  }

  /**
   * @param at whole seconds since 1970
   * @returns false if the buffer is full: the open is lost
   */
  accept(key: NodeKey, at: number): boolean {
    if (this.count === this.capacity) {
      this.dropped++
      return false
    }
    let slot = this.start + this.count
    if (slot >= this.capacity) slot -= this.capacity
    this.volume[slot] = key.volume
    this.low[slot] = key.low
    this.high[slot] = key.high
    this.birth[slot] = key.birth
    this.at[slot] = at
    this.count++
    this.accepted++
    return true
  }

  /**
   * Hands over up to `limit` of the opens that came first, in their order, in one or two pieces: views of the buffer, good until
   * `open` returns.
   * @returns how many
   */
  take(limit: number, open: (opens: OpenColumns) => void): number {
    const taken = Math.min(limit, this.count)
    for (let left = taken; left > 0; ) {
      const { start } = this
      const count = Math.min(left, this.capacity - start)
      const end = start + count
      open({
        count,
        volume: this.volume.subarray(start, end),
        low: this.low.subarray(start, end),
        high: this.high.subarray(start, end),
        birth: this.birth.subarray(start, end),
        at: this.at.subarray(start, end),
      })
      this.start = end === this.capacity ? 0 : end
      this.count -= count
      left -= count
    }
    return taken
  }
}
