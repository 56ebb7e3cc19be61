import type { SegmentSink } from './section-writer.js'
import { PAGE_SIZE } from './segment-layout.js'

/** Room for a segment of a few rows, which has some fifty sections of a page each. */
const FIRST_BYTES = 64 * PAGE_SIZE

/** Collects a segment in memory: for small segments and tests. */
export class MemorySink implements SegmentSink {
  private buffer = new Uint8Array(FIRST_BYTES)
  private length = PAGE_SIZE

  append(bytes: Uint8Array): void {
    const end = this.length + bytes.length
    if (end > this.buffer.length) {
      const larger = new Uint8Array(Math.max(end, this.buffer.length * 2))
      larger.set(this.buffer)
      this.buffer = larger
    }
    this.buffer.set(bytes, this.length)
    this.length = end
  }

  finish(header: Uint8Array): void {
    this.buffer.set(header, 0)
  }

  /** The finished file; not a copy. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }
}
