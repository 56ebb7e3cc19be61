import { type NodeKey, pathRef, volumeKey } from '@hotpath/hot-score'
import type { RootSpec } from '@hotpath/model'
import type { Store } from '@hotpath/store'
import { nodeOfHitId } from '../query/hit-id.js'

export type Index = Pick<Store, 'volumes' | 'hasNode' | 'entriesAt'>

interface Volume {
  readonly volume: string
  readonly kind: RootSpec['kind']
}

/** The volumes of each hash of a volume's name: as a rule one. */
export type Volumes = ReadonlyMap<number, readonly Volume[]>

export function volumesByKey(index: Index): Volumes {
  const volumes = new Map<number, Volume[]>()
  for (const volume of index.volumes()) {
    const key = volumeKey(volume.volume)
    volumes.set(key, [...(volumes.get(key) ?? []), volume])
  }
  return volumes
}

/** The nodes of the entries with this path, in every root that has it. */
export function nodesAtPath(path: Uint8Array, index: Index): NodeKey[] {
  return index.entriesAt(path).map(({ volume, name, ref }) => ({
    volume: volumeKey(volume),
    ...(ref ?? pathRef(path, name)),
  }))
}

/** The node of the id of a hit, if it is there. Of a list, where it is a hash, the id is believed. */
export function nodesOfId(id: Uint8Array, index: Index, volumes: Volumes): NodeKey[] {
  const node = nodeOfHitId(id)
  const isThere = volumes.get(node.volume)?.some(({ volume, kind }) => kind === 'list' || index.hasNode(volume, node))
  return isThere ? [node] : []
}
