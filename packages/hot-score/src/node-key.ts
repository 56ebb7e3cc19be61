import type { NodeRef } from '@hotpath/model'

/** A node of any volume: what a hot record belongs to. */
export interface NodeKey extends NodeRef {
  /** `volumeKey` of the volume's id. */
  readonly volume: number
}

/** Seeds of the hashes; ids of hits hold their values, so they stay as they are. */
const SEED = 0x811c9dc5
const SECOND_SEED = 0x01234567
const NAME_SEED = 0x89abcdef

/** 32 bits that stand for a volume's id. Two volumes of one machine that share them share records of equal refs. */
export function volumeKey(volume: string): number {
  return hashBytes(new TextEncoder().encode(volume), SEED)
}

/**
 * The ref of an entry of a list, whose nodes have none of their own: 64 bits of hash of the path, and 32 bits of hash of
 * the name, by which rows are found without looking at every path.
 */
export function pathRef(path: Uint8Array, name: Uint8Array): NodeRef {
  return { low: hashBytes(path, SEED), high: hashBytes(path, SECOND_SEED), birth: nameHash(name) }
}

/** The same for the path bytes[start … end) whose name starts at `nameStart`. */
export function pathRefWithin(bytes: Uint8Array, start: number, nameStart: number, end: number): NodeRef {
  return {
    low: hashBytes(bytes, SEED, start, end),
    high: hashBytes(bytes, SECOND_SEED, start, end),
    birth: nameHash(bytes, nameStart, end),
  }
}

/** `pathRef(…).birth` of every path that ends in this name. */
export function nameHash(name: Uint8Array, from = 0, to = name.length): number {
  return hashBytes(name, NAME_SEED, from, to)
}

/** 32 bits of FNV-1a with a final mix. */
export function hashBytes(bytes: Uint8Array, seed: number, from = 0, to = bytes.length): number {
  let hash = seed
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
