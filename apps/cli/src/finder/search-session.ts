import { CancelledError, QueryError, type SearchResult, UnavailableError, type Watch } from '@hotpath/client'
import { parseSort } from '../commands/sort-names.js'
import type { IndexClient } from '../index-client.js'
import { PAGE_ROWS, type WantedSearch } from './results.js'

export interface SearchListener {
  /** Rows from `page` on. `isFresh`: what was known of this search before is of an older index. */
  onAnswer(search: WantedSearch, page: number, answer: SearchResult, isFresh: boolean): void
  onProblem(search: WantedSearch, error: QueryError): void
  /** The hits of this search have changed: what is looked at is to be asked for again. */
  onStale(): void
  /** The index does not answer; it is asked again. */
  onAway(reason: string): void
}

/** Before the hits of a query are followed: whoever types changes it before that. */
const SETTLED_MS = 300
/** Between two attempts while the index is away. */
const RETRY_MS = 500

/**
 * Asks for what is wanted, one search at a time: a newer one replaces the older, whose answer nobody waits for any more. A search that
 * stays is followed, and asked again when its hits have changed.
 */
export class SearchSession {
  private wanted: WantedSearch | undefined
  private asking = new AbortController()
  private timer: NodeJS.Timeout | undefined
  private watch: Watch | undefined
  private isClosed = false

  constructor(
    private readonly client: Pick<IndexClient, 'search' | 'live'>,
    private readonly listener: SearchListener,
    private readonly settledMs = SETTLED_MS,
  ) {}

  /** Begins a search; gives up the one before. */
  ask(search: WantedSearch): void {
    this.wanted = search
    this.unfollow()
    void this.load(0, 1, true, search.fuzzy)
  }

  /** Asks for pages of the search that is wanted. */
  more(page: number, pages: number): void {
    void this.load(page, pages, false)
  }

  /** Asks for pages of the search that is wanted, because its hits have changed. */
  refresh(page: number, pages: number): void {
    void this.load(page, pages, true)
  }

  close(): void {
    this.isClosed = true
    this.asking.abort()
    this.unfollow()
  }

  /**
   * @param exactFirst shows what is found as it is written while hits that forgive mistakes are still looked for, which takes ten times as
   *   long; where those fill the page nobody has to look
   */
  private async load(page: number, pages: number, isFresh: boolean, exactFirst = false): Promise<void> {
    const search = this.wanted
    if (search === undefined || this.isClosed) return
    this.asking.abort()
    const asking = new AbortController()
    this.asking = asking
    clearTimeout(this.timer)
    try {
      const rows = { offset: page * PAGE_ROWS, limit: pages * PAGE_ROWS, signal: asking.signal }
      let answer = await this.client.search({ ...paramsOf(search), ...(exactFirst && { fuzzy: false }), ...rows })
      if (asking.signal.aborted) return
      // Nothing is no answer yet: Enter would take it for one.
      if (!exactFirst || answer.total > 0) this.listener.onAnswer(search, page, answer, isFresh)
      if (exactFirst && answer.total < rows.limit) {
        answer = await this.client.search({ ...paramsOf(search), ...rows })
        if (asking.signal.aborted) return
        this.listener.onAnswer(search, page, answer, isFresh)
      }
      if (this.watch === undefined)
        this.timer = setTimeout(() => void this.follow(search, answer.clock), this.settledMs)
    } catch (error) {
      if (asking.signal.aborted) return
      if (error instanceof QueryError) {
        this.listener.onProblem(search, error)
        return
      }
      if (!(error instanceof UnavailableError || error instanceof CancelledError)) throw error
      this.listener.onAway(error.message)
      this.timer = setTimeout(() => void this.load(page, pages, isFresh, exactFirst), RETRY_MS)
    }
  }

  /** @param clock that of the answer that is shown */
  private async follow(search: WantedSearch, clock: string): Promise<void> {
    const stale = () => {
      if (this.wanted === search && !this.isClosed) this.listener.onStale()
    }
    const handlers = {
      onHits: (result: SearchResult) => {
        if (result.clock !== clock) stale()
      },
      onChange: stale,
      onResync: stale,
      onAway: () => this.listener.onAway('the index does not answer'),
    }
    try {
      const watch = await this.client.live({ ...paramsOf(search), limit: PAGE_ROWS }, handlers)
      if (this.wanted !== search || this.isClosed) watch.close()
      else this.watch = watch
      await watch.ended
    } catch {
      // What is shown stays as it is until somebody types: nothing follows it.
    }
  }

  private unfollow(): void {
    clearTimeout(this.timer)
    this.watch?.close()
    this.watch = undefined
  }
}

function paramsOf({ text, sort, fuzzy }: WantedSearch) {
  return { query: text, ...parseSort(sort), fuzzy, match: 'auto' as const }
}
