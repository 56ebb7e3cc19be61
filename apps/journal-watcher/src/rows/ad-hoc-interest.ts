/** Time after the last subscription: whoever comes back at once finds the database as it was. */
const LINGER_MS = 60_000

/** Who is interested in databases that are followed only because somebody is. */
export class AdHocInterest {
  readonly #subscribers = new Map<string, Set<object>>()
  readonly #ending = new Map<string, NodeJS.Timeout>()

  constructor(
    private readonly release: (id: string) => void,
    private readonly lingerMs = LINGER_MS,
  ) {}

  begin(subscriber: object, id: string): void {
    clearTimeout(this.#ending.get(id))
    this.#ending.delete(id)
    const subscribers = this.#subscribers.get(id) ?? new Set()
    subscribers.add(subscriber)
    this.#subscribers.set(id, subscribers)
  }

  end(subscriber: object): void {
    for (const [id, subscribers] of this.#subscribers) {
      if (!subscribers.delete(subscriber) || subscribers.size > 0) continue
      this.#subscribers.delete(id)
      this.lapse(id)
    }
  }

  /** Nobody is interested: it is released unless somebody comes in time. */
  lapse(id: string): void {
    if (this.#subscribers.has(id) || this.#ending.has(id)) return
    const timer = setTimeout(() => {
      this.#ending.delete(id)
      this.release(id)
    }, this.lingerMs)
    this.#ending.set(id, timer.unref())
  }

  stop(): void {
    for (const timer of this.#ending.values()) clearTimeout(timer)
    this.#ending.clear()
    this.#subscribers.clear()
  }
}
