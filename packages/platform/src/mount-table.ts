import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { InvalidInputError } from '@hotpath/model'
import { MalformedKernelDataError } from './errors.js'
import { deviceNumber, deviceOfStats } from './stat-columns.js'

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). Paths are bytes, without escapes. */
export interface Mount {
  readonly id: number
  readonly parentId: number
  /** As in StatColumns. Subvolumes of btrfs have others. */
  readonly device: number
  /** Which directory of the file system is mounted: `/`, but for bind mounts and subvolumes. */
  readonly root: Uint8Array
  readonly mountPoint: Uint8Array
  /** `ext4`, `fuse.sshfs` … */
  readonly fileSystem: string
  /** Device or whatever the file system calls so. */
  readonly source: Uint8Array
  /** Options of the file system (not of this mount), separated by commas. */
  readonly superOptions: string
}

/** Lines of mountinfo; throws MalformedKernelDataError. */
export function parseMountInfo(content: Uint8Array): Mount[] {
  const mounts: Mount[] = []
  let offset = 0
  for (const line of Buffer.from(content).toString('latin1').split('\n')) {
    if (line !== '') mounts.push(parseLine(line, offset))
    offset += line.length + 1
  }
  return mounts
}

function parseLine(line: string, offset: number): Mount {
  const fields = line.split(' ')
  // Between the sixth field and the dash stand any number of optional ones.
  const dash = fields.indexOf('-', 6)
  const [id, parentId, device, root, mountPoint] = fields
  const [fileSystem, source, superOptions] = dash === -1 ? [] : fields.slice(dash + 1)
  const numbers = /^(\d{1,7}):(\d{1,7})$/.exec(device ?? '')
  const whole = (text: string | undefined) => text !== undefined && /^-?\d{1,10}$/.test(text)
  if (!whole(id) || !whole(parentId) || numbers === null || !root || !mountPoint || !fileSystem || source === undefined)
    throw new MalformedKernelDataError('mountinfo', offset, JSON.stringify(line.slice(0, 200)))
  return {
    id: Number(id),
    parentId: Number(parentId),
    device: deviceNumber(Number(numbers[1]), Number(numbers[2])),
    root: unescaped(root),
    mountPoint: unescaped(mountPoint),
    fileSystem,
    source: unescaped(source),
    superOptions: superOptions ?? '',
  }
}

/** Space, tab, line feed and backslash are written as a backslash and three octal digits. */
function unescaped(text: string): Uint8Array {
  const plain = text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
  return new Uint8Array(Buffer.from(plain, 'latin1'))
}

/** The table as it was read last: it is read far more often than it changes. */
let last: { readonly content: Buffer; readonly mounts: readonly Mount[] } = { content: Buffer.alloc(0), mounts: [] }

/** The mounts this process sees now. Empty where there is no /proc. */
export function readMounts(): readonly Mount[] {
  try {
    const content = readFileSync('/proc/self/mountinfo')
    if (!content.equals(last.content)) last = { content, mounts: parseMountInfo(content) }
    return last.mounts
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** The mount that an absolute path (symlinks resolved) lies in: the longest mount point, and of equals the last, which covers the others. */
export function mountOf(mounts: readonly Mount[], path: Uint8Array): Mount | undefined {
  let best: Mount | undefined
  for (const mount of mounts)
    if (isAtOrBelow(path, mount.mountPoint) && mount.mountPoint.length >= (best?.mountPoint.length ?? 0)) best = mount
  return best
}

/** Is `path` the same as `ancestor` or below it? Both absolute, without `/` at the end (but for the root itself). */
export function isAtOrBelow(path: Uint8Array, ancestor: Uint8Array): boolean {
  if (ancestor.length === 1 && ancestor[0] === 0x2f) return path[0] === 0x2f
  if (path.length < ancestor.length) return false
  for (let i = 0; i < ancestor.length; i++) if (path[i] !== ancestor[i]) return false
  return path.length === ancestor.length || path[ancestor.length] === 0x2f
}

/** File systems that show the state of the kernel or of programs, not files that somebody keeps. */
const PSEUDO_FILE_SYSTEMS = new Set(
  `autofs binder binfmt_misc bpf cgroup cgroup2 configfs cpuset debugfs devfs devpts devtmpfs efivarfs fusectl
  fuse.gvfsd-fuse fuse.lxcfs fuse.portal hugetlbfs mqueue nfsd nsfs openpromfs pipefs proc pstore resctrl
  rpc_pipefs securityfs selinuxfs smackfs sockfs sysfs tracefs xenfs`.split(/\s+/),
)

/** True for a type of file system (as in Mount) that is never indexed. */
export function isPseudoFileSystem(fileSystem: string): boolean {
  return PSEUDO_FILE_SYSTEMS.has(fileSystem)
}

/**
 * Which file system a mount shows, in a way that survives restarts (device numbers do not): the UUID where udev knows
 * it, else type and device, else type, source and mount point (every tmpfs has the source `tmpfs`). btrfs numbers the
 * inodes of each subvolume by itself, so the subvolume is part of it.
 */
export function volumeId(mount: Mount, uuids: ReadonlyMap<number, string> = readUuids()): string {
  const subvolume = /(?:^|,)subvolid=(\d+)/.exec(mount.superOptions)?.[1]
  const inside = subvolume === undefined ? '' : `/subvolume-${subvolume}`
  const uuid = uuids.get(mount.device) ?? uuids.get(deviceOfNode(mount.source))
  if (uuid !== undefined) return `${uuid}${inside}`
  const text = (bytes: Uint8Array) => encodeURI(Buffer.from(bytes).toString('latin1'))
  const place = isAtOrBelow(mount.source, DEV) ? '' : `:${text(mount.mountPoint)}`
  return `${mount.fileSystem}:${text(mount.source)}${place}${inside}`
}

const DEV = new Uint8Array(Buffer.from('/dev'))
const BY_UUID = '/dev/disk/by-uuid'

/** UUIDs of the file systems on block devices by device number. Empty where udev does not run. */
export function readUuids(): Map<number, string> {
  const uuids = new Map<number, string>()
  let names: string[]
  try {
    names = readdirSync(BY_UUID)
  } catch {
    return uuids
  }
  for (const name of names) {
    try {
      uuids.set(deviceOfNode(Buffer.from(`${BY_UUID}/${readlinkSync(`${BY_UUID}/${name}`)}`)), name)
    } catch {
      // A device that was just pulled out: it has no mount either.
    }
  }
  uuids.delete(NO_DEVICE)
  return uuids
}

const NO_DEVICE = 0

/** Number of the device that a node in /dev stands for, or NO_DEVICE. */
function deviceOfNode(path: Uint8Array): number {
  if (path[0] !== 0x2f) return NO_DEVICE
  try {
    const stats = statSync(Buffer.from(path))
    if (!stats.isBlockDevice()) return NO_DEVICE
    return deviceOfStats(stats.rdev)
  } catch {
    return NO_DEVICE
  }
}

/** The mount of an absolute path; throws InvalidInputError if the path is not absolute or no mount is known. */
export function requireMount(mounts: readonly Mount[], path: Uint8Array): Mount {
  const mount = mountOf(mounts, path)
  if (mount === undefined)
    throw new InvalidInputError(
      'path',
      'an absolute path below a mount point',
      JSON.stringify(Buffer.from(path).toString()),
    )
  return mount
}
