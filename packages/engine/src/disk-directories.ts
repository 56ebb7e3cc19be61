import { lstatSync, realpathSync, statSync } from 'node:fs'
import { type AclEntry, type Credentials, mayList, type Owned, readAcl } from '@hotpath/platform'
import { childPrefix, joinPath } from './path-text.js'

/** What a disk says of a directory. */
export interface DiskDirectory extends Owned {
  readonly acl: readonly AclEntry[] | undefined
}

/** Asks the disk about directories, by their paths in bytes. What cannot be asked is undefined. */
export interface DiskDirectories {
  /** @param follow a symlink at the end of the path is followed, as in the path of a root; else it is no directory */
  look(path: Uint8Array, follow: boolean): DiskDirectory | undefined
  /** The access list of a directory; `none` without one. */
  acl(path: Uint8Array): readonly AclEntry[] | 'none' | undefined
  /** The path without symlinks. */
  realPath(path: Uint8Array): Uint8Array | undefined
}

/** The disk itself. Two calls for each directory, some 5 µs together. */
export const realDisk: DiskDirectories = {
  look: (path, follow) =>
    attempt(() => {
      const stats = (follow ? statSync : lstatSync)(Buffer.from(path))
      if (!stats.isDirectory()) return undefined
      return { mode: stats.mode, user: stats.uid, group: stats.gid, acl: readAcl(follow ? slashed(path) : path) }
    }),
  acl: path => attempt(() => readAcl(path) ?? 'none'),
  realPath: path => attempt(() => new Uint8Array(realpathSync(Buffer.from(path), { encoding: 'buffer' }))),
}

/** With a slash at the end, symlinks there are followed by every call. */
function slashed(path: Uint8Array): Uint8Array {
  return Buffer.concat([path, Buffer.from('/')])
}

/** Whatever keeps us from knowing keeps others from seeing. */
function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}

/** How long an answer of the disk holds: a change of permissions is to be seen within a second. */
const MAX_AGE_MS = 500
/** Directories that are remembered; more are forgotten together. 2 MB. */
const MAX_REMEMBERED = 20_000

/** What one user may list on the disk, as it was half a second ago at most. */
export class DiskPermissions {
  private readonly known = new Map<string, { readonly mayList: boolean; readonly untilMs: number }>()

  constructor(
    private readonly disk: DiskDirectories,
    private readonly who: Credentials,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Place of the first component of a path that is no directory which may be listed, -1 if all are.
   * @param followed so many components may be symlinks: the path of a root is followed, what is in it is not
   */
  barrier(components: readonly Uint8Array[], followed: number): number {
    for (let length = 1; length <= components.length; length++) {
      if (!this.mayList(pathOf(components.slice(0, length)), length <= followed)) return length - 1
    }
    return -1
  }

  /** Whether the directories above a path without its symlinks may be listed, too: whoever goes there passes through both. */
  mayReach(path: Uint8Array): boolean {
    const real = this.disk.realPath(path)
    if (real === undefined) return false
    // Nothing is above it.
    if (real.length === 1) return true
    for (let slash = real.lastIndexOf(0x2f); slash >= 0; slash = slash === 0 ? -1 : real.lastIndexOf(0x2f, slash - 1)) {
      if (!this.mayList(slash === 0 ? Uint8Array.of(0x2f) : real.subarray(0, slash), false)) return false
    }
    return true
  }

  private mayList(path: Uint8Array, follow: boolean): boolean {
    const key = `${follow ? '>' : '='}${Buffer.from(path).toString('latin1')}`
    const known = this.known.get(key)
    const now = this.now()
    if (known !== undefined && known.untilMs > now) return known.mayList
    const found = this.disk.look(path, follow)
    const verdict = found !== undefined && mayList(found, found.acl, this.who)
    if (this.known.size >= MAX_REMEMBERED) this.known.clear()
    this.known.set(key, { mayList: verdict, untilMs: now + MAX_AGE_MS })
    return verdict
  }
}

/** The bytes of the path of a directory. */
export function pathOf(components: readonly Uint8Array[]): Uint8Array {
  const last = components[components.length - 1]
  return last === undefined ? new Uint8Array(0) : joinPath(childPrefix(components.slice(0, -1)), last)
}
