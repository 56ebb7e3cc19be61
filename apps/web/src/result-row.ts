import type { Hit } from './api-replies.js'
import { element } from './dom.js'
import { formatExactTime, formatMinute, formatSize } from './format.js'
import { textParts } from './highlight.js'
import { visibleText } from './visible-text.js'

export function rowId(row: number): string {
  return `row-${row}`
}

/** One line of the list, for one row number. Filled again when its hit or its being active changes. */
export class ResultRow {
  readonly root: HTMLDivElement
  readonly #icon = element('span', { class: 'icon', 'aria-hidden': 'true' })
  readonly #name = element('span', { class: 'text name-text' })
  readonly #dir = element('bdi', {})
  readonly #size = element('span', {})
  readonly #modified = element('span', {})
  #shown: Hit | undefined

  constructor(readonly row: number) {
    const cell = (name: string, ...children: Node[]) =>
      element('div', { role: 'gridcell', class: `cell ${name}` }, ...children)
    this.root = element(
      'div',
      // The head is row 1 for screen readers.
      { role: 'row', id: rowId(row), class: 'row loading', 'aria-rowindex': String(row + 2), 'aria-selected': 'false' },
      cell('name', this.#icon, this.#name),
      cell('dir', element('span', { class: 'text' }, this.#dir)),
      cell('size', this.#size),
      cell('modified', this.#modified),
    )
    this.root.dataset.row = String(row)
  }

  place(offsetPx: number): void {
    this.root.style.transform = `translateY(${offsetPx}px)`
  }

  activate(active: boolean): void {
    this.root.setAttribute('aria-selected', String(active))
  }

  show(hit: Hit | undefined): void {
    if (hit === this.#shown) return
    this.#shown = hit
    this.root.classList.toggle('loading', hit === undefined)
    this.#icon.dataset.type = hit?.type ?? ''
    this.#name.replaceChildren(...(hit === undefined ? [] : nameNodes(hit)))
    this.#dir.textContent = hit === undefined ? '' : visibleText(hit.dir)
    this.#size.textContent = hit?.size === null || hit === undefined ? '' : formatSize(hit.size)
    this.#modified.textContent = hit?.modified == null ? '' : formatMinute(hit.modified)
    this.root.title = hit === undefined ? '' : visibleText(hit.path)
    if (hit?.modified != null) this.#modified.title = formatExactTime(hit.modified)
    else this.#modified.removeAttribute('title')
  }
}

/** The name as text nodes, what the query matched inside `mark`. */
function nameNodes(hit: Hit): (Node | string)[] {
  return textParts(hit.name, hit.matched).map(({ text, matched }) =>
    matched ? element('mark', {}, visibleText(text)) : visibleText(text),
  )
}
