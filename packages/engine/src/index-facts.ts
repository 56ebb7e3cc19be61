import { type DuplicateNames, NameCounts } from './duplicate-names.js'
import { SizeCounts } from './size-counts.js'
import type { ViewState } from './view-state.js'

/** What is kept from search to search about all entries of an index together; made when a query first asks for it. */
export class IndexFacts {
  private readonly names = new NameCounts()
  private readonly sizes = new SizeCounts()

  duplicateNames(views: readonly ViewState[], checkCancelled: () => void): DuplicateNames {
    return this.names.duplicates(views, checkCancelled)
  }

  /** How many files have a size, those of the deltas among them. Cost: that of `SizeCounts.update`, and a pass over the deltas. */
  sizeCounter(views: readonly ViewState[], checkCancelled: () => void): (size: number) => number {
    const { sizes } = this
    sizes.update(views, checkCancelled)
    const added = new Map<number, number>()
    for (const { delta } of views) {
      for (let row = 0; row < delta.end; row++) {
        if (!delta.isEntry(row) || delta.isDirectory(row)) continue
        added.set(delta.size[row], (added.get(delta.size[row]) ?? 0) + 1)
      }
    }
    return size => (Number.isNaN(size) ? 0 : sizes.countOf(size) + (added.get(size) ?? 0))
  }
}
