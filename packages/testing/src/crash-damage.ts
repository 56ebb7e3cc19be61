import { type DiskImage, type FileNode, type FileOperation, joined, lengthOf } from './disk-image.js'
import { Random } from './random.js'

/**
 * What a crash takes. `none`: the process was killed. `unsyncedBytes`: bytes after the last sync of their file are gone.
 * `zeroedTail`: their files are as long as they were, but these bytes are zero (the length was written, what it counts was
 * not). `tornWrite`: of the last write only some whole 512-byte sectors are there, half of them if nobody says how many.
 * `reordered`: of the unsynced sectors any may be there and any may not. `unsyncedNames`: unsynced bytes are gone, and so is
 * everything that was created, renamed or removed since the directory was synced. `lostName`: only the last of these names is
 * as it was before; bytes are there.
 */
export type CrashDamage =
  | 'none'
  | 'unsyncedBytes'
  | 'zeroedTail'
  | 'tornWrite'
  | 'reordered'
  | 'unsyncedNames'
  | 'lostName'

export const CRASH_DAMAGES: readonly CrashDamage[] = [
  'none',
  'unsyncedBytes',
  'zeroedTail',
  'tornWrite',
  'reordered',
  'unsyncedNames',
  'lostName',
]

/** What a power loss writes whole or not at all. */
const SECTOR_BYTES = 512

const NAMING: readonly FileOperation['kind'][] = ['create', 'rename', 'remove']

/** Sectors that a write may be torn to: 0 … n − 1; n is 0 where the operation was no write. */
export function tearsOf(operation: FileOperation | undefined): number {
  return operation?.kind === 'append' || operation?.kind === 'write'
    ? Math.ceil(operation.bytes.length / SECTOR_BYTES)
    : 0
}

/**
 * Performs operations on a disk, which then crashes.
 *
 * @param choice for `tornWrite` how many sectors are left of the last write; for `reordered` a seed
 */
export function crashAfter(
  disk: DiskImage,
  operations: readonly FileOperation[],
  damage: CrashDamage,
  choice: number | undefined,
): void {
  let namesBefore = disk.names
  operations.forEach((operation, i) => {
    const names = NAMING.includes(operation.kind) ? new Map(disk.names) : undefined
    const isTorn = damage === 'tornWrite' && i === operations.length - 1
    disk.perform(isTorn ? torn(operation, choice) : operation)
    if (names) namesBefore = names
    else if (operation.kind === 'syncDirectory') namesBefore = disk.names
  })
  if (damage === 'lostName') disk.names = new Map(namesBefore)
  if (damage === 'unsyncedNames') disk.names = new Map(disk.syncedNames)
  const random = new Random(choice ?? 0)
  for (const node of disk.nodes.values()) {
    if (damage === 'unsyncedBytes' || damage === 'unsyncedNames') node.chunks = node.synced
    if (damage === 'zeroedTail') zeroTail(node)
    if (damage === 'reordered') mixSectors(node, random)
  }
  // After a power loss, what is there is on disk; after a killed process it may still be in the page cache only.
  if (damage !== 'none') disk.syncAll()
}

function torn(operation: FileOperation, sectors: number | undefined): FileOperation {
  if (operation.kind !== 'append' && operation.kind !== 'write') return operation
  const kept = sectors ?? Math.floor(operation.bytes.length / 2 / SECTOR_BYTES)
  return { ...operation, bytes: operation.bytes.subarray(0, kept * SECTOR_BYTES) }
}

function zeroTail(node: FileNode): void {
  const unsynced = lengthOf(node.chunks) - lengthOf(node.synced)
  if (unsynced > 0) node.chunks = [...node.synced, new Uint8Array(unsynced)]
}

function mixSectors(node: FileNode, random: Random): void {
  if (node.chunks === node.synced) return
  const written = joined(node.chunks)
  const before = joined(node.synced)
  const mixed = new Uint8Array(written.length)
  for (let at = 0; at < mixed.length; at += SECTOR_BYTES) {
    mixed.set((random.chance(0.5) ? written : before).subarray(at, Math.min(at + SECTOR_BYTES, mixed.length)), at)
  }
  node.chunks = [mixed]
}
