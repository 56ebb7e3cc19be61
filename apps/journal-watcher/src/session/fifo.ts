/** Holes at the beginning of the array before it is moved. */
const MIN_MOVE = 64

/** A queue of which both ends cost nothing, however long it is. */
export class Fifo<T> {
  #items: T[]
  #start = 0

  constructor(items: readonly T[] = []) {
    this.#items = [...items]
  }

  get length(): number {
    return this.#items.length - this.#start
  }

  get first(): T | undefined {
    return this.#items[this.#start]
  }

  /** Undefined outside of the queue. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#start + index]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Takes the first one away. */
  shift(): void {
    if (this.length === 0) return
    this.#start++
    if (this.#start < MIN_MOVE || this.#start < this.length) return
    this.#items = this.#items.slice(this.#start)
    this.#start = 0
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = this.#start; i < this.#items.length; i++) yield this.#items[i]!
  }
}
