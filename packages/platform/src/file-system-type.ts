import { statfsSync } from 'node:fs'
import { mountOf, readMounts } from './mount-table.js'

/** `f_type` of statfs(2), from linux/magic.h and the sources of the file systems. */
export const FileSystemType = {
  overlay: 0x794c7630,
  fuse: 0x65735546,
} as const

/** File systems that other machines change, too (or, of a virtual machine, its host): the kernel here sees none of that. */
const SHARED: ReadonlyMap<number, string> = new Map([
  [0x00006969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x0000517b, 'smb'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'afs'],
  [0x73757245, 'coda'],
  [0x0bd00bd0, 'lustre'],
  [0x7461636f, 'ocfs2'],
  [0x01161970, 'gfs2'],
  [0x786f4256, 'vboxsf'],
  [0xbacbacbc, 'vmhgfs'],
  [FileSystemType.fuse, 'fuse'],
])

/** `f_type` of the file system that a path lies in. Throws the error of node:fs. */
export function fileSystemType(path: string | Uint8Array): number {
  return statfsSync(typeof path === 'string' ? path : Buffer.from(path)).type
}

/**
 * What kind of file system this is if it may change without an event, else undefined. A program that serves FUSE may show
 * anything, a network share most often; `fuseblk` is a disk of this machine.
 *
 * @param type `f_type`
 * @param mounted as in Mount, if that is known
 */
export function sharedFileSystem(type: number, mounted: string | undefined): string | undefined {
  if (type === FileSystemType.fuse && mounted !== undefined) return mounted === 'fuseblk' ? undefined : mounted
  return SHARED.get(type)
}

/** The same by the type alone (as in Mount), where the file system must not be asked: it may be on a network that does not answer. */
export function isSharedFileSystemName(fileSystem: string): boolean {
  return fileSystem !== 'fuseblk' && [...SHARED.values(), 'smb'].some(name => fileSystem.startsWith(name))
}

/** The same for the file system that an absolute path (symlinks resolved) lies in. Throws the error of node:fs. */
export function sharedFileSystemOf(path: Uint8Array): string | undefined {
  return sharedFileSystem(fileSystemType(path), mountOf(readMounts(), path)?.fileSystem)
}
