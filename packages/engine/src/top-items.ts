/** The `limit` smallest items by `compare`, in order. Cost: O(n log limit); the items are offered one by one. */
export class TopItems<T> {
  private readonly heap: T[] = []

  constructor(
    private readonly limit: number,
    private readonly compare: (a: T, b: T) => number,
  ) {}

  /** The largest item that is kept, once there are `limit`. */
  worst(): T | undefined {
    return this.heap.length < this.limit ? undefined : this.heap[0]
  }

  offer(item: T): void {
    const { heap, compare } = this
    if (heap.length < this.limit) {
      heap.push(item)
      let at = heap.length - 1
      while (at > 0) {
        const parent = (at - 1) >>> 1
        if (compare(heap[parent], heap[at]) >= 0) break
        const swap = heap[parent]
        heap[parent] = heap[at]
        heap[at] = swap
        at = parent
      }
      return
    }
    if (this.limit === 0 || compare(item, heap[0]) >= 0) return
    heap[0] = item
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && compare(heap[child + 1], heap[child]) > 0) child++
      if (compare(heap[at], heap[child]) >= 0) break
      const swap = heap[child]
      heap[child] = heap[at]
      heap[at] = swap
      at = child
    }
  }

  /** The kept items, smallest first. */
  sorted(): T[] {
    return this.heap.sort(this.compare)
  }
}
