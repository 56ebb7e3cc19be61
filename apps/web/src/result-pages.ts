import type { Hit, SearchReply } from './api-replies.js'
import type { RowRange } from './row-scale.js'

/** Two screens of rows: one request shows something, and scrolling by a screen needs at most one more. */
export const PAGE_ROWS = 100
/** 4,000 rows, about 2 MB: enough to scroll back and forth, little enough to forget about. */
const MAX_PAGES = 40
/** More at once than a screen needs would only delay the pages that are seen now. */
const MAX_LOADING = 4

export type LoadPage = (offset: number, limit: number, signal: AbortSignal) => Promise<SearchReply>

/**
 * The rows of one search, loaded in pages as they are looked at. Pages far from what is shown are forgotten, requests
 * for rows that were scrolled past are cancelled.
 */
export class ResultPages {
  readonly #pages = new Map<number, readonly Hit[]>()
  readonly #loading = new Map<number, AbortController>()
  #latest: SearchReply | undefined
  #closed = false

  /**
   * @param onRows called when rows have come
   * @param onError called when a page could not be loaded; it is asked for again when it is next looked at
   */
  constructor(
    readonly load: LoadPage,
    readonly onRows: () => void,
    readonly onError: (error: unknown) => void,
  ) {}

  /** The newest answer; undefined before the first. */
  get latest(): SearchReply | undefined {
    return this.#latest
  }

  get total(): number {
    return this.#latest?.total ?? 0
  }

  hit(row: number): Hit | undefined {
    return this.#pages.get(Math.floor(row / PAGE_ROWS))?.[row % PAGE_ROWS]
  }

  /** Loads all pages of a range; resolves when they are there. Rejects as `load` does. */
  async open(range: RowRange): Promise<void> {
    const first = Math.floor(range.first / PAGE_ROWS)
    const last = Math.max(first, Math.ceil(range.end / PAGE_ROWS) - 1)
    const wanted = Array.from({ length: last - first + 1 }, (_, at) => first + at)
    await Promise.all(wanted.map(page => this.#loadPage(page)))
  }

  /** Says which rows are looked at now: what is missing of them is loaded, what is not looked at is cancelled. */
  look(range: RowRange): void {
    if (this.#closed || this.#latest === undefined) return
    const first = Math.floor(range.first / PAGE_ROWS)
    const last = Math.ceil(range.end / PAGE_ROWS) - 1
    for (const [page, controller] of this.#loading) if (page < first || page > last) controller.abort()
    this.#forgetFarFrom((first + last) / 2)
    for (let page = first; page <= last && this.#loading.size < MAX_LOADING; page++) {
      if (this.#pages.has(page) || this.#loading.has(page)) continue
      this.#loadPage(page).then(this.onRows, error => {
        if (!isAbort(error)) this.onError(error)
      })
    }
  }

  /** Cancels everything; the rows that are there stay readable. */
  close(): void {
    this.#closed = true
    for (const controller of this.#loading.values()) controller.abort()
  }

  async #loadPage(page: number): Promise<void> {
    const controller = new AbortController()
    this.#loading.set(page, controller)
    try {
      const reply = await this.load(page * PAGE_ROWS, PAGE_ROWS, controller.signal)
      if (controller.signal.aborted) throw new DOMException('cancelled', 'AbortError')
      this.#pages.set(page, reply.hits)
      this.#latest = reply
    } finally {
      if (this.#loading.get(page) === controller) this.#loading.delete(page)
    }
  }

  #forgetFarFrom(middle: number): void {
    if (this.#pages.size <= MAX_PAGES) return
    const byDistance = [...this.#pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle))
    for (const page of byDistance.slice(0, this.#pages.size - MAX_PAGES)) this.#pages.delete(page)
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}
