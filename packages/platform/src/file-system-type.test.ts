import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { fileSystemInfo } from './file-system-info.js'
import { FileSystemType, fileSystemType, sharedFileSystem, sharedFileSystemOf } from './file-system-type.js'

describe('fileSystemType', () => {
  it('is what statfs says', () => {
    for (const path of [tmpdir(), '/proc']) expect(fileSystemType(path)).toBe(fileSystemInfo(path).type)
  })
})

describe('sharedFileSystem', () => {
  it.each([
    [0x6969, 'nfs4', 'nfs'],
    [0xff534d42, 'cifs', 'cifs'],
    [0xfe534d42, 'cifs', 'smb2'],
    [0x01021997, '9p', '9p'],
    [0x00c36400, 'ceph', 'ceph'],
    [0x5346414f, 'afs', 'afs'],
    [FileSystemType.fuse, 'fuse.sshfs', 'fuse.sshfs'],
    [FileSystemType.fuse, 'virtiofs', 'virtiofs'],
    [FileSystemType.fuse, undefined, 'fuse'],
  ])('%i, mounted as %s, may change without an event', (type, mounted, name) => {
    expect(sharedFileSystem(type, mounted)).toBe(name)
  })

  it.each([
    [0xef53, 'ext4'],
    [0x58465342, 'xfs'],
    [0x9123683e, 'btrfs'],
    [0x01021994, 'tmpfs'],
    [FileSystemType.overlay, 'overlay'],
    [FileSystemType.fuse, 'fuseblk'],
  ])('%i, mounted as %s, changes by this machine alone', (type, mounted) => {
    expect(sharedFileSystem(type, mounted)).toBeUndefined()
  })

  it('is asked of the file system of a path', () => {
    expect(sharedFileSystemOf(new Uint8Array(Buffer.from('/proc')))).toBeUndefined()
  })
})
