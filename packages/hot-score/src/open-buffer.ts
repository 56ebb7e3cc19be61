import type { NodeKey } from './node-key.js'

/** Opens in a batch at most. */
export const BATCH_OPENS = 1_000

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

  /** Hands over up to `limit` of the opens that came first, in their order. @returns how many */
  take(limit: number, open: (volume: number, low: number, high: number, birth: number, at: number) => void): number {
    const count = Math.min(limit, this.count)
    for (let i = 0; i < count; i++) {
      const slot = this.start
      open(this.volume[slot], this.low[slot], this.high[slot], this.birth[slot], this.at[slot])
      this.start = slot + 1 === this.capacity ? 0 : slot + 1
      this.count--
    }
    return count
  }
}
