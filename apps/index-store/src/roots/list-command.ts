import type { RefColumn } from '@hotpath/model'
import type { ListCommand } from '@hotpath/protocol'
import type { ListRequest } from '@hotpath/store'

export function listCommand(root: string, requests: readonly ListRequest[]): ListCommand {
  const pathOffsets = new Uint32Array(requests.length + 1)
  requests.forEach((request, i) => {
    pathOffsets[i + 1] = pathOffsets[i] + request.path.length
  })
  const paths = new Uint8Array(Buffer.concat(requests.map(request => request.path)))
  return { root, pathOffsets, paths, refs: refColumn(requests) }
}

export function refColumn(requests: readonly ListRequest[]): RefColumn {
  return {
    low: Uint32Array.from(requests, request => request.ref.low),
    high: Uint32Array.from(requests, request => request.ref.high),
    birth: Uint32Array.from(requests, request => request.ref.birth),
  }
}
