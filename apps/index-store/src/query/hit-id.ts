import { hashBytes, type NodeKey, pathRef, volumeKey } from '@hotpath/hot-score'
import type { NodeRef } from '@hotpath/model'
import { ID_BYTES } from '@hotpath/protocol'

/**
 * The id of a hit, 24 bytes: hash of the volume id (8, the first 4 as hot records have it), the node's ref (low, high,
 * birth: 12), hash of the entry (4: the parent's ref and the name). It survives restarts, rescans and moves of directories above.
 * Nodes of file lists have no ref of their own: hashes of path and name stand for it.
 */
export interface HitIdentity {
  readonly volume: string
  readonly ref: NodeRef | undefined
  readonly parentRef: NodeRef | undefined
  readonly path: Uint8Array
  readonly name: Uint8Array
}

export function writeHitId(target: DataView, at: number, hit: HitIdentity): void {
  target.setUint32(at, volumeKey(hit.volume), true)
  target.setUint32(at + 4, hashBytes(new TextEncoder().encode(hit.volume), 0x01234567), true)
  const { parentRef } = hit
  const ref = hit.ref ?? pathRef(hit.path, hit.name)
  target.setUint32(at + 8, ref.low, true)
  target.setUint32(at + 12, ref.high, true)
  target.setUint32(at + 16, ref.birth, true)
  const seed = parentRef ? (parentRef.low ^ Math.imul(parentRef.high, 31) ^ parentRef.birth) >>> 0 : 0x811c9dc5
  target.setUint32(at + ID_BYTES - 4, hashBytes(hit.name, seed), true)
}

/** The node that an id names. */
export function nodeOfHitId(id: Uint8Array): NodeKey {
  const view = new DataView(id.buffer, id.byteOffset, id.byteLength)
  return {
    volume: view.getUint32(0, true),
    low: view.getUint32(8, true),
    high: view.getUint32(12, true),
    birth: view.getUint32(16, true),
  }
}
