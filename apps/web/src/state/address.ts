import { type PageState, stateFromUrl, stateToUrl } from './page-state.js'
import { Store } from './store.js'

/** Letters that are typed sooner than this after each other are one step back. */
const TYPING_MS = 1_500

/** The state of the page in its address: back and forward are undo and redo. */
export class Address extends Store {
  private state = stateFromUrl(location.search)
  private typedAt = Number.NEGATIVE_INFINITY

  constructor() {
    super()
    addEventListener('popstate', () => {
      this.typedAt = Number.NEGATIVE_INFINITY
      this.state = stateFromUrl(location.search)
      this.changed()
    })
  }

  get current(): PageState {
    return this.state
  }

  /** A step that back undoes. */
  go(change: Partial<PageState>): void {
    this.typedAt = Number.NEGATIVE_INFINITY
    this.write({ ...this.state, ...change }, false)
  }

  type(query: string): void {
    const now = performance.now()
    const view = this.state.view === 'rows' ? 'rows' : 'search'
    this.write({ ...this.state, query, view, rowsFrom: 0 }, now - this.typedAt < TYPING_MS)
    this.typedAt = now
  }

  private write(state: PageState, replace: boolean): void {
    const url = `${location.pathname}${stateToUrl(state)}`
    this.state = state
    if (url !== `${location.pathname}${location.search}`) {
      if (replace) history.replaceState(null, '', url)
      else history.pushState(null, '', url)
    }
    this.changed()
  }
}
