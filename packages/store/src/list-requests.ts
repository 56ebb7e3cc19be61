import type { ListRequest } from './store-types.js'
import type { View } from './view.js'

/** Requests to list directories of a view, without those that are gone or whose node is not known. */
export function listRequestsOf(view: View, dirIds: Iterable<number>): ListRequest[] {
  const requests: ListRequest[] = []
  for (const dirId of dirIds) {
    const live = view.liveDirectory(dirId)
    const ref = live && view.rowOf(live).ref
    const path = ref && view.pathOf(dirId)
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
