import type { DeltaSource } from './delta-source.js'
import { ExtensionUnion } from './extension-union.js'
import { type Hit, hitOfDelta, hitOfSegment } from './hit.js'
import { HitList, mergeHits } from './hit-list.js'
import { hitOrder } from './hit-order.js'
import { SortedEntries } from './kept-entries.js'
import { levelsOf, type OrderLevel } from './order-levels.js'
import type { KeptOrder } from './order-memory.js'
import { DeltaPart, type OrderPart, SegmentPart } from './order-part.js'
import { type RankWindow, type WindowTuning, windowAt } from './rank-window.js'
import { RankedRows } from './ranked-rows.js'
import type { SearchWork } from './search-work.js'
import { type HitSort, isUseSort, type UseSort } from './sort-order.js'
import type { TableSource } from './table-source.js'
import type { ViewState } from './view-state.js'

/** The sources of a search: tables of segments, and deltas. */
export interface DeepSources {
  readonly tables: readonly TableSource[]
  readonly deltas: readonly { readonly view: ViewState; readonly source: DeltaSource }[]
}

/**
 * A page far down: the order is entered in the middle, at a window that is found by counting, so that what comes before it
 * is not made. Exactly what the order says, as if all hits before it had been made.
 */
export class DeepPage {
  private readonly order: (a: Hit, b: Hit) => number
  private madeLevels: readonly OrderLevel[] | undefined
  private madeParts: readonly OrderPart[] | undefined
  private opened: Pick<RankWindow, 'lists' | 'length'> | undefined

  /** @param kept what is known of this order of these hits */
  constructor(
    private readonly sources: DeepSources,
    private readonly sort: HitSort,
    private readonly work: SearchWork,
    private readonly kept: KeptOrder,
    private readonly tuning: WindowTuning,
    /** The names of all hits hold all terms that the order goes by. */
    private readonly holdsAll: boolean,
  ) {
    this.order = hitOrder(sort)
  }

  /** Visits hits `offset` … `offset + limit` in order. */
  visit(offset: number, limit: number, visit: (hit: Hit) => void): void {
    const end = offset + limit
    for (let place = offset; place < end; ) {
      const window = this.windowAt(place, end - place)
      if (window === undefined) return
      const { start, length, lists } = window
      const count = Math.min(end, start + length) - place
      mergeHits(this.hitListsOf(lists), place - start, count, this.order, visit)
      place += count
    }
  }

  private windowAt(place: number, limit: number): RankWindow | undefined {
    const opened = this.openedHits()
    if (place < opened.length) return { start: 0, ...opened }
    const known = this.kept.windowAt(place)
    if (known !== undefined) return known
    const found = this.findWindow(place - opened.length, limit)
    if (found === undefined) return undefined
    const window = { ...found, start: found.start + opened.length }
    this.kept.keep(window)
    return window
  }

  /** @param place among what was never opened, in orders by use */
  private findWindow(place: number, limit: number): RankWindow | undefined {
    const { column, descending } = this.sort
    const { parts } = this
    const length = parts.reduce((sum, { count }) => sum + count, 0)
    if (place >= length) return undefined
    switch (column) {
      case 'path':
        return { start: 0, length, lists: parts.map(part => part.byPath(descending)) }
      case 'name':
        return { start: 0, length, lists: parts.map(part => [part.byName(descending)]) }
      default:
        return windowAt(parts, this.levels.length, place, limit, this.kept, this.tuning)
    }
  }

  /** Opened hits, which come before all others in orders by use. */
  private openedHits() {
    const { sort } = this
    this.opened ??= isUseSort(sort) ? this.findOpened(sort) : { lists: [], length: 0 }
    return this.opened
  }

  private findOpened(sort: UseSort) {
    const { tables, deltas } = this.sources
    const lists = [
      ...tables.map(source => [new SortedEntries(Uint32Array.from(source.allOpened(sort)))]),
      ...deltas.map(({ source }) => [new SortedEntries(Uint32Array.from(source.allOpened(sort)))]),
    ]
    return { lists, length: lists.flat().reduce((sum, { length }) => sum + length, 0) }
  }

  private get parts(): readonly OrderPart[] {
    this.madeParts ??= this.makeParts()
    return this.madeParts
  }

  private makeParts(): readonly OrderPart[] {
    const { kept, levels, sources, work } = this
    kept.hits ??= sources.tables.map(
      source => new RankedRows(isUseSort(this.sort) ? source.neverOpened() : source.hits()),
    )
    const rowsOfDeltas = this.rowsOfDeltas()
    return [
      ...kept.hits.map((rows, i) => new SegmentPart(sources.tables[i].table, sources.tables[i].tree, levels, rows)),
      ...sources.deltas.map(
        ({ view }, i) => new DeltaPart(rowsOfDeltas[i], levels, row => hitOfDelta(view, row, work)),
      ),
    ]
  }

  /** Of each delta, without opened ones where these come first. */
  private rowsOfDeltas(): readonly Uint32Array[] {
    this.kept.deltas ??= this.sources.deltas.map(({ source }) => Uint32Array.from(source.allOthers(this.sort)))
    return this.kept.deltas
  }

  private get levels(): readonly OrderLevel[] {
    const { sources, sort, work } = this
    this.madeLevels ??= levelsOf(sort, {
      holdsAll: this.holdsAll,
      tiers: this.kept.tiers,
      extensions: () => {
        const tables = sources.tables.map(({ table }) => table).filter(({ table }) => table === 'f')
        const rows = this.rowsOfDeltas()
        const hits = sources.deltas.flatMap(({ view }, i) => Array.from(rows[i], row => hitOfDelta(view, row, work)))
        return new ExtensionUnion(tables, hits)
      },
    })
    return this.madeLevels
  }

  private hitListsOf(lists: RankWindow['lists']): HitList[] {
    const { sources, work } = this
    return lists.flatMap((ofPart, i) => {
      const source = sources.tables[i]
      if (source === undefined) {
        const { view } = sources.deltas[i - sources.tables.length]
        return ofPart.map(list => new HitList(list.length, list.open(undefined), row => hitOfDelta(view, row, work)))
      }
      const { table } = source
      const make = (row: number): Hit => hitOfSegment(table.view, table.segment, table.firstEntry + row, work)
      return ofPart.map(list => new HitList(list.length, list.open(table), make))
    })
  }
}
