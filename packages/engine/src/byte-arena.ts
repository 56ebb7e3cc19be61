/** Byte strings one after the other in one growing array. */
export class ByteArena {
  bytes = new Uint8Array(0)
  private used = 0

  get length(): number {
    return this.used
  }

  /** Appends source[from … to) and returns where it ends. */
  push(source: Uint8Array, from = 0, to = source.length): number {
    const end = this.used + to - from
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(1024, end, this.bytes.length * 2))
      larger.set(this.bytes.subarray(0, this.used))
      this.bytes = larger
    }
    for (let i = from, at = this.used; i < to; i++, at++) this.bytes[at] = source[i]
    this.used = end
    return end
  }
}
