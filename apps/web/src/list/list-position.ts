import { Store } from '../state/store.js'
import { type RowRange, RowScale } from './row-scale.js'

/** Height of a line; the style sheet says the same (`--row`). */
export const ROW_PX = 28
/** Rows drawn above and below the window, so that a turn of the wheel shows no gap. */
export const OVERSCAN_ROWS = 6

/** Where the list stands, and which row is active: −1 for none. */
export class ListPosition extends Store {
  scale = new RowScale(0, ROW_PX, 0)
  topPx = 0
  active = -1
  /** Rises when somebody goes to a row. */
  activations = 0

  get visible(): RowRange {
    return this.scale.visible(this.topPx, 0)
  }

  get drawn(): RowRange {
    return this.scale.visible(this.topPx, OVERSCAN_ROWS)
  }

  /** Rows that a page key moves by. */
  get rowsPerPage(): number {
    return Math.max(1, Math.floor(this.scale.viewportPx / ROW_PX) - 1)
  }

  /** Another list: from its top. */
  begin(rows: number): void {
    this.scale = new RowScale(rows, ROW_PX, this.scale.viewportPx)
    this.topPx = 0
    this.active = rows > 0 ? 0 : -1
    this.changed()
  }

  /** The list has become longer or shorter. */
  setRows(rows: number): void {
    if (rows === this.scale.rows) return
    this.scale = new RowScale(rows, ROW_PX, this.scale.viewportPx)
    this.topPx = this.scale.clamp(this.topPx)
    if (this.active >= rows) this.active = rows - 1
    if (this.active < 0 && rows > 0) this.active = 0
    this.changed()
  }

  setViewport(viewportPx: number): void {
    if (viewportPx === this.scale.viewportPx) return
    this.scale = new RowScale(this.scale.rows, ROW_PX, viewportPx)
    this.topPx = this.scale.clamp(this.topPx)
    this.changed()
  }

  scrollTo(topPx: number): void {
    const clamped = this.scale.clamp(topPx)
    if (clamped === this.topPx) return
    this.topPx = clamped
    this.changed()
  }

  activate(row: number): void {
    if (this.scale.rows === 0) return
    this.activations++
    this.active = Math.min(Math.max(0, row), this.scale.rows - 1)
    this.topPx = this.scale.topToShow(this.active, this.topPx)
    this.changed()
  }

  moveActive(byRows: number): void {
    this.activate(this.active + byRows)
  }

  /**
   * Rows are about to stand elsewhere. What is seen stays where it is, unless the list is at its top, where new rows are
   * to be seen; the active row goes with its entry.
   *
   * @param idOf the entry of a row, before
   * @param placeOf the row of an entry, afterwards
   */
  follow(idOf: (row: number) => string | undefined, placeOf: (id: string) => number | undefined): void {
    const moved = (row: number): number | undefined => {
      const id = idOf(row)
      return id === undefined ? undefined : placeOf(id)
    }
    const active = this.active < 0 ? undefined : moved(this.active)
    if (this.topPx > 0) {
      const { first, end } = this.visible
      for (let row = first; row < end; row++) {
        const now = moved(row)
        if (now === undefined) continue
        // The list may not have grown yet.
        this.topPx = Math.max(0, this.topPx + (now - row) * ROW_PX)
        break
      }
    }
    if (active !== undefined) this.active = active
  }
}
