/**
 * POSIX access lists as the kernel hands them out (`system.posix_acl_access`, linux/posix_acl_xattr.h), little-endian: a version
 * (u32: 2), then entries of 8 bytes: tag (u16), permissions (u16), user or group (u32).
 */

const VERSION = 2
const HEADER_BYTES = 4
const ENTRY_BYTES = 8

export const AclTag = { owner: 0x01, user: 0x02, owningGroup: 0x04, group: 0x08, mask: 0x10, other: 0x20 } as const

export interface AclEntry {
  readonly tag: number
  /** Bits of `Want`. */
  readonly permissions: number
  /** User or group, where the tag speaks of one. */
  readonly id: number
}

/** The entries in their order; undefined where the bytes are no such list: then nothing is known of who may do what. */
export function parseAcl(bytes: Uint8Array): readonly AclEntry[] | undefined {
  const count = (bytes.length - HEADER_BYTES) / ENTRY_BYTES
  if (!Number.isInteger(count) || count < 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== VERSION) return undefined
  return Array.from({ length: count }, (_, i) => {
    const at = HEADER_BYTES + i * ENTRY_BYTES
    return {
      tag: view.getUint16(at, true),
      permissions: view.getUint16(at + 2, true) & 7,
      id: view.getUint32(at + 4, true),
    }
  })
}

/** The bytes of a list. */
export function encodeAcl(entries: readonly AclEntry[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + entries.length * ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, VERSION, true)
  for (const [i, { tag, permissions, id }] of entries.entries()) {
    const at = HEADER_BYTES + i * ENTRY_BYTES
    view.setUint16(at, tag, true)
    view.setUint16(at + 2, permissions, true)
    view.setUint32(at + 4, id, true)
  }
  return bytes
}

const DIGEST_BITS = 20
const DIGEST_MASK = (1 << DIGEST_BITS) - 1
/** Digest of a list that could not be read: there may be one. */
export const ACL_NOT_READ = DIGEST_MASK

/** 1 … 2^20 - 2: two lists that differ have the same one once in a million times. */
export function digestOfAcl(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return 1 + ((hash >>> 0) % (DIGEST_MASK - 1))
}

const MODE_BITS = 12

/** The mode column of an index (AccessColumn): permission bits below the digest of the access list. */
export function packMode(mode: number, aclDigest: number): number {
  return ((aclDigest << MODE_BITS) | (mode & 0o7777)) >>> 0
}

/** True if a packed mode says that there is (or may be) an access list. */
export function hasAcl(packed: number): boolean {
  return packed >>> MODE_BITS !== 0
}
