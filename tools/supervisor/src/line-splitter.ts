/** A longer line is given out in pieces of this length: a process that prints without end must not fill our memory. */
export const MAX_LINE_BYTES = 65_536

const LINE_FEED = 0x0a

/** Cuts a stream of bytes into lines of text, without their line feeds. */
export class LineSplitter {
  private pending: Buffer = Buffer.alloc(0)

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Buffer): void {
    let rest = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk])
    for (;;) {
      const end = rest.indexOf(LINE_FEED)
      const cut = end < 0 || end > MAX_LINE_BYTES ? MAX_LINE_BYTES : end
      if (end < 0 && rest.length <= MAX_LINE_BYTES) break
      this.onLine(rest.toString('utf8', 0, cut))
      rest = rest.subarray(cut === end ? end + 1 : cut)
    }
    // A copy, so that the rest of a line does not keep its whole chunk alive.
    this.pending = Buffer.from(rest)
  }

  /** Gives out what stands after the last line feed. */
  end(): void {
    if (this.pending.length > 0) this.onLine(this.pending.toString('utf8'))
    this.pending = Buffer.alloc(0)
  }
}
