/** Who wants to be told of one kind of event. Each is told once, in the order in which they came, in the teller's own turn. */
export class Listeners<Event extends unknown[]> {
  private readonly all = new Set<(...event: Event) => void>()

  /** @returns stops that */
  add(listener: (...event: Event) => void): () => void {
    this.all.add(listener)
    return () => this.all.delete(listener)
  }

  tell(...event: Event): void {
    for (const listener of this.all) listener(...event)
  }
}
