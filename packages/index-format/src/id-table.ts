/**
 * Numbers by id (u32, not 0): a hash table of two u32 a slot, for directory ids of a view.
 * Cost: 16 to 32 bytes an id, one probe or two.
 */
export class IdTable {
  private slots: number
  private ids: Uint32Array
  private values: Uint32Array
  private used = 0

  /** @param words makes the arrays, zeroed */
  constructor(
    expected = 0,
    private readonly words = (count: number): Uint32Array => new Uint32Array(count),
  ) {
    this.slots = 16
    while (this.slots < expected * 2) this.slots *= 2
    this.ids = words(this.slots)
    this.values = words(this.slots)
  }

  /** Ids in the table. */
  get size(): number {
    return this.used
  }

  /** The number of an id, or -1. */
  get(id: number): number {
    const slot = this.slotOf(id)
    return this.ids[slot] === id ? this.values[slot] : -1
  }

  set(id: number, value: number): void {
    let slot = this.slotOf(id)
    if (this.ids[slot] === 0) {
      if ((this.used + 1) * 2 > this.slots) {
        this.grow()
        slot = this.slotOf(id)
      }
      this.used++
      this.ids[slot] = id
    }
    this.values[slot] = value
  }

  /** Slot of an id, or the free slot where it would be. */
  private slotOf(id: number): number {
    const { ids } = this
    const mask = this.slots - 1
    const hash = Math.imul(id, 0x9e3779b1)
    let slot = (hash ^ (hash >>> 15)) & mask
    while (ids[slot] !== 0 && ids[slot] !== id) slot = (slot + 1) & mask
    return slot
  }

  private grow(): void {
    const { ids, values } = this
    this.slots *= 2
    this.ids = this.words(this.slots)
    this.values = this.words(this.slots)
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] === 0) continue
      const slot = this.slotOf(ids[i])
      this.ids[slot] = ids[i]
      this.values[slot] = values[i]
    }
  }
}
