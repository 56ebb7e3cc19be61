import type { Hit } from './api-replies.js'
import { byId } from './dom.js'
import { formatCount, formatExactTime } from './format.js'
import { visibleText } from './visible-text.js'

/** The whole path of the active row with what the list has no room for, and the button that copies it. */
export class DetailsLine {
  readonly #root = byId('details', HTMLElement)
  readonly #path = byId('details-path', HTMLElement)
  readonly #facts = byId('details-facts', HTMLElement)

  show(hit: Hit | undefined): void {
    this.#root.hidden = hit === undefined
    if (hit === undefined) return
    this.#path.textContent = visibleText(hit.path)
    const facts = [
      hit.type === 'file' ? '' : hit.type,
      hit.size === null ? '' : `${formatCount(hit.size)} bytes`,
      hit.modified === null ? '' : `modified ${formatExactTime(hit.modified)}`,
      hit.created === null ? '' : `created ${formatExactTime(hit.created)}`,
      hit.pathBytes === undefined ? '' : 'the name is not valid UTF-8',
    ]
    this.#facts.textContent = facts.filter(fact => fact !== '').join(' · ')
  }
}
