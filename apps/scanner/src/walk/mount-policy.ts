import { isAtOrBelow, isPseudoFileSystem, type Mount, mountOf, readMounts, volumeId } from '@hotpath/platform'
import { deviceSalt, saltAt, volumeOf } from '../node-ref.js'
import { joinPath } from './pending-directories.js'

/** What a directory that lies on another file system, or is a mount point, means for a scan. */
export interface MountVerdict {
  /**
   * `leaf`: an entry, but what is in it is not of this scan. `enter`: belongs to it. `later`: belongs to it unless
   * the same directories are reached by another way (a bind mount), which is known when everything else was read.
   */
  readonly action: 'leaf' | 'enter' | 'later'
  /** Salt of the refs of what is in it. */
  readonly salt: number
}

export interface MountPolicyOptions {
  /** Absolute path of the root, symlinks resolved. */
  readonly root: Uint8Array
  readonly rootDevice: number
  readonly rootVolume: string
  readonly crossDevices: boolean
}

/**
 * Decides about mounts below a root. A directory on another device is left alone unless `crossDevices`, as `find
 * -xdev` does; pseudo file systems always are.
 */
export class MountPolicy {
  /** Salt of the refs in the file system of the root. */
  readonly rootSalt: number
  #mounts: readonly Mount[]

  constructor(
    private readonly options: MountPolicyOptions,
    private readonly read: () => readonly Mount[] = readMounts,
  ) {
    this.#mounts = read()
    this.rootSalt = saltAt(0, options.root, options.rootDevice)
  }

  /** Names of the mount points below the root by the path of their directory (relative to the root, as latin1). */
  mountPoints(): Map<string, Set<string>> {
    const { root } = this.options
    const found = new Map<string, Set<string>>()
    for (const { mountPoint } of this.#mounts) {
      if (!isAtOrBelow(mountPoint, root) || mountPoint.length <= root.length) continue
      const inside = Buffer.from(mountPoint.subarray(root.length === 1 ? 1 : root.length + 1)).toString('latin1')
      const slash = inside.lastIndexOf('/')
      const directory = inside.slice(0, Math.max(0, slash))
      const names = found.get(directory) ?? new Set()
      found.set(directory, names.add(inside.slice(slash + 1)))
    }
    return found
  }

  /**
   * @param path of the directory, relative to the root
   * @param isMountPoint it is the root of a mount (or there is a mount of that path)
   */
  judge(path: Uint8Array, device: number, isMountPoint: boolean): MountVerdict {
    const { root, rootDevice, crossDevices } = this.options
    const absolute = root.length === 1 ? joinPath(new Uint8Array(0), prefixed(path)) : joinPath(root, path)
    const mount = this.#mountOf(absolute, device)
    const salt = this.#saltOf(absolute, device)
    const foreign = device !== rootDevice
    if (mount !== undefined && isMountPoint && isPseudoFileSystem(mount.fileSystem)) return { action: 'leaf', salt }
    if (foreign && !crossDevices) return { action: 'leaf', salt }
    if (!isMountPoint || (foreign && this.#isMountedOnce(device))) return { action: 'enter', salt }
    return { action: 'later', salt }
  }

  /** False for subvolumes inside of a mounted file system: their refs depend on where the subvolume is. */
  isMounted(device: number): boolean {
    return this.#mounts.some(mount => mount.device === device)
  }

  /** A mount that was made after the table was read is looked for once more. */
  #mountOf(absolute: Uint8Array, device: number): Mount | undefined {
    const known = mountOf(this.#mounts, absolute)
    if (known !== undefined && known.device === device) return known
    this.#mounts = this.read()
    return mountOf(this.#mounts, absolute)
  }

  #isMountedOnce(device: number): boolean {
    let count = 0
    for (const mount of this.#mounts)
      if (mount.device === device && isAtOrBelow(mount.mountPoint, this.options.root)) count++
    return count === 1
  }

  #saltOf(absolute: Uint8Array, device: number): number {
    if (device === this.options.rootDevice) return this.rootSalt
    const mount = mountOf(this.#mounts, absolute)
    const volume = mount?.device === device ? volumeId(mount) : volumeOf(absolute, device)
    return volume === this.options.rootVolume ? this.rootSalt : saltAt(deviceSalt(volume), absolute, device)
  }
}

function prefixed(path: Uint8Array): Uint8Array {
  const absolute = new Uint8Array(path.length + 1)
  absolute[0] = 0x2f
  absolute.set(path, 1)
  return absolute
}
