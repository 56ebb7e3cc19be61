import { keyOf } from '@hotpath/index-format'
import type { EntryRow } from '@hotpath/model'
import type { Entry } from '@hotpath/query'
import type { DeltaRow } from './delta-state.js'
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
}

/** A row of a segment as a hit. `entry` is the entry id. Cost: its columns, its name; the path is known per directory. */
export function hitOfSegment(view: ViewState, segment: SegmentState, entry: number): Hit {
  const { reader } = segment
  const parent = reader.directoryOf(entry)
  const parentId = parent < 0 ? 0 : reader.dirIdOf(parent)
  return makeHit(view, parentId, reader.nameOf(entry), reader.readRow(entry))
}

export function hitOfDelta(view: ViewState, row: DeltaRow): Hit {
  return makeHit(view, row.parent, row.name, row.row)
}

function makeHit(view: ViewState, parentId: number, name: Uint8Array, facts: EntryRow): Hit {
  let components: readonly Uint8Array[] | undefined
  let key: Uint8Array | undefined
  return {
    view,
    parentId,
    name,
    facts,
    kind: facts.kind,
    size: facts.size,
    modified: facts.modified,
    changed: facts.changed,
    created: facts.created,
    accessed: facts.accessed,
    get key() {
      key ??= keyOf(name)
      return key
    },
    get components() {
      components ??= [...view.componentsOf(parentId), name]
      return components
    },
  }
}
