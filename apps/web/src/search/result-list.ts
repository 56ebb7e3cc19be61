import {
  type BrowserClient,
  type LiveWatch,
  type MarkedHit,
  type MarkedResult,
  type PageChange,
  pageAfter,
  QueryError,
  RequestError,
  UnavailableError,
} from '@hotpath/client/browser'
import type { RowRange } from '../list/row-scale.js'
import type { SearchState } from '../state/page-state.js'
import { Store } from '../state/store.js'
import { isAbort, PAGE_ROWS, pagesOf, ResultPages } from './result-pages.js'
import { problemIn, type QueryProblem, requestOf } from './search-request.js'

/** A list that was left alone for so long is followed: what is typed or scrolled past is not. */
const FOLLOW_DELAY_MS = 300
/** Of the pages that are looked at: what one subscription can hold. */
const MAX_FOLLOWED_PAGES = 10
const RETRY_MS = 1_000

export type Failure =
  | { readonly kind: 'query'; readonly problem: QueryProblem }
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'away'; readonly message: string }

/** What is known of the list as a whole. */
export type Head = Pick<MarkedResult, 'total' | 'fuzzyTotal' | 'clock' | 'fresh' | 'partial'>

type Client = Pick<BrowserClient, 'search' | 'live'>

/**
 * The hits of the search that is shown. A new search cancels the former at once, and the list keeps its rows until the
 * first of the new ones are there. What is looked at is followed: changes come by themselves, in place.
 */
export class ResultList extends Store {
  /** Of `pages`: what is shown. */
  shown: SearchState | undefined
  head: Head | undefined
  /** Of the engine, for the last page that it made. */
  tookMs = Number.NaN
  failure: Failure | undefined
  /** The index or the gateway does not answer; what is shown may be old. */
  isAway = false
  /** Rows that are looked at did not come in time; they are asked for again. */
  isSlow = false
  /** Rises with each other search that is shown: the list begins at its top. */
  searchCount = 0
  private pages: ResultPages | undefined
  private wanted: SearchState | undefined
  private opening: ResultPages | undefined
  private retry: ReturnType<typeof setTimeout> | undefined
  private range: RowRange = { first: 0, end: 1 }
  private followSoon: ReturnType<typeof setTimeout> | undefined
  private watch: LiveWatch | undefined
  private followed: RowRange = { first: 0, end: 0 }
  private followedHits: readonly MarkedHit[] = []

  /** @param onMoved called before rows are others: where those are now that `places` names */
  constructor(
    private readonly client: Client,
    private readonly onMoved: (placeOf: (id: string) => number | undefined) => void,
  ) {
    super()
  }

  get rows(): number {
    return this.head === undefined ? 0 : this.head.total + (this.head.fuzzyTotal ?? 0)
  }

  /** A search is on its way. */
  get isSearching(): boolean {
    return this.opening !== undefined
  }

  /** Changes come by themselves. */
  get isFollowing(): boolean {
    return this.watch !== undefined && !this.isAway && this.failure === undefined
  }

  hit(row: number): MarkedHit | undefined {
    return this.pages?.hit(row)
  }

  search(state: SearchState): void {
    this.wanted = state
    this.isSlow = false
    clearTimeout(this.retry)
    this.unfollow()
    void this.open(state)
  }

  /** Says which rows are looked at now. */
  look(range: RowRange): void {
    this.range = range
    this.pages?.look(range)
    this.followLater()
  }

  /** All may be another: asks again, in place. */
  refresh(): void {
    if (this.pages === undefined || this.failure !== undefined) {
      if (this.wanted !== undefined) this.search(this.wanted)
      return
    }
    this.pages.outdate()
    this.pages.look(this.range)
  }

  close(): void {
    clearTimeout(this.retry)
    this.unfollow()
    this.opening?.close()
    this.pages?.close()
  }

  private async open(state: SearchState): Promise<void> {
    this.opening?.close()
    const pages = new ResultPages(
      (offset, limit, signal) => this.client.search({ ...requestOf(state), offset, limit, signal }),
      {
        onAnswer: result => this.answered(pages, state, result),
        onError: error => this.pageFailed(pages, error, state),
      },
    )
    this.opening = pages
    this.changed()
    try {
      await pages.open()
    } catch (error) {
      if (this.opening === pages) this.opening = undefined
      if (!isAbort(error)) this.failed(error, state)
    }
  }

  private answered(pages: ResultPages, state: SearchState, result: MarkedResult): void {
    if (this.opening === pages) {
      this.opening = undefined
      this.pages?.close()
      this.pages = pages
      this.shown = state
      this.searchCount++
      this.range = { first: 0, end: Math.min(PAGE_ROWS, Math.max(1, this.range.end - this.range.first)) }
      this.head = undefined
      this.followLater()
    }
    if (this.pages !== pages) return
    this.failure = undefined
    this.isAway = false
    this.isSlow = false
    this.tookMs = result.tookMs
    const wasOther = this.head !== undefined && this.head.clock !== result.clock && this.watch === undefined
    this.setHead(result)
    // Without a subscription the pages that are there may be of another state.
    if (wasOther) this.followLater()
    this.changed()
  }

  /** Of a list that is shown: it stays where it is. Pages far down a long list can take the engine longer than a request may. */
  private pageFailed(pages: ResultPages, error: unknown, state: SearchState): void {
    if (pages !== this.pages || state !== this.wanted) return
    if (!(error instanceof UnavailableError)) {
      this.failed(error, state)
      return
    }
    this.isSlow = true
    clearTimeout(this.retry)
    this.retry = setTimeout(() => pages.look(this.range), RETRY_MS)
    this.changed()
  }

  private failed(error: unknown, state: SearchState): void {
    if (state !== this.wanted) return
    if (error instanceof QueryError) this.failure = { kind: 'query', problem: problemIn(error, state) }
    else if (error instanceof RequestError && error.status === 401) this.failure = { kind: 'signed-out' }
    else {
      this.failure = { kind: 'away', message: error instanceof Error ? error.message : String(error) }
      clearTimeout(this.retry)
      this.retry = setTimeout(() => this.search(state), RETRY_MS)
    }
    this.changed()
  }

  /** Fuzzy hits are counted only where a page reaches them; what was counted stays known while the list is the same. */
  private setHead({ total, fuzzyTotal, clock, fresh, partial }: Head): void {
    const known = fuzzyTotal ?? (this.head?.total === total ? this.head.fuzzyTotal : undefined)
    this.head = { total, fuzzyTotal: known, clock, fresh, partial }
  }

  private followLater(): void {
    if (this.isFollowed(this.range)) return
    clearTimeout(this.followSoon)
    this.followSoon = setTimeout(() => this.follow(), FOLLOW_DELAY_MS)
  }

  private isFollowed({ first, end }: RowRange): boolean {
    return this.watch !== undefined && first >= this.followed.first && end <= Math.max(this.followed.end, 1)
  }

  private unfollow(): void {
    clearTimeout(this.followSoon)
    this.watch?.close()
    this.watch = undefined
  }

  /** Subscribes to the pages that are looked at. */
  private follow(): void {
    const { shown, pages } = this
    if (shown === undefined || pages === undefined || shown !== this.wanted) return
    // Not beside the search for the rows themselves.
    if (this.rows > 0 && pages.hit(Math.min(this.range.first, this.rows - 1)) === undefined) {
      this.followLater()
      return
    }
    this.unfollow()
    const { first, last } = pagesOf(this.range)
    const count = Math.min(MAX_FOLLOWED_PAGES, last - first + 1)
    const offset = first * PAGE_ROWS
    this.followed = { first: offset, end: offset + count * PAGE_ROWS }
    const isCurrent = () => this.watch === watch && this.pages === pages
    const all = (result: MarkedResult): void => {
      if (isCurrent()) this.told(pages, result, result.hits)
    }
    const watch = this.client.live(
      { ...requestOf(shown), offset, limit: count * PAGE_ROWS },
      {
        onHits: all,
        onResync: all,
        onChange: change => {
          if (isCurrent()) this.told(pages, change, pageAfter(change, this.followedHits), change)
        },
        onAway: () => {
          if (!isCurrent()) return
          this.isAway = true
          this.changed()
        },
      },
    )
    this.watch = watch
    watch.ended.catch(() => {
      if (this.watch === watch) this.watch = undefined
    })
  }

  /** The rows that are followed are these now. */
  private told(pages: ResultPages, head: Head, hits: readonly MarkedHit[], change?: PageChange): void {
    this.isAway = false
    this.followedHits = hits
    const isSame =
      change === undefined
        ? head.clock === this.head?.clock
        : change.removed.length + change.changed.length + change.added.length === 0
    if (!isSame || head.total !== this.head?.total) {
      const places = new Map(hits.map((hit, at) => [hit.id, this.followed.first + at]))
      this.onMoved(id => places.get(id))
      pages.replace(this.followed.first, hits)
    }
    this.setHead(head)
    pages.look(this.range)
    this.changed()
  }
}
