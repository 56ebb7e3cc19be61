/** Bytes that grow at their end. */
export class ByteList {
  private buffer = new Uint8Array(1024)
  length = 0

  append(bytes: Uint8Array): void {
    const end = this.length + bytes.length
    if (end > this.buffer.length) {
      const larger = new Uint8Array(Math.max(end, this.buffer.length * 2))
      larger.set(this.buffer.subarray(0, this.length))
      this.buffer = larger
    }
    this.buffer.set(bytes, this.length)
    this.length = end
  }

  /** What was appended; not a copy. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }
}
