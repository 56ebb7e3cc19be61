import { readFileSync, statSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MalformedKernelDataError } from './errors.js'
import {
  isAtOrBelow,
  isPseudoFileSystem,
  type Mount,
  mountOf,
  parseMountInfo,
  readMounts,
  requireMount,
  volumeId,
} from './mount-table.js'
import { deviceNumber } from './stat-columns.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const SAMPLE = [
  '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
  '36 27 98:1 /@home /home rw,noatime shared:1 master:2 - btrfs /dev/sdb1 rw,subvolid=257,subvol=/@home',
  '37 27 254:0 /srv/a\\040b\\134c\\011 /mnt/x\\040y\\377 rw - ext4 /dev/vda rw',
  '38 27 0:21 / /proc rw - proc proc rw',
  '39 37 0:50 / /mnt/x\\040y\\377 rw - fuse.sshfs me@host: rw,user_id=0',
  '',
].join('\n')

describe('parseMountInfo', () => {
  it('reads ids, devices, paths with escapes, and what stands after the optional fields', () => {
    const mounts = parseMountInfo(bytes(SAMPLE))
    expect(mounts.map(mount => mount.id)).toEqual([27, 36, 37, 38, 39])
    expect(mounts[1]).toEqual({
      id: 36,
      parentId: 27,
      device: deviceNumber(98, 1),
      root: bytes('/@home'),
      mountPoint: bytes('/home'),
      fileSystem: 'btrfs',
      source: bytes('/dev/sdb1'),
      superOptions: 'rw,subvolid=257,subvol=/@home',
    })
    expect(mounts[2]!.root).toEqual(bytes('/srv/a b\\c\t'))
    expect(mounts[2]!.mountPoint).toEqual(bytes('/mnt/x y\xff'))
  })

  it('reads what this kernel writes, and / is the mount of this process', () => {
    const mounts = readMounts()
    const slash = requireMount(mounts, bytes('/'))
    const { dev } = statSync('/')
    expect(slash.device).toBe(deviceNumber((dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)))
    expect(mounts.length).toBe(readFileSync('/proc/self/mountinfo', 'latin1').trim().split('\n').length)
    expect(requireMount(mounts, bytes('/proc/1')).fileSystem).toBe('proc')
    expect(() => requireMount(mounts, bytes('relative'))).toThrow(/absolute/)
  })

  it('parses or refuses whatever is changed or cut off', () => {
    const sample = bytes(SAMPLE)
    const attempt = (content: Uint8Array) => {
      try {
        for (const mount of parseMountInfo(content)) expect(mount.mountPoint.length).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedKernelDataError)
      }
    }
    for (let length = 0; length < sample.length; length++) attempt(sample.subarray(0, length))
    fc.assert(
      fc.property(fc.nat(sample.length - 1), fc.nat(255), (at, value) => {
        const bad = sample.slice()
        bad[at] = value
        attempt(bad)
      }),
    )
    expect(() => parseMountInfo(bytes('27 1 254:0 / / rw,relatime ext4 /dev/vda rw'))).toThrow(MalformedKernelDataError)
  })
})

describe('mountOf', () => {
  const mounts = parseMountInfo(bytes(SAMPLE))
  it.each([
    ['/', 27],
    ['/homestead', 27],
    ['/home', 36],
    ['/home/me', 36],
    ['/mnt/x y\xff', 39],
    ['/mnt/x y\xff/deep/er', 39],
  ])('finds the mount of %s', (path, id) => expect(mountOf(mounts, bytes(path))?.id).toBe(id))

  it('knows what lies below what', () => {
    expect(isAtOrBelow(bytes('/a/b'), bytes('/a'))).toBe(true)
    expect(isAtOrBelow(bytes('/a'), bytes('/a'))).toBe(true)
    expect(isAtOrBelow(bytes('/ab'), bytes('/a'))).toBe(false)
    expect(isAtOrBelow(bytes('/'), bytes('/a'))).toBe(false)
    expect(isAtOrBelow(bytes('/x'), bytes('/'))).toBe(true)
  })
})

describe('volumeId', () => {
  const [root, home, bind, , ssh] = parseMountInfo(bytes(SAMPLE)) as [Mount, Mount, Mount, Mount, Mount]
  it('is the UUID, with the subvolume, the same for bind mounts of one file system', () => {
    const uuids = new Map([
      [deviceNumber(254, 0), 'aaaa-bbbb'],
      [deviceNumber(98, 1), 'cccc'],
    ])
    expect(volumeId(root, uuids)).toBe('aaaa-bbbb')
    expect(volumeId(bind, uuids)).toBe('aaaa-bbbb')
    expect(volumeId(home, uuids)).toBe('cccc/subvolume-257')
  })

  it('is made of type and device, or of the mount point, where there is no UUID', () => {
    expect(volumeId(root, new Map())).toBe('ext4:/dev/vda')
    expect(volumeId(bind, new Map())).toBe('ext4:/dev/vda')
    expect(volumeId(home, new Map())).toBe('btrfs:/dev/sdb1/subvolume-257')
    expect(volumeId(ssh, new Map())).toBe('fuse.sshfs:me@host::/mnt/x%20y%C3%BF')
  })

  it('is found for the file system of this test', () => {
    expect(volumeId(requireMount(readMounts(), bytes(process.cwd())))).toMatch(/^\S{4,128}$/)
  })
})

it('knows which file systems hold no files of anybody', () => {
  for (const type of ['proc', 'sysfs', 'cgroup2', 'devpts', 'debugfs', 'tracefs', 'securityfs', 'bpf', 'devtmpfs'])
    expect(isPseudoFileSystem(type)).toBe(true)
  for (const type of ['ext4', 'btrfs', 'tmpfs', 'overlay', 'nfs4', 'fuse.sshfs', 'ntfs3'])
    expect(isPseudoFileSystem(type)).toBe(false)
})
