import type { DirectoryPlace, ManifestView } from '@hotpath/index-format'
import { type EntryColumns, KIND_STUB, Kind, NO_DIRECTORY, type NodeRef } from '@hotpath/model'
import { turn } from './apply-queue.js'
import type { RoaringBitmap32 } from './bitmap.js'
import type { DeltaRow } from './delta.js'
import { RowBuffer } from './row-buffer.js'
import type { SegmentState } from './segment-state.js'
import type { View } from './view.js'

/**
 * More directories that a scan did not list are forgotten at a restart: they cannot be read, or are other file systems.
 * Each takes up to 9 bytes of the manifest.
 */
const MAX_UNREAD = 100_000
/** Rows that are gathered for a segment in one turn of the event loop: about a millisecond. */
const TURN_ROWS = 1024

/** A view at one moment: exactly what the log up to then says. What is written of it later is as of this moment. */
export interface FrozenView {
  readonly rows: readonly DeltaRow[]
  readonly ancestors: Ancestors
  /** Tombstones of each segment. */
  readonly dead: ReadonlyMap<SegmentState, RoaringBitmap32>
  /** Current place of each directory that some segment has elsewhere, and of their ancestors. */
  readonly places: ReadonlyMap<number, DirectoryPlace>
  /** What the manifest says beside segments. */
  readonly facts: Omit<ManifestView, 'segments'>
}

/** Must be called in the same turn as the rotation of the log that `replayFrom` names. */
export function freezeView(
  view: View,
  replayFrom: number,
  applied: readonly (readonly [string, number])[],
): FrozenView {
  const dead = new Map<SegmentState, RoaringBitmap32>()
  for (const segment of view.segments) dead.set(segment, segment.dead.clone())
  const facts = {
    id: view.id,
    nextDirectoryId: view.nextDirectoryId,
    replayFrom,
    applied: [...applied],
    boots: [...view.boots],
    observedFromBoot: view.observedFrom.boot,
    observedFrom: view.observedFrom.time,
    unlisted: [...view.unlisted],
    unread: view.unread.size <= MAX_UNREAD ? [...view.unread] : [],
    impliedDirectories: view.impliedDirectories,
  }
  const rows = view.beginFreeze()
  return { places: placesOf(view), dead, facts, rows, ancestors: ancestorsOf(view, rows) }
}

function placesOf(view: View): Map<number, DirectoryPlace> {
  const places = new Map<number, DirectoryPlace>()
  for (const segment of view.segments) {
    for (const stale of segment.stale) {
      for (let id = stale; id !== NO_DIRECTORY && !places.has(id); ) {
        const place = view.placeOf(id)
        if (!place) break
        places.set(id, place)
        id = place.parentId
      }
    }
  }
  return places
}

/** What a segment must say of directories above its rows. */
export interface Ancestors {
  readonly stubs: readonly Stub[]
  /** Directories from which a chain of rows and stubs leads to the root. */
  readonly reached: ReadonlySet<number>
}

interface Stub {
  readonly directory: number
  readonly place: DirectoryPlace
  readonly ref: NodeRef | undefined
}

/**
 * Stubs for what stands above the rows and is not among them, as of now. Rows below a directory that was lost with a damaged
 * segment have no chain to the root: nothing could show where they are. Cost: a lookup a row, several a directory.
 */
function ancestorsOf(view: View, rows: readonly DeltaRow[]): Ancestors {
  const stubs: Stub[] = []
  const reached = new Set<number>()
  const own = new Map<number, DeltaRow>()
  for (const row of rows) if (row.directory !== NO_DIRECTORY) own.set(row.directory, row)
  const reach = (dirId: number): void => {
    const missing: number[] = []
    let id = dirId
    while (id > NO_DIRECTORY && !reached.has(id)) {
      missing.push(id)
      id = own.get(id)?.parent ?? view.parentOf(id)
    }
    if (id < 0) return
    for (const directory of missing) {
      reached.add(directory)
      const place = own.has(directory) ? undefined : view.placeOf(directory)
      if (!place) continue
      const live = view.liveDirectory(directory)
      stubs.push({ directory, place, ref: live && view.rowOf(live).ref })
    }
  }
  for (const { parent } of rows) if (!reached.has(parent)) reach(parent)
  return { stubs, reached }
}

/**
 * Rows of a frozen view as a segment is built from them, with a stub for each ancestor that is not among them. Reads nothing
 * that changes any more, and leaves others their turns of the event loop.
 */
export async function frozenRows({ rows, ancestors }: FrozenView): Promise<EntryColumns> {
  const { stubs, reached } = ancestors
  const shown = rows.filter(({ parent }) => parent === NO_DIRECTORY || reached.has(parent))
  let nameBytes = 0
  for (const { place } of stubs) nameBytes += place.name.length
  for (const { name } of shown) nameBytes += name.length
  const buffer = RowBuffer.ofSize(stubs.length + shown.length, nameBytes)
  for (const { directory, place, ref } of stubs) {
    const row = { kind: Kind.directory, size: Number.NaN, ref }
    buffer.add(place.parentId, directory, Kind.directory | KIND_STUB, place.name, row)
  }
  for (let from = 0; from < shown.length; from += TURN_ROWS) {
    await turn()
    for (const { parent, directory, name, row } of shown.slice(from, from + TURN_ROWS)) {
      buffer.add(parent, directory, row.kind, name, row)
    }
  }
  return buffer.columns()
}
