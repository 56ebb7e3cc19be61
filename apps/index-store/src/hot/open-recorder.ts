import { type NodeKey, pathRef, volumeKey } from '@hotpath/hot-score'
import { ID_BYTES, InvalidInputError, type RootSpec } from '@hotpath/model'
import type { OpenBatch, OpenReply } from '@hotpath/protocol'
import type { Store } from '@hotpath/store'
import { nodeOfHitId } from '../query/hit-id.js'
import type { HotKeeper } from './hot-keeper.js'

type Index = Pick<Store, 'volumes' | 'hasNode' | 'entriesAt'>
type Volume = { readonly volume: string; readonly kind: RootSpec['kind'] }

const LATEST_SECONDS = 0xffff_ffff

/**
 * Finds the nodes of opens and hands them on. An id names its node; of a list, where that is a hash, it is believed. A path
 * stands for the entry of every root that has it. Cost: some lookups a row.
 * @throws InvalidInputError for a row that has both an id and a path, or neither (rows before it were recorded)
 */
export function recordOpens(batch: OpenBatch, index: Index, keeper: HotKeeper, nowMs: number): OpenReply {
  const volumes = new Map<number, Volume[]>()
  for (const volume of index.volumes()) {
    const key = volumeKey(volume.volume)
    volumes.set(key, [...(volumes.get(key) ?? []), volume])
  }
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
  volumes: ReadonlyMap<number, readonly Volume[]>,
): NodeKey[] {
  const id = ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES)
  const path = paths.subarray(pathOffsets[row], pathOffsets[row + 1])
  const hasId = id.some(byte => byte !== 0)
  if (hasId === path.length > 0) {
    throw new InvalidInputError('open', `an id or a path in row ${row}`, hasId ? 'both' : 'neither')
  }
  if (!hasId) {
    return index.entriesAt(path).map(({ volume, name, ref }) => ({
      volume: volumeKey(volume),
      ...(ref ?? pathRef(path, name)),
    }))
  }
  const node = nodeOfHitId(id)
  const isThere = volumes.get(node.volume)?.some(({ volume, kind }) => kind === 'list' || index.hasNode(volume, node))
  return isThere ? [node] : []
}
