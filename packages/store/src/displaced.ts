import type { DirectoryPlace } from '@hotpath/index-format'
import { isSameName } from './entry-row.js'
import type { LiveEntries } from './live-entries.js'
import type { SegmentState } from './segment-state.js'

/**
 * Directories that segments have in another place, or under another name, than they have now: `SegmentState.stale`. Whoever
 * places a directory, or adds a segment, keeps these sets right; subtrees are found by them.
 */

/** Notes whether a segment says the truth about where a directory is. */
export function noteDisplaced(segment: SegmentState, dirId: number, place: DirectoryPlace): void {
  const local = segment.findDir(dirId)
  if (local < 0) return
  const here = segment.placeOf(local)
  if (here.parentId === place.parentId && isSameName(here.name, place.name)) segment.stale.delete(dirId)
  else segment.stale.add(dirId)
}

/** Finds out which segments are wrong about which directories, from nothing. Cost: all stub and dead directories. */
export function findDisplaced(entries: LiveEntries): void {
  for (const segment of entries.segments) {
    segment.stale.clear()
    for (const local of segment.stubs) note(entries, segment, local)
    for (const local of segment.dead) {
      if (local >= segment.dirCount) break
      note(entries, segment, local)
    }
  }
}

function note(entries: LiveEntries, segment: SegmentState, local: number): void {
  const dirId = segment.dirIdOf(local)
  const live = entries.liveDirectory(dirId)
  if (live) noteDisplaced(segment, dirId, entries.placeOfLive(live))
}
