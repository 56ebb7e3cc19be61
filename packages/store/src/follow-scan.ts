import type { FollowedNodes } from './followed-nodes.js'
import { entryAtPath, pathOfEntry } from './path-lookup.js'
import type { View } from './view.js'

/**
 * A scan has replaced a view: of followed nodes that are no longer there, the nodes that have their names now are told. So a
 * save that nobody watched is followed, too. Cost: a few lookups for each followed node of the volume.
 */
export function followScan(before: View, after: View, nodes: FollowedNodes): void {
  for (const ref of nodes.refs()) {
    if (after.entriesOf(ref).length > 0) continue
    for (const live of before.entriesOf(ref)) {
      const path = pathOfEntry(before, live)
      const now = path && entryAtPath(after, path)
      const to = now && after.rowOf(now).ref
      if (to === undefined || (after.directoryIdOf(now!) === 0) !== (before.directoryIdOf(live) === 0)) continue
      nodes.moved(ref, to)
      break
    }
  }
}
