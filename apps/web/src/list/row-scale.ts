/**
 * Browsers keep positions as 32-bit floats: up to here they are exact to a quarter of a pixel (and Firefox lays out
 * nothing beyond 17.9 million, Chromium 33.5). 10 million rows are 340 million pixels: beyond this height the scroll
 * bar stands for more than it is long.
 */
export const MAX_SCROLL_HEIGHT_PX = 4_000_000

export interface RowRange {
  /** First row. */
  readonly first: number
  /** One behind the last. */
  readonly end: number
}

/**
 * Geometry of a list of equal rows: translates between the position of the scroll bar (`scrollTop`) and the position
 * in the list (`top`, pixels from the first row, which can be far larger).
 */
export class RowScale {
  /** Height of the list as it would be. */
  readonly listHeightPx: number
  /** Height to give to the scrolled element. */
  readonly scrollHeightPx: number

  constructor(
    readonly rows: number,
    readonly rowPx: number,
    readonly viewportPx: number,
  ) {
    this.listHeightPx = rows * rowPx
    this.scrollHeightPx = Math.min(this.listHeightPx, MAX_SCROLL_HEIGHT_PX)
  }

  /** True where the scroll bar is as long as the list, so that both positions are the same. */
  get exact(): boolean {
    return this.listHeightPx <= MAX_SCROLL_HEIGHT_PX
  }

  get maxTopPx(): number {
    return Math.max(0, this.listHeightPx - this.viewportPx)
  }

  topOf(scrollTopPx: number): number {
    if (this.exact) return this.clamp(scrollTopPx)
    return this.clamp((scrollTopPx / (this.scrollHeightPx - this.viewportPx)) * this.maxTopPx)
  }

  scrollTopOf(topPx: number): number {
    const top = this.clamp(topPx)
    return this.exact ? top : (top / this.maxTopPx) * (this.scrollHeightPx - this.viewportPx)
  }

  clamp(topPx: number): number {
    return Math.min(Math.max(0, topPx), this.maxTopPx)
  }

  /** Rows that touch the window, and `overscan` more on both sides. */
  visible(topPx: number, overscan: number): RowRange {
    const first = Math.max(0, Math.floor(topPx / this.rowPx) - overscan)
    const end = Math.min(this.rows, Math.ceil((topPx + this.viewportPx) / this.rowPx) + overscan)
    return { first: Math.min(first, end), end }
  }

  /** The position closest to `topPx` at which the row is wholly in the window. */
  topToShow(row: number, topPx: number): number {
    const rowTop = row * this.rowPx
    if (rowTop < topPx) return this.clamp(rowTop)
    const rowEnd = rowTop + this.rowPx
    return rowEnd > topPx + this.viewportPx ? this.clamp(rowEnd - this.viewportPx) : topPx
  }
}
