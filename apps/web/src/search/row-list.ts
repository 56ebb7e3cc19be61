import {
  type BrowserClient,
  type FoundRowReply,
  type FoundRowsReply,
  QueryError,
  RequestError,
} from '@hotpath/client/browser'
import { isFiltered } from '../state/filters.js'
import type { PageState } from '../state/page-state.js'
import { Store } from '../state/store.js'
import { isAbort } from './result-pages.js'

/** Beside files: as many as the list of files asks for. They fill the page where no file is found. */
export const BESIDE_ROWS = 100
/** In the view of all rows: the most that one request may ask for. */
export const VIEW_ROWS = 1_000
/** What changes all the time is asked for again at most so often: more than that cannot be read anyway. */
const PAUSE_MS = 250
/** Before what failed is tried again. */
const RETRY_MS = 5_000
/** Searches that take long are asked again less often: at most a twentieth of the time is spent on them. */
const REST_PER_WORK = 20

export interface RowRequest {
  readonly query: string
  readonly limit: number
  readonly offset: number
}

/** Rows have no path, kind, size or times: whoever narrows by them, or typed nothing, wants files. */
export function rowRequestOf({ query, filters, under, view, rowsFrom }: PageState): RowRequest | undefined {
  if (query.trim() === '' || isFiltered(filters) || under !== undefined) return undefined
  return view === 'rows' ? { query, limit: VIEW_ROWS, offset: rowsFrom } : { query, limit: BESIDE_ROWS, offset: 0 }
}

/** `final`: the same query will be refused again. */
type Refusal = 'final' | 'request'

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof QueryError) return 'final'
  if (!(error instanceof RequestError)) return undefined
  // Of a gateway that knows no rows.
  return error.status === 404 ? 'final' : 'request'
}

/**
 * Rows of followed databases for the search that is shown. They are asked for beside the files and hold up nothing: a new
 * search cancels the former, and what is shown stays until the next answer.
 */
export class RowList extends Store {
  /** Of `answer`. */
  shown: RowRequest | undefined
  answer: FoundRowsReply | undefined
  /** Why there is no answer. */
  failure = ''
  /** The place in the answer that somebody went to. */
  active: number | undefined
  private wanted: RowRequest | undefined
  private running: AbortController | undefined
  private again: ReturnType<typeof setTimeout> | undefined
  /** Rows changed since the last search was asked for. */
  private isOutdated = false
  /** It makes no sense to ask the same again. */
  private refusal: Refusal | undefined
  private restsUntilMs = 0

  /** @param isSeen the page is looked at; otherwise nothing is asked again: whoever comes back calls `outdate` */
  constructor(
    private readonly client: Pick<BrowserClient, 'searchRows'>,
    private readonly isSeen: () => boolean,
  ) {
    super()
  }

  get total(): number {
    return this.answer?.total ?? 0
  }

  get rows(): readonly FoundRowReply[] {
    return this.answer?.rows ?? []
  }

  /** Another answer is on its way. */
  get isSearching(): boolean {
    return this.running !== undefined && !isSame(this.wanted, this.shown)
  }

  search(wanted: RowRequest | undefined): void {
    if (isSame(wanted, this.wanted)) return
    this.close()
    this.wanted = wanted
    this.refusal = undefined
    if (wanted === undefined) this.show(undefined, undefined)
    else void this.ask(wanted)
  }

  activate(at: number | undefined): void {
    const active = at === undefined || this.rows.length === 0 ? undefined : clamp(at, this.rows.length)
    if (active === this.active) return
    this.active = active
    this.changed()
  }

  /** Rows changed, or may have changed unseen. */
  outdate(): void {
    this.isOutdated = true
    // What the gateway refused then it may not refuse now; a wrong query stays wrong.
    if (this.refusal === 'request') this.refusal = undefined
    this.askWhenDue()
  }

  close(): void {
    clearTimeout(this.again)
    this.again = undefined
    this.running?.abort()
    this.running = undefined
  }

  private async ask(request: RowRequest): Promise<void> {
    const own = new AbortController()
    this.running = own
    this.isOutdated = false
    let restMs = PAUSE_MS
    try {
      const answer = await this.client.searchRows({ ...request, signal: own.signal })
      if (own.signal.aborted) return
      this.running = undefined
      restMs = Math.max(restMs, answer.tookMs * REST_PER_WORK)
      this.show(request, answer)
    } catch (error) {
      if (own.signal.aborted || isAbort(error)) return
      this.running = undefined
      this.failed(request, error)
      this.refusal = refusalOf(error)
      this.isOutdated = true
      restMs = RETRY_MS
    }
    this.restsUntilMs = performance.now() + restMs
    this.askWhenDue()
  }

  private askWhenDue(): void {
    const { wanted } = this
    if (wanted === undefined || !this.isOutdated || this.refusal !== undefined) return
    if (this.running !== undefined || this.again !== undefined) return
    this.again = setTimeout(() => {
      this.again = undefined
      if (this.isSeen()) void this.ask(wanted)
    }, this.restsUntilMs - performance.now())
  }

  private show(request: RowRequest | undefined, answer: FoundRowsReply | undefined): void {
    // Asked again, and the same: nothing is to be drawn.
    if (isSame(request, this.shown) && answer !== undefined && isSameAnswer(answer, this.answer)) return
    const former = this.active === undefined ? undefined : this.rows[this.active]
    const isOther = request?.query !== this.shown?.query
    const place = former === undefined || isOther ? -1 : (answer?.rows.findIndex(row => isSameRow(row, former)) ?? -1)
    this.active = place < 0 ? undefined : place
    this.shown = request
    this.answer = answer
    this.failure = ''
    this.changed()
  }

  /** What is wrong with a query is said of the files, and what was found before stays as theirs does. */
  private failed(request: RowRequest, error: unknown): void {
    if (error instanceof QueryError || (isSame(request, this.shown) && !(error instanceof RequestError))) {
      this.changed()
      return
    }
    this.show(undefined, undefined)
    this.failure = error instanceof Error ? error.message : String(error)
    this.changed()
  }
}

function isSame(a: RowRequest | undefined, b: RowRequest | undefined): boolean {
  return a?.query === b?.query && a?.limit === b?.limit && a?.offset === b?.offset
}

function isSameAnswer(a: FoundRowsReply, b: FoundRowsReply | undefined): boolean {
  return a.total === b?.total && JSON.stringify(a.rows) === JSON.stringify(b.rows)
}

export function isSameRow(a: FoundRowReply, b: FoundRowReply): boolean {
  return a.database === b.database && a.table === b.table && JSON.stringify(a.key) === JSON.stringify(b.key)
}

function clamp(at: number, length: number): number {
  return Math.min(Math.max(0, at), length - 1)
}
