import { beginningOf, cellsOf } from './text-width.js'

/** Builds one row of a screen from styled pieces; what has no room is cut off, never wrapped. */
export class RowBuilder {
  private text = ''
  private used = 0

  constructor(private readonly width: number) {}

  get room(): number {
    return this.width - this.used
  }

  /** @param piece without controls */
  put(piece: string, style: string): this {
    const shown = beginningOf(piece, this.room)
    if (shown !== '') this.text += style + shown
    this.used += cellsOf(shown)
    return this
  }

  /** Spaces up to a column. */
  fillTo(column: number, style: string): this {
    const missing = Math.min(column, this.width) - this.used
    return missing > 0 ? this.put(' '.repeat(missing), style) : this
  }

  toString(): string {
    return this.text
  }
}
