/** Work in steps: each `next` does a little, what it returns is the result. */
export type Steps<T> = Generator<undefined, T, undefined>

/**
 * The order in which change batches are applied, and in which those who need whole batches (a checkpoint, a segment that
 * joins or leaves its view) get their turn.
 *
 * A step a turn of the event loop: searches pass through the same thread and do not wait for the end of a large batch. What
 * is in the queue begins when all before it has ended, so nobody in it meets half a batch. While nothing is under way, the
 * first step is taken within the call: work of one step is done when the call returns.
 */
export class ApplyQueue {
  /** Takes a step; true: it was the last one. */
  private readonly waiting: (() => boolean)[] = []
  private busy = false

  /** Takes the steps of what `begin` returns, which is called when its time has come. @returns the result of the steps */
  run<T>(begin: () => Steps<T>): Promise<T> {
    let steps: Steps<T> | undefined
    return this.enqueue(() => {
      steps ??= begin()
      return steps.next()
    })
  }

  /** Calls `use` while no batch is half applied. @returns what it returns; rejects with what it throws */
  whole<T>(use: () => T): Promise<T> {
    return this.enqueue(() => ({ done: true, value: use() }))
  }

  private enqueue<T>(next: () => IteratorResult<undefined, T>): Promise<T> {
    const result = new Promise<T>((resolve, reject) => {
      this.waiting.push(() => {
        try {
          const step = next()
          if (step.done) resolve(step.value)
          return step.done === true
        } catch (error) {
          reject(error)
          return true
        }
      })
    })
    if (!this.busy) void this.drain()
    return result
  }

  private async drain(): Promise<void> {
    this.busy = true
    for (let step = this.waiting.shift(); step !== undefined; step = this.waiting.shift()) {
      while (!step()) await turn()
      if (this.waiting.length > 0) await turn()
    }
    this.busy = false
  }
}

/** Lets everybody else have a turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise(setImmediate)
}
