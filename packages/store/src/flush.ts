import type { DirectoryPlace, ManifestView } from '@hotpath/index-format'
import { type EntryColumns, KIND_STUB, Kind, NO_DIRECTORY } from '@hotpath/model'
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

/** A view at one moment: exactly what the log up to then says. What is written of it later is as of this moment. */
export interface FrozenView {
  readonly rows: readonly DeltaRow[]
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
  return { places: placesOf(view), dead, facts, rows: view.beginFreeze() }
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

/**
 * Rows as a segment is built from them: with a stub for each ancestor that is not among them. Rows below a directory
 * that was lost with a damaged segment are left out: nothing could show where they are.
 */
export function rowsWithAncestors(view: View, rows: readonly DeltaRow[]): EntryColumns {
  const buffer = new RowBuffer()
  const added = new Set<number>()
  const own = new Map<number, DeltaRow>()
  for (const row of rows) if (row.directory !== NO_DIRECTORY) own.set(row.directory, row)
  /** Adds what is missing above a directory, itself included; false if the chain does not reach the root. */
  const addAncestors = (dirId: number): boolean => {
    const missing: number[] = []
    let id = dirId
    while (id > NO_DIRECTORY && !added.has(id)) {
      missing.push(id)
      id = own.get(id)?.parent ?? view.parentOf(id)
    }
    if (id < 0) return false
    for (const stub of missing) {
      added.add(stub)
      const place = own.has(stub) ? undefined : view.placeOf(stub)
      if (!place) continue
      const live = view.liveDirectory(stub)
      const ref = live && view.rowOf(live).ref
      buffer.add(place.parentId, stub, Kind.directory | KIND_STUB, place.name, {
        kind: Kind.directory,
        size: Number.NaN,
        ref,
      })
    }
    return true
  }
  for (const { parent, directory, name, row } of rows) {
    if (addAncestors(parent)) buffer.add(parent, directory, row.kind, name, row)
  }
  return buffer.columns()
}
