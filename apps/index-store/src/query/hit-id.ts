import { hashBytes, type NodeKey, pathRefWithin, volumeKey } from '@hotpath/hot-score'
import { ID_BYTES, type NodeRef } from '@hotpath/model'

/** What the id of a hit is made of. */
export interface HitIdentity {
  readonly volume: string
  readonly ref: NodeRef | undefined
  readonly parentRef: NodeRef | undefined
  /** The path is paths[start … end), the name what starts at `nameStart`. */
  readonly paths: Uint8Array
  readonly start: number
  readonly nameStart: number
  readonly end: number
}

/**
 * Makes the ids of hits, 24 bytes each: hash of the volume id (8, the first 4 as hot records have it), the node's ref (low, high,
 * birth: 12), hash of the entry (4: the parent's ref and the name). They survive restarts, rescans and moves of directories above.
 * Nodes of file lists have no ref of their own: hashes of path and name stand for it.
 */
export class HitIds {
  private readonly volumes = new Map<string, { readonly key: number; readonly second: number }>()

  write(target: DataView, at: number, { volume, ref, parentRef, paths, start, nameStart, end }: HitIdentity): void {
    const { key, second } = this.hashesOf(volume)
    target.setUint32(at, key, true)
    target.setUint32(at + 4, second, true)
    const { low, high, birth } = ref ?? pathRefWithin(paths, start, nameStart, end)
    target.setUint32(at + 8, low, true)
    target.setUint32(at + 12, high, true)
    target.setUint32(at + 16, birth, true)
    const seed = parentRef ? (parentRef.low ^ Math.imul(parentRef.high, 31) ^ parentRef.birth) >>> 0 : 0x811c9dc5
    target.setUint32(at + ID_BYTES - 4, hashBytes(paths, seed, nameStart, end), true)
  }

  private hashesOf(volume: string) {
    let known = this.volumes.get(volume)
    if (known === undefined) {
      known = { key: volumeKey(volume), second: hashBytes(new TextEncoder().encode(volume), 0x01234567) }
      this.volumes.set(volume, known)
    }
    return known
  }
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
