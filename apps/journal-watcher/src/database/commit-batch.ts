import type { RowChange } from '@hotpath/model'
import type { BriefTransaction, ToldTransaction } from './follower-host.js'
import { PageOverlay } from './page-overlay.js'
import type { SavedState } from './shadow-slot.js'

/** Whoever is behind by more tells it in several steps: consumers have the first while the next is read. */
const MAX_TRANSACTIONS = 64
const MAX_BYTES = 1024 * 1024
/** Rows of a transaction that is told together with others. */
export const MAX_BRIEF_ROWS = 1_000
export const MAX_BRIEF_BYTES = 1024 * 1024

/** Where the shadow is after a batch. */
export type BatchEnd = Omit<SavedState, 'epoch' | 'sequence'>

/**
 * Transactions of the log that are understood and not told yet. They become one step of the shadow, one message and one write to the log of changes: what those cost
 * is shared by all that were committed since the last look. Their pages lie over the shadow.
 */
export class CommitBatch {
  /** Those that consumers see. */
  transactions: BriefTransaction[] = []
  /** Of all that were added: the newest version of each. */
  #pages: PageOverlay | undefined
  #end: BatchEnd | undefined
  #count = 0
  /** Of values of rows, about. */
  #valueBytes = 0

  constructor(private readonly spillFile: string) {}

  get pages(): PageOverlay | undefined {
    return this.#pages
  }

  /** Undefined: nothing was added. */
  get end(): BatchEnd | undefined {
    return this.#end
  }

  get isFull(): boolean {
    const pages = this.#pages
    if (pages === undefined) return false
    return this.#count >= MAX_TRANSACTIONS || pages.size * pages.pageSize + this.#valueBytes >= MAX_BYTES
  }

  /** @param pages are in memory, and may be closed afterwards */
  add(transaction: ToldTransaction, changes: readonly RowChange[], pages: PageOverlay, end: BatchEnd): void {
    this.#pages ??= new PageOverlay(pages.pageSize, this.spillFile, Number.POSITIVE_INFINITY)
    for (const no of pages.numbers()) this.#pages.set(no, pages.get(no)!)
    if (changes.length > 0 || transaction.tables.length > 0) this.transactions.push({ transaction, changes })
    this.#end = end
    this.#count++
    for (const change of changes) this.#valueBytes += valueBytes(change)
  }

  clear(): void {
    this.transactions = []
    this.#pages = undefined
    this.#end = undefined
    this.#count = 0
    this.#valueBytes = 0
  }
}

/** What the values of a change take, about: pages do not say it, as a small change of a long row writes few of them. */
export function valueBytes({ old = [], new: now = [] }: RowChange): number {
  let bytes = 0
  for (const values of [old, now])
    for (const value of values) {
      if (typeof value === 'string') bytes += value.length
      else if (value instanceof Uint8Array) bytes += value.length
      else bytes += 8
    }
  return bytes
}
