import { BadRowReason, MAX_ROW_BYTES } from './bad-row.js'
import type { ListReader, RowCollector } from './row-collector.js'
import { RowValues } from './row-values.js'

const LF = 0x0a
const CR = 0x0d

/** Plain text: a path on each line; empty lines are skipped, a carriage return before the line end is not part of it. */
export class TextReader implements ListReader {
  private line = 1
  private readonly values = new RowValues()
  /** Inside a line that was reported as too long. */
  private skipping = false

  constructor(readonly collector: RowCollector) {}

  consume(bytes: Uint8Array, from: number, to: number, base: number, final: boolean): number {
    let at = from
    while (at < to) {
      let end = bytes.indexOf(LF, at)
      if (end < 0 || end >= to) end = to
      const isOpen = end === to && !final
      if (this.skipping) {
        if (isOpen) return to
        this.skipping = false
      } else if (end - at > MAX_ROW_BYTES) {
        this.collector.report(this.line, base + at, BadRowReason.rowTooLong)
        if (isOpen) {
          this.skipping = true
          return to
        }
      } else {
        if (isOpen) return at
        const stop = end > at && bytes[end - 1] === CR ? end - 1 : end
        if (stop > at) {
          this.values.clear()
          this.collector.add(bytes, at, stop, this.values, this.line, base + at)
        }
      }
      this.line++
      at = end + 1
    }
    return Math.min(at, to)
  }
}
