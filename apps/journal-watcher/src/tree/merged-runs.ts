interface Run {
  readonly texts: readonly string[]
  /** Of the first one that is left. */
  next: number
}

/** Sorted lists as one: the smallest text of all comes first. O(log n) for n lists. */
export class MergedRuns {
  /** A heap by the first text of each list; none is empty. */
  readonly #heap: Run[] = []
  #count = 0

  /** Texts that are left, repeated ones counted each time. */
  get count(): number {
    return this.#count
  }

  get first(): string | undefined {
    const run = this.#heap[0]
    return run?.texts[run.next]
  }

  /** @param texts ascending */
  add(texts: readonly string[]): void {
    if (texts.length === 0) return
    this.#count += texts.length
    const run = { texts, next: 0 }
    let at = this.#heap.length
    this.#heap.push(run)
    for (let above = (at - 1) >> 1; at > 0 && isBefore(run, this.#heap[above]!); above = (at - 1) >> 1) {
      this.#heap[at] = this.#heap[above]!
      at = above
    }
    this.#heap[at] = run
  }

  /** Takes `first` out, once. */
  drop(): void {
    const top = this.#heap[0]
    if (top === undefined) return
    this.#count--
    top.next++
    if (top.next < top.texts.length) this.#sink(top)
    else {
      const last = this.#heap.pop()!
      if (last !== top) this.#sink(last)
    }
  }

  /** Puts a run into the place of the first one and further down until order is restored. */
  #sink(run: Run): void {
    const heap = this.#heap
    let at = 0
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, run)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = run
  }
}

function isBefore(a: Run, b: Run): boolean {
  return a.texts[a.next]! < b.texts[b.next]!
}
