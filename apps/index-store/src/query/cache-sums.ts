import type { CacheCounts, EngineCacheCounts } from '@hotpath/engine'

/** The caches of a searcher. */
export const CACHES: readonly (keyof EngineCacheCounts)[] = ['results', 'paths']

const NOTHING: CacheCounts = { hits: 0, misses: 0, entries: 0, bytes: 0 }

/** What the caches of all searchers did and hold, as they told it last. */
export class CacheSums {
  private readonly searchers = new Map<number, EngineCacheCounts>()

  told(searcher: number, counts: EngineCacheCounts): void {
    this.searchers.set(searcher, counts)
  }

  /** A searcher ended: it holds nothing any more. */
  ended(searcher: number): void {
    const last = this.searchers.get(searcher)
    if (last === undefined) return
    const empty = (counts: CacheCounts): CacheCounts => ({ ...counts, entries: 0, bytes: 0 })
    this.searchers.set(searcher, { results: empty(last.results), paths: empty(last.paths) })
  }

  of(cache: keyof EngineCacheCounts): CacheCounts {
    let sum = NOTHING
    for (const { [cache]: counts } of this.searchers.values()) {
      sum = {
        hits: sum.hits + counts.hits,
        misses: sum.misses + counts.misses,
        entries: sum.entries + counts.entries,
        bytes: sum.bytes + counts.bytes,
      }
    }
    return sum
  }
}
