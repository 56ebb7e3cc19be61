import type { NodeRef } from '@hotpath/model'
import { ID_BYTES } from '@hotpath/protocol'

/**
 * The id of a hit, 24 bytes: hash of the volume id (8), the node's ref (low, high, birth: 12), hash of the entry (4:
 * the parent's ref and the name). It survives restarts, rescans and moves of directories above. Nodes of file lists have no
 * ref of their own: a hash of the path stands for it.
 */
export interface HitIdentity {
  readonly volume: string
  readonly ref: NodeRef | undefined
  readonly parentRef: NodeRef | undefined
  readonly path: Uint8Array
  readonly name: Uint8Array
}

export function writeHitId(target: DataView, at: number, hit: HitIdentity): void {
  const volume = new TextEncoder().encode(hit.volume)
  target.setUint32(at, hashBytes(volume, 0x811c9dc5), true)
  target.setUint32(at + 4, hashBytes(volume, 0x01234567), true)
  const { ref, parentRef } = hit
  target.setUint32(at + 8, ref?.low ?? hashBytes(hit.path, 0x811c9dc5), true)
  target.setUint32(at + 12, ref?.high ?? hashBytes(hit.path, 0x01234567), true)
  target.setUint32(at + 16, ref?.birth ?? hashBytes(hit.path, 0x89abcdef), true)
  const seed = parentRef ? (parentRef.low ^ Math.imul(parentRef.high, 31) ^ parentRef.birth) >>> 0 : 0x811c9dc5
  target.setUint32(at + ID_BYTES - 4, hashBytes(hit.name, seed), true)
}

/** 32 bits of FNV-1a with a final mix. */
function hashBytes(bytes: Uint8Array, seed: number): number {
  let hash = seed
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
