/** Nodes as (inode low, inode high, device) triples, appended while a thread walks. */
export class VisitedLog {
  #triples = new Uint32Array(3 * 1024)
  #length = 0

  add(inodeLow: number, inodeHigh: number, device: number): void {
    if (this.#length === this.#triples.length) {
      const larger = new Uint32Array(2 * this.#length)
      larger.set(this.#triples)
      this.#triples = larger
    }
    this.#triples[this.#length++] = inodeLow
    this.#triples[this.#length++] = inodeHigh
    this.#triples[this.#length++] = device
  }

  /** All triples, one after the other. */
  triples(): Uint32Array<ArrayBuffer> {
    return this.#triples.slice(0, this.#length)
  }
}

/** A set of nodes: open addressing, 12 bytes a slot, at most half full. */
export class VisitedSet {
  #slots: Uint32Array
  #used: Uint8Array
  #size = 0

  constructor(logs: readonly Uint32Array[]) {
    const expected = logs.reduce((sum, log) => sum + log.length / 3, 0)
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)))
    this.#slots = new Uint32Array(3 * capacity)
    this.#used = new Uint8Array(capacity)
    for (const log of logs) for (let i = 0; i < log.length; i += 3) this.add(log[i]!, log[i + 1]!, log[i + 2]!)
  }

  get size(): number {
    return this.#size
  }

  /** Adds a node; false if it was there already. */
  add(inodeLow: number, inodeHigh: number, device: number): boolean {
    const slot = this.#find(inodeLow, inodeHigh, device)
    if (this.#used[slot] === 1) return false
    this.#put(slot, inodeLow, inodeHigh, device)
    if (this.#size * 2 > this.#used.length) this.#grow()
    return true
  }

  has(inodeLow: number, inodeHigh: number, device: number): boolean {
    return this.#used[this.#find(inodeLow, inodeHigh, device)] === 1
  }

  #put(slot: number, inodeLow: number, inodeHigh: number, device: number): void {
    this.#used[slot] = 1
    this.#slots[3 * slot] = inodeLow
    this.#slots[3 * slot + 1] = inodeHigh
    this.#slots[3 * slot + 2] = device
    this.#size++
  }

  #find(inodeLow: number, inodeHigh: number, device: number): number {
    const mask = this.#used.length - 1
    let hash = Math.imul(inodeLow, 0x9e3779b1) ^ Math.imul(inodeHigh, 0x85ebca6b) ^ Math.imul(device, 0xc2b2ae35)
    hash ^= hash >>> 15
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      if (this.#used[slot] === 0) return slot
      const at = 3 * slot
      if (this.#slots[at] === inodeLow && this.#slots[at + 1] === inodeHigh && this.#slots[at + 2] === device)
        return slot
    }
  }

  #grow(): void {
    const slots = this.#slots
    const used = this.#used
    this.#slots = new Uint32Array(2 * slots.length)
    this.#used = new Uint8Array(2 * used.length)
    this.#size = 0
    for (let i = 0; i < used.length; i++) {
      if (used[i] === 0) continue
      const [low, high, device] = [slots[3 * i]!, slots[3 * i + 1]!, slots[3 * i + 2]!]
      this.#put(this.#find(low, high, device), low, high, device)
    }
  }
}
