import { FileSystemType, fileSystemType, mountOf, readMounts, volumeId } from '@hotpath/platform'

/**
 * The `birth` half of a node's ref: 32 bits that differ, very probably, between two nodes that had the same inode
 * one after the other. 0 where the file system keeps no birth times (then XOR `salt`). Stable: it is in every index.
 *
 * @param seconds of the birth time, NaN if unknown
 * @param ticks of 100 ns within the second
 * @param salt 0 in the file system of the root, `deviceSalt` in another one; what `saltAt` makes of it
 * @param device what statx says, where it is known
 */
export function birthOf(seconds: number, ticks: number, salt: number, device?: number): number {
  if (salt >= OVERLAY_UNIT) return birthInOverlay(salt, device)
  if (Number.isNaN(seconds)) return salt >>> 0
  let hash = Math.imul(seconds | 0, 0x85ebca6b) ^ Math.imul(Math.floor(seconds / 2 ** 32), 0x27d4eb2f)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ Math.imul(ticks, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39)
  return (hash ^ (hash >>> 16) ^ salt) >>> 0
}

/** Salts from here on are those of overlays: above the 32 bits of the salt stands the device of the overlay plus one. */
const OVERLAY_UNIT = 2 ** 32

/**
 * The salt of a file system for `birthOf`. An overlay tells the birth time of the layer that a node is read from: it
 * changes when the node is copied up, while the inode stays, so it is left out of refs there.
 *
 * @param salt 0 or a `deviceSalt`
 * @param path a directory in the file system
 * @param device what statx says of it
 */
export function saltAt(salt: number, path: Uint8Array, device: number): number {
  try {
    // Devices of overlays have no major number, so this fits into the 53 bits of a whole number.
    if (fileSystemType(path) === FileSystemType.overlay && device < 2 ** 20) return salt + (device + 1) * OVERLAY_UNIT
  } catch {
    // Gone by now, or its path is too long: whatever is there is looked at again.
  }
  return salt
}

/** Where the layers of an overlay are several file systems, files have the inodes of these, and devices that tell them apart. */
function birthInOverlay(salt: number, device: number | undefined): number {
  if (device === undefined || device + 1 === Math.floor(salt / OVERLAY_UNIT)) return salt >>> 0
  return (salt ^ Math.imul(device + 1, 0x9e3779b1)) >>> 0
}

/** What keeps refs of nodes apart that have the same inode in different file systems of one scan. Never 0. */
export function deviceSalt(volume: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(volume)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) | 1
}

/**
 * Id of the file system that an absolute path lies in (symlinks resolved), stable over restarts. `device` is what
 * statx says of the path: a btrfs subvolume that is not mounted by itself is only seen by that, and is named by where it is.
 */
export function volumeOf(path: Uint8Array, device: number): string {
  const mount = mountOf(readMounts(), path)
  // Without /proc there is no mount table: then the path is all that lasts.
  const volume = mount === undefined ? 'unknown' : volumeId(mount)
  return mount?.device === device ? volume : `${volume}@${encodeURI(Buffer.from(path).toString('latin1'))}`
}
