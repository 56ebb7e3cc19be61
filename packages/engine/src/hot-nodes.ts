import { type HotSlot, HotTable, type Scoring } from '@hotpath/hot-score'
import { CorruptFileError, type HotColumns } from '@hotpath/model'
import type { Predicate } from '@hotpath/query'
import { PathRefSearch } from './path-ref-search.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'

/**
 * The hot records of a replica, and which entries of which segments they belong to: found out when a record or a segment
 * comes, so that a search knows the opened entries without looking for them. Where rows have refs that is a binary search for each
 * record; where they have none it is a pass over names, done bit by bit in `settle`.
 */
export class HotNodes {
  /** Room is made by the store, never here. */
  readonly table: HotTable
  private searches: PathRefSearch[] = []

  /** @param setAside leaves a segment out of answers that turned out to be damaged; false if no segment has that file */
  constructor(
    scoring: Scoring,
    private readonly setAside: (error: CorruptFileError) => boolean,
  ) {
    this.table = new HotTable(scoring, Number.POSITIVE_INFINITY)
  }

  /** Takes over what the store says. */
  apply(records: HotColumns, views: readonly ViewState[]): void {
    const { table } = this
    const { volume, ref, runs } = records
    const find = (i: number): HotSlot => table.find(volume[i], ref.low[i], ref.high[i], ref.birth[i])
    const gone = new Set<HotSlot>()
    const isNew: boolean[] = []
    for (let i = 0; i < records.count; i++) {
      const slot = find(i)
      if (runs[i] === 0 && slot !== 0) gone.add(slot)
      isNew.push(runs[i] > 0 && (slot === 0 || gone.has(slot)))
    }
    if (gone.size > 0) {
      for (const view of views) for (const segment of view.segments) segment.opened.drop(gone)
      for (const search of this.searches) search.drop(gone)
    }
    table.apply(records)
    const added: HotSlot[] = []
    isNew.forEach((isAdded, i) => {
      if (isAdded) added.push(find(i))
    })
    if (added.length === 0 && gone.size === 0) return
    for (const view of views) {
      view.opened.recordsChanged()
      const own = added.filter(slot => table.keyAt(slot).volume === view.volumeKey)
      if (own.length > 0) for (const segment of [...view.segments]) this.findEntries(view, segment, own)
    }
  }

  /** A segment joined a view: its opened entries are looked for. */
  segmentAdded(view: ViewState, segment: SegmentState): void {
    const slots: HotSlot[] = []
    this.table.forEach(slot => {
      if (this.table.keyAt(slot).volume === view.volumeKey) slots.push(slot)
    })
    if (slots.length > 0) this.findEntries(view, segment, slots)
  }

  segmentDropped(segment: SegmentState): void {
    this.searches = this.searches.filter(search => search.segment !== segment)
  }

  /** True if nothing is left to look for. */
  get isSettled(): boolean {
    return this.searches.length === 0
  }

  /** Goes on looking for entries of lists, for about so long. @returns true if nothing is left to look for */
  settle(budgetMs: number): boolean {
    const untilMs = performance.now() + budgetMs
    for (;;) {
      const [search] = this.searches
      if (search === undefined) return true
      let done = true
      this.reading(() => {
        done = search.run(untilMs)
      })
      if (!done) return false
      // Of a damaged segment nothing is looked for any more.
      if (this.searches[0] === search) this.searches.shift()
    }
  }

  private findEntries(view: ViewState, segment: SegmentState, slots: readonly HotSlot[]): void {
    const { reader, opened } = segment
    if (!reader.hasRefs) {
      this.searches.push(new PathRefSearch(view, segment, this.table, slots))
      return
    }
    this.reading(() => {
      for (const slot of slots) {
        const { low, high, birth } = this.table.keyAt(slot)
        reader.findRef(low, high, birth, entry => opened.add(entry, slot))
      }
    })
  }

  /** Does something that reads a segment, which may turn out to be damaged. */
  private reading(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof CorruptFileError) || !this.setAside(error)) throw error
    }
  }
}

/** True if the hits depend on what was opened. */
export function asksForOpens(predicate: Predicate): boolean {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.parts.some(asksForOpens)
    case 'not':
      return asksForOpens(predicate.part)
    default:
      return predicate.kind === 'runs' || predicate.kind === 'opened'
  }
}
