import type { NodeKey } from '@hotpath/hot-score'
import { ID_BYTES, InvalidInputError } from '@hotpath/model'
import type { OpenBatch, OpenReply } from '@hotpath/protocol'
import type { HotKeeper } from './hot-keeper.js'
import { type Index, nodesAtPath, nodesOfId, type Volumes, volumesByKey } from './named-nodes.js'

const LATEST_SECONDS = 0xffff_ffff

/**
 * Finds the nodes of opens and hands them on. An id names its node; of a list, where that is a hash, it is believed. A path
 * stands for the entry of every root that has it. Cost: some lookups a row.
 * @throws InvalidInputError for a row that has both an id and a path, or neither (rows before it were recorded)
 */
export function recordOpens(batch: OpenBatch, index: Index, keeper: HotKeeper, nowMs: number): OpenReply {
  const volumes = volumesByKey(index)
  const reply = { recorded: 0, unknown: 0, dropped: 0 }
  for (let row = 0; row < batch.count; row++) {
    const nodes = nodesOf(batch, row, index, volumes)
    const atMs = Math.min(nowMs, Number.isNaN(batch.opened[row]) ? nowMs : batch.opened[row])
    const atSeconds = Math.min(LATEST_SECONDS, Math.floor(atMs / 1000))
    if (nodes.length === 0) reply.unknown++
    else if (nodes.map(node => keeper.accept(node, atSeconds)).includes(true)) reply.recorded++
    else reply.dropped++
  }
  return reply
}

function nodesOf(
  { ids, pathOffsets, paths }: OpenBatch,
  row: number,
  index: Index,
  volumes: Volumes,
): readonly NodeKey[] {
  const id = ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES)
  const path = paths.subarray(pathOffsets[row], pathOffsets[row + 1])
  const hasId = id.some(byte => byte !== 0)
  if (hasId === path.length > 0) {
    throw new InvalidInputError('open', `an id or a path in row ${row}`, hasId ? 'both' : 'neither')
  }
  return hasId ? nodesOfId(id, index, volumes) : nodesAtPath(path, index)
}
