import { pathOfDirectory } from './path-lookup.js'
import type { ListRequest } from './store-types.js'
import { subtreeOf } from './subtree.js'
import type { View } from './view.js'

/** Requests to list directories of a view, without those that are gone or whose node is not known. */
export function listRequestsOf(view: View, dirIds: Iterable<number>): ListRequest[] {
  const requests: ListRequest[] = []
  for (const dirId of dirIds) {
    const live = view.liveDirectory(dirId)
    const ref = live && view.rowOf(live).ref
    const path = ref && pathOfDirectory(view, dirId)
    if (ref && path) requests.push({ ref, path })
  }
  return requests
}

/** Adds what other views ask for to `requests`, each node once. */
export function joinRequests(requests: ListRequest[], more: readonly ListRequest[]): void {
  for (const request of more) {
    const { low, high } = request.ref
    if (!requests.some(({ ref }) => ref.low === low && ref.high === high)) requests.push(request)
  }
}

/** Unread directories that are `dirId` or below it. Cost: the smaller of the subtree's directories and the unread ones. */
export function unreadWithin(view: View, dirId: number): number[] {
  if (view.unread.size === 0) return []
  const { ranges } = subtreeOf(view, dirId)
  const dirs = ranges.filter(({ segment, from }) => from < segment.dirCount)
  const count = dirs.reduce((sum, { from, to }) => sum + to - from, 0)
  if (count > view.unread.size) {
    const known = new Map<number, boolean>()
    return [...view.unread].filter(id => view.isWithin(id, dirId, known))
  }
  const found = new Set<number>(view.unread.has(dirId) ? [dirId] : [])
  for (const { segment, from, to } of dirs) {
    for (let local = from; local < to; local++) {
      const id = segment.dirIdOf(local)
      if (view.unread.has(id) && view.parentOf(id) >= 0) found.add(id)
    }
  }
  return [...found]
}
