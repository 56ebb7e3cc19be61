import { closeSync, constants, openSync, statSync } from 'node:fs'
import { Errno, type FileHandle, fileSystemInfo, isAtOrBelow, openByHandle, SystemCallError } from '@hotpath/platform'

export const OPEN_MOUNT = constants.O_RDONLY | constants.O_DIRECTORY

/** A directory at which a file system is mounted. It is open during a round of work only: it must stay free to be unmounted. */
interface MountPlace {
  readonly path: Uint8Array
  fd: number | undefined
}

/** The file systems of a tree, and where each of them is mounted in it. */
export class MountedFileSystems {
  readonly #places = new Map<string, MountPlace[]>()

  has(fsid: string): boolean {
    return this.#places.has(fsid)
  }

  get fsids(): Iterable<string> {
    return this.#places.keys()
  }

  /**
   * Throws SystemCallError if another file system with the same id is known: that of a copy of its disk (a snapshot, a clone). Events
   * and handles do not tell them apart.
   *
   * @param path absolute
   */
  add(fsid: string, path: Uint8Array): void {
    const [known] = this.#places.get(fsid) ?? []
    if (known !== undefined && deviceAt(known.path) !== deviceAt(path))
      throw new SystemCallError('statfs', Errno.EEXIST, `${shown(path)} has the id of ${shown(known.path)}`)
    this.#places.set(fsid, [...(this.#places.get(fsid) ?? []), { path, fd: undefined }])
  }

  /** Descriptors of the places where a file system is mounted, open until `close`. */
  *descriptors(fsid: string): Generator<number> {
    for (const place of this.#places.get(fsid) ?? []) {
      place.fd ??= openMount(place.path, fsid)
      if (place.fd !== undefined) yield place.fd
    }
  }

  /**
   * The file system that events name for a directory: the mounted one. A subvolume of btrfs inside of it has another fsid.
   *
   * @param absolute path of the directory
   * @param fd open on it
   */
  fsidAt(absolute: Uint8Array, fd: number): string {
    const { fsid } = fileSystemInfo(fd)
    if (this.#places.has(fsid)) return fsid
    let found = { fsid, length: -1 }
    for (const [mounted, places] of this.#places)
      for (const place of places)
        if (place.path.length > found.length && isAtOrBelow(absolute, place.path))
          found = { fsid: mounted, length: place.path.length }
    return found.fsid
  }

  /** Forgets all of them. */
  clear(): void {
    this.close()
    this.#places.clear()
  }

  /** Closes what is open: the round of work is over. */
  close(): void {
    for (const places of this.#places.values())
      for (const place of places) {
        if (place.fd !== undefined) closeSync(place.fd)
        place.fd = undefined
      }
  }
}

function deviceAt(path: Uint8Array): number {
  return statSync(Buffer.from(path)).dev
}

function shown(path: Uint8Array): string {
  return Buffer.from(path).toString()
}

/** A descriptor of the node; `gone` if there is no such node any more, `failing` if the system cannot say now (no memory, no descriptors). */
export function openHandle(mountFd: number, handle: FileHandle): number | 'gone' | 'failing' {
  try {
    return openByHandle(mountFd, handle)
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error
    return error.errno === Errno.ESTALE || error.errno === Errno.ENOENT ? 'gone' : 'failing'
  }
}

/** A descriptor of a mounted file system; undefined if it is not mounted there any more (seen when the mounts are looked at). */
function openMount(path: Uint8Array, fsid: string): number | undefined {
  let fd: number
  try {
    fd = openSync(Buffer.from(path), OPEN_MOUNT)
  } catch {
    return undefined
  }
  if (fileSystemInfo(fd).fsid === fsid) return fd
  closeSync(fd)
  return undefined
}
