import type { SearchReply } from './api-replies.js'
import type { ResultList } from './result-list.js'
import { isAbort, ResultPages } from './result-pages.js'
import type { RowRange } from './row-scale.js'
import { ApiError, fetchHits } from './search-api.js'
import type { SearchState } from './search-state.js'

/** A busy disk changes all the time; a list that is asked for more often than this cannot be read anyway. */
const REFRESH_INTERVAL_MS = 400
/** After a lost connection. */
const RETRY_MS = 1_000

export interface SessionListener {
  onAnswer(reply: SearchReply): void
  onError(error: unknown, state: SearchState): void
}

/**
 * Runs one search at a time: a new one cancels the former at once, and the list keeps its rows until the new ones are
 * there. The same search is asked again (in place) when the index has changed.
 */
export class SearchSession {
  #state: SearchState | undefined
  #opening: ResultPages | undefined
  #refreshTimer: number | undefined
  #refreshWanted = false

  constructor(
    readonly list: ResultList,
    readonly listener: SessionListener,
  ) {}

  search(state: SearchState): void {
    this.#state = state
    this.#refreshWanted = false
    void this.#run(state, false)
  }

  /** What is shown may be out of date. Asked again soon, and at most a few times a second. */
  refreshSoon(delayMs = REFRESH_INTERVAL_MS): void {
    this.#refreshWanted = true
    if (this.#refreshTimer !== undefined) return
    this.#refreshTimer = setTimeout(() => {
      this.#refreshTimer = undefined
      // A search on its way answers later than the change; if it is still opening, the next turn looks again.
      if (this.#refreshWanted && this.#opening !== undefined) this.refreshSoon()
      else if (this.#refreshWanted && this.#state !== undefined) {
        this.#refreshWanted = false
        void this.#run(this.#state, true)
      }
    }, delayMs)
  }

  async #run(state: SearchState, again: boolean): Promise<void> {
    this.#opening?.close()
    const pages = new ResultPages(
      (offset, limit, signal) => fetchHits(state, offset, limit, signal),
      () => this.list.refresh(),
      error => this.listener.onError(error, state),
    )
    this.#opening = pages
    const range: RowRange = again ? this.list.visibleRange() : { first: 0, end: 1 }
    try {
      await pages.open(range)
      this.list.show(pages, again)
      this.listener.onAnswer(pages.latest!)
    } catch (error) {
      if (isAbort(error)) return
      this.listener.onError(error, state)
      if (!(error instanceof ApiError) || error.status >= 500) this.refreshSoon(RETRY_MS)
    } finally {
      if (this.#opening === pages) this.#opening = undefined
    }
  }
}
