/** Bits 0 … size - 1 in 32-bit words; bits past `size` in the last word are always zero. */
export class Bitset {
  readonly words: Uint32Array

  constructor(
    readonly size: number,
    words?: Uint32Array,
  ) {
    this.words = words ?? new Uint32Array((size + 31) >>> 5)
  }

  static full(size: number): Bitset {
    const bits = new Bitset(size)
    bits.fill(0, size)
    return bits
  }

  has(index: number): boolean {
    return ((this.words[index >>> 5] >>> (index & 31)) & 1) !== 0
  }

  add(index: number): void {
    this.words[index >>> 5] |= 1 << (index & 31)
  }

  delete(index: number): void {
    this.words[index >>> 5] &= ~(1 << (index & 31))
  }

  /** Sets [from, to). */
  fill(from: number, to: number): void {
    if (from >= to) return
    const first = from >>> 5
    const last = (to - 1) >>> 5
    const head = (0xffffffff << (from & 31)) >>> 0
    const tail = 0xffffffff >>> (31 - ((to - 1) & 31))
    if (first === last) {
      this.words[first] |= head & tail
      return
    }
    this.words[first] |= head
    this.words.fill(0xffffffff, first + 1, last)
    this.words[last] |= tail
  }

  /** Clears [from, to). */
  clear(from: number, to: number): void {
    if (from >= to) return
    const first = from >>> 5
    const last = (to - 1) >>> 5
    const head = (0xffffffff << (from & 31)) >>> 0
    const tail = 0xffffffff >>> (31 - ((to - 1) & 31))
    if (first === last) {
      this.words[first] &= ~(head & tail)
      return
    }
    this.words[first] &= ~head
    this.words.fill(0, first + 1, last)
    this.words[last] &= ~tail
  }

  and(other: Bitset): this {
    for (let i = 0; i < this.words.length; i++) this.words[i] &= other.words[i]
    return this
  }

  or(other: Bitset): this {
    for (let i = 0; i < this.words.length; i++) this.words[i] |= other.words[i]
    return this
  }

  andNot(other: Bitset): this {
    for (let i = 0; i < this.words.length; i++) this.words[i] &= ~other.words[i]
    return this
  }

  complement(): this {
    for (let i = 0; i < this.words.length; i++) this.words[i] = ~this.words[i]
    const spare = this.size & 31
    if (spare !== 0) this.words[this.words.length - 1] &= (1 << spare) - 1
    return this
  }

  clone(): Bitset {
    return new Bitset(this.size, this.words.slice())
  }

  /** Number of bits set. */
  count(): number {
    let count = 0
    for (let i = 0; i < this.words.length; i++) count += popcount(this.words[i])
    return count
  }

  /** Number of bits that are set in both. */
  countWith(other: Bitset): number {
    let count = 0
    for (let i = 0; i < this.words.length; i++) {
      const both = this.words[i] & other.words[i]
      if (both !== 0) count += popcount(both)
    }
    return count
  }

  /** Visits the bits that are set in both, ascending. */
  forEachWith(other: Bitset, visit: (index: number) => void): void {
    for (let word = 0; word < this.words.length; word++) {
      for (let bits = this.words[word] & other.words[word]; bits !== 0; bits &= bits - 1) {
        visit((word << 5) + 31 - Math.clz32(bits & -bits))
      }
    }
  }

  /** First set bit at or after `from`, or -1. */
  next(from: number): number {
    if (from >= this.size) return -1
    let word = from >>> 5
    let bits = this.words[word] & (0xffffffff << (from & 31))
    while (bits === 0) {
      if (++word === this.words.length) return -1
      bits = this.words[word]
    }
    return (word << 5) + 31 - Math.clz32(bits & -bits)
  }

  /** Last set bit at or before `from`, or -1. */
  previous(from: number): number {
    if (from < 0) return -1
    let word = from >>> 5
    let bits = this.words[word] & (0xffffffff >>> (31 - (from & 31)))
    while (bits === 0) {
      if (--word < 0) return -1
      bits = this.words[word]
    }
    return (word << 5) + 31 - Math.clz32(bits)
  }

  /** First bit at or after `from` that is not set; size if there is none. */
  nextClear(from: number): number {
    if (from >= this.size) return this.size
    let word = from >>> 5
    let bits = ~this.words[word] & (0xffffffff << (from & 31))
    while (bits === 0) {
      if (++word === this.words.length) return this.size
      bits = ~this.words[word]
    }
    return Math.min(this.size, (word << 5) + 31 - Math.clz32(bits & -bits))
  }

  /** Visits set bits, ascending. */
  forEach(visit: (index: number) => void): void {
    for (let word = 0; word < this.words.length; word++) {
      let bits = this.words[word]
      while (bits !== 0) {
        visit((word << 5) + 31 - Math.clz32(bits & -bits))
        bits &= bits - 1
      }
    }
  }
}

export function popcount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
