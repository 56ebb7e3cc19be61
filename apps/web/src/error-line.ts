import { byId, element } from './dom.js'
import { ApiError } from './search-api.js'
import { visibleText } from './visible-text.js'

/** What went wrong, under the box; for errors of the query with the query and a mark at the place. */
export class ErrorLine {
  readonly #root = byId('error', HTMLElement)
  readonly #input = byId('query', HTMLInputElement)

  clear(): void {
    this.#root.hidden = true
    this.#root.replaceChildren()
    this.#input.removeAttribute('aria-invalid')
  }

  show(error: unknown, query: string): void {
    const nodes =
      error instanceof ApiError ? apiErrorNodes(error, query) : ['No connection to hotpath. It is tried again.']
    this.#root.replaceChildren(...nodes)
    this.#root.hidden = false
    const aboutQuery = error instanceof ApiError && error.status === 400
    this.#input.toggleAttribute('aria-invalid', aboutQuery)
    if (aboutQuery) this.#input.setAttribute('aria-invalid', 'true')
  }
}

function apiErrorNodes(error: ApiError, query: string): (Node | string)[] {
  if (error.status === 401) {
    return ['Signed out: hotpath was started again. Open the address that it printed (it ends in ?token=…).']
  }
  const isSaid = error.expected === '' || error.message.includes(error.expected)
  const expected = isSaid ? '' : `; expected ${visibleText(error.expected)}`
  const message = element('span', {}, `${visibleText(error.message)}${expected}`)
  if (error.position === undefined) return [message]
  const at = Math.min(error.position, query.length)
  const place = element(
    'code',
    { 'aria-label': `at character ${at + 1}` },
    visibleText(query.slice(0, at)),
    element('mark', {}, visibleText(query.slice(at, at + 1)) || '\u2423'),
    visibleText(query.slice(at + 1)),
  )
  return [message, place]
}
