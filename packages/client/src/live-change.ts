import { ID_BYTES } from '@hotpath/model'
import type { Fresh, LiveChange as WireChange } from '@hotpath/protocol'
import type { Hit } from './hit.js'
import { type PageChange, type PlacedHit, pageAfter } from './page-change.js'
import { hitAt } from './search-result.js'

/** What turns the page that a watch told last into the page as of `clock`. */
export class LiveChange implements PageChange {
  /** Exact number of hits, whatever the limit is. */
  readonly total: number
  /** As in SearchResult. */
  readonly fuzzyTotal: number | undefined
  readonly clock: string
  readonly fresh: Fresh
  /** A part of the index is missing. */
  readonly partial: boolean
  /** Ids of hits that are no longer in the page: gone, or pushed out by others. */
  readonly removed: readonly string[]
  /** Hits that look different now, or stand elsewhere among the others; by ascending place. */
  readonly changed: readonly PlacedHit[]
  /** By ascending place. */
  readonly added: readonly PlacedHit[]

  /** @param offset of the search: says where the fuzzy hits begin */
  constructor(change: WireChange, offset: number) {
    const { total, fuzzyTotal, clock, fresh, partial, removed } = change
    this.total = total
    this.fuzzyTotal = Number.isNaN(fuzzyTotal) ? undefined : fuzzyTotal
    this.clock = clock
    this.fresh = fresh
    this.partial = partial
    this.removed = Array.from({ length: removed.length / ID_BYTES }, (_, row) =>
      Buffer.from(removed.subarray(row * ID_BYTES, (row + 1) * ID_BYTES)).toString('base64url'),
    )
    const placed = (rows: WireChange['added'], places: Uint32Array) =>
      Array.from(places, (at, row) => ({ at, hit: { ...hitAt(rows, row), fuzzy: offset + at >= total } }))
    this.changed = placed(change.changed, change.changedAt)
    this.added = placed(change.added, change.addedAt)
  }

  /** The page after this change. `hits` is the page before, and is left as it is. */
  apply(hits: readonly Hit[]): Hit[] {
    return pageAfter(this, hits)
  }
}
