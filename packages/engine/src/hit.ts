import type { HotSlot } from '@hotpath/hot-score'
import { keyOf } from '@hotpath/index-format'
import type { EntryRow, HitRank } from '@hotpath/model'
import type { Entry, EntryUse, RankHit } from '@hotpath/query'
import type { SearchWork } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'

/** A hit before it is shown: an entry, and where it was found. */
export interface Hit extends Entry {
  readonly view: ViewState
  /** Directory id of the parent, 0 for the root. */
  readonly parentId: number
  readonly name: Uint8Array
  readonly key: Uint8Array
  readonly facts: EntryRow
  /** Only a tolerant term finds it. */
  readonly fuzzy?: boolean
  /** Why it stands where it stands: only where the search is explained. */
  readonly rank?: HitRank
}

/** Key and path are made when somebody asks. */
class FoundEntry implements Hit {
  fuzzy?: boolean
  rank?: HitRank
  private madeKey: Uint8Array | undefined
  private madeComponents: readonly Uint8Array[] | undefined

  constructor(
    readonly view: ViewState,
    readonly parentId: number,
    readonly name: Uint8Array,
    readonly facts: EntryRow,
    readonly use: EntryUse | undefined,
  ) {}

  get key() {
    this.madeKey ??= keyOf(this.name)
    return this.madeKey
  }

  get components() {
    this.madeComponents ??= [...this.view.componentsOf(this.parentId), this.name]
    return this.madeComponents
  }

  get kind() {
    return this.facts.kind
  }

  get size() {
    return this.facts.size
  }

  get attributes() {
    return this.facts.attributes
  }

  get modified() {
    return this.facts.modified
  }

  get changed() {
    return this.facts.changed
  }

  get created() {
    return this.facts.created
  }

  get accessed() {
    return this.facts.accessed
  }
}

/** The same hit, marked as found by a tolerant term alone. */
export function fuzzyHit(hit: Hit): Hit {
  return Object.assign(hit, { fuzzy: true })
}

/** The same hit, with why it stands where it stands. */
export function explainedHit(hit: Hit, rankHit: RankHit): Hit {
  return Object.assign(hit, { rank: rankHit(hit) })
}

/** A row of a segment as a hit. `entry` is the entry id. Cost: its columns, its name; the path is known per directory. */
export function hitOfSegment(view: ViewState, segment: SegmentState, entry: number, work: SearchWork): Hit {
  const { reader } = segment
  const parent = reader.directoryOf(entry)
  const parentId = parent < 0 ? 0 : reader.dirIdOf(parent)
  const use = useOf(view, segment.opened.slotOf(entry), work)
  return new FoundEntry(view, parentId, reader.nameOf(entry), reader.readRow(entry), use)
}

/** A row of the delta as a hit. */
export function hitOfDelta(view: ViewState, row: number, work: SearchWork): Hit {
  const { delta } = view
  const use = useOf(view, view.opened.slotOf(row), work)
  return new FoundEntry(view, delta.parent[row], delta.nameOf(row), delta.rowAt(row), use)
}

/** How a node was used; undefined without a record, and for whoever is not to know what others open. */
export function useOf({ hot }: ViewState, slot: HotSlot, { nowSeconds, sight }: SearchWork): EntryUse | undefined {
  if (slot === 0 || sight !== undefined) return undefined
  return { runs: hot.runsAt(slot), opened: hot.openedAt(slot), hot: hot.scoreAt(slot, nowSeconds) }
}
