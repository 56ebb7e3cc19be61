import { type Predicate, type Query, type Sort, sizeOf } from '@hotpath/query'
import { DeltaSource } from './delta-source.js'
import { type Hit, hitOfDelta, hitOfSegment } from './hit.js'
import { HitList, mergedHits } from './hit-list.js'
import { compareHits } from './hit-order.js'
import type { IndexFacts } from './index-facts.js'
import { specialise } from './name-expression.js'
import type { SearchWork } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import { TableRows } from './table-rows.js'
import { TableSource } from './table-source.js'
import { TreeMatcher } from './tree-matcher.js'
import { ViewScope } from './view-scope.js'
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
    private readonly facts: IndexFacts,
    private readonly work: SearchWork,
  ) {}

  /** Finds what of each view can be on the page. */
  add(views: readonly ViewState[], { predicate }: Query): void {
    const wanted = this.limit === 0 ? 0 : this.offset + this.limit
    const scopes = views.map(view => new ViewScope(view, views, this.facts, this.work))
    for (const scope of scopes) {
      const { view } = scope
      const source = new DeltaSource(scope, predicate)
      this.deltas.push(source)
      this.lists.push(new HitList(source.first(this.sort, wanted), row => hitOfDelta(view, row)))
    }
    for (const scope of scopes) {
      const { volume, segments } = scope.view
      const predicates = { d: specialise(predicate, 'd', volume), f: specialise(predicate, 'f', volume) }
      for (const segment of segments) this.addSegment(scope, segment, predicates, wanted)
    }
  }

  private addSegment(
    scope: ViewScope,
    segment: SegmentState,
    predicates: { readonly d: Predicate; readonly f: Predicate },
    wanted: number,
  ): void {
    const { view } = scope
    const tree = new TreeMatcher(view, segment, this.work)
    let full = false
    for (const table of ['f', 'd'] as const) {
      const source = new TableSource(new TableRows(scope, segment, table), tree, predicates[table])
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
