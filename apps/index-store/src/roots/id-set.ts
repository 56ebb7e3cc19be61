/** Small whole numbers, a bit each. */
export class IdSet {
  private words = new Uint32Array(1_024)

  has(id: number): boolean {
    return id >>> 5 < this.words.length && (this.words[id >>> 5] & (1 << (id & 31))) !== 0
  }

  add(id: number): void {
    const word = id >>> 5
    if (word >= this.words.length) {
      const words = new Uint32Array(Math.max(word + 1, this.words.length * 2))
      words.set(this.words)
      this.words = words
    }
    this.words[word] |= 1 << (id & 31)
  }
}
