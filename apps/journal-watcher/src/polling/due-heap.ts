/** What has a time at which it is due (ms of performance.now). */
export interface Due {
  due: number
}

/** A binary heap: what is due first comes first. An item may be added again with another time; what is taken out must be judged by its own. */
export class DueHeap<T extends Due> {
  /** Times as they were when the item was added: items change theirs. */
  readonly #times: number[] = []
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** When the first item is due, or infinity. */
  get first(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY
  }

  /** O(log n). */
  add(item: T): void {
    let at = this.#items.length
    const time = item.due
    while (at > 0) {
      const above = (at - 1) >> 1
      if (this.#times[above]! <= time) break
      this.#set(at, this.#times[above]!, this.#items[above]!)
      at = above
    }
    this.#set(at, time, item)
  }

  /** The first item that is due as it says itself; older entries of items that were added again are dropped. */
  take(): T | undefined {
    while (this.#items.length > 0) {
      const time = this.#times[0]!
      const item = this.#items[0]!
      this.#removeFirst()
      if (item.due === time) return item
    }
    return undefined
  }

  clear(): void {
    this.#times.length = 0
    this.#items.length = 0
  }

  #removeFirst(): void {
    const time = this.#times.pop()!
    const item = this.#items.pop()!
    const count = this.#items.length
    if (count === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= count) break
      if (below + 1 < count && this.#times[below + 1]! < this.#times[below]!) below++
      if (this.#times[below]! >= time) break
      this.#set(at, this.#times[below]!, this.#items[below]!)
      at = below
    }
    this.#set(at, time, item)
  }

  #set(at: number, time: number, item: T): void {
    this.#times[at] = time
    this.#items[at] = item
  }
}
