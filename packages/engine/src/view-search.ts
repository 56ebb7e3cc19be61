import { type Predicate, type Query, type Sort, sizeOf } from '@hotpath/query'
import { DeltaSource } from './delta-source.js'
import { type Hit, hitOfDelta, hitOfSegment } from './hit.js'
import { HitList, mergedHits } from './hit-list.js'
import { compareHits } from './hit-order.js'
import { specialise } from './name-expression.js'
import type { SearchWork } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import { TableRows } from './table-rows.js'
import { TableSource } from './table-source.js'
import { TreeMatcher } from './tree-matcher.js'
import type { ViewState } from './view-state.js'

/** A search over views: first the page, then the total, which uses what the page found out. */
export class ViewSearch {
  private readonly lists: HitList[] = []
  private readonly tables: TableSource[] = []
  private readonly deltas: DeltaSource[] = []

  constructor(
    private readonly sort: Sort,
    private readonly offset: number,
    private readonly limit: number,
    private readonly work: SearchWork,
  ) {}

  /** Finds what of each view can be on the page. */
  add(views: readonly ViewState[], { predicate }: Query): void {
    const wanted = this.limit === 0 ? 0 : this.offset + this.limit
    for (const view of views) {
      const source = new DeltaSource(view, predicate, this.work)
      this.deltas.push(source)
      this.lists.push(new HitList(source.first(this.sort, wanted), row => hitOfDelta(view, row)))
    }
    const predicates = { d: specialise(predicate, 'd'), f: specialise(predicate, 'f') }
    for (const view of views) for (const segment of view.segments) this.addSegment(view, segment, predicates, wanted)
  }

  private addSegment(
    view: ViewState,
    segment: SegmentState,
    predicates: { readonly d: Predicate; readonly f: Predicate },
    wanted: number,
  ): void {
    const tree = new TreeMatcher(view, segment, this.work)
    let full = false
    for (const table of ['f', 'd'] as const) {
      const source = new TableSource(new TableRows(view, segment, table, this.work), tree, predicates[table])
      this.tables.push(source)
      const entries: number[] = full ? [] : source.first(this.sort, wanted)
      const list = new HitList(entries, entry => hitOfSegment(view, segment, entry))
      this.lists.push(list)
      // Directories are empty, so they come last when sizes descend.
      if (wanted > 0 && this.sort.column === 'size' && this.sort.descending) {
        full = entries.length === wanted && sizeOf(list.at(wanted - 1)) !== 0
      }
    }
  }

  page(): Hit[] {
    return mergedHits(this.lists, this.offset, this.limit, (a, b) => compareHits(this.sort, a, b))
  }

  /** Exact number of hits. */
  total(): number {
    let total = 0
    for (const source of this.deltas) total += source.total
    for (const source of this.tables) total += source.total()
    return total
  }
}
