import type { Fresh } from '@hotpath/protocol'
import type { Hit } from './hit.js'

/** A hit and its place in the new page. */
export interface PlacedHit<H extends Hit = Hit> {
  readonly at: number
  readonly hit: H
}

/** What turns the page that was told last into the page as of `clock`. */
export interface PageChange<H extends Hit = Hit> {
  /** Exact number of hits, whatever the limit is. */
  readonly total: number
  /** As of a search. */
  readonly fuzzyTotal: number | undefined
  readonly clock: string
  readonly fresh: Fresh
  /** A part of the index is missing. */
  readonly partial: boolean
  /** Ids of hits that are no longer in the page: gone, or pushed out by others. */
  readonly removed: readonly string[]
  /** Hits that look different now, or stand elsewhere among the others; by ascending place. */
  readonly changed: readonly PlacedHit<H>[]
  /** By ascending place. */
  readonly added: readonly PlacedHit<H>[]
}

/** The page after a change. `hits` is the page before, and is left as it is. */
export function pageAfter<H extends Hit>(
  { removed, changed, added }: Pick<PageChange<H>, 'removed' | 'changed' | 'added'>,
  hits: readonly H[],
): H[] {
  const taken = new Set([...removed, ...changed.map(({ hit }) => hit.id)])
  const kept = hits.filter(hit => !taken.has(hit.id)).values()
  const page: H[] = []
  for (const { at, hit } of [...changed, ...added].sort((a, b) => a.at - b.at)) {
    while (page.length < at) {
      const { value, done } = kept.next()
      if (done) break
      page.push(value)
    }
    page.push(hit)
  }
  return [...page, ...kept]
}
