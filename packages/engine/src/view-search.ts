import { type Predicate, sizeOf } from '@hotpath/query'
import { DeepPage } from './deep-page.js'
import { DeltaSource } from './delta-source.js'
import { type Hit, hitOfDelta, hitOfSegment } from './hit.js'
import { HitList, mergeHits } from './hit-list.js'
import { hitOrder } from './hit-order.js'
import type { IndexFacts } from './index-facts.js'
import { specialise } from './name-expression.js'
import type { KeptOrder } from './order-memory.js'
import type { WindowTuning } from './rank-window.js'
import { isSubstring } from './ranked-names.js'
import type { KeptResult } from './result-cache.js'
import type { SearchWork } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import { type HitSort, isUseSort, type UseSort, type ValueSort } from './sort-order.js'
import { TableRows } from './table-rows.js'
import { TableSource } from './table-source.js'
import { TreeMatcher } from './tree-matcher.js'
import type { OpenedHits } from './use-page.js'
import { ViewScope } from './view-scope.js'
import type { ViewState } from './view-state.js'

/** Rows of a page whose columns are read ahead while a segment is cold. */
const EXPECTED_ROWS = 1_000

/** Displaced directories of a segment, each of which is a piece that stands elsewhere by path. */
const MOST_PIECES = 256

/** A search over views: first the page, then the total, which uses what the page found out. */
export class ViewSearch {
  private readonly lists: HitList[] = []
  private readonly tables: TableSource[] = []
  private readonly deltas: DeltaSource[] = []
  private deepPage: DeepPage | undefined

  constructor(
    readonly sort: HitSort,
    private readonly offset: number,
    private readonly limit: number,
    private readonly facts: IndexFacts,
    private readonly work: SearchWork,
    /** What is kept of the predicate. */
    private readonly kept: KeptResult | undefined,
    /** What is known of the order, if the page is far down: then it is entered in the middle. */
    readonly deep: KeptOrder | undefined,
    private readonly tuning: WindowTuning,
  ) {}

  /** Finds what of each view can be on the page. */
  add(views: readonly ViewState[], predicate: Predicate): void {
    const scopes = views.map(view => new ViewScope(view, views, this.facts, this.work))
    if (this.deep !== undefined && !this.hasManyPieces(views)) {
      this.addDeep(scopes, predicate, this.deep)
      return
    }
    const wanted = this.limit === 0 ? 0 : this.offset + this.limit
    for (const scope of scopes) {
      const { view } = scope
      const source = new DeltaSource(scope, predicate)
      this.deltas.push(source)
      const rows = source.first(this.sort, wanted)
      this.lists.push(
        new HitList(
          rows.length,
          place => rows[place],
          row => hitOfDelta(view, row, this.work),
        ),
      )
    }
    const { sort } = this
    if (isUseSort(sort)) {
      this.addByUse(scopes, predicate, sort, wanted)
      return
    }
    for (const scope of scopes) {
      const predicates = specialised(scope, predicate)
      for (const segment of scope.view.segments) this.addSegment(scope, segment, predicates, sort, wanted)
    }
  }

  /** Where very many directories are not where a segment says, too many pieces of it would be merged. */
  private hasManyPieces(views: readonly ViewState[]): boolean {
    if (this.sort.column !== 'path') return false
    return views.some(({ segments }) => segments.some(({ displaced }) => displaced.size > MOST_PIECES))
  }

  private addDeep(scopes: readonly ViewScope[], predicate: Predicate, order: KeptOrder): void {
    const deltas = scopes.map(scope => ({ view: scope.view, source: new DeltaSource(scope, predicate) }))
    for (const { source } of deltas) this.deltas.push(source)
    for (const scope of scopes) {
      const predicates = specialised(scope, predicate)
      for (const segment of scope.view.segments) {
        const tree = new TreeMatcher(scope.view, segment, this.work)
        for (const table of ['f', 'd'] as const) {
          this.tables.push(this.source(new TableRows(scope, segment, table), tree, predicates[table]))
        }
      }
    }
    const { sort, tables, tuning, work } = this
    const holdsAll = sort.column === 'hot' && holdsTerms(predicate, sort.terms.needles)
    this.deepPage = new DeepPage({ tables, deltas }, sort, work, order, tuning, holdsAll)
  }

  private addSegment(
    scope: ViewScope,
    segment: SegmentState,
    predicates: { readonly d: Predicate; readonly f: Predicate },
    sort: ValueSort,
    wanted: number,
  ): void {
    const { view } = scope
    const tree = new TreeMatcher(view, segment, this.work)
    let full = false
    for (const table of ['f', 'd'] as const) {
      const source = this.source(new TableRows(scope, segment, table), tree, predicates[table])
      this.tables.push(source)
      const list = this.hitsOf(view, segment, full ? [] : source.first(sort, wanted))
      this.lists.push(list)
      // Directories are empty, so they come last when sizes descend.
      if (wanted > 0 && sort.column === 'size' && sort.descending) {
        full = list.left === wanted && sizeOf(list.ahead(wanted - 1)) !== 0
      }
    }
  }

  /**
   * Opened hits come before all others, wherever they are: so they are found first, and the others only as far as the
   * page has room for them.
   */
  private addByUse(scopes: readonly ViewScope[], predicate: Predicate, sort: UseSort, wanted: number): void {
    const found: { view: ViewState; segment: SegmentState; source: TableSource; opened: OpenedHits }[] = []
    let openedCount = 0
    for (const scope of scopes) {
      const { view } = scope
      const predicates = specialised(scope, predicate)
      for (const segment of view.segments) {
        const tree = new TreeMatcher(view, segment, this.work)
        for (const table of ['f', 'd'] as const) {
          const rows = new TableRows(scope, segment, table)
          const source = this.source(rows, tree, predicates[table])
          this.tables.push(source)
          const opened = source.opened(sort, wanted)
          openedCount += opened.rows.count
          found.push({ view, segment, source, opened })
        }
      }
    }
    const restLimit = Math.max(0, wanted - openedCount)
    for (const { view, segment, source, opened } of found) {
      this.lists.push(this.hitsOf(view, segment, source.withRest(sort, opened, restLimit)))
    }
  }

  private source(rows: TableRows, tree: TreeMatcher, predicate: Predicate): TableSource {
    const { segment, table } = rows
    const { kept } = this
    return new TableSource(rows, tree, predicate, kept?.table(segment, table), kept?.among(segment, table))
  }

  /** Entries of a segment in order as hits. What is shown of them is read together while the segment is cold. */
  private hitsOf(view: ViewState, segment: SegmentState, entries: readonly number[]): HitList {
    if (segment.reader.frame.isCold && entries.length <= EXPECTED_ROWS) segment.reader.expectRows(entries)
    return new HitList(
      entries.length,
      place => entries[place],
      entry => hitOfSegment(view, segment, entry, this.work),
    )
  }

  /** Visits the hits of the page in order. */
  page(visit: (hit: Hit) => void): void {
    if (this.deepPage !== undefined) {
      this.deepPage.visit(this.offset, this.limit, visit)
      return
    }
    mergeHits(this.lists, this.offset, this.limit, hitOrder(this.sort), visit)
  }

  /** Exact number of hits. */
  total(): number {
    let total = 0
    for (const source of this.deltas) total += source.total
    for (const source of this.tables) total += source.total()
    return total
  }
}

/** What a predicate asks of directories and of all else in a view. */
function specialised({ view }: ViewScope, predicate: Predicate): { readonly d: Predicate; readonly f: Predicate } {
  return { d: specialise(predicate, 'd', view.volume), f: specialise(predicate, 'f', view.volume) }
}

/** True if the name of every hit holds all terms. */
function holdsTerms(predicate: Predicate, needles: readonly Uint8Array[]): boolean {
  const parts = predicate.kind === 'and' ? predicate.parts : [predicate]
  return needles.every(needle => parts.some(part => part.kind === 'name' && isSubstring(part.test, needle)))
}
