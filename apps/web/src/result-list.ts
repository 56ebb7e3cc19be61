import type { Hit } from './api-replies.js'
import { element } from './dom.js'
import type { ResultPages } from './result-pages.js'
import { ResultRow, rowId } from './result-row.js'
import { type RowRange, RowScale } from './row-scale.js'

/** Height of a line; the style sheet says the same (`--row`). */
export const ROW_PX = 34
/** Rows drawn above and below the window, so that a turn of the wheel shows no gap. */
const OVERSCAN_ROWS = 6
/** What browsers change of a scroll position that they are given: fractions, at most to the next device pixel. */
const ROUNDING_PX = 2
/** Pages asked for while the list moves would be cancelled by the next step. */
const LOOK_DELAY_MS = 40

/**
 * The list: only the lines in the window are in the document, whatever the number of hits. One row is active; the
 * focus stays in the search box, which names it through aria-activedescendant.
 */
export class ResultList {
  readonly #spacer = element('div', { class: 'spacer', role: 'presentation' })
  readonly #drawn = new Map<number, ResultRow>()
  #pages: ResultPages | undefined
  #scale = new RowScale(0, ROW_PX, 0)
  #topPx = 0
  #active = -1
  #activeId: string | undefined
  #lookTimer: number | undefined

  /**
   * @param viewport the element that scrolls
   * @param onActive called when another row (or none) is active, or its hit has come
   */
  constructor(
    readonly viewport: HTMLElement,
    readonly onActive: (hit: Hit | undefined, elementId: string | undefined) => void,
  ) {
    viewport.append(this.#spacer)
    viewport.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    viewport.addEventListener('wheel', event => this.#wheel(event), { passive: false })
    this.#spacer.addEventListener('click', event => this.#clicked(event))
    new ResizeObserver(() => this.#resized()).observe(viewport)
  }

  /** Shows a search: from its top, or from where the list stands if it is the same search asked again. */
  show(pages: ResultPages, samePlace: boolean): void {
    this.#pages?.close()
    this.#pages = pages
    this.#scale = new RowScale(pages.total, ROW_PX, this.viewport.clientHeight)
    this.#spacer.style.height = `${this.#scale.scrollHeightPx}px`
    this.#moveTo(samePlace ? this.#topPx : 0)
    this.#activate(samePlace ? this.#rowOfActive() : pages.total > 0 ? 0 : -1)
    this.#draw()
    pages.look(this.visibleRange())
  }

  /** Rows that are seen now. */
  visibleRange(): RowRange {
    return this.#scale.visible(this.#topPx, OVERSCAN_ROWS)
  }

  get activeHit(): Hit | undefined {
    return this.#pages?.hit(this.#active)
  }

  /** Rows that a page key moves by. */
  get rowsPerPage(): number {
    return Math.max(1, Math.floor(this.viewport.clientHeight / ROW_PX) - 1)
  }

  moveActive(byRows: number): void {
    this.activateRow(this.#active + byRows)
  }

  activateRow(row: number): void {
    if (this.#scale.rows === 0) return
    const clamped = Math.min(Math.max(0, row), this.#scale.rows - 1)
    this.#moveTo(this.#scale.topToShow(clamped, this.#topPx))
    this.#activate(clamped)
    this.#draw()
    this.#lookSoon()
  }

  /** Draws again because rows have come. */
  refresh(): void {
    this.#draw()
    this.#announce()
  }

  #activate(row: number): void {
    this.#drawn.get(this.#active)?.activate(false)
    this.#active = row
    this.#drawn.get(row)?.activate(true)
    this.#announce()
  }

  #announce(): void {
    const hit = this.activeHit
    this.#activeId = hit?.id
    this.onActive(hit, this.#active < 0 ? undefined : rowId(this.#active))
  }

  /** The active entry may stand elsewhere after a change; if it is no longer in sight, its row number stays. */
  #rowOfActive(): number {
    const { first, end } = this.visibleRange()
    for (let row = first; row < end; row++) {
      const hit = this.#pages?.hit(row)
      if (hit !== undefined && hit.id === this.#activeId) return row
    }
    return Math.min(this.#active, this.#scale.rows - 1)
  }

  #moveTo(topPx: number): void {
    this.#topPx = this.#scale.clamp(topPx)
    const scrollTop = this.#scale.scrollTopOf(this.#topPx)
    if (Math.abs(this.viewport.scrollTop - scrollTop) >= 1) this.viewport.scrollTop = scrollTop
  }

  #scrolled(): void {
    const { scrollTop, clientHeight } = this.viewport
    // The window became larger or smaller and the browser moved the bar: the rows stay where they are.
    if (clientHeight !== this.#scale.viewportPx) {
      this.#resized()
      return
    }
    // Our own move comes back here, rounded; the place in a long list is known more finely than the scroll bar can say.
    const moved = Math.abs(scrollTop - this.#scale.scrollTopOf(this.#topPx)) >= ROUNDING_PX
    if (this.#scale.exact || moved) this.#topPx = this.#scale.topOf(scrollTop)
    this.#draw()
    this.#lookSoon()
  }

  /** Where the bar stands for more than it is long, a notch of the wheel must still move by lines and not by thousands. */
  #wheel(event: WheelEvent): void {
    if (this.#scale.exact || event.ctrlKey || event.deltaY === 0) return
    event.preventDefault()
    const unitPx = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : ROW_PX
    this.#moveTo(this.#topPx + event.deltaY * unitPx)
    this.#draw()
    this.#lookSoon()
  }

  #clicked(event: MouseEvent): void {
    const line = event.target instanceof Element ? event.target.closest<HTMLElement>('.row') : null
    if (line !== null) this.activateRow(Number(line.dataset.row))
  }

  #resized(): void {
    this.#scale = new RowScale(this.#scale.rows, ROW_PX, this.viewport.clientHeight)
    this.#moveTo(this.#topPx)
    this.#draw()
    this.#lookSoon()
  }

  #lookSoon(): void {
    clearTimeout(this.#lookTimer)
    this.#lookTimer = setTimeout(() => this.#pages?.look(this.visibleRange()), LOOK_DELAY_MS)
  }

  #draw(): void {
    const { first, end } = this.visibleRange()
    for (const [row, line] of this.#drawn) {
      if (row >= first && row < end) continue
      line.root.remove()
      this.#drawn.delete(row)
    }
    const shiftPx = this.viewport.scrollTop - this.#topPx
    for (let row = first; row < end; row++) {
      const line = this.#drawn.get(row) ?? this.#addLine(row)
      line.show(this.#pages?.hit(row))
      line.place(row * ROW_PX + (this.#scale.exact ? 0 : shiftPx))
    }
  }

  /** Lines stand in the document in the order in which they are read. */
  #addLine(row: number): ResultRow {
    const line = new ResultRow(row)
    line.activate(row === this.#active)
    const next = [...this.#drawn.keys()].filter(other => other > row).sort((a, b) => a - b)[0]
    this.#spacer.insertBefore(line.root, next === undefined ? null : this.#drawn.get(next)!.root)
    this.#drawn.set(row, line)
    return line
  }
}
