import type { FoundRow } from '@hotpath/protocol/contract'

/** What one database gave to one search. */
export interface FoundPage {
  readonly total: number
  readonly rows: readonly FoundRow[]
}

/** Several windows, and what stands beside others on a page. A page of 1,000 rows, the most of all databases together, takes about 500 KB. */
const MOST_PAGES = 16

/**
 * The pages of a database that were searched last, until it changes: several windows that are told of a change ask the same, and a
 * change of one database has the others searched by nobody.
 */
export class KeptRowPages {
  private readonly pages = new Map<string, FoundPage>()

  find(key: string): FoundPage | undefined {
    const page = this.pages.get(key)
    // What was used last goes last.
    if (page !== undefined) this.keep(key, page)
    return page
  }

  keep(key: string, page: FoundPage): void {
    this.pages.delete(key)
    this.pages.set(key, page)
    if (this.pages.size > MOST_PAGES) this.pages.delete(this.pages.keys().next().value!)
  }

  clear(): void {
    this.pages.clear()
  }
}
