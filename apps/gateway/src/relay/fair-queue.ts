/** What waits in a FairQueue: several items that belong together. */
export interface Weighted {
  /** Items in it, at least 1. */
  readonly weight: number
}

/**
 * Groups of requests that wait, taken round robin over their clients: whoever asks a thousand questions at once delays
 * himself, not the others. Bounded for each client and in all.
 */
export class FairQueue<Client, Group extends Weighted> {
  /** In the order in which clients are served next; a client without groups is not in it. */
  readonly #clients = new Map<Client, Group[]>()
  readonly #weights = new Map<Client, number>()
  #weight = 0

  constructor(
    readonly maxWeightPerClient: number,
    readonly maxWeight: number,
  ) {}

  /** Items that wait. */
  get weight(): number {
    return this.#weight
  }

  /** False (and nothing happens) if the client or all together would have too much waiting. */
  push(client: Client, group: Group): boolean {
    const own = this.#weights.get(client) ?? 0
    if (own + group.weight > this.maxWeightPerClient || this.#weight + group.weight > this.maxWeight) return false
    this.#put(client, group, false)
    return true
  }

  /** Puts a group back to the front of its client's line; never refused, because it was let in before. */
  putBack(client: Client, group: Group): void {
    this.#put(client, group, true)
  }

  /** Takes a group that no longer wants to wait out of the line. */
  remove(client: Client, group: Group): boolean {
    const line = this.#clients.get(client)
    const at = line?.indexOf(group) ?? -1
    if (line === undefined || at < 0) return false
    line.splice(at, 1)
    if (line.length === 0) this.#clients.delete(client)
    this.#subtract(client, group)
    return true
  }

  /** The next group, if its weight is at most `maxWeight`; its client goes to the end of the round. */
  shift(maxWeight: number): { readonly client: Client; readonly group: Group } | undefined {
    const [entry] = this.#clients
    if (entry === undefined) return undefined
    const [client, line] = entry
    const group = line[0]!
    if (group.weight > maxWeight) return undefined
    line.shift()
    this.#clients.delete(client)
    if (line.length > 0) this.#clients.set(client, line)
    this.#subtract(client, group)
    return { client, group }
  }

  #put(client: Client, group: Group, first: boolean): void {
    const line = this.#clients.get(client)
    if (line === undefined) this.#clients.set(client, [group])
    else if (first) line.unshift(group)
    else line.push(group)
    this.#weights.set(client, (this.#weights.get(client) ?? 0) + group.weight)
    this.#weight += group.weight
  }

  #subtract(client: Client, group: Group): void {
    const left = (this.#weights.get(client) ?? 0) - group.weight
    if (left > 0) this.#weights.set(client, left)
    else this.#weights.delete(client)
    this.#weight -= group.weight
  }
}
