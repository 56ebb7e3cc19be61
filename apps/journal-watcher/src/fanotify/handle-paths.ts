import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs'
import type { NodeRef } from '@hotpath/model'
import type { FileHandle } from '@hotpath/platform'
import type { Missing } from '../tree/mechanism.js'
import { joinPath, relativePath } from '../tree/paths.js'
import { deviceOfStat, type OpenedDirectory, type TreeRules } from '../tree/tree-rules.js'
import { type MountedFileSystems, openHandle } from './mounted-file-systems.js'

const O_PATH = 0o10000000
export const OPEN_DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Where directories of a tree are now, by their handles. */
export class HandlePaths {
  constructor(
    private readonly rules: TreeRules,
    private readonly mounts: MountedFileSystems,
  ) {}

  /** Opens a directory where it is. `moved`: it went elsewhere meanwhile. Uses the reader. */
  open(handle: FileHandle): OpenedDirectory | Missing {
    let moved = false
    for (const mountFd of this.mounts.descriptors(handle.fsid)) {
      const fd = openHandle(mountFd, handle)
      if (typeof fd === 'string') return fd
      try {
        const path = this.#insidePath(fd) ?? this.#longPath(fd)
        if (path === null) continue
        const opened = this.rules.open(path)
        if (opened === 'left-out') continue
        if (opened === 'unreadable') return 'unreadable'
        const { ino, dev, nlink } = fstatSync(fd, { bigint: true })
        // A removed directory keeps its last path; something else may be there.
        if (nlink === 0n) return 'gone'
        if (opened !== 'vanished' && inodeOf(opened.ref) === ino && opened.device === deviceOfStat(dev)) return opened
        moved = true
      } finally {
        closeSync(fd)
      }
    }
    return moved ? 'moved' : 'gone'
  }

  /** Where a directory is now, relative to the root, or null if it is not below it. */
  find(handle: FileHandle): Uint8Array | null {
    for (const mountFd of this.mounts.descriptors(handle.fsid)) {
      const fd = openHandle(mountFd, handle)
      if (typeof fd === 'string') return null
      try {
        const path = this.#insidePath(fd)
        if (path !== null) return path
      } finally {
        closeSync(fd)
      }
    }
    return null
  }

  /** Of what a descriptor is open on; null if it is not below the root, or its path is longer than the kernel tells. */
  #insidePath(fd: number): Uint8Array | null {
    try {
      const path = new Uint8Array(readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }))
      return relativePath(this.rules.realRoot, path)?.slice() ?? null
    } catch (error) {
      if (isTooLong(error)) return null
      throw error
    }
  }

  /** A path beyond 4,095 bytes, found by the names of its last directories in their parents. Uses the reader. */
  #longPath(fd: number): Uint8Array | null {
    try {
      readlinkSync(`/proc/self/fd/${fd}`)
      return null
    } catch (error) {
      if (!isTooLong(error)) throw error
    }
    const above = openSync(`/proc/self/fd/${fd}/..`, O_PATH | constants.O_DIRECTORY)
    try {
      const parent = this.#insidePath(above) ?? this.#longPath(above)
      if (parent === null || typeof this.rules.open(parent) === 'string') return null
      const { ino } = fstatSync(fd, { bigint: true })
      const { reader } = this.rules
      for (let count = reader.next(); count > 0; count = reader.next()) {
        const { inodeLow, inodeHigh, bytes, nameStart, nameEnd } = reader.entries
        for (let row = 0; row < count; row++)
          if (((BigInt(inodeHigh[row]!) << 32n) | BigInt(inodeLow[row]!)) === ino)
            return joinPath(parent, bytes.subarray(nameStart[row]!, nameEnd[row]!))
      }
      return null
    } finally {
      closeSync(above)
    }
  }
}

export function inodeOf(ref: NodeRef): bigint {
  return (BigInt(ref.high) << 32n) | BigInt(ref.low)
}

function isTooLong(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENAMETOOLONG'
}
