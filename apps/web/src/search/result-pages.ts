import type { MarkedHit, MarkedResult } from '@hotpath/client/browser'
import type { RowRange } from '../list/row-scale.js'

/** Two screens of rows: one request shows something, and scrolling by a screen needs at most one more. */
export const PAGE_ROWS = 100
/** 4,000 rows, about 2 MB: enough to scroll back and forth, little enough to forget about. */
const MAX_PAGES = 40
/** More at once than a screen needs would only delay the pages that are seen now. */
const MAX_LOADING = 4

export type LoadPage = (offset: number, limit: number, signal: AbortSignal) => Promise<MarkedResult>

interface Page {
  readonly hits: readonly MarkedHit[]
  /** As of which change of the list. */
  readonly age: number
}

export interface PagesListener {
  onAnswer(result: MarkedResult): void
  /** A page could not be loaded; it is asked for again when it is next looked at. */
  onError(error: unknown): void
}

/**
 * The rows of one search, loaded in pages as they are looked at. Pages far from what is shown are forgotten, requests
 * for rows that were scrolled past are cancelled. Pages that may be out of date are shown until they are read again.
 */
export class ResultPages {
  private readonly pages = new Map<number, Page>()
  private readonly loading = new Map<number, AbortController>()
  private age = 0
  private isOpen = false
  private isClosed = false

  constructor(
    private readonly load: LoadPage,
    private readonly listener: PagesListener,
  ) {}

  hit(row: number): MarkedHit | undefined {
    return this.pages.get(Math.floor(row / PAGE_ROWS))?.hits[row % PAGE_ROWS]
  }

  /** Loads the first page. Rejects as `load` does. */
  async open(): Promise<void> {
    await this.loadPage(0)
  }

  /** Says which rows are looked at now: what is missing of them is loaded, what is not looked at is cancelled. */
  look(range: RowRange): void {
    if (!this.isOpen || this.isClosed) return
    const { first, last } = pagesOf(range)
    for (const [page, controller] of this.loading) if (page < first || page > last) controller.abort()
    this.forgetFarFrom((first + last) / 2)
    for (let page = first; page <= last && this.loading.size < MAX_LOADING; page++) {
      if (this.pages.get(page)?.age === this.age || this.loading.has(page)) continue
      this.loadPage(page).catch(error => {
        if (!isAbort(error)) this.listener.onError(error)
      })
    }
  }

  /** The hits from a row on are these; all others may be others now. */
  replace(firstRow: number, hits: readonly MarkedHit[]): void {
    this.outdate()
    const from = firstRow / PAGE_ROWS
    for (let at = 0; at * PAGE_ROWS < hits.length; at++) {
      const rows = hits.slice(at * PAGE_ROWS, (at + 1) * PAGE_ROWS)
      this.pages.set(from + at, { hits: rows, age: this.age })
    }
  }

  /** All pages are to be read again when they are looked at. */
  outdate(): void {
    this.age++
  }

  /** Cancels everything; the rows that are there stay readable. */
  close(): void {
    this.isClosed = true
    for (const controller of this.loading.values()) controller.abort()
  }

  private async loadPage(page: number): Promise<void> {
    const controller = new AbortController()
    this.loading.set(page, controller)
    const { age } = this
    try {
      const result = await this.load(page * PAGE_ROWS, PAGE_ROWS, controller.signal)
      if (controller.signal.aborted) throw new DOMException('cancelled', 'AbortError')
      // What changed meanwhile makes it old as it comes.
      this.pages.set(page, { hits: result.hits, age })
      this.isOpen = true
      this.listener.onAnswer(result)
    } finally {
      if (this.loading.get(page) === controller) this.loading.delete(page)
    }
  }

  private forgetFarFrom(middle: number): void {
    if (this.pages.size <= MAX_PAGES) return
    const byDistance = [...this.pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle))
    for (const page of byDistance.slice(0, this.pages.size - MAX_PAGES)) this.pages.delete(page)
  }
}

export function pagesOf({ first, end }: RowRange): { first: number; last: number } {
  const from = Math.floor(first / PAGE_ROWS)
  return { first: from, last: Math.max(from, Math.ceil(end / PAGE_ROWS) - 1) }
}

export function isAbort(error: unknown): boolean {
  if (error instanceof DOMException) return error.name === 'AbortError'
  return error instanceof Error && 'code' in error && error.code === 'CANCELLED'
}
