/** Number of the root that is above everything a list holds. */
export const VIRTUAL_ROOT = 1

/**
 * The directories of one list by (parent number, name), numbered 1, 2, 3 …; number 1 is the virtual root. A hash table on
 * bytes: about 20 bytes and the name for each directory, and one probe (with verification) for a lookup.
 */
export class DirectoryTable {
  private parents = new Uint32Array(1024)
  private hashes = new Uint32Array(1024)
  /** Name of directory n is arena[nameEnds[n - 1] … nameEnds[n]). */
  private nameEnds = new Float64Array(1024)
  private listed = new Uint8Array(1024)
  private arena = new Uint8Array(16_384)
  /** Open addressing with linear probing; 0 is free. At most half full. */
  private slots = new Uint32Array(4096)
  private last = VIRTUAL_ROOT

  get count(): number {
    return this.last
  }

  /** Number of the directory bytes[from … to) in `parent`, or 0. */
  find(parent: number, bytes: Uint8Array, from: number, to: number): number {
    return this.probe(hashOf(parent, bytes, from, to), parent, bytes, from, to)
  }

  /** Number of the directory, which is added if it is new; `count` tells. */
  findOrAdd(parent: number, bytes: Uint8Array, from: number, to: number): number {
    const hash = hashOf(parent, bytes, from, to)
    const known = this.probe(hash, parent, bytes, from, to)
    if (known !== 0) return known
    const number = ++this.last
    if (number >= this.parents.length) this.growRows()
    const start = this.nameEnds[number - 1]!
    const end = start + to - from
    while (end > this.arena.length) this.arena = enlarged(this.arena, Uint8Array)
    for (let i = from, at = start; i < to; i++, at++) this.arena[at] = bytes[i]!
    this.parents[number] = parent
    this.hashes[number] = hash
    this.nameEnds[number] = end
    if (2 * number > this.slots.length) this.growSlots()
    else this.place(number)
    return number
  }

  /** True if a row of the list (and not only a path through it) has named the directory. */
  isListed(number: number): boolean {
    return this.listed[number] === 1
  }

  markListed(number: number): void {
    this.listed[number] = 1
  }

  private probe(hash: number, parent: number, bytes: Uint8Array, from: number, to: number): number {
    const { slots, hashes, parents, nameEnds, arena } = this
    const mask = slots.length - 1
    next: for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot]!
      if (number === 0) return 0
      if (hashes[number] !== hash || parents[number] !== parent) continue
      let at = nameEnds[number - 1]!
      if (nameEnds[number]! - at !== to - from) continue
      for (let i = from; i < to; i++, at++) if (arena[at] !== bytes[i]) continue next
      return number
    }
  }

  private place(number: number): void {
    const mask = this.slots.length - 1
    let slot = this.hashes[number]! & mask
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask
    this.slots[slot] = number
  }

  private growRows(): void {
    this.parents = enlarged(this.parents, Uint32Array)
    this.hashes = enlarged(this.hashes, Uint32Array)
    this.nameEnds = enlarged(this.nameEnds, Float64Array)
    this.listed = enlarged(this.listed, Uint8Array)
  }

  private growSlots(): void {
    this.slots = new Uint32Array(this.slots.length * 2)
    for (let number = VIRTUAL_ROOT + 1; number <= this.last; number++) this.place(number)
  }
}

function enlarged<T extends Uint8Array | Uint32Array | Float64Array>(old: T, make: new (length: number) => T): T {
  const larger = new make(old.length * 2)
  larger.set(old)
  return larger
}

/** FNV-1a over the name, begun with the parent and mixed at the end: names of one directory differ in their last bytes. */
function hashOf(parent: number, bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(parent, 0x9e3779b1)
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
