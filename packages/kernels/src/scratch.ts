import { ScratchFullError } from './errors.js'

/** Hands out parts of [start, end) one after the other; all are taken back at once. */
export class Scratch {
  private next: number

  constructor(
    readonly start: number,
    readonly end: number,
  ) {
    this.next = start
  }

  /** Address of `bytes` bytes, a multiple of 16, with what stood there before. Throws ScratchFullError. */
  take(bytes: number): number {
    const at = this.next
    if (!(bytes >= 0 && bytes <= this.end - at)) throw new ScratchFullError(bytes, this.end - at)
    // Rounded up beyond the end at most; then nothing more fits.
    this.next = Math.min(this.end, (at + bytes + 15) & ~15)
    return at
  }

  /** Bytes that `take` could still hand out. */
  get freeBytes(): number {
    return this.end - this.next
  }

  /** The present state, for `release`. */
  mark(): number {
    return this.next
  }

  /** Takes back all that was handed out since `mark`. */
  release(mark: number): void {
    this.next = mark
  }

  /** Takes back everything. */
  reset(): void {
    this.next = this.start
  }
}
